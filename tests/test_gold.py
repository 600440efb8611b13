import json

import pytest

from ragkit.errors import GoldError
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, check_evidence, is_same_document, load_questions
from ragkit.records import DocumentRef, Paragraph

GOOD = {"id": "q1", "question": "Who won?", "answers": ["Denver"]}


def gold_file(tmp_path, *lines):
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return file


def paragraphs(*texts):
    document, start, made = DocumentRef("seeds/a.txt", "sha256:0"), 0, []
    for number, text in enumerate(texts, start=1):
        made.append(Paragraph(document, number, start, start + len(text), text))
        start += len(text) + 2
    return made


def test_a_line_becomes_a_question_with_every_field(tmp_path):
    line = {
        "id": "q1",
        "question": "Which two colours?",
        "must_include": ["red", ["blue", "azure"]],
        "evidence": [{"document": "seeds/a.txt", "paragraph": 2, "starts_with": "The flag", "grade": 2}],
        "answerable": True,
        "tags": ["list"],
    }
    assert load_questions(gold_file(tmp_path, line, "")) == (
        GoldQuestion(
            id="q1",
            question="Which two colours?",
            must_include=(("red",), ("blue", "azure")),
            evidence=(GoldEvidence("seeds/a.txt", 2, "The flag", grade=2),),
            tags=("list",),
        ),
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("{broken", "not valid JSON", id="broken JSON"),
        pytest.param({**GOOD, "id": "q2", "answer": "x"}, "answer: unknown key", id="unknown key"),
        pytest.param({"id": "q2", "answers": ["x"]}, "question: Field required", id="missing key"),
        pytest.param({**GOOD, "id": "q2", "question": " "}, "question", id="blank question"),
        pytest.param(GOOD, "'q1' is already used in line 1", id="duplicate id"),
        pytest.param({"id": "q2", "question": "Who?"}, "neither answers nor must_include", id="no answers"),
        pytest.param({**GOOD, "id": "q2", "answerable": False}, "marked as not answerable", id="refusal with answers"),
        pytest.param({**GOOD, "id": "q2", "answers": "Denver"}, "answers", id="answers not a list"),
        pytest.param(
            {**GOOD, "id": "q2", "evidence": [{"document": "a", "paragraph": 0, "starts_with": "x"}]},
            "evidence.0.paragraph",
            id="paragraph zero",
        ),
        pytest.param(["q2"], "the whole", id="not an object"),
    ],
)
def test_a_broken_line_is_named_with_its_file_and_number(tmp_path, line, message):
    file = gold_file(tmp_path, GOOD, "", line)
    with pytest.raises(GoldError) as raised:
        load_questions(file)
    assert str(raised.value).startswith(f"{file}, line 3: ")
    assert message in str(raised.value)


def test_a_missing_an_empty_and_a_binary_file_are_gold_errors(tmp_path):
    with pytest.raises(GoldError, match="cannot be read"):
        load_questions(tmp_path / "none.jsonl")
    with pytest.raises(GoldError, match="holds no questions"):
        load_questions(gold_file(tmp_path, ""))
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9"}')
    with pytest.raises(GoldError, match="not UTF-8"):
        load_questions(tmp_path / "latin.jsonl")


@pytest.mark.parametrize("starts_with", ['He said "yes"', "He  said\n“yes”", "He"])
def test_the_first_words_match_whatever_the_quotes_and_spaces(starts_with):
    question = GoldQuestion("q1", "What?", ("yes",), evidence=(GoldEvidence("seeds/a.txt", 1, starts_with),))
    check_evidence([question], lambda path: paragraphs("He said “yes”\nand went."))


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        pytest.param(GoldEvidence("gone.txt", 1, "One"), "no document 'gone.txt'", id="document"),
        pytest.param(
            GoldEvidence("seeds/a.txt", 3, "One"), "has 2 paragraphs, so there is no paragraph 3", id="number"
        ),
        pytest.param(
            GoldEvidence("seeds/a.txt", 1, "Two"), "does not start with 'Two', but paragraph 2 does", id="words"
        ),
        pytest.param(GoldEvidence("seeds/a.txt", 1, "Six"), "it starts with 'One is first.'", id="words nowhere"),
        pytest.param(
            GoldEvidence("seeds/a.txt", 1, "One", "One is last."), "has no sentence 'One is last.'", id="sentence"
        ),
    ],
)
def test_evidence_that_does_not_fit_is_an_error_that_says_how(evidence, message):
    question = GoldQuestion("q7", "What?", ("x",), evidence=(evidence, evidence))
    known = {"seeds/a.txt": paragraphs("One is first.", "Two is second.")}
    with pytest.raises(GoldError) as raised:
        check_evidence([question], lambda path: known.get(path, ()))
    assert "question 'q7'" in str(raised.value)
    assert message in str(raised.value)
    assert "(1 more do not fit)" in str(raised.value)


def test_paths_name_one_document_when_one_ends_in_the_other():
    assert is_same_document("seeds/a.txt", "a.txt")
    assert is_same_document("a.txt", "/home/me/seeds/a.txt")
    assert is_same_document("./seeds/a.txt", "seeds\\a.txt")
    assert not is_same_document("seeds/a.txt", "other/a.txt")
    assert not is_same_document("ba.txt", "a.txt")
