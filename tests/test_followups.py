"""Which questions hang on what was said before, and how they are made whole."""

import pytest
from fakes import ScriptedGenerator

from ragkit.followups import complete, stands_alone
from ragkit.profiles import Profile
from ragkit.prompts import Turn, followup_prompt

TURNS = [Turn("Who wrote the letter?", "Anna Voss wrote the letter in May.")]


def never():
    raise AssertionError("the model is not needed")


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        pytest.param("Who wrote the open letter?", True, id="whole"),
        pytest.param("Where did Putin suggest meeting?", True, id="names"),
        pytest.param("And when was the letter released?", False, id="goes-on"),
        pytest.param("What about the prisoners?", False, id="what-about"),
        pytest.param("What did she say about the treaty?", False, id="pronoun"),
        pytest.param("How many?", False, id="ellipsis"),
        pytest.param("Why?", False, id="one-word"),
        pytest.param("When did Marie Curie win her first Nobel Prize?", True, id="a-pronoun-for-a-name-in-it"),
        pytest.param("Which country did Zelenskyy say that Putin must leave?", True, id="that-joins"),
        pytest.param("How many soldiers were there in the army?", True, id="there-is"),
        pytest.param("Who from the council said that?", False, id="that-points"),
        pytest.param("Was the other ship larger?", False, id="the-other"),
    ],
)
def test_what_points_to_something_said_before_does_not_stand_alone(question, alone):
    assert stands_alone(question) is alone


def test_a_whole_question_and_a_first_one_are_left_alone():
    assert complete("Who paid for the new bridge?", TURNS, never) == "Who paid for the new bridge?"
    assert complete("And when?", [], never) == "And when?"


def test_the_model_fills_in_what_is_missing_from_the_conversation():
    writer = ScriptedGenerator([" When did Anna Voss write the letter? And more"])
    assert complete("And when?", TURNS, lambda: writer) == "When did Anna Voss write the letter?"
    assert "Anna Voss wrote the letter in May." in writer.prompts[0]
    assert writer.prompts[0].endswith("Follow-up: And when?\nWhole question:")


def test_a_model_that_was_taught_needs_no_examples(monkeypatch):
    monkeypatch.setattr("ragkit.followups.profile_of", lambda name: Profile("direct", hinted=True))
    writer = ScriptedGenerator([" When did Anna Voss write the letter?"])
    complete("And when?", TURNS, lambda: writer)
    assert writer.prompts == [followup_prompt("And when?", TURNS, examples=False)]
    assert writer.prompts[0].startswith("Question: Who wrote the letter?")


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(" When did Boris Karloff write the letter?", id="a-new-name"),
        pytest.param(" Who wrote the letter?", id="drops-what-was-asked"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_the_model_makes_up_or_drops_is_not_asked(written):
    writer = ScriptedGenerator([written])
    whole = complete("And the treaty of Graz?", TURNS, lambda: writer)
    assert whole == "The treaty of Graz?"


def test_what_hangs_on_the_question_before_altogether_is_joined_to_it():
    assert complete("And why?", TURNS, lambda: ScriptedGenerator([""])) == "Who wrote the letter, and why?"


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        pytest.param("No, the countries he named.", "The countries he named.", id="enough-is-said"),
        pytest.param("no wait, I meant why she left Graz", "Why she left Graz", id="i-meant"),
        pytest.param("No, the treaty.", "The treaty.", id="one-thing"),
        pytest.param("No, why?", "Who wrote the letter, and why?", id="too-little-is-said"),
    ],
)
def test_a_correction_takes_the_place_of_the_question_before(question, whole):
    assert complete(question, TURNS, lambda: ScriptedGenerator([""])) == whole


def test_only_the_last_turns_are_shown():
    turns = [Turn(f"Who is number {n}?", f"Number {n} is Bob.") for n in range(5)]
    writer = ScriptedGenerator([" Why is number 4 Bob?"])
    assert complete("Why?", turns, lambda: writer) == "Why is number 4 Bob?"
    assert "number 2" not in writer.prompts[0]
