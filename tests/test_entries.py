from dataclasses import replace

import pytest

from ragkit.evaluation.report.entries import list_entries, read_paragraphs
from ragkit.evaluation.suite import Suite
from ragkit.records import DocumentRef, Paragraph
from tests.runs import DOCUMENT, PARAGRAPH, answer, citation, mixed_rows, row


def paragraph(text=PARAGRAPH, start=0):
    return Paragraph(DocumentRef(DOCUMENT, "sha256:0"), 1, start, start + len(text), text)


def only(one, found=None):
    """What the page holds of the only run of one question, and its paragraphs."""
    entries = list_entries([(one,)], ["Answer"], (lambda document, number: found) if found else None)
    return entries["questions"][0]["runs"][0], entries["paragraphs"]


def test_the_filter_knows_outcomes_tags_and_steps_with_how_many_there_are():
    entries = list_entries([(one,) for one in mixed_rows()], ["Answer"], None)
    counts = {kind: count for kind, _, count in entries["kinds"]}
    assert counts == {
        "any-right": 2,
        "any-wrong": 3,
        "any-refused": 2,
        "wrong": 1,
        "refused-rightly": 1,
        "refused-wrongly": 1,
        "error": 1,
    }
    assert entries["tags"] == [["factoid", "factoid", 4], ["list", "list", 1], ["unanswerable", "unanswerable", 1]]
    assert [step for step, _, _ in entries["blames"]] == ["not-chosen", "refused", "untold"]


def test_a_quote_is_marked_where_its_offsets_say_in_the_units_of_browsers():
    text = "𝒜 won. Denver won. Denver won."
    place = text.rindex("Denver won")  # the second one, and a letter of two units stands before it
    cited = citation("Denver won", start=100 + place)
    run, paragraphs = only(row("a", 1.0, answer(citations=[cited])), paragraph(text, start=100))
    assert run["citations"][0]["mark"] == [place + 1, place + 1 + len("Denver won")]
    assert paragraphs == {f"{DOCUMENT}#1": text}
    assert run["citations"][0]["gold"] is True


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(paragraph("Dallas won 24 to 10 in Santa Clara."), id="other words stand there now"),
        pytest.param(paragraph(start=50), id="the paragraph begins behind the quote"),
        pytest.param(None, id="the document is not to be had"),
    ],
)
def test_a_quote_that_does_not_stand_there_is_shown_without_a_mark(found):
    run, _ = only(row("a", 1.0, answer()), found)
    assert run["citations"][0]["mark"] is None
    assert run["citations"][0]["quote"] == "Denver won 24 to 10"
    assert run["citations"][0]["key"] == (f"{DOCUMENT}#1" if found else None)


def test_a_run_tells_blame_ranks_refusal_and_values():
    right, wrong, _, shy, broken = (only(one)[0] for one in mixed_rows())
    assert right["ranks"] == [["dense", 2], ["reranked", 1]]
    assert wrong["blame"].startswith("Not chosen. The paragraph was read")
    assert shy["refusal"] == "no sentence that came up seemed to answer it"
    assert broken["error"] == "QuestionError: The question is broken."
    assert ["answers_right", "1.000"] in right["values"]


def test_two_runs_of_a_question_tell_how_it_changed():
    before, after = row("a", 0.0, answer("Carolina [1]")), row("a", 1.0, answer())
    worse = replace(before, answer=after.answer)
    pairs = [(before, after), (after, worse), (after, after), (before, before)]
    entries = list_entries(pairs, ["Before", "After"], None)
    changes = [
        set(question["kinds"]) & {"fixed", "broken", "changed", "still-right", "still-wrong"}
        for question in entries["questions"]
    ]
    assert changes == [{"fixed", "changed"}, {"broken"}, {"still-right"}, {"still-wrong"}]
    assert [run["outcome"] for run in entries["questions"][0]["runs"]] == ["wrong", "right"]


def test_paragraphs_are_read_from_the_documents_of_the_suite(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "games.txt").write_text(f"{PARAGRAPH}\n\nThe end.\n", encoding="utf-8")
    (tmp_path / "docs" / "broken.pdf").write_bytes(b"no pdf")
    paragraph_of = read_paragraphs(Suite("tiny", (tmp_path / "docs",), ()))
    assert paragraph_of("games.txt", 2).text == "The end."
    assert paragraph_of(DOCUMENT, 1).text == PARAGRAPH
    assert [paragraph_of(path, 9) for path in (DOCUMENT, "docs/broken.pdf", "docs/none.txt")] == [None, None, None]
