"""What a reader got of an index is held against what it should have got; what does not agree is a `ViolationError`."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from evals.crash_child import EVERYTHING, ViolationError, WordEmbedder, require
from evals.soak.model import COLLECTIONS, PARAGRAPHS, TAGS, Model, Written, load_model, paragraphs_of, text_of
from ragkit.errors import InputError
from ragkit.index.filing import Scope, Within
from ragkit.index.snapshot import Snapshot
from ragkit.records import Chunk, Hit

K = 24
COSINE_ERROR = 2e-5
"""Scores are rounded to five digits."""

EMBEDDER = WordEmbedder()

HITS = 8

Vector = npt.NDArray[np.float32]
Scored = list[tuple[int, float]]


Test = Callable[[str, Written], bool]

WHERES: tuple[tuple[str, Test], ...] = (
    *((f"tag = tag{n}", lambda _, one, n=n: one.tag == f"tag{n}") for n in range(TAGS)),
    ("turn >= 60 and tag in (tag1, tag3)", lambda _, one: one.turn >= 60 and one.tag in ("tag1", "tag3")),
    ("not name ~ moved", lambda path, _: "moved" not in PurePosixPath(path).name),
    ("folder ~ '/docs/east'", lambda path, _: PurePosixPath(path).parent.name == "east"),
)
"""Conditions, and what they should mean for a path and the document there."""


@dataclass(frozen=True)
class Part:
    """What a question may see; None does not limit it."""

    where: tuple[str, Test] | None
    collection: str | None
    label: str | None

    @classmethod
    def some(cls, chance: random.Random) -> "Part":
        """Limited in one way or several."""
        while True:
            where = chance.choice((None, chance.choice(WHERES)))
            part = cls(where, chance.choice((None, *COLLECTIONS)), chance.choice((None, "board", "staff", "press")))
            if part != cls(None, None, None):
                return part

    def within(self) -> Within:
        """The same as a caller asks for it."""
        return {
            "where": self.where[0] if self.where else None,
            "collection": self.collection,
            "labels": None if self.label is None else [self.label],
        }

    def is_allowed(self, one: Written) -> bool:
        """Whether the labels let a document be seen."""
        return self.label is None or self.label in one.labels

    def shows(self, path: str, one: Written) -> bool:
        """Whether a document is in it."""
        is_there = self.is_allowed(one) and self.collection in (None, one.collection)
        return is_there and (self.where is None or self.where[1](path, one))


@lru_cache(1024)
def vector_of(text: str) -> Vector:
    """The vector that a text should have."""
    return EMBEDDER.embed_question(text)


def search(snapshot: Snapshot, vector: Vector, words: str) -> tuple[Scored, Scored, dict[int, Chunk]]:
    """What a search does: by vector, by words, and the chunks of both."""
    dense, keyword = snapshot.search_vectors(vector, K), snapshot.search_keywords(words, K)
    return dense, keyword, snapshot.chunks([number for number, _ in (*dense, *keyword)])


def check_search(model: Model, wanted: Written, text: str, found: tuple[Scored, Scored, dict[int, Chunk]]) -> None:
    """A search for one paragraph of a document, which may be gone, by its vector and by its document's word."""
    dense, keyword, chunks = found
    require(chunks.keys() == {number for number, _ in (*dense, *keyword)}, "a chunk was found and is not there")
    for chunk in chunks.values():
        check_chunk(model, chunk)
    for number, score in dense:
        cosine = float(vector_of(text) @ vector_of(chunks[number].embedded_text))
        require(abs(cosine - score) < COSINE_ERROR, f"a vector is another text's: {score} instead of {cosine}")
    by_word = {chunks[number].text for number, _ in keyword}
    is_there = any((one.number, one.turn) == (wanted.number, wanted.turn) for one in model.values())
    require(by_word == (set(paragraphs_of(wanted.number, wanted.turn)) if is_there else set()), f"by word: {by_word}")
    nearest = {chunks[number].text for number, score in dense if score == dense[0][1]}
    require(not is_there or text in nearest, "a paragraph is not what is nearest to it")


def check_chunk(model: Model, chunk: Chunk) -> None:
    """A chunk is one whole paragraph of a document that is there."""
    path, (paragraph,) = chunk.document.path, chunk.paragraphs
    require(path in model, f"'{path}' is not there, but a chunk of it is: {chunk.text}")
    wanted = paragraphs_of(model[path].number, model[path].turn)[paragraph.number - 1]
    require(chunk.text == paragraph.text == wanted, f"'{path}' says '{chunk.text}' instead of '{wanted}'")


def check_everything(snapshot: Snapshot, model: Model) -> None:
    """Documents, filings, chunks, vectors and counts: all of the model, and nothing else."""
    documents = {ref.path: snapshot.document(ref.path) for ref in snapshot.documents()}
    require(documents.keys() == model.keys(), f"other documents: {sorted(documents.keys() ^ model.keys())[:3]}")
    for path, document in documents.items():
        require(document is not None and document.text == text_of(model[path]), f"'{path}' has another text")
    for file in snapshot.known_files():
        filing, wanted = file.origin.filing, model[file.path]
        require(filing.collection == wanted.collection, f"'{file.path}' is in {filing.collection}")
        require({*filing.labels} <= {*wanted.labels}, f"'{file.path}' has the labels {filing.labels}")
    ids = sorted(number for number, _ in snapshot.search_vectors(vector_of("ka"), EVERYTHING))
    by_word = sorted(number for number, _ in snapshot.search_keywords("paragraph", EVERYTHING))
    require(ids == by_word, "vectors and words find other chunks")
    chunks = snapshot.chunks(ids)
    got = Counter((chunk.document.path, chunk.text) for chunk in chunks.values())
    wanted_texts = Counter((path, text) for path, one in model.items() for text in paragraphs_of(one.number, one.turn))
    require(got == wanted_texts, f"other chunks: {[*(got - wanted_texts), *(wanted_texts - got)][:3]}")
    for number, chunk in chunks.items():
        is_its = np.array_equal(snapshot.vectors.vector_of(number), vector_of(chunk.embedded_text))
        require(is_its, f"chunk {number} has another vector")
    counts, total = snapshot.counts(), PARAGRAPHS * len(model)
    require((counts.documents, counts.paragraphs, counts.chunks) == (len(model), total, total), f"{counts}")


def check_part(snapshot: Snapshot, model: Model, part: Part) -> None:
    """A part of a generation, for which the rest does not exist.

    Args:
        snapshot: All of the generation.
        model: What it holds.
        part: What is asked for.
    """
    collections = {one.collection for one in model.values() if part.is_allowed(one)}
    is_unknown = part.collection is not None and bool(collections) and part.collection not in collections
    try:
        scoped = snapshot.within(Scope.of(part.within()))
    except InputError as exc:
        require(is_unknown, f"{part}: {exc}")
        return
    require(not is_unknown, f"{part} names what is not there, and nothing is said")
    visible = {path: one for path, one in model.items() if part.shows(path, one)}
    check_everything(scoped, visible)
    hidden = sorted(model.keys() - visible.keys())[:5]
    require(not any(scoped.document(path) or scoped.paragraphs(path) for path in hidden), f"{part} shows the rest")
    ids = [number for number, _ in snapshot.search_vectors(vector_of("ka"), EVERYTHING)]
    shown = {chunk.document.path for chunk in scoped.chunks(ids).values()}
    require(shown == visible.keys(), f"{part} hands out chunks of the rest")


def check_history(place: Path, snapshot: Snapshot, label: str) -> None:
    """Every generation that is listed, as the owner and as someone with one label is told of it."""
    listed = snapshot.history()
    require(listed[-1].number == snapshot.generation, "the history ends with another generation")
    for one in listed:
        documents = len(load_model(place, one.number))
        require((one.documents, one.chunks) == (documents, PARAGRAPHS * documents), f"other counts: {one}")
        require(all(tag.endswith(f"-{one.number}") for tag in one.tags), f"a tag is elsewhere: {one}")
    for one in snapshot.within(Scope.of({"labels": label})).history():
        visible = [each for each in load_model(place, one.number).values() if label in each.labels]
        require(one.documents == len(visible), f"someone with the label {label} is told of {one}")


def check_hits(place: Path, generations: range, hits: Sequence[Hit], label: str | None) -> None:
    """Hits that came without a generation: all of one of these, and none that a label hides."""
    got = {(hit.paragraph.document.path, hit.paragraph.text) for hit in hits}
    for generation in generations:
        model = load_model(place, generation)
        visible = {path: one for path, one in model.items() if label is None or label in one.labels}
        texts = {(path, text) for path, one in visible.items() for text in paragraphs_of(one.number, one.turn)}
        if got <= texts and len(got) == min(HITS, len(texts)):
            return
    raise ViolationError(f"hits of no single one of {generations}: {sorted(got)}")
