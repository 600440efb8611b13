"""How an answer came about: what every step found, said and left out.

Made by `answering`; `ragkit explain` prints it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from ragkit.drafting import Draft
from ragkit.evidence import Candidate
from ragkit.models.deciding import Decision
from ragkit.odds import probability
from ragkit.records import Answer, Hit
from ragkit.repair import Checked
from ragkit.retrieval import Retrieved


@dataclass(frozen=True, slots=True)
class Trace:
    """An answer with what led to it; steps that were not reached are empty.

    Attributes:
        weighed: The sentences that were read, best first, with what speaks against each as evidence; nothing, if it is.
        features: What the confidence was estimated from, by name.
        min_confidence: Below this the question is refused.
        checked: What became of each sentence of the draft.
        decided: To a yes/no question, each sentence with what its evidence says.
    """

    retrieved: Retrieved
    weighed: tuple[tuple[Candidate, str], ...]
    features: dict[str, float]
    min_confidence: float
    answer: Answer
    draft: Draft
    checked: tuple[Checked, ...]
    decided: tuple[tuple[str, Decision], ...] = ()

    def paragraphs(self) -> list[tuple[Hit, str]]:
        """Every paragraph that came up, best first, with what was done with it."""
        read = {(c.paragraph.document.path, c.paragraph.number) for c, _ in self.weighed}
        ranked = [
            (hit, "read" if (hit.paragraph.document.path, hit.paragraph.number) in read else "not among the best")
            for hit in self.retrieved.hits
        ]
        return ranked + [(hit, "not reranked") for hit in self.retrieved.others]

    def to_dict(self) -> dict[str, Any]:
        """The trace as `ragkit explain --json` prints it."""
        return {
            "question": self.answer.question,
            "searched_for": self.retrieved.question,
            "paragraphs": [_paragraph(hit) | {"outcome": outcome} for hit, outcome in self.paragraphs()],
            "sentences": [_sentence(candidate, objection) for candidate, objection in self.weighed],
            "confidence": {
                "features": {name: round(value, 4) for name, value in self.features.items()},
                "probability": round(self.answer.confidence, 4),
                "min_confidence": self.min_confidence,
            },
            "prompt": self.draft.prompt,
            "written": self.draft.written,
            "checked": [asdict(checked) for checked in self.checked],
            "decided": [
                {"sentence": text, "yes": round(decision.yes, 4), "no": round(decision.no, 4)}
                for text, decision in self.decided
            ],
            "answer": self.answer.to_dict(),
        }


def _paragraph(hit: Hit) -> dict[str, Any]:
    return hit.to_dict() | {"dense": _rounded(hit.dense), "keyword": _rounded(hit.keyword)}


def _sentence(candidate: Candidate, objection: str) -> dict[str, Any]:
    return {
        "document": candidate.paragraph.document.path,
        "paragraph": candidate.paragraph.number,
        "start": candidate.start,
        "end": candidate.end,
        "text": candidate.text,
        "score": round(candidate.score, 4),
        "answers": round(probability(candidate.log_odds), 4),
        "short_answer": candidate.short_answer,
        "match": round(float(candidate.matches.mean()), 4),
        "keyword": round(candidate.keyword, 4),
        "holds_kind": candidate.holds_kind,
        "evidence": not objection,
        "outcome": objection or "evidence",
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
