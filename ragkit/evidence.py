"""Hits to the few sentences that answer the question.

Every sentence of the best paragraphs is scored by late interaction within its paragraph, by its keywords and by whether
it holds the kind of thing that is asked for; then the reading model reads those paragraphs and says how likely each
sentence answers. Called by `answering`; `python -m evals.evidence` measures the schemes.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from ragkit.interaction import best_matches
from ragkit.models.embedding import TokenVectors, Vectors
from ragkit.models.reading import Reader, SentencedText
from ragkit.questions import asked_kind, holds_kind, is_exact_kind
from ragkit.records import Evidence, Paragraph
from ragkit.retrieval import Retrieved
from ragkit.sentences import split_sentences
from ragkit.terms import STOP_WORDS, WORD, content_terms, says_again, stem

# Weights of the parts of a sentence's score. The table in evals/README.md has them for both parts of the data; beyond
# "late interaction + BM25" the schemes are near-ties, so nothing hangs on the exact values.
WEIGHTED_SHARE = 0.5
KEYWORD_WEIGHT = 0.1
KIND_WEIGHT = 0.05

MATCH_WEIGHT = 8.0
"""How much that score weighs beside the reader's log odds."""

WITHOUT_EXACT_KIND = 3.0
"""So much lower are the log odds of a sentence that lacks the year, month, weekday or clock time asked for; the reader,
which knows no calendar, takes any date for an answer to each of them."""

MOST_LISTED_WORDS = 200
"""A longer list is answered from like any other text."""

STOP_WORD_WEIGHT = 0.3
"""How much a stop word of the question weighs beside the rarity of its content words."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sentence of a retrieved paragraph with what speaks for it.

    Attributes:
        matches: For each question token its best cosine within the sentence, shape (question tokens,).
        paragraph_matches: The same within the whole paragraph.
        weights: Of the question tokens by rarity, shape (question tokens,), summing to 1.
        keyword: BM25 relative to the best candidate, in [0, 1].
        holds_kind: Whether it holds the kind of thing asked for; None if any will do.
        score: What candidates are ordered by, comparable only within one question.
        log_odds: By the reader, that it answers the question rather than nothing in its paragraph does.
        short_answer: The words of it that the reader points at.
    """

    paragraph: Paragraph
    start: int
    end: int
    text: str
    matches: Vectors
    paragraph_matches: Vectors
    weights: Vectors
    keyword: float
    holds_kind: bool | None
    score: float = 0.0
    log_odds: float = 0.0
    short_answer: str = ""


def score_sentences(retrieved: Retrieved, paragraphs: int) -> list[Candidate]:
    """The sentences of the best so many paragraphs, best first."""
    question = retrieved.question
    hits = zip(retrieved.hits[:paragraphs], retrieved.paragraph_tokens, retrieved.matches, strict=False)
    found = [(hit, tokens, match, span) for hit, tokens, match in hits for span in split_sentences(hit.paragraph.text)]
    texts = [hit.paragraph.text[start:end] for hit, _, _, (start, end) in found]
    rarity = _Rarity([set(content_terms(text)) for text in texts])
    weights = _token_weights(question, retrieved.question_tokens, rarity)
    keywords = _relative_bm25(question, texts, rarity)
    kind = asked_kind(question)
    candidates = [
        Candidate(
            paragraph=hit.paragraph,
            start=hit.paragraph.start + start,
            end=hit.paragraph.start + end,
            text=text,
            matches=best_matches(retrieved.question_tokens, tokens, start, end),
            paragraph_matches=matches,
            weights=weights,
            keyword=keyword,
            holds_kind=None if kind is None else holds_kind(kind, question, text),
        )
        for (hit, tokens, matches, (start, end)), text, keyword in zip(found, texts, keywords, strict=True)
    ]
    scored = [replace(candidate, score=_score(candidate)) for candidate in candidates]
    return sorted(scored, key=lambda candidate: -candidate.score)


def read_sentences(question: str, candidates: Sequence[Candidate], reader: Reader) -> list[Candidate]:
    """The candidates with what the reader says of each, in a new order, best first."""
    by_paragraph: dict[tuple[str, int], list[Candidate]] = {}
    for candidate in candidates:
        place = (candidate.paragraph.document.path, candidate.paragraph.number)
        by_paragraph.setdefault(place, []).append(candidate)
    groups = [sorted(group, key=lambda candidate: candidate.start) for group in by_paragraph.values()]
    texts = [
        SentencedText(group[0].paragraph.text, tuple(map(_span, group)), group[0].paragraph.title) for group in groups
    ]
    kind = asked_kind(question)
    is_exact = kind is not None and is_exact_kind(kind)
    read = []
    for group, reading in zip(groups, reader.read(question, texts), strict=True):
        for candidate, log_odds, (start, end) in zip(group, reading.log_odds, reading.answers, strict=True):
            odds = float(log_odds) - (WITHOUT_EXACT_KIND if is_exact and candidate.holds_kind is False else 0.0)
            answer = candidate.paragraph.text[start:end]
            score = odds + MATCH_WEIGHT * candidate.score
            read.append(replace(candidate, log_odds=odds, short_answer=answer, score=score))
    return sorted(read, key=lambda candidate: -candidate.score)


def _span(candidate: Candidate) -> tuple[int, int]:
    """Where the sentence stands in its paragraph."""
    return candidate.start - candidate.paragraph.start, candidate.end - candidate.paragraph.start


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be evidence.

    Attributes:
        count: At most so many sentences.
        margin: How far below the best score a further sentence may lie.
        elsewhere: The best sentence of another document may lie further below, and comes on top of the count, if its
            log odds are at least this.
        max_words: Of all together; the best sentence is taken however long it is.
    """

    count: int
    margin: float
    max_words: int
    elsewhere: float = float("inf")


def choose_candidates(candidates: Sequence[Candidate], limits: Limits) -> list[Candidate]:
    """The best sentence and those that come close to it, best first."""
    return [candidate for candidate, objection in weigh_candidates(candidates, limits) if not objection]


def select_evidence(candidates: Sequence[Candidate], limits: Limits) -> list[Evidence]:
    """The chosen candidates as evidence, labelled from 1."""
    return [
        Evidence(label, c.paragraph, c.start, c.end, c.text, round(c.score, 4), c.short_answer, round(c.log_odds, 4))
        for label, c in enumerate(choose_candidates(candidates, limits), 1)
    ]


def complete_list(first: Evidence, paragraphs: Sequence[Paragraph]) -> list[Evidence]:
    """The whole list that a piece of evidence is an item of or introduces, labelled from 1; nothing if it is neither.

    Args:
        first: The best evidence.
        paragraphs: Of its document, in order.
    """

    def is_item(paragraph: Paragraph) -> bool:
        return paragraph.kind == "list" and paragraph.headings == first.paragraph.headings

    place = next(n for n, paragraph in enumerate(paragraphs) if paragraph.number == first.paragraph.number)
    if is_item(paragraphs[place]):
        start = place - sum(1 for _ in takewhile(is_item, reversed(paragraphs[:place])))
    elif first.paragraph.text.rstrip().endswith(":"):
        start = place + 1
    else:
        return []
    items = list(takewhile(is_item, paragraphs[start:]))
    if len(items) < 2 or sum(len(item.text.split()) for item in items) > MOST_LISTED_WORDS:
        return []
    return [Evidence(label, p, p.start, p.end, p.text, first.score) for label, p in enumerate(items, 1)]


def weigh_candidates(candidates: Sequence[Candidate], limits: Limits) -> list[tuple[Candidate, str]]:
    """Each candidate, best first, with what speaks against it as evidence; empty for those that are chosen."""
    chosen: list[Candidate] = []
    weighed = []
    for candidate in candidates:
        objection = _objection(candidate, chosen, limits)
        if not objection:
            chosen.append(candidate)
        weighed.append((candidate, objection))
    return weighed


def _objection(candidate: Candidate, chosen: Sequence[Candidate], limits: Limits) -> str:
    if not chosen:
        return ""
    is_elsewhere = all(candidate.paragraph.document != other.paragraph.document for other in chosen)
    is_second_answer = is_elsewhere and candidate.log_odds >= limits.elsewhere
    if candidate.score < chosen[0].score - limits.margin and not is_second_answer:
        return f"more than {limits.margin:g} below the best"
    if len(chosen) >= limits.count + is_second_answer:
        return f"{limits.count} were chosen already"
    if sum(len(c.text.split()) for c in (*chosen, candidate)) > limits.max_words:
        return f"more than {limits.max_words} words together"
    return "says nothing new" if _repeats(candidate, chosen) else ""


def _repeats(candidate: Candidate, chosen: Sequence[Candidate]) -> bool:
    """Whether one that was chosen already says it."""
    return any(says_again(candidate.text, other.text) for other in chosen)


def _score(candidate: Candidate) -> float:
    plain = float(candidate.matches.mean() + candidate.paragraph_matches.mean())
    weighted = float((candidate.matches + candidate.paragraph_matches) @ candidate.weights)
    return (
        plain
        + WEIGHTED_SHARE * weighted
        + KEYWORD_WEIGHT * candidate.keyword
        + KIND_WEIGHT * bool(candidate.holds_kind)
    )


class _Rarity:
    """How rare a term is among the candidate sentences, as BM25 weighs it."""

    def __init__(self, sentences: Sequence[set[str]]):
        self._count = len(sentences)
        self._holding = Counter(term for sentence in sentences for term in sentence)

    def __call__(self, term: str) -> float:
        holding = self._holding[term]
        return math.log(1 + (self._count - holding + 0.5) / (holding + 0.5))


def _token_weights(question: str, tokens: TokenVectors, rarity: _Rarity) -> Vectors:
    """Each question token weighs as much as its word is rare; punctuation nothing."""
    weights = np.zeros(len(tokens.starts), dtype=np.float32)
    for match in WORD.finditer(question):
        word = match.group().casefold()
        weight = STOP_WORD_WEIGHT if word in STOP_WORDS else rarity(stem(word))
        weights[(tokens.starts >= match.start()) & (tokens.ends <= match.end())] = weight
    total = weights.sum()
    normalised: Vectors = weights / total if total else weights
    return normalised


def _relative_bm25(question: str, texts: Sequence[str], rarity: _Rarity) -> list[float]:
    """BM25 of each sentence against the question, divided by the best one's (Robertson and Zaragoza 2009, eq. 3.15)."""
    wanted = set(content_terms(question))
    counts = [Counter(content_terms(text)) for text in texts]
    mean_length = sum(count.total() for count in counts) / max(1, len(counts)) or 1.0
    scores = []
    for count in counts:
        norm = 1.2 * (0.25 + 0.75 * count.total() / mean_length)
        scores.append(sum(rarity(term) * count[term] * 2.2 / (count[term] + norm) for term in wanted if count[term]))
    best = max(scores, default=0.0)
    return [score / best if best else 0.0 for score in scores]
