"""Does the cited text support the sentence? (sentence, source text) -> verdict, support score and reasons.

Deterministic and strict: a sentence passes when its numbers, dates, names and nearly all its content words stand in the
source, with the same negation and within one clause of it. What cannot be shown is unsupported. Called by `answering`,
and public as `ragkit.verify`.
"""

import itertools
import re
from dataclasses import dataclass

from ragkit.records import Support
from ragkit.sentences import split_sentences
from ragkit.terms import STOP_WORDS, content_terms, stem, words

MIN_COVERAGE = 0.85
"""Share of a sentence's content words that must stand in the source."""

MIN_KEPT = 0.7
"""A sentence that draws on several clauses must keep this share of their content words."""

_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
    if word != "one"  # too often no number: "one of them", "no one"
}
_NEGATIONS = frozenset("not no never none nobody nothing neither nor without cannot hardly barely".split())
_NEGATED = re.compile(r"n['’]t\b", re.IGNORECASE)
_MONTHS = frozenset("january february march april may june july august september october november december".split())
_NAME = re.compile(r"\b[A-Z][^\W\d_]*")
_CLAUSE_END = re.compile(
    r"[;:–—]|,?\s+\b(?:whereas|while|but|although|though|yet|because)\b|,\s+(?:and|or|so)\b", re.IGNORECASE
)
_MARKS = re.compile(r"\s*\[\d+\](?:,(?=\s*\[))?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification says of one sentence.

    Attributes:
        support: In [0, 1]; 1 for words that stand in the source as they are.
        reasons: Why it is not supported, empty if it is.
    """

    verdict: Support
    support: float
    reasons: tuple[str, ...] = ()


def verify(sentence: str, source_text: str) -> Verdict:
    """Whether a sentence is supported by a text.

    Args:
        sentence: One sentence, without citation labels.
        source_text: The paragraph it cites.
    """
    if _flat(sentence) and f" {_flat(sentence)} " in f" {_flat(source_text)} ":
        return Verdict("supported", 1.0)
    coverage = _coverage(sentence, source_text)
    reasons = (
        *_missing_words(sentence, source_text, coverage),
        *_missing_numbers(sentence, source_text),
        *_missing_dates(sentence, source_text),
        *_missing_names(sentence, source_text),
        *_changed_negation(sentence, source_text),
        *_mixed_clauses(sentence, source_text),
    )
    return Verdict("unsupported" if reasons else "supported", 0.5 * coverage if reasons else coverage, reasons)


def _flat(text: str) -> str:
    """Words only, so that quotation marks, reference marks and spacing make no difference."""
    return " ".join(words(_MARKS.sub("", text)))


def _coverage(sentence: str, source_text: str) -> float:
    wanted = content_terms(sentence)
    known = set(content_terms(source_text))
    return sum(term in known for term in wanted) / len(wanted) if wanted else 0.0


def _missing_words(sentence: str, source_text: str, coverage: float) -> list[str]:
    if coverage >= MIN_COVERAGE:
        return []
    known = set(content_terms(source_text))
    missing = [word for word in words(sentence) if word not in STOP_WORDS and stem(word) not in known]
    return [f"words that are not in the source: {', '.join(missing)}" if missing else "no content words"]


def numbers(text: str) -> list[str]:
    """The numbers of a text in digits without separators, in order; words up to twenty count."""
    found = []
    for word in words(text):
        if any(c.isdigit() for c in word):
            found.append(word.replace(",", ""))
        elif word in _NUMBER_WORDS:
            found.append(_NUMBER_WORDS[word])
    return found


def _missing_numbers(sentence: str, source_text: str) -> list[str]:
    known = set(numbers(source_text))
    return [f"the number {number} is not in the source" for number in numbers(sentence) if number not in known]


def _dates(text: str) -> set[tuple[str, str]]:
    """Pairs of a month and the number beside it."""
    flat = words(text)
    pairs = set()
    for first, second in itertools.pairwise(flat):
        if first in _MONTHS and second[0].isdigit():
            pairs.add((first, second.rstrip("stndrh")))
        elif second in _MONTHS and first[0].isdigit():
            pairs.add((second, first.rstrip("stndrh")))
    return pairs


def _missing_dates(sentence: str, source_text: str) -> list[str]:
    known = _dates(source_text)
    return [
        f"the date {month} {day} is not in the source" for month, day in _dates(sentence) if (month, day) not in known
    ]


def _missing_names(sentence: str, source_text: str) -> list[str]:
    known = {stem(word) for word in words(source_text)}
    names = [name.group() for name in _NAME.finditer(sentence) if name.group().casefold() not in STOP_WORDS]
    return [f"the name {name} is not in the source" for name in names if stem(name.casefold()) not in known]


def _is_negated(text: str) -> bool:
    return bool(_NEGATED.search(text)) or any(word in _NEGATIONS for word in words(text))


def _closest_sentence(sentence: str, source_text: str) -> str:
    wanted = set(content_terms(sentence))
    texts = [source_text[start:end] for start, end in split_sentences(source_text)] or [source_text]
    return max(texts, key=lambda text: len(wanted & set(content_terms(text))))


def _changed_negation(sentence: str, source_text: str) -> list[str]:
    source = _closest_sentence(sentence, source_text)
    clauses = _clauses(source)
    wanted = set(content_terms(sentence))
    drawn = [clause for clause in clauses if wanted & set(content_terms(clause))] or clauses
    if _is_negated(sentence) == any(_is_negated(clause) for clause in drawn):
        return []
    return ["the source negates this" if not _is_negated(sentence) else "the source does not negate this"]


def _clauses(text: str) -> list[str]:
    starts = [0, *(match.start() for match in _CLAUSE_END.finditer(text)), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(starts) if text[start:end].strip()]


def _mixed_clauses(sentence: str, source_text: str) -> list[str]:
    """Words of several clauses put together say something new, unless little was left out and the order kept."""
    source = _closest_sentence(sentence, source_text)
    wanted = content_terms(sentence)
    inside = [term for term in wanted if term in set(content_terms(source))]
    if any(set(inside) <= set(content_terms(clause)) for clause in _clauses(source)):
        return [] if _in_order(inside, content_terms(source)) else ["the words stand in another order in the source"]
    drawn = [
        term
        for clause in _clauses(source)
        for term in content_terms(clause)
        if set(content_terms(clause)) & set(inside)
    ]
    kept = len(set(inside) & set(drawn)) / len(set(drawn))
    if kept >= MIN_KEPT and _in_order(inside, content_terms(source)):
        return []
    return ["it joins words of different clauses"]


def _in_order(terms: list[str], source: list[str]) -> bool:
    """Whether the terms occur in the source one after another."""
    rest = iter(source)
    return all(term in rest for term in terms)
