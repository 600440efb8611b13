"""Evidence to a draft: the model writes from the evidence only. Called by `answering`.

How it is asked depends on the model's profile. The shipped writer was taught to put one piece of evidence into one
sentence that answers the question, or to say that it does not answer, and says which shortened quotations read well;
other base models continue examples and see only
the best sentence. Both are tied to the label of what they saw here, so they cannot invent one. Chat models see all
evidence under labels.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragkit.citations import DraftSentence, parse_draft, without_marks
from ragkit.models.generation import Generator
from ragkit.neutral import as_data
from ragkit.profiles import profile_of
from ragkit.prompts import NOT_HERE, REFUSAL, chat_messages, completion_prompt, direct_prompt
from ragkit.questions import asked_kind, asks_for_list, asks_how_or_why, is_broad, is_yes_no
from ragkit.records import Evidence
from ragkit.sentences import in_context
from ragkit.terms import STOP_WORDS
from ragkit.trimming import trims

CHAT_TOKENS_PER_SENTENCE = 64

LEAST_LOG_ODDS = 0.0
"""Evidence that the reader thinks less likely to answer is not put into words, but quoted."""

MOST_TRIMS = 3
"""So many shortened quotations, the likeliest, stand beside what the model wrote."""

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
        statements: Of what it wrote, what has the form of a sentence; for each statement its wordings, of which one may
            be said.
        denied: Labels of evidence of which the model says that it does not answer.
        refuses: Whether a chat model, which saw all evidence together, says that it does not answer.
    """

    prompt: str = ""
    written: str = ""
    statements: tuple[tuple[DraftSentence, ...], ...] = ()
    denied: tuple[int, ...] = ()
    refuses: bool = False


def draft_answer(
    question: str,
    evidence: Sequence[Evidence],
    writer: Callable[[], Generator],
    max_tokens: int,
    *,
    brief: bool = False,
) -> Draft:
    """What the model writes to the question, as sentences with the labels they cite.

    Args:
        question: What was asked.
        evidence: What the model is shown.
        writer: Called only if something is to be written.
        max_tokens: How much may be written; 0 for nothing.
        brief: Whether a short answer is wanted, so that more may be left out of a quotation.

    Raises:
        ModelError: The model failed.
    """
    if max_tokens == 0:
        return Draft()
    generator = writer()
    if generator.is_chat:
        texts = {item.label: shown_text(item) for item in evidence}
        prompt = generator.render_chat(*chat_messages(question, texts))
        written = "".join(generator.stream(prompt, max_tokens=max_tokens + CHAT_TOKENS_PER_SENTENCE * len(evidence)))
        refuses = REFUSAL.rstrip(".").casefold() in written.casefold()
        return Draft(prompt, written, () if refuses else _single(parse_draft(written)), refuses=refuses)
    if profile_of(generator.name).prompt == "direct":
        return _draft_each(question, evidence, generator, max_tokens, brief=brief)
    text = as_data(shown_text(evidence[0]))
    prompt = completion_prompt(question, text)
    written = "".join(generator.stream(prompt, max_tokens=max_tokens, stop=["\n"], words=f"{text} {question}"))
    first = [DraftSentence(sentence.text, (evidence[0].label,)) for sentence in parse_draft(written)[:1]]
    return Draft(prompt, written, _single(first))


def _draft_each(
    question: str, evidence: Sequence[Evidence], generator: Generator, max_tokens: int, *, brief: bool
) -> Draft:
    """One sentence for each piece of evidence."""
    asked = [item for item in evidence if item.log_odds >= LEAST_LOG_ODDS]
    if not asked:
        return Draft()
    texts = [as_data(shown_text(item)) for item in asked]
    is_hinted = profile_of(generator.name).hinted and not is_yes_no(question)
    hints = [item.short_answer if is_hinted else "" for item in asked]
    prompts = [direct_prompt(question, text, hint) for text, hint in zip(texts, hints, strict=True)]
    words = [f"{text} {question}" for text in texts]
    lines = generator.write_all(prompts, words, max_tokens=max_tokens, instead=NOT_HERE)
    shorter = [_trims(question, item, brief=brief) for item in asked]
    likely = generator.score_all(prompts, words, shorter)
    statements, denied = [], []
    for item, line, cut, scores in zip(asked, lines, shorter, likely, strict=True):
        if line.text.rstrip(".") == NOT_HERE.rstrip("."):
            denied.append(item.label)
            continue
        own = [DraftSentence(s.text, (item.label,), line.likelihood) for s in parse_draft(line.text)[:1]]
        kept = sorted(zip(scores, cut, strict=True), reverse=True)[:MOST_TRIMS]
        wordings = _complete([*own, *(DraftSentence(text, (item.label,), score) for score, text in kept)])
        if wordings:
            statements.append(wordings)
    written = "\n".join(line.text for line in lines)
    return Draft("\n\n".join(prompts), written, tuple(statements), tuple(denied))


def _trims(question: str, item: Evidence, *, brief: bool) -> list[str]:
    """The quotation with parts left out that its short answer does not need; none where all of it may be needed."""
    needs_all = asks_for_list(question) if brief else is_broad(question)
    if needs_all or is_yes_no(question) or asks_how_or_why(question):
        return []
    all_counts = asked_kind(question) is None and not brief
    return trims(without_marks(item.text), without_marks(item.short_answer), all_counts=all_counts)


def shown_text(item: Evidence) -> str:
    """The sentence as the model is shown it: after the one before it, where a word of it may refer to that."""
    start = item.paragraph.start
    return in_context(item.paragraph.text, [(item.start - start, item.end - start)])


def _single(sentences: Sequence[DraftSentence]) -> tuple[tuple[DraftSentence, ...], ...]:
    """Each sentence as a statement of its own."""
    return tuple((sentence,) for sentence in _complete(sentences))


def _complete(sentences: Sequence[DraftSentence]) -> tuple[DraftSentence, ...]:
    return tuple(sentence for sentence in sentences if is_complete(sentence.text))


def is_complete(sentence: str) -> bool:
    """Whether it has the form of a whole statement: begins and ends as one, and does not go round in circles."""
    words = [word.casefold() for word in sentence.split()]
    if words and words[0] in _SUBORDINATE and "," not in sentence and not _points(words):
        return False
    begins = sentence[0].isupper() or sentence[0].isdigit() or not sentence[0].isascii() or sentence[0] in "\"'“‘("
    ends = bool(re.search(r"[.!。！][\"'”’)\]]*$", sentence))
    return begins and ends and len(words) >= 2 and not _goes_round(words)


def _points(words: Sequence[str]) -> bool:
    """Whether a first "that" belongs to a noun, as in "That bridge is unsafe."."""
    return words[0] == "that" and words[1:2] != [] and words[1] not in STOP_WORDS


def _goes_round(words: Sequence[str]) -> bool:
    """Whether three words, two of them content words, come again, or any five do, or any three a third time."""
    bare = [word.strip(".,;:!?\"'“”‘’()[]") for word in words]
    counted = Counter(zip(bare, bare[1:], bare[2:], strict=False))
    fives = list(zip(bare, bare[1:], bare[2:], bare[3:], bare[4:], strict=False))
    if len(set(fives)) < len(fives):
        return True
    again = [trigram for trigram, count in counted.items() if count > 1]
    return any(counted[t] > 2 or sum(word not in STOP_WORDS for word in t) > 1 for t in again)
