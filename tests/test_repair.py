from dataclasses import replace

from ragkit.citations import DraftSentence
from ragkit.records import DocumentRef, Evidence, Paragraph
from ragkit.repair import Checked, quote, repair

TEXT = "Putin suggested Istanbul [3], but Kyiv waited. Zelenskyy asked for a neutral country near Vienna."
PARAGRAPH = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(TEXT), TEXT)
FIRST = Evidence(1, PARAGRAPH, 0, 46, TEXT[:46], 2.0)
SECOND = Evidence(2, PARAGRAPH, 47, len(TEXT), TEXT[47:], 1.9)
QUESTION = "Where did Putin want to meet?"


def texts(repaired):
    return [(sentence.text, labels) for sentence, labels in repaired.drawn]


def test_a_supported_sentence_is_kept_with_its_label():
    repaired = repair(QUESTION, [DraftSentence("Putin suggested Istanbul.", (1,))], [FIRST])
    assert texts(repaired) == [("Putin suggested Istanbul.", (1,))]
    assert repaired.drawn[0][0].verdict == "supported"
    assert not repaired.drawn[0][0].quoted
    assert repaired.checked == (Checked("Putin suggested Istanbul.", 1, 1.0),)


def test_an_unsupported_sentence_gives_way_to_the_quotation():
    repaired = repair(QUESTION, [DraftSentence("Putin suggested Geneva.", (1,))], [FIRST])
    assert texts(repaired) == [("Putin suggested Istanbul, but Kyiv waited.", (1,))]
    assert repaired.drawn[0][0].quoted
    assert repaired.drawn[0][0].support == 1.0
    assert [(check.label, check.reasons) for check in repaired.checked] == [
        (None, ("the name Geneva is not in the source",))
    ]


def test_a_sentence_under_the_wrong_label_gets_the_right_one():
    repaired = repair(
        QUESTION, [DraftSentence("Zelenskyy asked for a neutral country near Vienna.", (1,))], [FIRST, SECOND]
    )
    assert ("Zelenskyy asked for a neutral country near Vienna.", (2,)) in texts(repaired)


def test_a_label_that_was_never_shown_is_recorded_and_its_sentence_attached_to_what_supports_it():
    repaired = repair(QUESTION, [DraftSentence("Putin suggested Istanbul.", (7,))], [FIRST])
    assert repaired.unresolved == (7,)
    assert texts(repaired) == [("Putin suggested Istanbul.", (1,))]


def test_a_label_that_was_never_shown_supports_nothing():
    repaired = repair(QUESTION, [DraftSentence("Putin invited Trump to Moscow.", (9,))], [FIRST])
    assert repaired.unresolved == (9,)
    assert all("Trump" not in text for text, _ in texts(repaired))


def test_a_draft_that_leaves_out_what_was_asked_gives_way_to_the_quotation():
    evidence = replace(FIRST, short_answer="Kyiv waited")
    repaired = repair("Who waited?", [DraftSentence("Putin suggested Istanbul.", (1,))], [evidence])
    assert texts(repaired) == [("Putin suggested Istanbul, but Kyiv waited.", (1,))]


def test_a_sentence_that_says_the_same_again_is_dropped():
    draft = [DraftSentence("Putin suggested Istanbul.", (1,)), DraftSentence("Putin suggested Istanbul.", (1,))]
    assert [text for text, _ in texts(repair(QUESTION, draft, [FIRST]))] == ["Putin suggested Istanbul."]


def test_a_draft_that_only_repeats_the_question_is_dropped():
    repaired = repair("Did Putin want to meet?", [DraftSentence("Putin did want to meet.", (1,))], [FIRST])
    assert all(sentence.quoted for sentence, _ in repaired.drawn)


def test_without_a_draft_the_evidence_is_quoted():
    repaired = repair(QUESTION, [], [FIRST, SECOND])
    assert [labels for _, labels in repaired.drawn] == [(1,), (2,)]
    assert all(sentence.quoted for sentence, _ in repaired.drawn)


def test_without_evidence_nothing_is_said():
    assert repair(QUESTION, [DraftSentence("Putin suggested Istanbul.", (1,))], []).drawn == ()


def test_a_quotation_is_the_evidence_without_the_marks_of_the_document():
    assert quote(FIRST).text == "Putin suggested Istanbul, but Kyiv waited."
    assert TEXT[FIRST.start : FIRST.end] == FIRST.text


def test_a_draft_that_leaves_out_the_middle_of_a_statement_is_replaced_by_the_quotation():
    text = "That the letter arrived has been confirmed by the Kremlin."
    paragraph = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(text), text)
    evidence = Evidence(1, paragraph, 0, len(text), text, 2.0)
    draft = [DraftSentence("The letter has been confirmed by the Kremlin.", (1,))]
    assert texts(repair("Who confirmed the letter?", draft, [evidence])) == [(text, (1,))]
