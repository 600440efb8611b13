"""Which questions constants may be chosen on, and which only report: the same split for every measurement.

XQuAD: the first twelve articles of the file choose. CLAPNQ: the odd lines of each file choose. `reading`: the documents
numbered 12 and 24 of each kind report, all others choose. Every other suite of this project only reports.
"""

from pathlib import Path
from typing import Literal

from ragkit.evaluation import GoldQuestion, Suite, load_suite
from ragkit.evaluation.command import index_suite
from ragkit.index.index import Index
from ragkit.kit import Kit
from ragkit.models.loading import load_embedder
from ragkit.models.weights import cache_folder
from ragkit.settings import Settings

Part = Literal["choose", "report"]

CHOOSING_ARTICLES = 12
REPORTING_NUMBERS = ("12", "24")


def open_suite(place: str, settings: Settings) -> tuple[Suite, Kit]:
    """A suite and a kit over an up-to-date index of its documents, in the cache."""
    suite = load_suite(place, cache_folder() / "datasets")
    embedder = load_embedder(settings.embedder, offline=settings.offline)
    return suite, Kit(Index.open(index_suite(suite, settings, embedder)), settings, embedder=embedder)


def part_of(suite: Suite) -> dict[str, Part]:
    """The part of each question, by its id."""
    if suite.name == "reading":
        return {q.id: "report" if q.id[1:3] in REPORTING_NUMBERS else "choose" for q in suite.questions}
    if "xquad" in suite.name:
        articles = list(dict.fromkeys(question.evidence[0].document for question in suite.questions))
        chosen = set(articles[:CHOOSING_ARTICLES])
        return {q.id: "choose" if q.evidence[0].document in chosen else "report" for q in suite.questions}
    if "clapnq" in suite.name:
        parts: dict[str, Part] = {}
        for answerable in (True, False):
            of_file = [question for question in suite.questions if question.answerable == answerable]
            parts |= {q.id: "report" if line % 2 else "choose" for line, q in enumerate(of_file)}
        return parts
    return {question.id: "report" for question in suite.questions}


def documents_of(question: GoldQuestion) -> list[str]:
    """The documents of its gold paragraphs, each once."""
    return list(dict.fromkeys(evidence.document for evidence in question.evidence))


def entries_of(question: GoldQuestion) -> list[tuple[str, ...]]:
    """What an answer must hold: for each thing its wordings."""
    return [question.answers] if question.answers else list(question.must_include)


def as_typed(question: str) -> str:
    """The question as people type it into a search box."""
    return question.casefold().rstrip("? ")


def is_gold(question: GoldQuestion, path: str, paragraph: int) -> bool:
    """Whether a paragraph is one of the question's gold paragraphs."""
    name = Path(path).name
    return any(Path(gold.document).name == name and gold.paragraph == paragraph for gold in question.evidence)
