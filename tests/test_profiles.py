import pytest

from ragkit.models.weights import WRITER
from ragkit.profiles import Profile, profile_of


@pytest.mark.parametrize(("model", "prompt"), [(WRITER.name, "direct"), ("somebody/else@0123", "examples")])
def test_the_shipped_writer_is_asked_directly_and_an_unknown_model_shown_examples(model, prompt):
    assert profile_of(model).prompt == prompt


@pytest.mark.parametrize(
    ("support", "likelihood", "prefers"),
    [
        pytest.param(0.9, -0.1, True, id="sure"),
        pytest.param(0.5, -0.1, False, id="hardly-supported"),
        pytest.param(0.9, -2.0, False, id="unlikely"),
        pytest.param(0.5, None, True, id="unknown"),
    ],
)
def test_a_models_own_wording_is_preferred_by_support_and_likelihood(support, likelihood, prefers):
    profile = Profile(intercept=-1.5, support=2.0, likelihood=0.5)
    assert profile.prefers_wording(support, likelihood) is prefers
