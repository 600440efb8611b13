"""The verifying model: a log odds for each claim, and one for each sentence that may be an order."""

import numpy as np
import pytest
from fakes import sentenced, with_random_weights

from ragkit.models.adapters import Adapted
from ragkit.models.loading import load_tokenizer, load_verifier
from ragkit.models.reading import WINDOW_CHARS, SentencedText, windows
from ragkit.models.verifying import LanguageModelVerifier

TAPS = (1, 3)
TEXT = sentenced("The cat sat on the mat. The dog ran to the house! It is in France.")
CLAIMS = ("The cat sat.", "The dog is in Vienna, and so is the cat.", "")


@pytest.fixture(scope="module")
def heads(tiny_layers):
    from ragkit.models.verifying_heads import VerifyingHeads

    return with_random_weights(VerifyingHeads(tiny_layers.config.hidden_size, len(TAPS)), seed=5)


@pytest.fixture(scope="module")
def tiny(tiny_gemma, tiny_layers, heads):
    return LanguageModelVerifier(Adapted(tiny_layers, load_tokenizer(tiny_gemma), TAPS, heads))


@pytest.fixture
def shipped(monkeypatch, tiny_gemma, tiny_layers, heads):
    """The layers and heads of random weights as those that ship with ragkit."""
    parts = tiny_layers, load_tokenizer(tiny_gemma), list(TAPS), heads.state_dict()
    monkeypatch.setattr("ragkit.models.loading._lower_layers", lambda *_: parts)


def approximately(values):
    return pytest.approx(values, rel=1e-3, abs=1e-3)


def test_every_claim_and_every_sentence_gets_log_odds(tiny):
    judgement = tiny.judge(TEXT, CLAIMS)
    assert (len(judgement.support), len(judgement.orders)) == (len(CLAIMS), len(TEXT.sentences))
    assert np.isfinite([*judgement.support, *judgement.orders]).all()
    assert len(set(judgement.support)) == len(CLAIMS)


def test_a_claim_is_judged_alike_alone_and_beside_others(tiny):
    alone = [tiny.judge(TEXT, [claim]).support[0] for claim in CLAIMS]
    assert tiny.judge(TEXT, CLAIMS).support == approximately(alone)


def test_without_claims_only_orders_are_judged(tiny):
    judgement = tiny.judge(TEXT)
    assert judgement.support == ()
    assert judgement.orders == approximately(tiny.judge(TEXT, CLAIMS).orders)


def test_a_long_text_supports_what_a_window_of_it_supports_best(tiny):
    text = sentenced("The cat sat on the mat. " * (WINDOW_CHARS // 24) + "Paris is in France. " * (WINDOW_CHARS // 20))
    parts = [SentencedText(window.text, window.sentences) for window in windows(text)]
    judgement = tiny.judge(text, CLAIMS)
    assert len(parts) > 1
    assert len(judgement.orders) == len(text.sentences)
    best = np.max([tiny.judge(part, CLAIMS).support for part in parts], axis=0)
    assert judgement.support == approximately(list(best))


def test_a_text_without_words_supports_no_claim(tiny):
    judgement = tiny.judge(SentencedText("", ()), CLAIMS)
    assert judgement.orders == ()
    assert len(judgement.support) == len(CLAIMS)
    assert all(support < 0 for support in judgement.support)


@pytest.mark.parametrize("odd", ["\n", "\u200b", "\x00", "\ud800"], ids=["break", "invisible", "control", "surrogate"])
def test_line_breaks_and_invisible_characters_move_nothing(tiny, odd):
    source = SentencedText(TEXT.text.replace(" ", odd), TEXT.sentences)
    changed, plain = tiny.judge(source, [claim.replace(" ", odd) for claim in CLAIMS]), tiny.judge(TEXT, CLAIMS)
    assert changed.support == approximately(plain.support)
    assert changed.orders == approximately(plain.orders)


def test_a_doubt_about_a_token_speaks_against_the_claim():
    import torch

    from ragkit.models.verifying_heads import VerifyingHeads

    torch.manual_seed(6)
    states = [torch.randn(5, 16) for _ in TAPS]
    fresh = VerifyingHeads(16, len(TAPS))
    with torch.no_grad():
        before = fresh(states)
        fresh.doubt.bias += 1
        after = fresh(states)
    assert before.doubts.shape == (5,)
    assert after.log_odds < before.log_odds


def raw_scores(folder, source, claims):
    """What a cross-encoder's own classes make of source and claims, shape (claims, labels)."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    pairs = AutoTokenizer.from_pretrained(folder)(
        [source] * len(claims), list(claims), padding=True, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        return AutoModelForSequenceClassification.from_pretrained(folder).eval()(**pairs).logits.numpy()


@pytest.mark.usefixtures("shipped")
def test_of_three_labels_entailment_counts_against_the_others(tiny_inference, tiny):
    verifier = load_verifier(str(tiny_inference))
    contradiction, entailment, neutral = raw_scores(tiny_inference, TEXT.text, CLAIMS).T
    judgement = verifier.judge(TEXT, CLAIMS)
    assert judgement.support == approximately(list(entailment - np.log(np.exp(contradiction) + np.exp(neutral))))
    assert judgement.orders == approximately(tiny.judge(TEXT).orders)


@pytest.mark.usefixtures("shipped")
def test_of_one_label_the_score_is_the_log_odds(tiny_reranker):
    judgement = load_verifier(str(tiny_reranker)).judge(TEXT, CLAIMS)
    assert judgement.support == approximately(list(raw_scores(tiny_reranker, TEXT.text, CLAIMS)[:, 0]))


@pytest.mark.usefixtures("shipped")
def test_a_cross_encoder_takes_any_text(tiny_inference):
    verifier = load_verifier(str(tiny_inference))
    assert verifier.judge(TEXT).support == ()
    for text, spans in (("", ()), ("the cat \ud800 " * 500, ((0, 5000),))):
        judgement = verifier.judge(SentencedText(text, spans), CLAIMS)
        assert (len(judgement.support), len(judgement.orders)) == (len(CLAIMS), len(spans))
        assert np.isfinite([*judgement.support, *judgement.orders]).all()


@pytest.mark.usefixtures("shipped")
def test_without_a_name_the_shipped_verifier_is_loaded(tiny):
    assert load_verifier().judge(TEXT, CLAIMS).support == approximately(tiny.judge(TEXT, CLAIMS).support)
