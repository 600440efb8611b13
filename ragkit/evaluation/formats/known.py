"""Which format a file or folder is of: each is known by its shape, asked in turn. Called by `datasets`."""

from collections.abc import Callable
from pathlib import Path

from ragkit.errors import GoldError
from ragkit.evaluation.formats.clapnq import is_clapnq, load_clapnq
from ragkit.evaluation.formats.documents import Dataset
from ragkit.evaluation.formats.heads import Head, read_head
from ragkit.evaluation.formats.hotpot import is_hotpot, load_hotpot
from ragkit.evaluation.formats.judged import is_collection, load_collection
from ragkit.evaluation.formats.pairs import is_pairs, load_pairs
from ragkit.evaluation.formats.rgb import is_rgb, load_rgb
from ragkit.evaluation.formats.squad import is_squad, load_squad
from ragkit.evaluation.gold import QUESTION_KEYS, OnBroken, read_questions

Loader = Callable[[Path, OnBroken], Dataset]

KNOWN_FORMATS = "SQuAD, CLAPNQ, RGB, HotpotQA, BEIR, MTRAG, TREC topics with judgments, or questions and answers"
OWN_KEYS = ("evidence", "must_include", "must_not_include", "evidence_sentences")
"""A file with any of these is one of ragkit's own gold questions, not a plain list of questions and answers."""


def find_dataset(place: Path) -> tuple[Loader, Path] | None:
    """What loads a dataset, and the file or folder to be loaded; None where nothing of a known format is.

    A folder is a collection of judged documents, or it holds one file of a known format.

    Raises:
        GoldError: The folder holds several such files.
    """
    loader = _find_loader(place) if place.is_file() else None
    if loader is None and is_collection(place):
        loader = load_collection
    if loader is not None or place.is_file():
        return (loader, place) if loader else None
    files = sorted(file for file in place.iterdir() if file.is_file())
    found = [(load, file) for file in files if (load := _find_loader(file))]
    if len(found) > 1:
        names = ", ".join(file.name for _, file in found)
        raise GoldError(f"{place} holds several datasets: {names}. Give one of them: ragkit eval FILE")
    return found[0] if found else None


def _find_loader(file: Path) -> Loader | None:
    head = read_head(file)
    return next((load for knows, load in _FORMATS if knows(head)), None)


def _is_own(head: Head) -> bool:
    return {"id", "question"} <= head.keys <= QUESTION_KEYS and any(f'"{key}"' in head.text for key in OWN_KEYS)


def _load_own(file: Path, on_broken: OnBroken) -> Dataset:
    return Dataset(file.stem, tuple(question for _, question in read_questions(file, on_broken)))


_FORMATS: tuple[tuple[Callable[[Head], bool], Loader], ...] = (
    (is_squad, load_squad),
    (is_clapnq, load_clapnq),
    (is_rgb, load_rgb),
    (is_hotpot, load_hotpot),
    (_is_own, _load_own),
    (is_pairs, load_pairs),
)
