"""What a generation of the soak test's index holds, in plain Python: noted by the writer, looked up by the readers.

Every paragraph names the file that it belongs to and the turn in which that was written; its text follows from these
two alone, so that whoever reads it can tell what it should be.
"""

import json
import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from evals.crash_child import ViolationError

PARAGRAPHS, WORDS, TAGS = 4, 12, 5
SYLLABLES = "ka lo mi re tu san bel dor fin gar hul jes nor pal quin ros sil tam ver wen".split()
FOLDERS = ("east", "north", "west")
COLLECTIONS = ("letters", "papers", "minutes")
LABELS = ((), ("board",), ("staff",), ("board", "press"))


@dataclass(frozen=True)
class Written:
    """A document: which file it is, in which turn it was written, and how it is filed."""

    number: int
    turn: int
    collection: str = ""
    labels: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A word that is in each of its paragraphs and in no others."""
        return f"f{self.number}t{self.turn}"

    @property
    def tag(self) -> str:
        """What it says in its front matter."""
        return f"tag{self.number % TAGS}"


Model = dict[str, Written]
"""What a generation holds, by path."""


@lru_cache(1024)
def paragraphs_of(number: int, turn: int) -> tuple[str, ...]:
    """The texts of a document's paragraphs, which follow from its file and turn."""
    chance, key = random.Random(f"{number} {turn}"), Written(number, turn).key
    words = (" ".join(chance.choices(SYLLABLES, k=WORDS)) for _ in range(PARAGRAPHS))
    return tuple(f"Paragraph {place} of {key}: {text}." for place, text in enumerate(words, 1))


def text_of(written: Written) -> str:
    """A document as it stands in its file."""
    front = f"---\ntag: {written.tag}\nturn: {written.turn}\n---\n\n"
    return front + "\n\n".join(paragraphs_of(written.number, written.turn)) + "\n"


def _model_file(place: Path, generation: int) -> Path:
    return place / "models" / f"{generation}.json"


def save_model(place: Path, generation: int, model: Model) -> None:
    """Notes what a generation is to hold."""
    file = _model_file(place, generation)
    draft = file.with_suffix(".draft")
    rows = {path: (one.number, one.turn, one.collection, one.labels) for path, one in model.items()}
    draft.write_text(json.dumps(rows))
    draft.replace(file)


@lru_cache(64)
def load_model(place: Path, generation: int) -> Model:
    """What a generation that was committed holds."""
    file = _model_file(place, generation)
    if not file.exists():
        raise ViolationError(f"there is a generation {generation} that the writer knows nothing of")
    rows = json.loads(file.read_text())
    return {path: Written(number, turn, name, tuple(labels)) for path, (number, turn, name, labels) in rows.items()}
