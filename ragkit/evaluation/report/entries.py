"""The rows of one run, or of two, to what the page holds of every question: plain values that become JSON.

Called by `page`; `assets/page.js` draws them when a reader opens a question. Places in paragraphs count UTF-16
units, as browsers do.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ragkit.errors import DocumentError
from ragkit.evaluation.gold import is_same_document
from ragkit.evaluation.report.headlines import (
    OUTCOMES,
    REFUSALS,
    STEP_TITLES,
    count_steps,
    describe_step,
    find_step,
    format_value,
    is_failure,
    tell_outcome,
)
from ragkit.evaluation.results import Row
from ragkit.evaluation.suite import Suite
from ragkit.records import Paragraph

ParagraphOf = Callable[[str, int], Paragraph | None]
Pair = tuple[Row, ...]
"""The rows of one question: of one run, or of the earlier and the later."""

KINDS = {
    "any-right": "Right, or rightly refused",
    "any-wrong": "Wrong, needlessly refused or error",
    "any-refused": "Refused",
    **{name: f"Only: {words.lower()}" for name, words in OUTCOMES.items() if name != "right"},
}
CHANGES = {
    "fixed": "Wrong before, right now",
    "broken": "Right before, wrong now",
    "changed": "Another answer than before",
    "still-wrong": "Wrong both times",
    "still-right": "Right both times",
}


def read_paragraphs(suite: Suite) -> ParagraphOf:
    """A function from a document's path and a number to the paragraph; None where it is not to be had."""
    read = suite.open_reader()

    def paragraph_of(path: str, number: int) -> Paragraph | None:
        try:
            document = read(path)
        except DocumentError:
            return None
        return next((p for p in document.paragraphs if p.number == number), None) if document else None

    return paragraph_of


def list_entries(pairs: Sequence[Pair], runs: Sequence[str], paragraph_of: ParagraphOf | None) -> dict[str, Any]:
    """Everything the page's script needs.

    Args:
        pairs: The rows of each question, in the order of `runs`.
        runs: The names of the runs: one or two.
        paragraph_of: Where cited and gold paragraphs are read; None: only the quotes are shown.
    """
    texts = _Texts(paragraph_of)
    questions = [_entry(pair, texts) for pair in pairs]
    kinds = KINDS if len(runs) == 1 else {**CHANGES, **KINDS}
    found = Counter(kind for question in questions for kind in question["kinds"])
    tags = Counter(tag for pair in pairs for tag in pair[-1].tags)
    lost = count_steps(pair[-1] for pair in pairs)
    return {
        "runs": list(runs),
        "kinds": [[kind, words, found[kind]] for kind, words in kinds.items() if found[kind]],
        "tags": [[name, name, count] for name, count in sorted(tags.items())],
        "blames": [[step, STEP_TITLES.get(step, step), count] for step, count in lost.items()],
        "paragraphs": texts.found,
        "questions": questions,
    }


class _Texts:
    """The paragraphs that are cited or gold, each kept once under `document#number`."""

    def __init__(self, paragraph_of: ParagraphOf | None):
        self.found: dict[str, str] = {}
        self._paragraph_of = paragraph_of
        self._known: dict[tuple[str, int], Paragraph | None] = {}

    def find(self, document: str, number: int) -> tuple[str | None, Paragraph | None]:
        """The key of a paragraph and the paragraph."""
        place = (document, number)
        if place not in self._known:
            self._known[place] = self._paragraph_of(document, number) if self._paragraph_of else None
        if (paragraph := self._known[place]) is None:
            return None, None
        key = f"{paragraph.document.path}#{paragraph.number}"
        self.found[key] = paragraph.text
        return key, paragraph


def _entry(pair: Pair, texts: _Texts) -> dict[str, Any]:
    last = pair[-1]
    return {
        "id": last.id,
        "question": last.question,
        "tags": list(last.tags),
        "kinds": sorted(_kinds(pair)),
        "blame": find_step(last),
        "gold": _gold(last, texts),
        "runs": [_run(row, texts) for row in pair],
    }


def _kinds(pair: Pair) -> set[str]:
    """What the filter knows the question by: its outcome, and how it changed."""
    last, outcome = pair[-1], tell_outcome(pair[-1])
    kinds = {outcome}
    if last.right:
        kinds.add("any-right")
    if is_failure(last):
        kinds.add("any-wrong")
    if outcome.startswith("refused"):
        kinds.add("any-refused")
    if len(pair) > 1:
        kinds |= _changes(*pair)
    return kinds


def _changes(before: Row, after: Row) -> set[str]:
    ways = {(False, True): "fixed", (True, False): "broken", (False, False): "still-wrong", (True, True): "still-right"}
    is_judged = before.right is not None and after.right is not None
    kinds = {ways[bool(before.right), bool(after.right)]} if is_judged else set()
    said = [row.answer["answer"] if row.answer else row.error for row in (before, after)]
    return kinds | ({"changed"} if said[0] != said[1] else set())


def _gold(row: Row, texts: _Texts) -> dict[str, Any]:
    gold = row.gold
    evidence = [
        {
            "document": one["document"],
            "paragraph": one["paragraph"],
            "key": texts.find(one["document"], one["paragraph"])[0],
            "sentence": one.get("sentence", ""),
        }
        for one in gold["evidence"]
    ]
    return {
        "refusal": not gold["answerable"],
        "answers": list(gold["answers"]),
        "needed": [" / ".join(entry) for entry in gold["must_include"]],
        "forbidden": list(gold.get("must_not_include", ())),
        "evidence": evidence,
    }


def _run(row: Row, texts: _Texts) -> dict[str, Any]:
    """One run's answer to the question, with all that is known of it."""
    answer: dict[str, Any] = row.answer or {}
    outcome, step = tell_outcome(row), find_step(row)
    seconds = row.values.get("seconds")
    reason = answer.get("reason")
    return {
        "outcome": outcome,
        "told": OUTCOMES[outcome],
        "blame": f"{STEP_TITLES.get(step, step)}. {describe_step(step)}" if step else None,
        "error": row.error,
        "text": answer.get("answer", ""),
        "refusal": REFUSALS.get(reason, reason) if reason else None,
        "confidence": answer.get("confidence"),
        "sentences": [[s["text"], s["citations"], s["verdict"], s["support"]] for s in answer.get("sentences", ())],
        "citations": [_citation(row, citation, texts) for citation in answer.get("citations", ())],
        "ranks": _gold_ranks(row),
        "values": [[name, format_value(name, value)] for name, value in row.values.items() if value is not None],
        "seconds": None if seconds is None else f"{seconds:.2f}",
    }


def _citation(row: Row, citation: dict[str, Any], texts: _Texts) -> dict[str, Any]:
    key, paragraph = texts.find(citation["document"], citation["paragraph"])
    is_gold = any(_is_at(one, citation["document"], citation["paragraph"]) for one in row.gold["evidence"])
    return {
        "label": citation["label"],
        "document": citation["document"],
        "paragraph": citation["paragraph"],
        "page": citation.get("page"),
        "quote": citation["quote"],
        "key": key,
        "mark": _mark(citation, paragraph) if paragraph else None,
        "gold": is_gold,
    }


def _mark(citation: dict[str, Any], paragraph: Paragraph) -> list[int] | None:
    """Where the quote stands in its paragraph; None where other words stand there now."""
    start, end = citation["start"] - paragraph.start, citation["end"] - paragraph.start
    if start < 0 or paragraph.text[start:end] != citation["quote"]:
        return None
    return [_units(paragraph.text[:start]), _units(paragraph.text[:end])]


def _units(text: str) -> int:
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def _gold_ranks(row: Row) -> list[list[Any]]:
    """By stage of retrieval the best rank of a gold paragraph, None where none came up."""
    if not row.gold["evidence"]:
        return []
    return [
        [stage, next((rank for rank, key in enumerate(keys, 1) if _is_gold_key(row, key)), None)]
        for stage, keys in row.retrieved.items()
    ]


def _is_gold_key(row: Row, key: str) -> bool:
    document, _, number = key.rpartition("#")
    return any(_is_at(one, document, int(number)) for one in row.gold["evidence"])


def _is_at(evidence: dict[str, Any], document: str, number: int) -> bool:
    return bool(evidence["paragraph"] == number) and is_same_document(evidence["document"], document)
