"""The deciding model: how likely a text says yes or no to a question."""

import pytest
from fakes import with_random_weights

from ragkit.models.adapters import Adapted
from ragkit.models.deciding import LanguageModelDecider
from ragkit.models.loading import load_decider, load_tokenizer

TAPS = (1, 3)
TEXT, QUESTION = "The cat sat on the mat. The dog ran to the house!", "Did the cat sit?"


@pytest.fixture(scope="module")
def head(tiny_layers):
    from ragkit.models.deciding_heads import DecidingHead

    head = with_random_weights(DecidingHead(tiny_layers.config.hidden_size, len(TAPS)), seed=6)
    head.answer.weight.data *= 0.02
    return head


@pytest.fixture
def tiny(tiny_gemma, tiny_layers, head):
    return LanguageModelDecider(Adapted(tiny_layers, load_tokenizer(tiny_gemma), TAPS, head))


def test_a_decision_has_shares_of_one_that_hang_on_text_and_question(tiny):
    decision, other = tiny.decide(TEXT, QUESTION), tiny.decide(TEXT, "Was it the dog that ran?")
    assert min(decision.yes, decision.no) > 0
    assert decision.yes + decision.no < 1
    assert decision != other
    assert decision != tiny.decide("It is in France.", QUESTION)


@pytest.mark.parametrize("odd", ["\n", "\x00", "\ud800"], ids=["break", "control", "surrogate"])
def test_line_breaks_and_invisible_characters_change_nothing(tiny, odd):
    changed, plain = tiny.decide(TEXT.replace(" ", odd), QUESTION.replace(" ", odd)), tiny.decide(TEXT, QUESTION)
    assert (changed.yes, changed.no) == pytest.approx((plain.yes, plain.no), abs=1e-3)


def test_the_shipped_one_is_put_together_from_layers_and_head(monkeypatch, tiny, tiny_gemma, tiny_layers, head):
    parts = tiny_layers, load_tokenizer(tiny_gemma), list(TAPS), head.state_dict()
    monkeypatch.setattr("ragkit.models.loading._lower_layers", lambda *_: parts)
    assert load_decider().decide(TEXT, QUESTION) == tiny.decide(TEXT, QUESTION)


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "question", "said"),
    [
        ("Nobody was hurt in the accident.", "Was anybody hurt?", "no"),
        ("Dogs may travel free of charge on all our trains.", "Is it free to bring a dog on the train?", "yes"),
    ],
)
def test_the_shipped_model_tells_yes_from_no(text, question, said):
    decision = load_decider().decide(text, question)
    assert getattr(decision, said) > 0.5
