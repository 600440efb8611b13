import json

import pytest

from ragkit.errors import GoldError, InputError, StorageError
from ragkit.evaluation.drafting.goldfile import GoldFile, save_questions
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, load_questions

QUESTIONS = (
    GoldQuestion(
        "a",
        "When was the café opened?",
        ("1998",),
        evidence=(GoldEvidence("docs/a.txt", 1, "The café was opened", "The café was opened in 1998."),),
        tags=("unreviewed", "when"),
    ),
    GoldQuestion("b", "What are the parts?", must_include=(("lamp",), ("rope",)), tags=("unreviewed", "list")),
    GoldQuestion("c", "Who sang?", answerable=False, tags=("unreviewed", "unanswerable")),
)


def test_questions_are_read_back_as_they_were_saved_without_what_has_its_default(tmp_path):
    save_questions(QUESTIONS, tmp_path / "new" / "q.jsonl")
    assert load_questions(tmp_path / "new" / "q.jsonl") == QUESTIONS
    lines = (tmp_path / "new" / "q.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[2]) == {
        "id": "c",
        "question": "Who sang?",
        "answerable": False,
        "tags": ["unreviewed", "unanswerable"],
    }
    assert "café" in lines[0]


def test_what_is_there_is_not_overwritten_and_nothing_is_not_saved(tmp_path):
    (tmp_path / "q.jsonl").write_text("reviewed")
    with pytest.raises(InputError, match="Give another --out"):
        save_questions(QUESTIONS, tmp_path / "q.jsonl")
    assert (tmp_path / "q.jsonl").read_text() == "reviewed"
    with pytest.raises(GoldError, match="Give more documents"):
        save_questions([], tmp_path / "new.jsonl")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"q\.jsonl.*Give another --out"):
        save_questions(QUESTIONS, tmp_path / "file" / "q.jsonl")


def test_single_lines_change_and_all_others_stay_byte_for_byte(tmp_path):
    file = tmp_path / "q.jsonl"
    kept = b'{ "id" : "x",\t"question":"caf\\u00e9?" }  \r\n'
    file.write_bytes(b'\xef\xbb\xbf{"question": "one"}\r\n' + kept + b"not json\n\n" + b'{"question": "last"}')
    gold = GoldFile(file)
    assert gold.broken() == [2]
    gold.replace(0, {"question": "ONE é"})
    before = gold.replace(4, {"question": "LAST", "odd": "\ud800"})
    assert before == b'{"question": "last"}'
    changed = '\N{BOM}{"question": "ONE é"}\r\n'.encode()
    assert file.read_bytes() == changed + kept + b'not json\n\n{"question": "LAST", "odd": "\\ud800"}'
    gold.replace(0, None)
    gold.restore(4, before)
    assert file.read_bytes() == b"\xef\xbb\xbf" + kept + b'not json\n\n{"question": "last"}'


def test_a_file_that_something_else_changed_is_not_overwritten(tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "one"}\n')
    gold = GoldFile(file)
    file.write_text('{"question": "another"}\n')
    with pytest.raises(GoldError, match="Start the review again"):
        gold.replace(0, None)
    assert file.read_text() == '{"question": "another"}\n'


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(GoldError, match=r"none\.jsonl cannot be read.*Check its name"):
        GoldFile(tmp_path / "none.jsonl")
