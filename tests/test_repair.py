from dataclasses import replace

import pytest
from fakes import WordReader, WordVerifier

from ragkit.citations import DraftSentence
from ragkit.drafting import Draft
from ragkit.profiles import Profile
from ragkit.records import DocumentRef, Evidence, Paragraph
from ragkit.repair import Checked, quote, repair

TEXT = "Putin suggested Istanbul [3], but Kyiv waited. Zelenskyy asked for a neutral country near Vienna."
PARAGRAPH = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(TEXT), TEXT)
FIRST = Evidence(1, PARAGRAPH, 0, 46, TEXT[:46], 2.0)
SECOND = Evidence(2, PARAGRAPH, 47, len(TEXT), TEXT[47:], 1.9)
QUESTION = "Where did Putin want to meet?"
REWORDED = "Putin had Istanbul in mind."


class Believing(WordVerifier):
    """Finds every claim supported."""

    def judge(self, source, claims=()):
        return replace(super().judge(source, claims), support=(5.0,) * len(claims))


class Trusting(WordVerifier):
    """Finds every claim supported whose words the source and the question have, whatever the question."""

    def judge(self, source, claims=()):
        judged = super().judge(source, claims)
        return replace(judged, support=(*judged.support[:1], *(0.0 for _ in judged.support[1:])))


def repaired(sentences, evidence, question=QUESTION, denied=(), verifier=Trusting):
    """What is made of a draft, given as pairs of text and labels."""
    draft = Draft(statements=tuple((DraftSentence(*sentence),) for sentence in sentences), denied=denied)
    return repair(question, draft, evidence, verifier, WordReader, Profile())


def test_a_sentence_is_quoted_where_the_models_profile_says_so():
    draft = Draft(statements=((DraftSentence("Putin suggested Istanbul.", (1,), -3.0),),))
    made = repair(QUESTION, draft, [FIRST], Trusting, WordReader, Profile(intercept=1.0, likelihood=1.0))
    assert made.drawn == ((quote(FIRST), (1,)),)
    assert made.checked[0].reasons == ("the quotation is the surer sentence",)


@pytest.mark.parametrize(("asked", "is_said"), [("What did Putin suggest?", True), ("Did Kyiv wait?", False)])
def test_a_sentence_is_quoted_where_the_quotation_answers_better(asked, is_said):
    draft = Draft(statements=((DraftSentence("Putin suggested Istanbul.", (1,), -0.1),),))
    made = repair(asked, draft, [FIRST], Believing, WordReader, Profile(intercept=0.1, answering=1.0))
    assert made.drawn[0][0].quoted is not is_said


WORDINGS = (
    DraftSentence("Putin had suggested Istanbul.", (1,), -0.2),
    DraftSentence("Putin suggested Istanbul.", (1,), -0.4),
    DraftSentence("Suggested Istanbul.", (1,), -9.0),
)


@pytest.mark.parametrize(("brief", "said"), [(False, WORDINGS[0]), (True, WORDINGS[1])])
def test_of_several_wordings_the_best_is_said_or_the_shortest_that_is_good_enough(brief, said):
    profile = Profile(intercept=1.0, likelihood=1.0)
    made = repair(QUESTION, Draft(statements=(WORDINGS,)), [FIRST], Believing, WordReader, profile, brief=brief)
    assert texts(made) == [(said.text, (1,))]
    told = {checked.text: checked.reasons for checked in made.checked}
    assert told.pop(said.text) == ()
    assert told.pop(WORDINGS[2].text) == ("the quotation is the surer sentence",)
    assert list(told.values()) == [("another wording was chosen",)]


def texts(made):
    return [(sentence.text, labels) for sentence, labels in made.drawn]


def test_a_supported_sentence_is_kept_with_its_label():
    made = repaired([("Putin suggested Istanbul.", (1,))], [FIRST])
    assert texts(made) == [("Putin suggested Istanbul.", (1,))]
    assert made.drawn[0][0].verdict == "supported"
    assert not made.drawn[0][0].quoted
    assert made.checked == (Checked("Putin suggested Istanbul.", (1,), pytest.approx(0.99, abs=0.01)),)


def test_a_sentence_in_other_words_is_kept_where_the_model_finds_it_supported():
    made = repaired([(REWORDED, (1,))], [FIRST], verifier=Believing)
    assert texts(made) == [(REWORDED, (1,))]
    assert 0.5 < made.drawn[0][0].support < 1
    assert made.checked[0].reasons == ()


def test_the_model_judges_a_sentence_alone_and_as_an_answer_to_the_question():
    verifier = Believing()
    repaired([(REWORDED, (1,))], [FIRST], verifier=lambda: verifier)
    assert verifier.judged == [(TEXT, (REWORDED, f"{QUESTION} {REWORDED}"))]


def test_a_sentence_that_is_supported_only_without_its_question_gives_way_to_the_quotation():
    made = repaired([("For a country, Putin suggested Istanbul.", (1,))], [FIRST], verifier=WordVerifier)
    assert texts(made) == [("Putin suggested Istanbul, but Kyiv waited.", (1,))]
    assert made.checked[0].reasons == ("it does not answer the question",)


def test_an_unsupported_sentence_gives_way_to_the_quotation():
    made = repaired([("Putin suggested Geneva.", (1,))], [FIRST])
    assert texts(made) == [("Putin suggested Istanbul, but Kyiv waited.", (1,))]
    assert made.drawn[0][0].quoted
    assert made.drawn[0][0].support == 1.0
    assert [(check.labels, check.reasons) for check in made.checked] == [
        ((), ("the name Geneva is not in the source",))
    ]


def test_a_sentence_under_the_wrong_label_gets_the_right_one():
    made = repaired([("Zelenskyy asked for a neutral country near Vienna.", (1,))], [FIRST, SECOND])
    assert ("Zelenskyy asked for a neutral country near Vienna.", (2,)) in texts(made)


def test_a_label_that_was_never_shown_is_recorded_and_its_sentence_attached_to_what_supports_it():
    made = repaired([("Putin suggested Istanbul.", (7,))], [FIRST])
    assert made.unresolved == (7,)
    assert texts(made) == [("Putin suggested Istanbul.", (1,))]


def test_a_label_that_was_never_shown_supports_nothing():
    made = repaired([("Putin invited Trump to Moscow.", (9,))], [FIRST])
    assert made.unresolved == (9,)
    assert all("Trump" not in text for text, _ in texts(made))


def test_a_draft_that_leaves_out_what_was_asked_gives_way_to_the_quotation():
    evidence = replace(FIRST, short_answer="Kyiv waited")
    made = repaired([("Putin suggested Istanbul.", (1,))], [evidence], "Who waited?", verifier=Believing)
    assert texts(made) == [("Putin suggested Istanbul, but Kyiv waited.", (1,))]


def test_a_sentence_that_says_again_what_an_earlier_one_says_adds_its_label_to_that_one():
    again = replace(FIRST, label=2)
    made = repaired([("Putin suggested Istanbul.", (1,)), ("Putin suggested Istanbul.", (2,))], [FIRST, again])
    assert texts(made) == [("Putin suggested Istanbul.", (1, 2))]


def test_a_draft_that_only_repeats_the_question_is_dropped():
    made = repaired([("Putin did want to meet.", (1,))], [FIRST], verifier=Believing)
    assert all(sentence.quoted for sentence, _ in made.drawn)


def test_without_a_draft_the_evidence_is_quoted():
    made = repaired([], [FIRST, SECOND])
    assert [labels for _, labels in made.drawn] == [(1,), (2,)]
    assert all(sentence.quoted for sentence, _ in made.drawn)


def test_evidence_that_the_model_denies_is_quoted_only_where_it_is_the_first():
    made = repaired([], [FIRST, SECOND], denied=(1, 2))
    assert [labels for _, labels in made.drawn] == [(1,)]


def test_without_evidence_nothing_is_said():
    assert repaired([("Putin suggested Istanbul.", (1,))], []).drawn == ()


def test_a_quotation_is_the_evidence_without_the_marks_of_the_document():
    assert quote(FIRST).text == "Putin suggested Istanbul, but Kyiv waited."
    assert TEXT[FIRST.start : FIRST.end] == FIRST.text


def test_two_that_differ_only_in_order_or_negation_are_two_statements():
    beaten, won = "Anna beat Bob.", "Bob beat Anna."
    first, second = (Evidence(n, replace(PARAGRAPH, text=t), 0, len(t), t, 2.0) for n, t in ((1, beaten), (2, won)))
    made = repaired([(beaten, (1,)), (won, (2,))], [first, second], "Who beat whom?")
    assert texts(made) == [(beaten, (1,)), (won, (2,))]


def test_evidence_that_supports_only_a_part_of_what_was_said_is_not_cited_for_it():
    dated, plain = "Voss opened the bridge in May.", "Voss opened the bridge."
    first, second = (Evidence(n, replace(PARAGRAPH, text=t), 0, len(t), t, 2.0) for n, t in ((1, dated), (2, plain)))
    made = repaired([(dated, (1,)), (plain, (2,))], [first, second], "What did Voss do?")
    assert texts(made) == [(dated, (1,))]


def test_a_sentence_that_joins_two_pieces_of_evidence_cites_both():
    first, second = (
        Evidence(n, replace(PARAGRAPH, text=t), 0, len(t), t, 2.0)
        for n, t in enumerate(("Voss opened the bridge.", "Lund closed the mill."), 1)
    )
    joined = "Voss opened the bridge, Lund closed the mill."
    made = repaired([(joined, (1, 2))], [first, second], "What happened?")
    assert texts(made) == [(joined, (1, 2))]
