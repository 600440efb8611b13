"""Embedding models: vectors, token vectors with offsets, windows, names."""

from pathlib import Path

import numpy as np
import pytest

from ragkit.errors import ModelError, ModelNotFoundError
from ragkit.models.embedding import SentenceTransformerEmbedder
from ragkit.models.loading import load_embedder

LONG = " ".join(["the cat sat on the mat and the dog ran"] * 12)  # 120 tokens, windows hold 30


@pytest.fixture(scope="module")
def tiny(tiny_embedder: Path) -> SentenceTransformerEmbedder:
    return load_embedder(str(tiny_embedder))


def test_documents_get_unit_vectors_in_the_order_given(tiny):
    texts = [LONG, "the cat", "paris", "the dog ran to the house"] * 20
    vectors = tiny.embed_documents(texts)
    assert (vectors.shape, vectors.dtype) == ((80, 16), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    for number in (0, 1, 78, 79):
        assert vectors[number] == pytest.approx(tiny.embed_documents([texts[number]])[0], abs=1e-5)


def test_progress_adds_up_to_the_number_of_texts(tiny):
    done: list[int] = []
    tiny.embed_documents(["the cat"] * 70, done.append)
    assert sum(done) == 70
    assert len(done) > 1


def test_a_question_is_embedded_like_a_document_where_the_model_has_no_prompts(tiny):
    assert tiny.embed_question("where is paris") == pytest.approx(tiny.embed_documents(["where is paris"])[0], abs=1e-5)


def test_nothing_gives_nothing(tiny):
    assert tiny.embed_documents([]).shape == (0, 16)
    assert tiny.embed_tokens([]) == []
    assert tiny.embed_tokens(["", "the"])[0].vectors.shape == (0, 16)


def test_tokens_are_counted_without_special_ones_and_without_limit(tiny):
    assert tiny.max_tokens == 30
    assert tiny.count_tokens("the cat sat") == 3
    assert tiny.count_tokens(LONG) == 120


def test_token_vectors_carry_their_place_in_code_points(tiny):
    text = "Where is the 😀 cat, naïve?"
    tokens = tiny.embed_tokens([text])[0]
    words = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    assert words[:5] == ["Where", "is", "the", "😀", "cat"]
    assert np.linalg.norm(tokens.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert tokens.vectors.dtype == np.float32


def test_a_long_text_is_read_in_windows_and_every_token_once(tiny):
    for repeats in (1, 2, 3, 4, 5, 7, 12):
        text = " ".join(["the cat sat on the mat and the dog ran"] * repeats)
        tokens = tiny.embed_tokens(["paris", text])[1]
        found = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
        assert found == text.split()


def test_a_short_text_has_the_same_token_vectors_beside_a_long_one(tiny):
    alone, beside = tiny.embed_tokens(["the cat"])[0], tiny.embed_tokens([LONG, "the cat"])[1]
    assert beside.vectors == pytest.approx(alone.vectors, abs=1e-5)


def test_lone_surrogates_do_no_harm_and_move_nothing(tiny):
    text = "cat \ud800 dog"
    tokens = tiny.embed_tokens([text])[0]
    assert text[tokens.starts[-1] : tokens.ends[-1]] == "dog"
    assert tiny.count_tokens(text) >= 2
    assert np.isfinite(tiny.embed_question(text)).all()
    assert np.isfinite(tiny.embed_documents([text])).all()


def test_the_name_tells_models_with_other_weights_apart(tiny, tiny_embedder, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    other = tmp_path / tiny_embedder.name
    shutil.copytree(tiny_embedder, other)
    weights = load_file(other / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in weights.items()}, other / "model.safetensors", {"format": "pt"})
    first, second = tiny.name.split("@"), load_embedder(str(other)).name.split("@")
    assert first[0] == second[0] == tiny_embedder.name
    assert len(first[1]) == 12
    assert first[1] != second[1]


def test_a_hub_id_in_the_local_cache_loads_without_network(in_hub_cache, tiny, tiny_embedder):
    in_hub_cache(tiny_embedder, "somebody/tiny-embedder")
    embedder = load_embedder("somebody/tiny-embedder")
    assert embedder.name == f"somebody/tiny-embedder@{tiny.name.split('@')[1]}"
    assert embedder.embed_question("paris") == pytest.approx(tiny.embed_question("paris"), abs=1e-6)


def test_an_unknown_model_says_so(in_hub_cache):
    with pytest.raises(ModelNotFoundError, match="no model 'nobody/nothing'"):
        load_embedder("nobody/nothing", offline=True)


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(ModelError, match="does not hold a model"):
        load_embedder(str(tmp_path))


@pytest.mark.model
def test_the_shipped_embedder_knows_what_belongs_together():
    embedder = load_embedder()
    assert embedder.name == "sentence-transformers/all-MiniLM-L6-v2@53aa51172d14"
    assert (embedder.dimensions, embedder.max_tokens) == (384, 254)
    vectors = embedder.embed_documents(["Paris is the capital of France.", "Cats sleep all day."])
    near, far = vectors @ embedder.embed_question("What is the capital of France?")
    assert near > 0.8
    assert far < 0.2
    assert len(embedder.embed_tokens(["word " * 600])[0].starts) == embedder.count_tokens("word " * 600) == 600
