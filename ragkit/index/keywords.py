"""Keyword search by BM25, on the full-text table (FTS5) that lies in the index's database.

A question becomes an OR of its content words, each quoted, so nothing in a question is ever read as query syntax. Where
a question may see only some of the chunks, their words alone are counted, so that the scores tell nothing of the rest.
"""

import math
import re
import sqlite3
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from ragkit.terms import STOP_WORDS

_TOKENIZER = "tokenize = 'porter unicode61 remove_diacritics 2'"
KEYWORDS_TABLE = f"""
CREATE VIRTUAL TABLE keywords USING fts5(text, {_TOKENIZER});
"""

MAX_TERMS = 64

SCORE_DIGITS = 12
"""Scores are rounded to so many digits before they are compared: words that are in most chunks score a millionth, and
even of these the order tells something."""

_K1, _B, _LEAST_IDF = 1.2, 0.75, 1e-6  # those of FTS5: https://www.sqlite.org/fts5.html#the_bm25_function
_WORD = re.compile(r"[^\W_]+")

Scored = list[tuple[int, float]]


def question_terms(question: str) -> list[str]:
    """The distinct words to search for, in lower case: the content words or, failing those, all."""
    found = _WORD.findall(unicodedata.normalize("NFC", question))
    words = list(dict.fromkeys(word.lower() for word in found))
    return ([word for word in words if word not in STOP_WORDS] or words)[:MAX_TERMS]


def match_expression(question: str) -> str | None:
    """The FTS5 query for a question, or None if it has no word to search for."""
    return " OR ".join(f'"{term}"' for term in question_terms(question)) or None


def search_keywords(
    connection: sqlite3.Connection,
    question: str,
    k: int,
    order: Mapping[int, int] | None = None,
    within: Collection[int] | None = None,
) -> Scored:
    """Up to `k` chunk ids with their BM25 score (higher is better), best first.

    Args:
        connection: To the index's database.
        question: In the user's words.
        k: How many.
        order: The place of each chunk id among equal scores; by default by id.
        within: Only these chunks.
    """
    if k < 1:
        return []
    if within is not None:
        scored = _scored_within(connection, question, set(within))
    else:
        scored = _scored(connection, question, k)
    return sorted(scored, key=lambda hit: (-hit[1], hit[0] if order is None else order.get(hit[0], hit[0])))[:k]


def _scored(connection: sqlite3.Connection, question: str, k: int) -> Scored:
    """The best chunks, and all that are as good as the last of them."""
    expression = match_expression(question)
    if expression is None:
        return []
    fetched = k + 1
    while True:
        rows = connection.execute(
            "SELECT rowid, -bm25(keywords) AS score FROM keywords WHERE keywords MATCH ? ORDER BY score DESC LIMIT ?",
            (expression, fetched),
        )
        scored = [(chunk_id, round(score, SCORE_DIGITS)) for chunk_id, score in rows]
        if len(scored) < fetched or scored[-1][1] < scored[k - 1][1]:
            return scored
        fetched *= 2


def _scored_within(connection: sqlite3.Connection, question: str, within: set[int]) -> Scored:
    """Every chunk of a set that holds a word of the question, by BM25 over the chunks of that set alone."""
    lengths = _lengths(connection, within)
    if not lengths:
        return []
    average = sum(lengths.values()) / len(lengths)
    scores: defaultdict[int, float] = defaultdict(float)
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.keyword_places USING fts5vocab(main, keywords, instance)"
    )
    for phrase in _phrases(question):
        counted = _phrase_counts(connection, phrase, within)
        rarity = math.log((len(lengths) - len(counted) + 0.5) / (len(counted) + 0.5))
        for chunk_id, count in counted.items():
            weight = count + _K1 * (1 - _B + _B * lengths[chunk_id] / average)
            scores[chunk_id] += max(rarity, _LEAST_IDF) * count * (_K1 + 1) / weight
    return [(chunk_id, round(score, SCORE_DIGITS)) for chunk_id, score in scores.items()]


def _phrases(question: str) -> list[tuple[str, ...]]:
    """Each word of a question as FTS5 keeps it: stemmed, without accents, seldom in several parts."""
    with sqlite3.connect(":memory:") as scratch:
        scratch.execute(f"CREATE VIRTUAL TABLE words USING fts5(text, {_TOKENIZER})")
        scratch.execute("CREATE VIRTUAL TABLE places USING fts5vocab(words, instance)")
        terms = question_terms(question)
        scratch.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", enumerate(terms))
        rows = scratch.execute('SELECT doc, term FROM places ORDER BY doc, "offset"').fetchall()
    scratch.close()
    phrases = [tuple(term for row, term in rows if row == number) for number in range(len(terms))]
    return [phrase for phrase in phrases if phrase]


def _phrase_counts(connection: sqlite3.Connection, phrase: tuple[str, ...], within: set[int]) -> Counter[int]:
    """How often a phrase stands in each chunk of a set."""
    query = 'SELECT doc, "offset" FROM temp.keyword_places WHERE term = ?'
    places = set(connection.execute(query, (phrase[0],)))
    for shift, term in enumerate(phrase[1:], 1):
        following = {(chunk_id, offset - shift) for chunk_id, offset in connection.execute(query, (term,))}
        places &= following
    return Counter(chunk_id for chunk_id, _ in places if chunk_id in within)


def _lengths(connection: sqlite3.Connection, within: set[int]) -> dict[int, int]:
    """The words of each chunk of a set, as FTS5 counted them (https://www.sqlite.org/fts5.html, 9: one varint)."""
    rows = connection.execute("SELECT id, sz FROM keywords_docsize")
    return {chunk_id: _varint(size) for chunk_id, size in rows if chunk_id in within}


def _varint(coded: bytes) -> int:
    value = 0
    for byte in coded:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value


def add_keywords(connection: sqlite3.Connection, chunk_id: int, text: str) -> None:
    """Makes a chunk findable by its words."""
    connection.execute("INSERT INTO keywords (rowid, text) VALUES (?, ?)", (chunk_id, text))


def remove_keywords(connection: sqlite3.Connection, chunk_ids: Iterable[int]) -> None:
    """Makes chunks no longer findable by their words."""
    connection.executemany("DELETE FROM keywords WHERE rowid = ?", ((chunk_id,) for chunk_id in chunk_ids))
