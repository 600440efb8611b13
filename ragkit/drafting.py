"""Evidence to a draft: the model writes from the evidence only. Called by `answering`.

Base models continue examples and see only the best sentence, which decides whether a small one reads well; what they
write is tied to that sentence's label here, so they cannot invent one. Chat models see all evidence under labels.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragkit.citations import DraftSentence, parse_draft
from ragkit.models.generation import Generator
from ragkit.prompts import REFUSAL, as_data, chat_messages, completion_prompt
from ragkit.records import Evidence

CHAT_TOKENS_PER_SENTENCE = 64

_SUBORDINATE = frozenset(
    "that which whereas while because although though if unless whether who whose when where as and but or so than "
    "to".split()
)
"""Words that begin a part of a sentence; a small model often writes no more than that part."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the model was shown and what it made of it.

    Attributes:
        prompt: As the model saw it; empty if it was not asked.
        sentences: Of what it wrote, those that have the form of a sentence.
    """

    prompt: str = ""
    written: str = ""
    sentences: tuple[DraftSentence, ...] = ()


def draft_answer(
    question: str, evidence: Sequence[Evidence], writer: Callable[[], Generator], max_tokens: int
) -> Draft:
    """What the model writes to the question, as sentences with the labels they cite.

    Raises:
        ModelError: The model failed.
    """
    if max_tokens == 0:
        return Draft()
    generator = writer()
    if generator.is_chat:
        prompt = generator.render_chat(*chat_messages(question, evidence))
        written = "".join(generator.stream(prompt, max_tokens=max_tokens + CHAT_TOKENS_PER_SENTENCE * len(evidence)))
        refuses = REFUSAL.rstrip(".").casefold() in written.casefold()
        return Draft(prompt, written, () if refuses else _complete(parse_draft(written)))
    prompt = completion_prompt(question, evidence[0])
    written = "".join(
        generator.stream(prompt, max_tokens=max_tokens, stop=["\n"], words=f"{as_data(evidence[0].text)} {question}")
    )
    first = [DraftSentence(sentence.text, (evidence[0].label,)) for sentence in parse_draft(written)[:1]]
    return Draft(prompt, written, _complete(first))


def _complete(sentences: Sequence[DraftSentence]) -> tuple[DraftSentence, ...]:
    return tuple(sentence for sentence in sentences if is_complete(sentence.text))


def is_complete(sentence: str) -> bool:
    """Whether it has the form of a whole sentence: begins as one, ends as one, and does not go round in circles."""
    words = sentence.split()
    if words and words[0].casefold() in _SUBORDINATE:
        return False
    begins = sentence[0].isupper() or sentence[0].isdigit() or not sentence[0].isascii() or sentence[0] in "\"'“‘("
    ends = bool(re.search(r"[.!?。！？][\"'”’)\]]*$", sentence))
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    return begins and ends and len(words) >= 3 and len(set(trigrams)) == len(trigrams)
