import pytest
from fakes import ScriptedVerifier, WordVerifier
from hypothesis import given
from hypothesis import strategies as st

import ragkit
from ragkit.verification import Verdict, verify, verify_all, verify_answer

SOURCE = "Zelenskyy wants a neutral country [3]. In 2022, Putin suggested Istanbul as the place for 40 talks."
REORDERED = "As the place for talks, Istanbul Putin suggested."
REWORDED = "Putin had Istanbul in mind."


def never():
    raise AssertionError("no model is needed")


@pytest.mark.parametrize("sentence", ["Zelenskyy wants a neutral country.", "“Zelenskyy wants a neutral country”"])
def test_a_whole_sentence_of_the_source_needs_no_model(sentence):
    (verdict,) = verify_all([sentence], SOURCE, never)
    assert verdict == Verdict("supported", 1.0)


@pytest.mark.parametrize(("log_odds", "supported"), [(0.0, True), (-3.0, False)])
def test_of_a_sentence_that_only_leaves_words_out_the_model_need_not_be_as_sure(log_odds, supported):
    for said, expected in (("Anna won the prize.", supported), ("Anna received the prize.", False)):
        verifier = ScriptedVerifier({said: log_odds})
        (verdict,) = verify_all([said], "Anna, the sister of Bob, won the prize.", lambda v=verifier: v)
        assert (verdict.verdict == "supported") is expected


def test_a_number_that_the_source_lacks_needs_no_model_and_is_named():
    (verdict,) = verify_all(["Istanbul was named for 41 talks."], SOURCE, never)
    assert (verdict.verdict, verdict.reasons) == ("unsupported", ("the number 41 is not in the source",))
    assert verdict.support < 0.5


@pytest.mark.parametrize("source", ["", " \n"], ids=["empty", "blank"])
def test_an_empty_source_supports_nothing_and_needs_no_model(source):
    (verdict,) = verify_all([REWORDED], source, never)
    assert (verdict.verdict, verdict.support) == ("unsupported", 0.0)


def test_other_words_are_supported_where_the_model_says_so():
    verdict = verify(REORDERED, SOURCE, WordVerifier())
    assert verdict == Verdict("supported", pytest.approx(0.97, abs=0.02))


def test_other_words_are_unsupported_where_the_model_says_so_and_what_was_changed_is_named():
    verdict = verify(REWORDED, SOURCE, WordVerifier())
    assert verdict.verdict == "unsupported"
    assert verdict.reasons == ("the source does not say this", "the word mind is not in the source")
    assert verdict.support < 0.5


def test_the_model_is_called_once_and_only_with_what_words_leave_open():
    verifier = WordVerifier()
    said = ["Zelenskyy wants a neutral country.", REORDERED, "It took 99 days.", REWORDED]
    verdicts = verify_all(said, SOURCE, lambda: verifier)
    assert [verdict.verdict for verdict in verdicts] == ["supported", "supported", "unsupported", "unsupported"]
    assert verifier.judged == [(SOURCE, (REORDERED, REWORDED))]


def test_verification_is_public():
    assert ragkit.verify is verify


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_gets_a_verdict_with_reasons_exactly_when_unsupported(sentence, source):
    verdict = verify(sentence, source, WordVerifier())
    assert (verdict.verdict == "unsupported") == bool(verdict.reasons)
    assert 0 <= verdict.support <= 1


def test_words_left_out_that_change_what_is_said_need_no_model():
    (verdict,) = verify_all(["Bob won the prize."], "Anna, the sister of Bob, won the prize.", never)
    assert verdict.verdict == "unsupported"
    assert "Anna , the sister of" in verdict.reasons[0]


def test_what_is_true_of_something_else_is_no_answer():
    answer = (
        "How old is the bridge?",
        "It is ninety years old.",
        "The mill by the bridge dates back ninety years.",
    )
    verdict = verify_answer(
        *answer, ScriptedVerifier({"? It is ninety years old.": -2.0, "It is ninety years old.": 3.0})
    )
    assert verdict.reasons == ("it does not answer the question",)
