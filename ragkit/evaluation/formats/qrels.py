"""Judgments of relevance (qrels): which documents answer which question, and how well, by a person who read them.

Both layouts are read: four columns as TREC writes them (question, an unused one, document, grade), and three with a
header as BEIR does (question, document, grade). Called by `judged`.
"""

from pathlib import Path

from ragkit.errors import GoldError
from ragkit.evaluation.formats.heads import Head, read_foreign_text
from ragkit.evaluation.gold import OnBroken

Qrels = dict[str, dict[str, int]]
"""Question id to document id to grade; higher is more relevant, 0 and below is not."""

LOOKED_AT = 20


def is_qrels(head: Head) -> bool:
    """Whether a file holds judgments: three or four columns of which the last is a whole number, but for a header."""
    rows = [_columns(line) for line in head.lines[: LOOKED_AT + 1]]
    judged = rows[1:] if rows and _grade(rows[0]) is None else rows
    return bool(judged) and all(_grade(row) is not None for row in judged)


def read_qrels(file: Path, on_broken: OnBroken) -> Qrels:
    """The judgments of a file, in its order; where one pair was judged twice, the higher grade."""
    qrels: Qrels = {}
    for number, line in enumerate(read_foreign_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        columns = _columns(line)
        grade = _grade(columns)
        if grade is not None:
            grades = qrels.setdefault(columns[0], {})
            grades[columns[-2]] = max(grade, grades.get(columns[-2], grade))
        elif number > 1:
            on_broken(GoldError(f"{file}, line {number}: not a judgment: question, document and a whole number."))
    return qrels


def _columns(line: str) -> list[str]:
    parts = [part.strip() for part in line.split("\t")]
    return parts if len(parts) > 2 else line.split()


def _grade(columns: list[str]) -> int | None:
    """The grade of a row of three or four columns; None if it is no such row."""
    try:
        return int(columns[-1]) if len(columns) in (3, 4) else None
    except ValueError:
        return None
