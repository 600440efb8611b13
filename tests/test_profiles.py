import pytest

from ragkit.models.weights import WRITER
from ragkit.profiles import profile_of


@pytest.mark.parametrize(("model", "prompt"), [(WRITER.name, "direct"), ("somebody/else@0123", "examples")])
def test_the_shipped_writer_is_asked_directly_and_an_unknown_model_shown_examples(model, prompt):
    assert profile_of(model).prompt == prompt
