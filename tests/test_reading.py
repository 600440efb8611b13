"""The reading model: a log odds and a short answer for each sentence."""

import numpy as np
import pytest
from fakes import sentenced, with_random_weights

from ragkit.models.adapters import Adapted
from ragkit.models.loading import load_reader, load_tokenizer
from ragkit.models.reading import WINDOW_CHARS, LanguageModelReader, SentencedText

TAPS = (1, 2)


@pytest.fixture(scope="module")
def tiny(tiny_gemma, tiny_layers):
    from ragkit.models.reading_heads import ReadingHeads

    heads = with_random_weights(ReadingHeads(tiny_layers.config.hidden_size, len(TAPS)), seed=4)
    return LanguageModelReader(Adapted(tiny_layers, load_tokenizer(tiny_gemma), TAPS, heads))


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
