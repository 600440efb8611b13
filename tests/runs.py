"""Results of an evaluation made by hand, for tests of what is done with them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.measures.curves import curves_of
from ragkit.evaluation.measures.rankings import retrieval_measures
from ragkit.evaluation.results import EvalResult, Row, estimate_by_tag, estimate_metrics, measure_performance

DOCUMENT = "docs/games.txt"
PARAGRAPH = "Denver won 24 to 10 in Santa Clara. Carolina lost."
HOSTILE = '</script><img src=x onerror="window.hacked = 1"> & <b>bold</b> ]]> `@team` | \x00\x1b[31m'


def citation(quote: str = "Denver won 24 to 10", start: int | None = None, **changed: Any) -> dict[str, Any]:
    """A citation of the paragraph as `Citation.to_dict` gives it, whose document begins with that paragraph."""
    begin = PARAGRAPH.find(quote) if start is None else start
    place = {"document": DOCUMENT, "document_id": "sha256:0", "paragraph": 1, "page": None}
    return {"label": 1, **place, "start": begin, "end": begin + len(quote), "quote": quote, "score": 1.0, **changed}


def answer(text: str = "Denver won 24 to 10 [1]", **changed: Any) -> dict[str, Any]:
    """An answer of one sentence, as `Answer.to_dict` gives it."""
    sentence = {"text": text.removesuffix(" [1]"), "citations": [1], "verdict": "supported", "support": 0.98}
    return {
        "id": None,
        "question": "Who won?",
        "answer": text,
        "abstained": False,
        "reason": None,
        "confidence": 0.9,
        "sentences": [sentence],
        "citations": [citation()],
        "model": "none",
        "seconds": {"retrieve": 0.1, "generate": 0.2, "verify": 0.0},
        **changed,
    }


def refusal(confidence: float = 0.1) -> dict[str, Any]:
    """An answer that gives none."""
    nothing = {"sentences": [], "citations": [], "abstained": True, "reason": "no-evidence"}
    return answer("The documents do not say.", confidence=confidence, **nothing)


def row(name: str, right: float | None, given: dict[str, Any] | None, **changed: Any) -> Row:
    """A row of a question about the first paragraph; `answerable=False` makes it one without an answer."""
    answerable = changed.pop("answerable", True)
    wanted = {"answers": ("Denver",), "evidence": (GoldEvidence("games.txt", 1, "Denver"),)} if answerable else {}
    question = changed.pop("question", f"Who won {name}?")
    gold = asdict(GoldQuestion(name, question, answerable=answerable, **wanted))
    values: dict[str, float | None] = {"answers_right": right, "seconds": 0.3 if given else None}
    if given is not None:
        values["refused_wrongly" if answerable else "refused_rightly"] = float(given["abstained"])
    error = changed.pop("error", None)
    filled = {"tags": ("factoid",), "cluster": name, **changed}
    return Row(id=name, question=question, gold=gold, answer=given, error=error, values=values, **filled)


def mixed_rows() -> list[Row]:
    """One row of each outcome: right, wrong, refused rightly, refused wrongly, error."""
    ranked = {"dense": [f"{DOCUMENT}#2", f"{DOCUMENT}#1"], "reranked": [f"{DOCUMENT}#1"]}
    return [
        row("right", 1.0, answer(), retrieved=ranked),
        row("wrong", 0.0, answer("Carolina lost [1]"), blame="not-chosen", tags=("factoid", "list")),
        row("sang", 1.0, refusal(), answerable=False, tags=("unanswerable",)),
        row("shy", 0.0, refusal(0.3), blame="refused"),
        row("broken", 0.0, None, error="QuestionError: The question is broken."),
    ]


def result(rows: list[Row], **changed: Any) -> EvalResult:
    """The result that a run with these rows has."""
    measured = {
        "performance": measure_performance(rows),
        "metrics": estimate_metrics(rows),
        "by_tag": estimate_by_tag(rows),
        "retrieval": retrieval_measures(rows),
        "curves": curves_of(rows),
    }
    told = {"suite": "tiny", "suite_hash": "sha256:1", "date": "2026-01-01T10:00:00+00:00"}
    made_with = {"settings": {"top_k": 5}, "versions": {"python": "3.11"}}
    return EvalResult(**{**told, **made_with, **measured, "rows": tuple(rows), **changed})


def write(folder: Path, page: str) -> Path:
    """The page as a file."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    return file
