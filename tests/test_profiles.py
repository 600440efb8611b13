import pytest

from ragkit.models.weights import WRITER
from ragkit.profiles import Profile, profile_of


@pytest.mark.parametrize(("model", "prompt"), [(WRITER.name, "direct"), ("somebody/else@0123", "examples")])
def test_the_shipped_writer_is_asked_directly_and_an_unknown_model_shown_examples(model, prompt):
    assert profile_of(model).prompt == prompt


@pytest.mark.parametrize(
    ("likelihood", "answering", "is_worth_it"),
    [
        pytest.param(-0.1, 0.0, True, id="likely"),
        pytest.param(-2.0, 0.0, False, id="unlikely"),
        pytest.param(-0.1, -3.0, False, id="answers-less-surely"),
        pytest.param(None, 0.0, True, id="unknown"),
    ],
)
def test_a_wording_is_worth_saying_by_how_likely_it_is_and_how_well_it_answers(likelihood, answering, is_worth_it):
    profile = Profile(intercept=0.5, likelihood=0.5, answering=0.5)
    assert (profile.worth(likelihood, answering) >= 0) is is_worth_it
