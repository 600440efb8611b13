"""The trained layers on top of the language model's states."""

import pytest
import torch

from ragkit.models.reading_heads import ReadingHeads

WIDTH, TAPS = 48, 2
SENTENCES = [[2, 3, 4], [5, 6, 7, 8], [9, 10]]


@pytest.fixture
def states():
    torch.manual_seed(3)
    text = [torch.randn(11, WIDTH) for _ in range(TAPS)]
    asked = [[torch.randn(length, WIDTH) for _ in range(TAPS)] for length in (5, 3)]
    return text, asked


def test_a_sentence_scores_what_its_tokens_score_together(states):
    text, asked = states
    heads = ReadingHeads(WIDTH, TAPS).eval()
    with torch.inference_mode():
        scores = heads(text, asked, SENTENCES)
    assert scores.sentences.shape == (2, 3)
    assert scores.starts.shape == scores.ends.shape == (2, 11)
    for number, tokens in enumerate(SENTENCES):
        together = scores.starts[:, tokens].logsumexp(1)
        assert together.tolist() == pytest.approx(scores.sentences[:, number].tolist(), abs=1e-4)


def test_questions_do_not_touch_one_another(states):
    text, asked = states
    heads = ReadingHeads(WIDTH, TAPS).eval()
    with torch.inference_mode():
        both, second = heads(text, asked, SENTENCES), heads(text, asked[1:], SENTENCES)
    assert both.sentences[1].tolist() == pytest.approx(second.sentences[0].tolist(), abs=1e-4)
    assert both.nowhere[1].item() == pytest.approx(second.nowhere[0].item(), abs=1e-4)


@pytest.mark.parametrize("like", range(3))
def test_untrained_heads_prefer_the_sentence_whose_states_are_like_the_question(states, like):
    text, _ = states
    asked = [[tap[SENTENCES[like]] + 0.1 * torch.randn(len(SENTENCES[like]), WIDTH) for tap in text]]
    with torch.inference_mode():
        scores = ReadingHeads(WIDTH, TAPS).eval()(text, asked, SENTENCES)
    assert int(scores.sentences[0].argmax()) == like
