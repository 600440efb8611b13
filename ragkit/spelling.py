"""Misspelt words of a question, put right by the words of the documents themselves.

A word is taken for misspelt when neither the documents nor the embedder's vocabulary know it. It is replaced by the
document word that is closest in spelling, or left alone if none is close. Called by `retrieval`.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

from ragkit.terms import STOP_WORDS, WORD, words

MIN_LETTERS = 4
LETTERS_PER_TYPO = 4
"""One slip (a letter added, left out, changed, or two swapped) is forgiven for so many letters, up to two slips."""


def correct_spelling(question: str, texts: Iterable[str], is_known: Callable[[str], bool]) -> str:
    """The question with its misspelt words replaced; the question itself if there are none.

    Args:
        question: As the user typed it.
        texts: Where right spellings are found, most relevant first.
        is_known: Whether a word is a common one, whatever the documents say.
    """
    suspects = {word for word in words(question) if _may_be_misspelt(word) and not is_known(word)}
    if not suspects:
        return question
    vocabulary = Counter(word for text in texts for word in words(text))
    corrections = {word: _closest(word, vocabulary) for word in suspects if word not in vocabulary}
    return WORD.sub(lambda match: corrections.get(match.group().casefold()) or match.group(), question)


def _may_be_misspelt(word: str) -> bool:
    return len(word) >= MIN_LETTERS and word.isalpha() and word.isascii()


def _closest(word: str, vocabulary: Counter[str]) -> str | None:
    """The vocabulary's nearest word, the more frequent of two equally near; None if all are too far."""
    slips = min(2, len(word) // LETTERS_PER_TYPO)
    candidates = [
        other for other in (*vocabulary, *STOP_WORDS) if abs(len(other) - len(word)) <= slips and len(other) > 2
    ]
    found = process.extract(word, candidates, scorer=OSA.distance, score_cutoff=slips, limit=None)
    if not found:
        return None
    return min(found, key=lambda hit: (hit[1], hit[0][0] != word[0], -vocabulary[hit[0]], hit[0]))[0]
