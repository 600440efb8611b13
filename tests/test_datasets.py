import json
from pathlib import Path

import pytest

from ragkit.errors import GoldError, SettingsError
from ragkit.evaluation.datasets import find_problems, load_suite
from ragkit.readers import read_document

PUBLIC = Path(__file__).parents[1].parent / "shared" / "data"
public = pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public data sets are not beside the project")

SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Super_Bowl 50/51",
            "paragraphs": [
                {
                    "context": "Denver won 24 to 10.\n\nIt was the final.",
                    "qas": [
                        {"id": "a", "question": "Who won?", "answers": [{"text": "Denver"}, {"text": "Denver"}]},
                        {"id": "b", "question": "Who sang?", "answers": [], "is_impossible": True},
                    ],
                },
                {
                    "context": " Carolina lost. ",
                    "qas": [{"id": "c", "question": "L?", "answers": [{"text": "Carolina"}]}],
                },
            ],
        },
        {"title": "Super Bowl 50 51", "paragraphs": [{"context": "One paragraph.", "qas": []}]},
    ],
}


def clapnq(id_, text, answer="", selected=()):
    passages = [{"title": "Cats", "text": text, "sentences": [text]}]
    return json.dumps(
        {
            "id": id_,
            "input": f"question {id_}",
            "passages": passages,
            "output": [{"answer": answer, "selected_sentences": list(selected), "meta": {}}],
        }
    )


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return file


def texts(suite):
    return {path.split("/")[-1]: file.read_text(encoding="utf-8") for path, file in suite.list_files().items()}


def make_suite(root, toml='name = "mine"\ndocuments = ["docs"]\nexclude = ["README.md"]\n'):
    write(root / "docs" / "a.txt", "One.\n\nTwo is here.\n")
    write(root / "docs" / "README.md", "Not a document.")
    write(root / "docs" / ".hidden" / "b.txt", "Not a document.")
    evidence = [{"document": "docs/a.txt", "paragraph": 2, "starts_with": "Two is"}]
    write(
        root / "evals" / "mine" / "questions.jsonl",
        {"id": "q", "question": "What?", "answers": ["Two"], "evidence": evidence},
    )
    return write(root / "evals" / "mine" / "suite.toml", toml).parent


def test_the_sentence_of_a_squad_answer_is_gold_where_the_file_tells_its_place(tmp_path):
    told = json.loads(json.dumps(SQUAD))
    told["data"][0]["paragraphs"][0]["qas"][0]["answers"] = [{"text": "final", "answer_start": 33}]
    suite = load_suite(write(tmp_path / "tiny.json", told), tmp_path / "work")
    assert [e.sentence for q in suite.questions for e in q.evidence] == ["It was the final.", "", ""]


def test_squad_articles_become_documents_and_contexts_paragraphs(tmp_path):
    suite = load_suite(write(tmp_path / "tiny.json", SQUAD), tmp_path / "work")
    assert suite.name == "tiny"
    assert texts(suite) == {
        "Super_Bowl_50_51.txt": "Denver won 24 to 10. It was the final.\n\nCarolina lost.\n",
        "Super_Bowl_50_51-2.txt": "One paragraph.\n",
    }
    assert [(q.id, q.answers, q.answerable, q.evidence[0].paragraph) for q in suite.questions] == [
        ("a", ("Denver",), True, 1),
        ("b", (), False, 1),
        ("c", ("Carolina",), True, 2),
    ]
    assert suite.questions[0].evidence[0].document == "Super_Bowl_50_51.txt"
    assert suite.questions[0].evidence[0].starts_with == "Denver won 24 to 10. It was the"


def test_a_dataset_is_written_to_the_same_place_each_time(tmp_path):
    file = write(tmp_path / "tiny.json", SQUAD)
    first, second = load_suite(file, tmp_path / "work"), load_suite(file, tmp_path / "work")
    assert first == second
    assert first.fingerprint() == second.fingerprint()
    SQUAD_2 = json.loads(json.dumps(SQUAD).replace("Carolina lost", "Dallas lost").replace('"Carolina"', '"Dallas"'))
    changed = load_suite(write(file, SQUAD_2), tmp_path / "work")
    assert changed.documents != first.documents
    assert changed.fingerprint() != first.fingerprint()


def test_clapnq_passages_become_documents_with_long_answers(tmp_path):
    lines = [clapnq("1", "Cats purr . They sleep .", "They purr.", ["Cats purr ."]), clapnq("2", "Cats run .")]
    suite = load_suite(write(tmp_path / "some.jsonl", "\n".join(lines) + "\n"), tmp_path / "work")
    assert texts(suite) == {"Cats.txt": "Cats purr . They sleep .\n", "Cats-2.txt": "Cats run .\n"}
    answerable, unanswerable = suite.questions
    assert answerable.answers == ("They purr.",)
    assert answerable.evidence_sentences == ("Cats purr .",)
    assert answerable.is_long
    assert (unanswerable.answerable, unanswerable.answers, unanswerable.is_long) == (False, (), False)


def test_a_clapnq_passage_that_occurs_twice_is_one_document(tmp_path):
    lines = [clapnq("1", "Cats purr .", "They purr.", ["Cats purr ."]), clapnq("2", "Cats purr .")]
    suite = load_suite(write(tmp_path / "some.jsonl", "\n".join(lines)), tmp_path / "work")
    assert len(suite.list_files()) == 1


def test_the_two_clapnq_files_are_one_suite_whichever_is_given(tmp_path):
    yes = write(tmp_path / "dev_answerable_x.jsonl", clapnq("1", "Cats purr .", "They purr.", ["Cats purr ."]))
    alone = load_suite(yes, tmp_path / "work")
    no = write(tmp_path / "dev_unanswerable_x.jsonl", clapnq("2", "Cats run ."))
    suite = load_suite(yes, tmp_path / "work")
    assert load_suite(no, tmp_path / "work") == suite
    assert (alone.name, suite.name) == ("dev_answerable_x", "dev_answerable+unanswerable_x")
    assert [q.id for q in suite.questions] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        pytest.param("x.json", '{"data": [{"title": "T"}]}', "not SQuAD.*data.0.paragraphs", id="squad"),
        pytest.param("x.jsonl", clapnq("1", "Cats .") + '\n{"id": "2"}', "line 2: not CLAPNQ", id="clapnq"),
        pytest.param("x.jsonl", clapnq("1", "A .") + "\n" + clapnq("1", "B ."), "'1' occurs twice", id="same id"),
        pytest.param("x.txt", "hello", "no dataset of a known format: SQuAD, .* suite.toml beside it", id="text"),
        pytest.param("x.jsonl", '{"id": "1", "question": "Q"}', "no dataset of a known format", id="no answer"),
        pytest.param("x.jsonl", '{"question": "Q", "answer": "A"}', "--documents, or put .*documents", id="documents"),
        pytest.param("x.json", '{"data": []}', "holds no questions", id="no questions"),
    ],
)
def test_a_file_of_another_shape_is_an_error_that_names_it(tmp_path, name, text, message):
    with pytest.raises(GoldError, match=message) as raised:
        load_suite(write(tmp_path / name, text), tmp_path / "work")
    assert "x" in str(raised.value)


def test_a_suite_is_found_by_name_and_by_folder(tmp_path, monkeypatch):
    folder = make_suite(tmp_path)
    elsewhere = load_suite(folder, tmp_path / "work")
    monkeypatch.chdir(tmp_path)
    suite = load_suite("mine", tmp_path / "work")
    assert load_suite("evals/mine", tmp_path / "work") == suite
    assert suite.documents == (Path("docs"),)
    assert list(suite.list_files()) == list(elsewhere.list_files()) == ["docs/a.txt"]
    assert suite.fingerprint() == elsewhere.fingerprint()
    assert not (tmp_path / "work").exists()


def test_a_suite_whose_evidence_moved_is_refused(tmp_path):
    folder = make_suite(tmp_path)
    write(tmp_path / "docs" / "a.txt", "One.\n\nInserted.\n\nTwo is here.\n")
    with pytest.raises(GoldError, match="does not start with 'Two is', but paragraph 3 does"):
        load_suite(folder, tmp_path / "work")


@pytest.mark.parametrize(
    ("toml", "error", "message"),
    [
        pytest.param("name = ", GoldError, "not valid TOML", id="broken"),
        pytest.param('name = "x"\ndocuments = ["docs"]\nextra = 1', GoldError, "extra: unknown key", id="unknown key"),
        pytest.param('name = "x"\ndocuments = ["gone"]', GoldError, "there is no .*gone", id="no documents"),
        pytest.param(
            'name = "x"\ndocuments = ["docs"]\n[thresholds]\nrightness = 0.5', SettingsError, "rightness", id="metric"
        ),
        pytest.param(
            'name = "x"\ndocuments = ["docs"]\n[settings]\nchunk_token = 90',
            SettingsError,
            r"suite.toml: settings.chunk_token: unknown key. Known settings: .*chunk_tokens",
            id="setting",
        ),
        pytest.param(
            'name = "x"\ndocuments = ["docs"]\n[settings]\nmin_confidence = 2',
            SettingsError,
            "settings.min_confidence: .* less than or equal to 1",
            id="bound",
        ),
    ],
)
def test_a_broken_suite_file_is_named(tmp_path, toml, error, message):
    with pytest.raises(error, match=message):
        load_suite(make_suite(tmp_path, toml), tmp_path / "work")


def test_a_suite_says_with_which_settings_it_is_to_be_run(tmp_path):
    toml = 'name = "mine"\ndocuments = ["docs"]\n'
    plain = load_suite(make_suite(tmp_path, toml), tmp_path / "work")
    suite = load_suite(make_suite(tmp_path, f"{toml}[settings]\nchunk_tokens = 90\n"), tmp_path / "work")
    assert (plain.settings, suite.settings) == ({}, {"chunk_tokens": 90})
    assert suite.fingerprint() == plain.fingerprint()


def test_the_questions_of_a_suite_are_the_suite_and_bring_no_other_documents(tmp_path):
    folder = make_suite(tmp_path)
    assert load_suite(folder / "questions.jsonl", tmp_path / "work") == load_suite(folder, tmp_path / "work")
    with pytest.raises(GoldError, match=r"names its own documents\. Leave --documents out"):
        load_suite(folder, tmp_path / "work", documents=[tmp_path / "docs"])
    with pytest.raises(GoldError, match=r"brings its own documents"):
        load_suite(write(tmp_path / "x.json", SQUAD), tmp_path / "work", documents=[tmp_path / "docs"])


def test_gold_questions_without_a_suite_file_are_asked_of_the_documents_given(tmp_path):
    lines = (make_suite(tmp_path) / "questions.jsonl").read_text(encoding="utf-8")
    drafted = write(tmp_path / "drafted.jsonl", lines)
    suite = load_suite(drafted, tmp_path / "work", documents=[tmp_path / "docs"])
    assert (suite.name, suite.questions[0].evidence[0].paragraph) == ("drafted", 2)
    with pytest.raises(GoldError, match=r"nowhere do not exist\. Check --documents"):
        load_suite(drafted, tmp_path / "work", documents=[tmp_path / "nowhere"])
    write(drafted, lines.replace('["Two"]', "[]"))
    assert load_suite(drafted, tmp_path / "work", documents=[tmp_path / "docs"]).questions[0].answerable
    write(drafted, lines.replace('["Two"]', '["Two"], "answerable": false'))
    with pytest.raises(GoldError, match="'q' has answers but is marked as not answerable"):
        load_suite(drafted, tmp_path / "work", documents=[tmp_path / "docs"])


def test_a_folder_that_holds_one_dataset_is_that_dataset(tmp_path):
    write(tmp_path / "set" / "notes.txt", "About these questions.")
    file = write(tmp_path / "set" / "tiny.json", SQUAD)
    assert load_suite(file.parent, tmp_path / "work") == load_suite(file, tmp_path / "work")
    write(file.with_name("other.json"), SQUAD)
    with pytest.raises(GoldError, match=r"several datasets: other\.json, tiny\.json\. Give one"):
        load_suite(file.parent, tmp_path / "work")


def test_a_check_reports_broken_lines_and_goes_on(tmp_path):
    folder = make_suite(tmp_path)
    file = folder / "questions.jsonl"
    good = file.read_text(encoding="utf-8").strip()
    write(file, f'{{broken\n{good}\n{{"id": "r"}}\n{good}\n')
    suite, problems = find_problems(folder, tmp_path / "work")
    assert [q.id for q in suite.questions] == ["q", "q"]
    assert [(p.question_id, p.what.split(": ", 1)[-1]) for p in problems] == [
        (None, "not valid JSON: Expecting property name enclosed in double quotes at column 2"),
        (None, "question: Field required"),
        ("q", "its id is used more than once"),
    ]


def test_an_unknown_suite_is_an_error_that_lists_those_there_are(tmp_path, monkeypatch):
    make_suite(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GoldError, match=r"nosuch does not exist.*\(there: mine\)"):
        load_suite("nosuch", tmp_path / "work")
    with pytest.raises(GoldError, match=r"docs has no suite.toml"):
        load_suite("docs", tmp_path / "work")


@public
@pytest.mark.parametrize(
    ("name", "questions", "documents", "answerable"),
    [("xquad_en_public.json", 612, 24, 612), ("clapnq_dev_unanswerable_public.jsonl", 295, 294, 153)],
)
def test_the_public_sets_load_and_their_evidence_is_read_back(tmp_path, name, questions, documents, answerable):
    suite = load_suite(PUBLIC / name, tmp_path)
    assert len(suite.questions) == questions
    assert len(suite.list_files()) == documents
    assert sum(q.answerable for q in suite.questions) == answerable
    expected = {}
    for question in suite.questions:
        for evidence in question.evidence:
            expected[evidence.document] = max(expected.get(evidence.document, 0), evidence.paragraph)
    read = {path.split("/")[-1]: len(read_document(f, path).paragraphs) for path, f in suite.list_files().items()}
    assert read == expected
