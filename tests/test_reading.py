"""The reading model: a log odds and a short answer for each sentence."""

import numpy as np
import pytest

from ragkit.errors import WeightsError
from ragkit.models.loading import load_reader, load_tokenizer
from ragkit.models.reading import WINDOW_CHARS, LanguageModelReader, SentencedText
from ragkit.sentences import split_sentences

WIDTH, RANK, TAPS = 32, 2, (1, 2)


def sentenced(text: str) -> SentencedText:
    return SentencedText(text, tuple(split_sentences(text)))


@pytest.fixture(scope="module")
def adapter():
    """Random heads, and a change of the first layer's query weights."""
    import torch

    from ragkit.models.reading_heads import ReadingHeads

    torch.manual_seed(4)
    heads = {name: torch.randn_like(tensor) for name, tensor in ReadingHeads(WIDTH, len(TAPS)).state_dict().items()}
    return heads | {
        "layers.0.self_attn.q_proj.a": torch.randn(RANK, WIDTH),
        "layers.0.self_attn.q_proj.b": torch.randn(WIDTH, RANK),
    }


@pytest.fixture(scope="module")
def tiny(tiny_gemma, adapter):
    from transformers import AutoModel

    return LanguageModelReader(AutoModel.from_pretrained(tiny_gemma).eval(), load_tokenizer(tiny_gemma), TAPS, adapter)


def test_every_sentence_gets_log_odds_and_an_answer_inside_it(tiny):
    texts = [sentenced("The cat sat. The dog ran to the house!"), sentenced("Paris is in France.")]
    for text, reading in zip(texts, tiny.read("where is paris", texts), strict=True):
        assert reading.log_odds.shape == (len(text.sentences),)
        assert np.isfinite(reading.log_odds).all()
        for (start, end), (first, last) in zip(text.sentences, reading.answers, strict=True):
            assert start <= first <= last <= end


def test_a_text_is_read_alike_alone_and_beside_longer_ones(tiny):
    texts = [sentenced("The cat sat. The dog ran."), sentenced("When the dog ran to the house the cat sat. " * 3)]
    together = tiny.read("who ran", texts)
    for text, reading in zip(texts, together, strict=True):
        (alone,) = tiny.read("who ran", [text])
        assert alone.log_odds == pytest.approx(reading.log_odds, abs=1e-4)
        assert alone.answers == reading.answers


def test_the_adapter_is_merged_into_its_layer(tiny_gemma, adapter):
    from transformers import AutoModel

    plain, changed = (AutoModel.from_pretrained(tiny_gemma).eval() for _ in range(2))
    LanguageModelReader(changed, load_tokenizer(tiny_gemma), TAPS, adapter)
    name = "layers.0.self_attn.q_proj"
    added = adapter[f"{name}.b"] @ adapter[f"{name}.a"]
    before, after = (model.get_submodule(name).weight for model in (plain, changed))
    assert (after - before - added).abs().max() < 1e-5


def test_a_long_paragraph_is_read_in_windows_of_whole_sentences(tiny):
    text = sentenced("The cat sat on the mat. " * (3 * WINDOW_CHARS // 24))
    (reading,) = tiny.read("where is the cat", [text])
    assert len(reading.log_odds) == len(text.sentences)


def test_line_breaks_and_invisible_characters_move_nothing(tiny):
    plain, odd = "The cat sat on the mat.", "The\ncat\u200bsat\x00on\ud800the mat."
    whole = ((0, len(plain)),)
    (first,), (second,) = (tiny.read("where is the cat", [SentencedText(text, whole)]) for text in (plain, odd))
    assert first.log_odds == pytest.approx(second.log_odds, abs=1e-4)
    assert first.answers == second.answers


def test_nothing_to_read_gives_nothing(tiny):
    assert tiny.read("who", []) == []
    (reading,) = tiny.read("who", [SentencedText("", ())])
    assert (len(reading.log_odds), reading.answers) == (0, ())


def test_an_adapter_for_other_weights_is_refused(tmp_path, monkeypatch):
    import torch
    from safetensors.torch import save_file

    other = tmp_path / "reader.safetensors"
    save_file({"null.bias": torch.zeros(1)}, other, metadata={"base_sha256": "0" * 64, "taps": "1"})
    monkeypatch.setattr("ragkit.models.loading.ADAPTER", other)
    monkeypatch.setattr("ragkit.models.loading.writer_folder", lambda _: tmp_path)
    with pytest.raises(WeightsError, match=r"was trained on other weights.*Install ragkit again"):
        load_reader()


@pytest.mark.parametrize("content", [None, b"", b"damaged"], ids=["missing", "empty", "damaged"])
def test_an_adapter_that_cannot_be_read_is_named_with_the_cure(tmp_path, monkeypatch, content):
    file = tmp_path / "reader.safetensors"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr("ragkit.models.loading.ADAPTER", file)
    monkeypatch.setattr("ragkit.models.loading.writer_folder", lambda _: tmp_path)
    with pytest.raises(WeightsError, match=r"reader.safetensors is missing or damaged. Install ragkit again"):
        load_reader()


@pytest.mark.model
def test_the_shipped_reader_tells_the_sentence_that_answers_from_the_others():
    text = sentenced(
        "The bridge was designed by Anna Keller. It was opened by the king on 14 June 1998. It is 340 metres long."
    )
    reader = load_reader()
    asked = ["Who designed the bridge?", "When was the bridge opened?", "How long is the bridge?"]
    readings = [reader.read(question, [text])[0] for question in asked]
    assert [int(reading.log_odds.argmax()) for reading in readings] == [0, 1, 2]
    (elsewhere,) = reader.read("How much did the bridge cost?", [text])
    assert elsewhere.log_odds.max() < min(reading.log_odds.max() for reading in readings)
