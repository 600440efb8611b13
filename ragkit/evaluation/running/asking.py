"""One gold question to its row: asked, or found among the answers given before, and judged. Called by `run`.

Whatever goes wrong with a question ends here: the row says so, and the next question is asked.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import TracebackType
from typing import Protocol, Self, TypeVar, runtime_checkable

from ragkit.evaluation.gold import GoldQuestion
from ragkit.evaluation.measures.citing import Judge, TextOf
from ragkit.evaluation.measures.curves import RIGHT_IF_ANSWERED
from ragkit.evaluation.measures.metrics import judge_answer, judge_failure
from ragkit.evaluation.results import Row
from ragkit.evaluation.running.cache import AnswerCache, hash_code, pack_answer, unpack_answer
from ragkit.records import Answer
from ragkit.trace import Trace

Result = TypeVar("Result")


class Asker(Protocol):
    """Whatever answers questions; `ragkit.open(...)` gives one. If it can `explain`, rows tell what was found."""

    def ask(self, question: str) -> Answer:
        """The answer to one question."""


@runtime_checkable
class Explainer(Protocol):
    """An asker that tells how its answer came about."""

    def explain(self, question: str) -> Trace:
        """The answer to one question with every step that led to it."""


class Finding(Protocol):
    """What looking back at a question found."""

    @property
    def blame(self) -> str | None:
        """The step that lost the right answer; None if it cannot be told."""

    @property
    def right_if_answered(self) -> float | None:
        """Whether a refused answer would have been right; None if none was refused."""


LookBack = Callable[[GoldQuestion, Trace | None], Finding]
"""From a question and how its answer came about, None after an error, to what lost the right answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer with what is kept of how it came about.

    Attributes:
        seconds: Wall clock from question to answer, when it was first asked.
        trace: None for an answer given before, and from a kit that cannot explain.
    """

    answer: Answer
    retrieved: dict[str, list[str]]
    seconds: float
    trace: Trace | None = None
    is_cached: bool = False


@dataclass(slots=True)
class Asking:
    """What it takes to make a row of a question; safe to use from several threads.

    Attributes:
        text_of: Reads the documents that are cited.
        clusters: Question id to what the question is resampled with.
        cache: Answers given before.
        recipe: All that answers depend on but the question, as a hash; they are kept under it.
        judge: Whether a source supports a sentence.
        look_back: Asked about each question that was not answered rightly.
    """

    kit: Asker
    text_of: TextOf
    clusters: Mapping[str, str]
    cache: AnswerCache | None = None
    recipe: str = ""
    judge: Judge | None = None
    look_back: LookBack | None = None
    _first: threading.Lock = field(default_factory=threading.Lock)
    _is_loaded: bool = False

    def make_row(self, gold: GoldQuestion) -> Row:
        """The question's row; an error, foreseen or not, is told in it."""
        judged = attempt(lambda: self._judge(gold))
        row, asked = (self._blank(gold, str(judged)), None) if isinstance(judged, Failure) else judged
        looked = attempt(lambda: self._look_closer(gold, row, asked))
        return replace(row, error=row.error or f"looking back: {looked}") if isinstance(looked, Failure) else looked

    def _blank(self, gold: GoldQuestion, error: str) -> Row:
        """The row of a question that ended in an error."""
        return Row(
            id=gold.id,
            question=gold.question,
            tags=gold.tags,
            gold=json.loads(json.dumps(asdict(gold))),
            cluster=self.clusters[gold.id],
            answer=None,
            error=error,
            values=judge_failure(gold),
        )

    def _judge(self, gold: GoldQuestion) -> tuple[Row, Asked]:
        asked = self._find(gold.question)
        judge = self.judge
        if judge is not None and self.cache is not None:
            judge = self.cache.remembering(judge, "judged", self.recipe)
        values = {**judge_answer(gold, asked.answer, self.text_of, judge), "seconds": asked.seconds}
        answer = replace(asked.answer, id=gold.id).to_dict()
        row = replace(self._blank(gold, ""), answer=answer, error=None, values=values)
        return replace(row, retrieved=asked.retrieved, is_cached=asked.is_cached), asked

    def _find(self, question: str) -> Asked:
        """The answer given before, or else a new one."""
        words = ("answer", self.recipe, question)
        kept = self.cache.find(*words) if self.cache else None
        if kept is not None:
            return Asked(unpack_answer(kept["answer"]), kept["retrieved"], kept["seconds"], is_cached=True)
        asked = self._ask(question)
        if self.cache:
            kept = {"answer": pack_answer(asked.answer), "retrieved": asked.retrieved, "seconds": asked.seconds}
            self.cache.keep(kept, *words)
        return asked

    def _ask(self, question: str) -> Asked:
        """A new answer; until the first is there nobody else asks, so that models are loaded once."""
        if self._is_loaded:
            return self._ask_now(question)
        with self._first:
            asked = self._ask_now(question)
            self._is_loaded = True
            return asked

    def _ask_now(self, question: str) -> Asked:
        started = time.perf_counter()
        if isinstance(self.kit, Explainer):
            trace = self.kit.explain(question)
            return Asked(trace.answer, trace.retrieved.stages(), time.perf_counter() - started, trace)
        answer = self.kit.ask(question)
        return Asked(answer, {}, time.perf_counter() - started)

    def _look_closer(self, gold: GoldQuestion, row: Row, asked: Asked | None) -> Row:
        """The row with what lost its right answer; as it is where none was lost or nobody can tell."""
        if self.look_back is None or row.right is True or not isinstance(self.kit, Explainer):
            return row
        if asked is None:
            return replace(row, blame=self.look_back(gold, None).blame)
        words = ("looked back", self.recipe, hash_code("cli"), json.dumps(row.gold))
        kept = self.cache.find(*words) if self.cache else None
        if kept is None:
            found = self.look_back(gold, asked.trace or self._ask(gold.question).trace)
            kept = [found.blame, found.right_if_answered]
            if self.cache:
                self.cache.keep(kept, *words)
        blame, right_if_answered = kept
        told = {} if right_if_answered is None else {RIGHT_IF_ANSWERED: right_if_answered}
        return replace(row, blame=blame, values={**row.values, **told})


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that ended what was tried."""

    error: Exception

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


class _Edge:
    """A block whose errors end here; what is no error but a wish to stop, as Ctrl+C is, goes through."""

    failure: Failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        self.failure = Failure(error)
        return True


def attempt(do: Callable[[], Result]) -> Result | Failure:
    """What a function gives back, or the error that it raised: the one place where errors nobody foresaw are met."""
    with _Edge() as edge:
        return do()
    return edge.failure
