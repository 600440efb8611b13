"""Keyword search by BM25, on the full-text table (FTS5) that lies in the index's database.

A question becomes an OR of its content words, each quoted, so nothing in a question is ever read as query syntax.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterable

from ragkit.terms import STOP_WORDS

KEYWORDS_TABLE = """
CREATE VIRTUAL TABLE keywords USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2');
"""

MAX_TERMS = 64

_WORD = re.compile(r"[^\W_]+")


def match_expression(question: str) -> str | None:
    """The FTS5 query for a question, or None if it has no word to search for."""
    found = _WORD.findall(unicodedata.normalize("NFC", question))
    words = list(dict.fromkeys(word.casefold() for word in found))
    terms = [word for word in words if word not in STOP_WORDS] or words
    return " OR ".join(f'"{term}"' for term in terms[:MAX_TERMS]) or None


def search_keywords(connection: sqlite3.Connection, question: str, k: int) -> list[tuple[int, float]]:
    """Up to `k` chunk ids with their BM25 score (higher is better), best first, ties by id."""
    expression = match_expression(question)
    if expression is None or k < 1:
        return []
    rows = connection.execute(
        "SELECT rowid, -bm25(keywords) AS score FROM keywords WHERE keywords MATCH ? "
        "ORDER BY score DESC, rowid LIMIT ?",
        (expression, k),
    )
    return [(chunk_id, score) for chunk_id, score in rows]


def add_keywords(connection: sqlite3.Connection, chunk_id: int, text: str) -> None:
    """Makes a chunk findable by its words."""
    connection.execute("INSERT INTO keywords (rowid, text) VALUES (?, ?)", (chunk_id, text))


def remove_keywords(connection: sqlite3.Connection, chunk_ids: Iterable[int]) -> None:
    """Makes chunks no longer findable by their words."""
    connection.executemany("DELETE FROM keywords WHERE rowid = ?", ((chunk_id,) for chunk_id in chunk_ids))
