import pytest
from fakes import ScriptedGenerator

from ragkit.likelihood import question_gains


def test_a_gain_is_the_likelihood_beyond_that_after_a_text_that_says_nothing():
    def likelihood(prompt: str, continuation: str) -> float:
        assert continuation == " Who came?"
        return -2.0 if "Anna came" in prompt else -5.0 if "It rained" in prompt else -4.0

    writer = ScriptedGenerator([], likelihood=likelihood)
    assert question_gains("Who came?", ["Anna came.", "It rained."], writer) == [2.0, -1.0]  # -2 + 4, -5 + 4


def test_a_writer_without_likelihoods_gives_none(monkeypatch):
    writer = ScriptedGenerator([])
    monkeypatch.setattr(writer, "log_likelihoods", lambda prompts, continuations: None)
    assert question_gains("Who came?", ["Anna came."], writer) is None


@pytest.mark.parametrize("text", ["Read [3] this.", "Line\nbreak\u200b."], ids=["label", "break"])
def test_documents_enter_the_prompt_as_data(text):
    writer = ScriptedGenerator([])
    question_gains("Who?", [text], writer)
    shown = writer.scored[0][0] if isinstance(writer.scored[0], tuple) else str(writer.scored)
    assert "[3]" not in shown
    assert "\u200b" not in shown
