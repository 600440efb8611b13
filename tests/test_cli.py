import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ScriptedDecider, ScriptedGenerator, WordEmbedder, WordReader, WordVerifier

from ragkit import cli
from ragkit.index.folder import record_integrity, recorded_integrity, sha256_of
from ragkit.models.loading import load_generator
from ragkit.prompts import REFUSAL

LETTER = "Putin suggested Istanbul as the place for talks.\n\nThe letter was released on Thursday.\n"
QUESTION = "Which place for talks was suggested?"
ANSWERS = "answers.toml"
REFUSES = "refuses.toml"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A working folder with one document; the neural models are stand-ins."""
    monkeypatch.chdir(tmp_path)
    Path("docs").mkdir()
    Path("docs/letter.txt").write_text(LETTER)
    Path(ANSWERS).write_text("min_confidence = 0.0\n")
    Path(REFUSES).write_text("min_confidence = 1.0\n")
    for module in ("ragkit.cli.indexing", "ragkit.kit", "ragkit.evaluation.command"):
        monkeypatch.setattr(f"{module}.load_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setattr("ragkit.kit.load_reader", lambda **_: WordReader())
    monkeypatch.setattr("ragkit.kit.load_verifier", lambda *_, **__: WordVerifier())
    monkeypatch.setattr("ragkit.kit.load_decider", lambda **_: ScriptedDecider({}))
    writer = ScriptedGenerator(lambda prompt: " Putin suggested Istanbul as the place.", name="fake-writer")
    monkeypatch.setattr(
        "ragkit.kit.load_generator",
        lambda model, **options: load_generator(model, **options) if model else writer,
    )
    return tmp_path


@pytest.fixture
def ragkit(monkeypatch, capsys):
    """Runs the command line in a pipe: (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ragkit", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        out, err = capsys.readouterr()
        assert "\x1b" not in out + err, "no colours in a pipe"
        assert "Traceback" not in err
        return code, out, err

    return run


@pytest.fixture
def indexed(ragkit):
    assert ragkit("index", "docs", "--index", "index", "--quiet") == (0, "", "")


def ask(ragkit, *arguments, settings=ANSWERS):
    return ragkit("ask", *arguments, "--index", "index", "--settings", settings)


def one_line(err):
    return len(err.strip().splitlines()) == 1


# index


def test_indexing_says_on_stdout_what_it_did(ragkit):
    code, out, err = ragkit("index", "docs", "--index", "index")
    assert (code, err) == (0, "")
    assert "1 added" in out
    assert "1 unchanged" in ragkit("index", "docs", "--index", "index")[1]


def test_indexing_as_json(ragkit):
    code, out, _ = ragkit("index", "docs", "--index", "index", "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["added"], report["unchanged"], report["failed"]) == (1, 0, [])


def test_files_that_cannot_be_read_are_named_and_the_rest_is_indexed(ragkit):
    Path("docs/picture.txt").write_bytes(bytes(range(256)) * 8)
    Path("docs/dangling.txt").symlink_to("nowhere.txt")
    Path("docs/empty.txt").write_bytes(b"")
    code, out, err = ragkit("index", "docs", "--index", "index")
    assert code == 0
    assert "1 added" in out
    for name in ("picture.txt", "dangling.txt", "empty.txt"):
        assert f"docs/{name}" in err
        assert name not in out


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        pytest.param(["nowhere"], "nowhere", id="missing-path"),
        pytest.param(["docs", "nowhere.txt"], "nowhere.txt", id="one-missing-of-two"),
        pytest.param(["hollow"], "hollow", id="empty-folder"),
    ],
)
def test_paths_that_give_nothing_are_one_line_and_exit_2(ragkit, paths, named):
    Path("hollow").mkdir()
    code, out, err = ragkit("index", *paths, "--index", "index")
    assert (code, out) == (2, "")
    assert named in err
    assert one_line(err)
    assert not Path("index").exists()


# ask


@pytest.mark.usefixtures("indexed")
def test_an_answer_goes_to_stdout_with_its_citation(ragkit):
    code, out, err = ask(ragkit, QUESTION)
    assert (code, err) == (0, "")
    assert out.startswith("Putin suggested Istanbul as the place for talks. [1]")
    assert "[1] docs/letter.txt, paragraph 1" in out
    assert "“Putin suggested Istanbul as the place for talks.”" in out


@pytest.mark.usefixtures("indexed")
def test_an_answer_as_json_is_one_line_of_it(ragkit):
    _, out, _ = ask(ragkit, QUESTION, "--json")
    answer = json.loads(out)
    assert one_line(out)
    assert answer["model"]
    assert LETTER[answer["citations"][0]["start"] : answer["citations"][0]["end"]] == answer["citations"][0]["quote"]


@pytest.mark.usefixtures("indexed")
def test_a_refusal_says_why_and_exits_0(ragkit):
    code, out, _ = ask(ragkit, "Who won the match?", settings=REFUSES)
    assert code == 0
    assert out.startswith(REFUSAL)
    assert "Reason:" in out
    assert "docs/letter.txt" in out


@pytest.mark.usefixtures("indexed")
def test_a_file_of_questions_is_answered_in_order_and_a_broken_line_is_named(ragkit):
    lines = [
        '{"id": "q1", "question": "Which place for talks was suggested?"}',
        "{broken",
        '{"id": "q3"}',
        '{"id": "q4", "question": " "}',
        "",
        '{"id": 6, "question": "When was the letter released?"}',
    ]
    Path("questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    code, out, err = ask(ragkit, "--questions", "questions.jsonl", "--json")
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [answer["id"] for answer in answers] == ["q1", "6"]
    assert "Thursday" in answers[1]["answer"]
    assert re.findall(r"line (\d)", err.replace("line 1 column", "")) == ["2", "3", "4"]


@pytest.mark.usefixtures("indexed")
def test_a_file_without_questions_is_an_error(ragkit):
    Path("questions.jsonl").write_text("nothing\n")
    code, out, err = ask(ragkit, "--questions", "questions.jsonl", "--json")
    assert (code, out) == (2, "")
    assert '"question"' in err


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param([], "one question", id="no-question"),
        pytest.param([QUESTION, "--questions", "x.jsonl"], "one question", id="both"),
        pytest.param(["--questions", "nowhere.jsonl"], "nowhere.jsonl", id="no-such-file"),
        pytest.param(["  "], "empty", id="blank"),
        pytest.param(["x" * 100_000], "100,000", id="far-too-long"),
        pytest.param([QUESTION, "--model", "./no-such-model"], "no-such-model", id="no-such-model"),
        pytest.param([QUESTION, "--model", "some/model", "--offline"], "some/model", id="not-here-and-offline"),
        pytest.param([QUESTION, "--model", "openai:nonsense"], "openai:http://host", id="no-server-name"),
        pytest.param([QUESTION, "--model", "openai:http://127.0.0.1:9/v1#x"], "127.0.0.1:9", id="server-down"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_exit_2(ragkit, arguments, named):
    code, out, err = ask(ragkit, *arguments)
    assert (code, out) == (2, "")
    assert named in err
    assert one_line(err)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param("min_confidenc = 0.1", "min_confidenc", id="unknown-key"),
        pytest.param("draft_tokens = -1", "draft_tokens", id="out-of-bounds"),
        pytest.param("draft_tokens = ", "settings.toml", id="no-toml"),
        pytest.param(None, "settings.toml", id="no-file"),
    ],
)
@pytest.mark.usefixtures("indexed")
def test_settings_that_are_not_valid_are_named(ragkit, content, named):
    if content is not None:
        Path("settings.toml").write_text(content)
    code, _, err = ask(ragkit, QUESTION, settings="settings.toml")
    assert code == 2
    assert named in err
    assert one_line(err)


# the state of the index


@pytest.mark.parametrize("command", [["ask", QUESTION], ["search", QUESTION], ["info"], ["doctor"]], ids=lambda c: c[0])
def test_without_an_index_every_command_tells_how_to_make_one(ragkit, command):
    code, out, err = ragkit(*command, "--index", "index")
    assert (code, out) == (2, "")
    assert "ragkit index PATH --index index" in err
    assert one_line(err)


@pytest.mark.usefixtures("indexed")
def test_an_index_of_another_embedder_is_refused_with_the_cure(ragkit, monkeypatch):
    for module in ("ragkit.cli.indexing", "ragkit.kit"):
        monkeypatch.setattr(f"{module}.load_embedder", lambda *_, **__: WordEmbedder(32, "other@2"))
    for command in (["ask", QUESTION], ["search", QUESTION], ["index", "docs"]):
        code, _, err = ragkit(*command, "--index", "index")
        assert code == 2
        assert "word-embedder@1" in err
        assert "other@2" in err
        assert "--rebuild" in err
        assert one_line(err)


@pytest.mark.parametrize("name", ["ragkit.sqlite", "vectors-1.faiss"])
@pytest.mark.parametrize("command", [["ask", QUESTION], ["doctor"], ["info"]], ids=lambda c: c[0])
@pytest.mark.usefixtures("indexed")
def test_a_flipped_byte_is_noticed(ragkit, name, command):
    file = Path("index") / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    code, out, err = ragkit(*command, "--index", "index")
    assert (code, out) == (2, "")
    assert name in err
    assert "--rebuild" in err
    assert one_line(err)


# search, info, doctor


@pytest.mark.usefixtures("indexed")
def test_search_shows_the_best_paragraphs(ragkit):
    code, out, err = ragkit("search", "place for talks", "--index", "index", "-k", "1")
    assert (code, err) == (0, "")
    assert out.startswith("1. docs/letter.txt, paragraph 1")
    _, out, _ = ragkit("search", "place for talks", "--index", "index", "--json")
    assert [(hit["rank"], hit["paragraph"]) for hit in json.loads(out)] == [(1, 1), (2, 2)]


@pytest.mark.usefixtures("indexed")
def test_info_and_doctor_tell_what_the_index_holds(ragkit):
    code, out, _ = ragkit("info", "--index", "index")
    assert code == 0
    assert "docs/letter.txt" in out
    assert "word-embedder@1" in out
    facts = json.loads(ragkit("info", "--index", "index", "--json")[1])
    assert (facts["documents"], facts["paths"]) == (1, ["docs/letter.txt"])
    assert ragkit("doctor", "--index", "index") == (0, f"index: sound; {facts['chunks']} chunks checked.\n", "")
    assert json.loads(ragkit("doctor", "--index", "index", "--json")[1]) == {"ok": True, "chunks": facts["chunks"]}


@pytest.mark.usefixtures("indexed")
def test_doctor_notices_what_no_checksum_of_a_file_shows(ragkit):
    connection = sqlite3.connect("index/ragkit.sqlite")
    connection.execute("DELETE FROM keywords")
    connection.commit()
    connection.close()
    recorded = replace(recorded_integrity(Path("index")), hashes=(sha256_of(Path("index/ragkit.sqlite")),))
    record_integrity(Path("index"), recorded)
    assert ragkit("info", "--index", "index")[0] == 0
    code, out, err = ragkit("doctor", "--index", "index")
    assert (code, out) == (2, "")
    assert "keyword" in err
    assert "--rebuild" in err
    assert "doctor --repair" in err
    assert ragkit("doctor", "--repair", "--index", "index")[1].startswith("index: mended; 1 documents are whole.")
    assert ragkit("doctor", "--index", "index")[0] == 0


# what an index can do


def prepared(ragkit):
    """Two generations: a letter and notes, and then a changed letter with a copy and a hidden memo."""
    Path("docs/notes.md").write_text("---\ntitle: On Apples\nauthor: Ann Lee\n---\n\nApples are red.\n")
    assert ragkit("index", "docs", "--index", "index", "--quiet") == (0, "", "")
    Path("docs/letter.txt").write_text(LETTER.replace("Thursday", "Friday"))
    Path("docs/same.txt").write_text(LETTER.replace("Thursday", "Friday"))
    Path("secret").mkdir()
    Path("secret/memo.txt").write_text("The memo suggested Geneva as the place for talks.\n")
    assert ragkit("index", "docs", "--index", "index", "--quiet") == (0, "", "")
    hidden = ("--label", "board", "--collection", "memos")
    assert ragkit("index", "secret", "--index", "index", "--quiet", *hidden) == (0, "", "")


def test_a_dry_run_says_what_would_be_done_and_does_nothing(ragkit):
    prepared(ragkit)
    Path("docs/notes.md").unlink()
    Path("docs/new.txt").write_text("Figs.\n")
    Path("docs/twin.txt").write_text("Figs.\n")
    Path("docs/letter.txt").write_text(LETTER)
    code, out, err = ragkit("index", "docs", "--index", "index", "--dry-run")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "add  docs/new.txt",
        "update  docs/letter.txt",
        "update  docs/same.txt",
        "the same as another  docs/twin.txt",
        "remove  docs/notes.md",
        "index: 0 unchanged, 0 of another kind skipped; nothing was done.",
    ]
    plan = json.loads(ragkit("index", "docs", "--index", "index", "--dry-run", "--json")[1])
    assert (plan["added"], plan["copies"]) == (["docs/new.txt"], ["docs/twin.txt"])
    assert (plan["removed"], plan["failed"]) == (["docs/notes.md"], [])
    assert "docs/notes.md" in ragkit("info", "--index", "index")[1]


def test_a_folder_left_empty_keeps_its_documents_and_the_cure_is_told_by_a_dry_run_too(ragkit):
    ragkit("index", "docs", "--index", "index")
    for dry in ([], ["--dry-run"]):
        code, _, err = ragkit("index", "docs", "--index", "index", "--exclude", "*", *dry)
        assert (code, "take the 1 documents of the index out with ragkit remove" in err) == (2, True)
    assert ragkit("remove", "docs", "--index", "index")[0] == 0
    assert json.loads(ragkit("info", "--index", "index", "--json")[1])["paths"] == []


def test_a_file_that_was_named_and_cannot_be_read_makes_the_exit_code_1(ragkit):
    Path("docs/broken.docx").write_text("no such thing")
    assert ragkit("index", "docs", "--index", "index")[0] == 0
    assert ragkit("index", "docs/letter.txt", "docs/broken.docx", "--index", "index")[0] == 1


def test_a_file_name_cannot_write_on_the_terminal(ragkit):
    Path("docs/a\x1b[31m\nb.txt").write_text("Figs are sweet.\n")
    ragkit("index", "docs", "--index", "index")
    for command in (("info",), ("search", "figs"), ("index", "docs", "--exclude", "a*", "--dry-run")):
        out = ragkit(*command, "--index", "index")[1]
        assert "docs/a\\x1b[31m\\nb.txt" in out


def test_what_a_terminal_cannot_show_is_escaped_and_a_full_disk_is_told():
    Path("docs/letter.txt").write_text("Die Bürgermeisterin schrieb.\n")
    run = [sys.executable, "-m", "ragkit", "index", "docs", "--index", "index", "--dry-run"]
    Path("docs/ü.txt").write_text("Über.\n")
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    shown = subprocess.run(run, capture_output=True, text=True, env=environment, check=True).stdout
    assert "add  docs/\\xfc.txt" in shown
    told = subprocess.run([*run, "--json"], capture_output=True, text=True, env=environment, check=True).stdout
    assert "docs/ü.txt" in json.loads(told)["added"]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "Error: the output cannot be written: No space left on device\n")


def test_patterns_say_which_files_of_a_folder_are_taken(ragkit):
    for name in ("a.txt", "b.md", "draft-c.txt"):
        Path("docs", name).write_text(f"This is {name}.\n")
    ragkit("index", "docs", "--index", "index", "--include", "*.txt", "--exclude", "draft-*")
    paths = json.loads(ragkit("info", "--index", "index", "--json")[1])["paths"]
    assert paths == ["docs/a.txt", "docs/letter.txt"]
    Path("docs/.ragkitignore").write_text("letter.*\n")
    ragkit("index", "docs", "--index", "index", "--exclude", "draft-*")
    assert json.loads(ragkit("info", "--index", "index", "--json")[1])["paths"] == ["docs/a.txt", "docs/b.md"]


def test_info_tells_collections_labels_and_copies(ragkit):
    prepared(ragkit)
    out = ragkit("info", "--index", "index")[1]
    assert "docs/same.txt (same as docs/letter.txt)" in out
    assert "secret/memo.txt (collection memos; for board)" in out
    facts = json.loads(ragkit("info", "--index", "index", "--label", "board", "--json")[1])
    assert (facts["documents"], facts["paths"], facts["copies"]) == (1, ["secret/memo.txt"], {})
    assert facts["bytes"] is None
    assert "size" not in ragkit("info", "--index", "index", "--label", "board")[1]
    facts = json.loads(ragkit("info", "--index", "index", "--json")[1])
    assert facts["copies"] == {"docs/same.txt": "docs/letter.txt"}
    assert facts["filed"]["secret/memo.txt"] == {"collection": "memos", "labels": ["board"]}


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        pytest.param([], "Istanbul", id="all"),
        pytest.param(["--label", "board"], "Geneva", id="label"),
        pytest.param(["--label", "press", "--label", "board"], "Geneva", id="labels"),
        pytest.param(["--collection", "memos"], "Geneva", id="collection"),
        pytest.param(["--where", "folder = secret"], "Geneva", id="where"),
        pytest.param(["--where", "author = 'ann lee'"], "Apples", id="front-matter"),
    ],
)
def test_questions_and_searches_can_be_limited(ragkit, limit, expected):
    prepared(ragkit)
    Path("lenient.toml").write_text("min_confidence = 0.0\nevidence_sentences = 1\n")
    settings = ("--index", "index", "--settings", "lenient.toml")
    assert expected in ragkit("ask", QUESTION, *settings, *limit)[1]
    assert expected in ragkit("search", "Putin suggested apples", *settings, *limit, "-k", "1")[1]
    for command in (["ask", QUESTION], ["explain", QUESTION], ["search", QUESTION]):
        out = ragkit(*command, *settings, *limit, "--json")[1]
        documents = {"Istanbul": "docs/letter.txt", "Geneva": "secret/memo.txt", "Apples": "docs/notes.md"}
        assert [path for path in documents.values() if path in out] == [documents[expected]] or not limit


def test_of_what_a_label_hides_not_even_a_paragraph_can_be_located(ragkit):
    prepared(ragkit)
    where = ("--index", "index", "--settings", ANSWERS, "--paragraph", "secret/memo.txt:1")
    assert "number 1" in ragkit("explain", QUESTION, *where, "--label", "board")[1]
    code, out, err = ragkit("explain", QUESTION, *where, "--label", "press")
    assert (code, out) == (2, "")
    assert "There is no paragraph 1 of secret/memo.txt" in err


@pytest.mark.parametrize(
    ("limit", "named"),
    [
        pytest.param(["--collection", "leters"], "There is no collection 'leters'", id="no-such-collection"),
        pytest.param(["--where", "autor = x"], "did you mean 'author'", id="no-such-name"),
        pytest.param(["--where", "author ="], "a value was expected", id="half-a-condition"),
        pytest.param(["--where", "'"], "--where", id="no-condition"),
        pytest.param(["--label", "a,b"], "no name for a label", id="no-label"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_one_line_and_exit_2(ragkit, limit, named):
    prepared(ragkit)
    Path("questions.jsonl").write_text('{"question": "Who?"}\n' * 3)
    for command in (["ask", QUESTION], ["search", QUESTION], ["ask", "--questions", "questions.jsonl"]):
        code, out, err = ragkit(*command, "--index", "index", *limit)
        assert (code, out) == (2, "")
        assert named in err
        assert one_line(err)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        pytest.param(["--label", "x", "--no-labels"], "exclude each other", id="label-and-none"),
        pytest.param(["--label", "a,b"], "no name for a label", id="no-label"),
        pytest.param(["--collection", ""], "no name for a collection", id="no-collection"),
        pytest.param(["--include", "[a"], "is not a pattern", id="no-pattern"),
        pytest.param(["--label", "a,b", "--dry-run"], "no name for a label", id="dry-run"),
    ],
)
def test_options_that_cannot_be_meant_are_one_line_and_nothing_is_made(ragkit, options, named):
    code, out, err = ragkit("index", "docs", "--index", "index", *options)
    assert (code, out) == (2, "")
    assert named in err
    assert one_line(err)
    assert not Path("index").exists()


def test_labels_are_given_changed_and_taken_away(ragkit):
    def labelled():
        return json.loads(ragkit("info", "--index", "index", "--label", "board", "--json")[1])["paths"]

    ragkit("index", "docs", "--index", "index", "--label", "staff", "--label", "board")
    assert labelled() == ["docs/letter.txt"]
    assert "1 unchanged" in ragkit("index", "docs", "--index", "index")[1]
    assert "1 updated" in ragkit("index", "docs", "--index", "index", "--no-labels")[1]
    assert labelled() == []


def test_documents_are_removed_and_the_files_stay(ragkit):
    prepared(ragkit)
    assert re.fullmatch(
        r"index: 2 removed \(\d\.\d s\)\.\n", ragkit("remove", "docs/same.txt", "secret", "--index", "index")[1]
    )
    assert json.loads(ragkit("remove", "docs/notes.md", "--index", "index", "--json")[1])["removed"] == 1
    assert ragkit("remove", "docs/letter.txt", "--index", "index", "-q") == (0, "", "")
    assert Path("docs/letter.txt").exists()
    code, out, err = ragkit("remove", "docs/letter.txt", "--index", "index")
    assert (code, out) == (2, "")
    assert "'docs/letter.txt' is not in index 'index'" in err
    assert one_line(err)


def test_the_history_is_listed_named_gone_back_in_and_forgotten(ragkit):
    prepared(ragkit)
    assert ragkit("history", "tag", "before", "1", "--index", "index") == (0, "index: generation 1 is 'before'.\n", "")
    assert ragkit("history", "tag", "now", "--index", "index") == (0, "index: generation 3 is 'now'.\n", "")
    code, out, _ = ragkit("history", "list", "--index", "index")
    assert code == 0
    assert [row[0] for row in re.findall(r"│ +(\d+) │.*│ (\w*) +│", out)] == ["1", "2", "3"]
    assert "before" in out
    listed = json.loads(ragkit("history", "list", "--index", "index", "--json")[1])
    assert [(one["generation"], one["documents"], one["tags"]) for one in listed] == [
        (1, 2, ["before"]),
        (2, 2, []),
        (3, 3, ["now"]),
    ]
    back = ragkit("history", "back", "before", "--index", "index")
    assert back == (0, "index: as in generation 1; this is generation 4.\n", "")
    assert "Thursday" in ragkit("search", "When was the letter released?", "--index", "index", "-k", "1")[1]
    untagged = ragkit("history", "untag", "before", "--index", "index")
    assert untagged == (0, "index: no generation is 'before' any more.\n", "")
    assert "2 earlier generations forgotten" in ragkit("history", "prune", "--index", "index")[1]
    listed = json.loads(ragkit("history", "list", "--index", "index", "--json")[1])
    assert [one["generation"] for one in listed] == [3, 4]
    assert json.loads(ragkit("history", "prune", "--keep", "1", "--index", "index", "--json")[1])["forgotten"] == 0


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (["history", "back", "7"], "There is no generation '7'. Kept are: 1"),
        (["history", "tag", "x", "7"], "There is no generation '7'"),
        (["history", "tag", "7"], "'7' is no name for a tag"),
        (["history", "untag", "x"], "No generation has the tag 'x'"),
        (["import", "nowhere.ragkit"], "There is no file 'nowhere.ragkit'"),
        (["import", "docs/letter.txt"], "no export of ragkit"),
        (["export", "docs/letter.txt"], "There is a file 'docs/letter.txt' already"),
        (["export", "nowhere/x"], "Cannot write 'nowhere/x'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("indexed")
def test_what_cannot_be_done_with_an_index_is_one_line_and_exit_2(ragkit, command, named):
    code, out, err = ragkit(*command, "--index", "index")
    assert (code, out) == (2, "")
    assert named in err
    assert one_line(err)


@pytest.mark.parametrize(
    "command",
    [
        ["remove", "x"], ["compact"], ["history", "list"], ["history", "tag", "x"], ["history", "back", "1"],
        ["history", "prune"], ["export", "out"], ["export", "out", "--parquet"], ["doctor", "--repair"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_without_an_index_there_is_nothing_to_keep_and_none_is_made(ragkit, command):
    code, out, err = ragkit(*command, "--index", "index")
    assert (code, out) == (2, "")
    assert "ragkit index PATH --index index" in err
    assert one_line(err)
    assert not Path("index").exists()
    assert not Path("out").exists()


def test_an_index_is_compacted(ragkit):
    prepared(ragkit)
    code, out, _ = ragkit("compact", "--index", "index")
    assert code == 0
    assert re.fullmatch(r"index: 2 earlier generations forgotten; \d\.\d MB before, \d\.\d MB now\.\n", out)
    assert json.loads(ragkit("compact", "--index", "index", "--json")[1])["forgotten"] == 0


def test_an_index_goes_from_one_machine_to_another(ragkit):
    prepared(ragkit)
    code, out, _ = ragkit("export", "index.ragkit", "--index", "index")
    assert code == 0
    assert re.fullmatch(r"index\.ragkit: 3 documents of generation 3, 0\.\d MB\.\n", out)
    assert ragkit("import", "index.ragkit", "--index", "other") == (0, "other: 3 documents, checked.\n", "")
    assert ragkit("search", QUESTION, "--index", "other")[1] == ragkit("search", QUESTION, "--index", "index")[1]
    exported = json.loads(ragkit("export", "chunks.parquet", "--parquet", "--index", "other", "--json")[1])
    assert (exported["file"], exported["documents"]) == ("chunks.parquet", 3)
    imported = json.loads(ragkit("import", "index.ragkit", "--index", "third", "--json")[1])
    assert (imported["documents"], imported["generation"]) == (3, 3)
    code, out, err = ragkit("import", "index.ragkit", "--index", "third")
    assert (code, out) == (2, "")
    assert "There is an index in 'third' already" in err


def test_a_damaged_index_is_mended_and_what_is_lost_is_named(ragkit):
    prepared(ragkit)
    assert ragkit("doctor", "--repair", "--index", "index") == (0, "index: sound; nothing to mend.\n", "")
    connection = sqlite3.connect("index/ragkit.sqlite")
    connection.execute("UPDATE documents SET text = 'x' WHERE path = 'docs/notes.md'")
    connection.commit()
    connection.close()
    code, _, err = ragkit("ask", QUESTION, "--index", "index")
    assert code == 2
    assert "ragkit doctor --repair --index index" in err
    code, out, err = ragkit("doctor", "--repair", "--index", "index")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "index: mended; 2 documents are whole.",
        "The damaged database is kept as index/quarantine/1-ragkit.sqlite; the history is lost.",
        "Not whole any more; index them again:",
        "  docs/notes.md",
    ]
    assert "1 added, 2 unchanged" in ragkit("index", "docs", "--index", "index")[1]
    Path("index/vectors-5.faiss").unlink()
    repaired = json.loads(ragkit("doctor", "--repair", "--index", "index", "--json")[1])
    assert repaired == {"was_sound": False, "documents": 3, "lost": [], "quarantined": None}


def test_an_index_of_the_previous_format_is_refused_until_it_is_brought_up_to_date(ragkit):
    shutil.copytree(Path(__file__).parent / "data" / "index-format-1", "index")
    for command in (["ask", QUESTION], ["info"], ["doctor"], ["history", "list"], ["index", "docs", "--dry-run"]):
        code, out, err = ragkit(*command, "--index", "index")
        assert (code, out) == (2, "")
        assert "ragkit compact --index index" in err
        assert one_line(err)
    assert ragkit("compact", "--index", "index")[0] == 0
    assert "docs/lease.md" in ragkit("info", "--index", "index")[1]
    assert ragkit("doctor", "--index", "index")[0] == 0


def test_watching_indexes_again_after_each_change_until_it_is_interrupted(ragkit, monkeypatch):
    def changes(paths, index):
        assert (paths, index) == (["docs"], Path("index"))
        yield 0
        Path("docs/new.txt").write_text("Figs.\n")
        yield 1
        shutil.rmtree("docs")
        yield 1
        Path("docs").mkdir()
        Path("docs/last.txt").write_text("Dates.\n")
        yield 1
        raise KeyboardInterrupt

    monkeypatch.setattr("ragkit.cli.indexing.changes_in", changes)
    code, out, err = ragkit("index", "docs", "--index", "index", "--watch", "--rebuild")
    assert code == 130
    assert [re.sub(r" \(.*", "", line) for line in out.splitlines()] == [
        "index: 1 added",
        "index: 1 added, 1 unchanged",
        "index: 1 added, 2 removed",
    ]
    assert "Watching; Ctrl-C ends it." in err
    assert "'docs' does not exist" in err


# eval


@pytest.fixture
def suite():
    """A suite of two questions over the one document."""
    folder = Path("evals/letter")
    folder.mkdir(parents=True)
    (folder / "suite.toml").write_text('name = "letter"\ndocuments = ["docs"]\n')
    evidence = {"document": "docs/letter.txt", "paragraph": 1, "starts_with": "Putin suggested Istanbul"}
    gold = {"id": "q1", "question": QUESTION, "answers": ["Istanbul"], "evidence": [evidence], "answerable": True}
    other = {"id": "q2", "question": "Who won?", "answers": [], "evidence": [], "answerable": False}
    lines = [json.dumps({**question, "tags": ["factoid"]}) for question in (gold, other)]
    (folder / "questions.jsonl").write_text("\n".join(lines))


@pytest.mark.usefixtures("suite")
def test_a_suite_is_measured_and_saved(ragkit):
    code, out, _ = ragkit("eval", "letter", "--settings", ANSWERS, "--out", "result.json")
    assert code == 0
    assert "answers_right" in out
    code, out, _ = ragkit("eval", "letter", "--settings", ANSWERS, "--out", "again.json", "--json")
    assert json.loads(out)["suite"] == json.loads(Path("result.json").read_text())["suite"] == "letter"


@pytest.mark.usefixtures("suite")
def test_a_missed_threshold_exits_1_and_is_named(ragkit):
    given = ("eval", "letter", "--settings", ANSWERS, "--out", "result.json")
    code, _, err = ragkit(*given, "--fail-under", "answers_right=0.9")
    assert code == 1
    assert "answers_right must be at least 0.9, but it is 0.5" in err
    assert ragkit(*given, "--fail-under", "answers_right=0.4")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param(["nowhere"], "nowhere", id="no-such-suite"),
        pytest.param(["letter", "--fail-under", "answers_right"], "answers_right", id="no-number"),
        pytest.param(["letter", "--fail-under", "beauty=1"], "beauty", id="no-such-metric"),
    ],
)
@pytest.mark.usefixtures("suite")
def test_what_cannot_be_measured_is_one_line_and_exit_2(ragkit, arguments, named):
    code, out, err = ragkit("eval", *arguments)
    assert (code, out) == (2, "")
    assert named in err
    assert one_line(err)


# chat


def test_a_conversation_goes_on_until_an_empty_line(ragkit, indexed, monkeypatch):
    typed = iter([QUESTION, "x" * 5000, ""])
    monkeypatch.setattr("builtins.input", lambda: next(typed))
    code, out, err = ragkit("chat", "--index", "index", "--settings", ANSWERS)
    assert code == 0
    assert out.count("Putin suggested Istanbul as the place for talks.") >= 1
    assert "at most 2,000" in err


def test_a_follow_up_is_shown_as_it_was_asked(ragkit, indexed, monkeypatch):
    typed = iter([QUESTION, "And when?", ""])
    monkeypatch.setattr("builtins.input", lambda: next(typed))
    code, out, _ = ragkit("chat", "--index", "index", "--settings", ANSWERS, "--quiet")
    assert code == 0
    assert f"Asked as: {QUESTION[:-1]}, and when?" in out


def test_a_conversation_as_json_has_what_was_typed_and_what_was_asked(ragkit, indexed, monkeypatch):
    typed = iter([QUESTION, "And when?", ""])
    monkeypatch.setattr("builtins.input", lambda: next(typed))
    _, out, _ = ragkit("chat", "--index", "index", "--settings", ANSWERS, "--json")
    turns = [(turn["asked"], turn["question"]) for turn in map(json.loads, out.splitlines())]
    assert turns == [(QUESTION, QUESTION), ("And when?", f"{QUESTION[:-1]}, and when?")]


# explain


def test_an_answer_is_explained_step_by_step(ragkit, indexed):
    code, out, _ = ragkit("explain", QUESTION, "--index", "index", "--settings", ANSWERS)
    assert code == 0
    for step in (
        "Paragraphs that came up",
        "Sentences that were read",
        "Confidence",
        "The model was shown",
        "It wrote",
    ):
        assert step in out
    assert "Checked: “Putin suggested Istanbul as the place.”: " in out
    assert "[1] docs/letter.txt, paragraph 1" in out


def test_the_explanation_as_json_holds_every_step(ragkit, indexed):
    explained = json.loads(ragkit("explain", QUESTION, "--index", "index", "--settings", ANSWERS, "--json")[1])
    assert [paragraph["outcome"] for paragraph in explained["paragraphs"]] == ["read", "read"]
    assert explained["sentences"][0]["outcome"] == "evidence"
    assert explained["written"] == " Putin suggested Istanbul as the place."
    assert explained["checked"][0]["text"] == "Putin suggested Istanbul as the place."
    assert explained["answer"]["citations"][0]["paragraph"] == 1


def test_a_refusal_is_explained_and_the_model_is_not_asked(ragkit, indexed):
    code, out, _ = ragkit("explain", QUESTION, "--index", "index", "--settings", REFUSES)
    assert code == 0
    assert "below 1 it is refused: refused" in out
    assert "The model was shown" not in out


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize("option", [("--style", "long"), ("--max-wrong", "1.5")], ids=["style", "share"])
def test_a_style_or_a_share_that_is_none_is_one_line_and_exit_2(ragkit, option):
    code, out, err = ragkit("ask", QUESTION, "--index", "index", *option)
    assert (code, out) == (2, "")
    assert one_line(err)


def test_where_a_paragraph_stands_is_told_on_request(ragkit, indexed):
    where = ("--index", "index", "--settings", ANSWERS, "--paragraph")
    assert "by vectors its best chunk is number" in ragkit("explain", QUESTION, *where, "docs/letter.txt:2")[1]
    code, out, err = ragkit("explain", QUESTION, *where, "docs/letter.txt:9")
    assert (code, out) == (2, "")
    assert "There is no paragraph 9" in err
    assert ragkit("explain", QUESTION, *where, "letter")[0] == 2


# cite


@pytest.fixture
def answers(ragkit, indexed, place):
    """A file with one saved answer."""
    code, out, _ = ask(ragkit, QUESTION, "--json")
    assert code == 0
    (place / "answers.jsonl").write_text(out)
    return "answers.jsonl"


def test_citations_of_unchanged_documents_are_the_same(ragkit, answers):
    assert ragkit("cite", "check", answers, "--index", "index") == (0, "1 citation: 1 same.\n", "")


def test_an_edited_sentence_is_shown_and_the_check_fails(ragkit, answers, place):
    (place / "docs/letter.txt").write_text(LETTER.replace("Istanbul", "Geneva"))
    ragkit("index", "docs", "--index", "index")
    code, out, _ = ragkit("cite", "check", answers, "--index", "index")
    assert code == 1
    assert "[1] docs/letter.txt: edited" in out
    assert "[-Istanbul-] {+Geneva+}" in out
    code, out, _ = ragkit("cite", "check", answers, "--index", "index", "--json")
    assert (code, json.loads(out)["status"]) == (1, "edited")
    code, out, err = ragkit("cite", "export", answers, "--index", "index")
    assert (code, out) == (0, "")
    assert "is edited; it is left out" in err


def test_citations_are_exported_as_web_annotations(ragkit, answers):
    code, out, _ = ragkit("cite", "export", answers, "--index", "index", "--url", "https://example.org")
    target = json.loads(out)["target"]
    assert code == 0
    assert target["source"] == "https://example.org/docs/letter.txt"
    assert target["selector"][0]["exact"] == "Putin suggested Istanbul as the place for talks."


def test_a_file_without_a_citation_is_an_error_and_a_broken_line_is_named(ragkit, indexed, place):
    (place / "broken.jsonl").write_text("{\n[]\n{}\n")
    code, out, err = ragkit("cite", "check", "broken.jsonl", "--index", "index")
    assert (code, out) == (2, "")
    assert [f"line {number}" in err for number in (1, 2, 3)] == [True] * 3
    assert "ragkit ask QUESTION --json" in err


# the command line itself


@pytest.mark.parametrize("arguments", [["index"], ["search"], ["dance"], ["ask", QUESTION, "--colour"]], ids=" ".join)
def test_a_command_that_is_not_understood_exits_2(ragkit, arguments):
    code, out, err = ragkit(*arguments)
    assert (code, out) == (2, "")
    assert err


def test_help_names_every_command(ragkit):
    code, out, _ = ragkit("--help")
    assert code == 0
    assert all(name in out for name in ("index", "ask", "search", "eval", "info", "doctor"))


@pytest.mark.usefixtures("indexed")
def test_an_interruption_exits_130(ragkit, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ragkit.kit.load_embedder", interrupted)
    assert ask(ragkit, QUESTION)[0] == 130
