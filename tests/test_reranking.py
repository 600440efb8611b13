"""Reranking models: one score for each text."""

from pathlib import Path

import pytest

from ragkit.errors import ModelNotFoundError
from ragkit.models.loading import load_reranker
from ragkit.models.reranking import Reranker


@pytest.fixture(scope="module")
def tiny(tiny_reranker: Path) -> Reranker:
    return load_reranker(str(tiny_reranker))


def test_each_text_gets_its_score_in_the_order_given(tiny):
    texts = ["the cat sat on the mat and the dog ran to the house", "paris is in france", "\ud800"]
    scores = tiny.score("where is paris", texts)
    alone = [tiny.score("where is paris", [text])[0] for text in texts]
    assert scores == pytest.approx(alone, abs=1e-5)
    assert len(set(scores)) == 3


def test_no_texts_have_no_scores(tiny):
    assert tiny.score("where is paris", []) == []


def test_a_text_longer_than_the_model_reads_is_scored(tiny):
    assert len(tiny.score("where is paris", ["the cat " * 500])) == 1


def test_the_name_carries_the_hash_of_the_weights(tiny, tiny_reranker):
    name, digest = tiny.name.split("@")
    assert (name, len(digest)) == (tiny_reranker.name, 12)


def test_a_hub_id_in_the_local_cache_loads_without_network(in_hub_cache, tiny_reranker):
    in_hub_cache(tiny_reranker, "somebody/tiny-reranker")
    assert load_reranker("somebody/tiny-reranker").name.startswith("somebody/tiny-reranker@")


def test_an_unknown_model_says_so(in_hub_cache):
    with pytest.raises(ModelNotFoundError, match="no model 'nobody/nothing'"):
        load_reranker("nobody/nothing", offline=True)
