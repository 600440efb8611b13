"""The front door for Python: `build`, `open`, and the `Kit` that asks, searches, updates and removes.

Models are loaded when they are first needed and then kept.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self, Unpack

from ragkit.answering import Answerer, check_question
from ragkit.chat import Chat
from ragkit.index.filing import Filing, Scope, Within
from ragkit.index.index import Index, IndexInfo
from ragkit.index.patterns import Selection
from ragkit.ingest import index_paths, remove_paths
from ragkit.ingest_records import IngestOptions, IngestReport, Progress
from ragkit.interaction import LateInteraction
from ragkit.models.deciding import Decider
from ragkit.models.embedding import Embedder
from ragkit.models.generation import Generator
from ragkit.models.loading import (
    load_decider,
    load_embedder,
    load_generator,
    load_reader,
    load_reranker,
    load_verifier,
)
from ragkit.models.reading import Reader
from ragkit.models.verifying import Verifier
from ragkit.models.weights import WRITER
from ragkit.records import Answer, Hit
from ragkit.retrieval import Located, Retriever
from ragkit.settings import Settings
from ragkit.trace import Trace

OnProgress = Callable[[Progress], None]
Paths = str | Path | Sequence[str | Path]


class Kit:
    """An index open for questions, with the models it needs.

    Questions can be limited: `kit.ask("...", where="date >= 2026-06-01", collection="letters", labels=["board"])`. A
    kit that is made with labels sees, whatever it is asked, only documents that carry one of them.

    A model of your own that follows the protocol of its role can be passed for each of them.
    """

    def __init__(  # noqa: PLR0913 - a model of one's own for every role
        self,
        index: Index,
        settings: Settings,
        *,
        embedder: Embedder | None = None,
        reader: Reader | None = None,
        generator: Generator | None = None,
        verifier: Verifier | None = None,
        decider: Decider | None = None,
        labels: Iterable[str] | None = None,
        on_message: Callable[[str], None] | None = None,
    ):
        self.index = index
        self._labels = Scope.of({"labels": labels}).labels
        self.settings = settings
        self._given_embedder = embedder
        self._given_reader = reader
        self._given_generator = generator
        self._given_verifier = verifier
        self._given_decider = decider
        self._on_message = on_message

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model, checked against the index.

        Raises:
            IndexMismatchError: Another model made the index.
        """
        embedder = self._given_embedder or load_embedder(self.settings.embedder, offline=self.settings.offline)
        self.index.check(embedder.name, embedder.dimensions)
        return embedder

    @cached_property
    def reader(self) -> Reader:
        """The reading model."""
        return self._given_reader or load_reader(on_message=self._on_message)

    @cached_property
    def generator(self) -> Generator:
        """The writing model."""
        if self._given_generator is not None:
            return self._given_generator
        return load_generator(self.settings.model, offline=self.settings.offline, on_message=self._on_message)

    @cached_property
    def verifier(self) -> Verifier:
        """The verifying model."""
        if self._given_verifier is not None:
            return self._given_verifier
        return load_verifier(self.settings.verifier, offline=self.settings.offline, on_message=self._on_message)

    @cached_property
    def decider(self) -> Decider:
        """The model that answers yes/no questions."""
        return self._given_decider or load_decider(on_message=self._on_message)

    @cached_property
    def retriever(self) -> Retriever:
        """Retrieval with the models it needs."""
        named = self.settings.reranker
        reranker = load_reranker(named, offline=self.settings.offline) if named else None
        interaction = LateInteraction(self.embedder)
        return Retriever(
            self.embedder,
            interaction,
            pool=self.settings.retrieve_chunks,
            rerank=self.settings.rerank_paragraphs,
            reranker=reranker,
        )

    @cached_property
    def answerer(self) -> Answerer:
        """Answering with the models it needs."""
        name = self._given_generator.name if self._given_generator else self.settings.model or WRITER.name
        models = (lambda: self.reader, lambda: self.generator, lambda: self.verifier, lambda: self.decider)
        return Answerer(self.retriever, *models, name, self.settings)

    def ask(self, question: str, *, id: str | None = None, **within: Unpack[Within]) -> Answer:
        """The checked answer to one question, or the refusal with its reason.

        Raises:
            QuestionError: The question is empty or too long.
            InputError: What it is limited to cannot be understood or is not there.
            IndexStateError: The index is damaged or was made with another embedder.
            ModelError: A model cannot be loaded or failed.
        """
        return self._ask(question, self.scope(within), id)

    def _ask(self, question: str, scope: Scope, id: str | None = None) -> Answer:
        with self.index.snapshot(scope) as snapshot:
            return self.answerer.answer(question, snapshot, id)

    def ask_many(self, questions: Iterable[str], **within: Unpack[Within]) -> list[Answer]:
        """An answer for each question, in order; raises what `ask` does."""
        scope, listed = self.scope(within), [questions] if isinstance(questions, str) else questions
        return [self._ask(question, scope) for question in listed]

    def chat(self, **within: Unpack[Within]) -> Chat:
        """A new conversation, in which a follow-up such as "And when?" is understood; what limits it is checked now."""
        most, ask = self.settings.max_question_chars, partial(self._ask, scope=self.scope(within))
        return Chat(lambda question: check_question(question, most), ask, lambda: self.generator)

    def explain(self, question: str, **within: Unpack[Within]) -> Trace:
        """The answer to a question with every step that led to it; raises what `ask` does."""
        answerer, scope = self.answerer, self.scope(within)
        with self.index.snapshot(scope) as snapshot:
            return answerer.trace(question, snapshot)

    def locate(self, question: str, path: str, paragraph: int, **within: Unpack[Within]) -> Located | None:
        """How far down a paragraph stands by vectors and by keywords; None if it is not in the index."""
        question = check_question(question, self.settings.max_question_chars)
        retriever, scope = self.retriever, self.scope(within)
        with self.index.snapshot(scope) as snapshot:
            return retriever.locate(question, path, paragraph, snapshot)

    def search(self, question: str, k: int = 5, **within: Unpack[Within]) -> list[Hit]:
        """The best `k` paragraphs for a question, best first."""
        question = check_question(question, self.settings.max_question_chars)
        retriever, scope = self.retriever, self.scope(within)
        with self.index.snapshot(scope) as snapshot:
            return list(retriever.retrieve(question, snapshot, k).hits)[:k]

    def scope(self, within: Within) -> Scope:
        """What a question may see; never more than the labels of this kit allow."""
        return Scope.of(within).with_labels(self._labels)

    def update(self, *paths: str | Path, on_progress: OnProgress | None = None) -> IngestReport:
        """Adds or updates files and folders; what vanished from a folder leaves the index."""
        options = ingest_options(self.settings)
        return index_paths(paths, self.index.folder, self.embedder, options, on_progress)

    def remove(self, *paths: str | Path) -> IngestReport:
        """Takes files or folders out of the index; the files themselves stay where they are."""
        return remove_paths(paths, self.index.folder)

    def info(self) -> IndexInfo:
        """How much the index holds, as far as the labels of this kit allow to see, and what made it."""
        return self.index.info(self.scope({}))

    def close(self) -> None:
        """Lets go of the index."""
        self.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def build(  # noqa: PLR0913 - a model of one's own for every role
    paths: Paths,
    index: str | Path,
    settings: Settings | None = None,
    *,
    embedder: Embedder | None = None,
    reader: Reader | None = None,
    generator: Generator | None = None,
    verifier: Verifier | None = None,
    decider: Decider | None = None,
    exclude: Sequence[str] = (),
    collection: str | None = None,
    labels: Sequence[str] | None = None,
    **changed: Any,
) -> Kit:
    """Indexes files and folders (only what changed since last time) and opens the index.

    Args:
        paths: A file or folder, or several.
        index: The folder of the index; made if it is not there.
        settings: As a whole; by default those of `Settings()`.
        exclude: Names or paths to leave out, as in a .gitignore: `*.log` or `notes/old/*`. Files that cannot be read
            are left out, too, each with a warning.
        collection: Where these documents are filed in the index; None leaves known ones where they are.
        labels: Who may see these documents; None leaves the labels of known ones.
        embedder: An embedding model of your own.
        reader: A reading model of your own.
        generator: A writing model of your own.
        verifier: A verifying model of your own.
        decider: One of your own that answers yes/no questions.
        **changed: Single settings, as in `model="path/to/folder"`.

    Raises:
        InputError: A path does not exist, or nothing in it can be read.
    """
    chosen = _settings(settings, changed)
    used = embedder or load_embedder(chosen.embedder, offline=chosen.offline)
    listed = [paths] if isinstance(paths, (str, Path)) else list(paths)
    filed_for = None if labels is None else Filing.of(labels=labels).labels
    options = ingest_options(chosen, exclude=exclude, collection=collection, labels=filed_for)
    report = index_paths(listed, index, used, options)
    for failed in (*report.failed, *report.warnings):
        warnings.warn(str(failed), stacklevel=2)
    return Kit(
        Index.open(index), chosen, embedder=used, reader=reader, generator=generator, verifier=verifier, decider=decider
    )


def open(
    index: str | Path,
    settings: Settings | None = None,
    *,
    embedder: Embedder | None = None,
    reader: Reader | None = None,
    generator: Generator | None = None,
    verifier: Verifier | None = None,
    decider: Decider | None = None,
    labels: Iterable[str] | None = None,
    **changed: Any,
) -> Kit:
    """Opens an index for questions; takes the same settings and models as `build`.

    With `labels`, no question to this kit sees, cites or counts a document that carries none of them.

    Raises:
        IndexNotFoundError: There is none in that folder.
        IndexCorruptError: A file of it is damaged.
    """
    return Kit(
        Index.open(index),
        _settings(settings, changed),
        embedder=embedder,
        reader=reader,
        generator=generator,
        verifier=verifier,
        decider=decider,
        labels=labels,
    )


def ingest_options(
    settings: Settings, *, include: Sequence[str] = (), exclude: Sequence[str] = (), **more: Any
) -> IngestOptions:
    """What indexing needs of the settings, and whatever else of `IngestOptions` is given."""
    return IngestOptions(
        settings.chunk_tokens,
        settings.min_chunk_tokens,
        selection=Selection(tuple(include), tuple(exclude), settings.max_file_mb * 2**20),
        read_timeout_s=settings.read_timeout_s,
        read_memory_bytes=settings.read_memory_mb * 2**20,
        **more,
    )


def _settings(settings: Settings | None, changed: dict[str, Any]) -> Settings:
    base = settings.model_dump() if settings is not None else {}
    return Settings.load(**(base | changed))
