"""Evidence to a draft: the model writes from the evidence only. Called by `answering`.

Base models continue examples and see only the best sentence, which decides whether a small one reads well; what they
write is tied to that sentence's label here, so they cannot invent one. Chat models see all evidence under labels.
"""

import re
from collections.abc import Callable, Sequence

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


def draft_answer(
    question: str, evidence: Sequence[Evidence], writer: Callable[[], Generator], max_tokens: int
) -> list[DraftSentence]:
    """What the model writes to the question, as sentences with the labels they cite; empty if it wrote nothing usable.

    Raises:
        ModelError: The model failed.
    """
    if max_tokens == 0:
        return []
    generator = writer()
    if generator.is_chat:
        prompt = generator.render_chat(*chat_messages(question, evidence))
        written = "".join(generator.stream(prompt, max_tokens=max_tokens + CHAT_TOKENS_PER_SENTENCE * len(evidence)))
        if REFUSAL.rstrip(".").casefold() in written.casefold():
            return []
        return [sentence for sentence in parse_draft(written) if is_complete(sentence.text)]
    prompt = completion_prompt(question, evidence[0])
    written = "".join(
        generator.stream(prompt, max_tokens=max_tokens, stop=["\n"], words=f"{as_data(evidence[0].text)} {question}")
    )
    first = next(iter(parse_draft(written)), None)
    return [DraftSentence(first.text, (evidence[0].label,))] if first and is_complete(first.text) else []


def is_complete(sentence: str) -> bool:
    """Whether it has the form of a whole sentence: begins as one, ends as one, and does not go round in circles."""
    words = sentence.split()
    if words and words[0].casefold() in _SUBORDINATE:
        return False
    begins = sentence[0].isupper() or sentence[0].isdigit() or not sentence[0].isascii() or sentence[0] in "\"'“‘("
    ends = bool(re.search(r"[.!?。！？][\"'”’)\]]*$", sentence))
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    return begins and ends and len(words) >= 3 and len(set(trigrams)) == len(trigrams)
