"""A writer that is held to given words writes no others, and chooses as it would have among them."""

from pathlib import Path

import pytest

from ragkit.models.causal import TransformersGenerator
from ragkit.models.loading import load_generator
from ragkit.models.vocabulary import allowed_tokens

PROMPT = "the cat sat on the mat and the dog ran to the house"


@pytest.fixture(scope="module", params=["tiny_gemma", "tiny_llama"])
def writer(request: pytest.FixtureRequest) -> TransformersGenerator:
    folder: Path = request.getfixturevalue(request.param)
    return load_generator(str(folder))


def test_every_token_that_is_written_is_made_of_the_words_it_may_use(writer):
    allowed = set(allowed_tokens(writer._tokenizer, "cat mat"))
    written = list(writer._continue(writer._encode(PROMPT), 12, sorted(allowed)))
    assert written
    assert set(written) <= allowed


def test_holding_a_writer_to_every_token_changes_nothing(writer):
    everything = list(range(writer._model.get_output_embeddings().weight.shape[0]))
    tokens = writer._encode(PROMPT)
    assert list(writer._continue(tokens, 12, everything)) == list(writer._continue(tokens, 12))


def test_both_cases_of_a_word_are_allowed(writer):
    tokens = allowed_tokens(writer._tokenizer, "cat")
    assert set(writer._tokenizer(" cat", add_special_tokens=False)["input_ids"]) <= set(tokens)
    assert set(writer._tokenizer("Cat", add_special_tokens=False)["input_ids"]) <= set(tokens)
