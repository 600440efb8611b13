"""A gold file with unreviewed questions, and a person who decides on each. Called by the command line.

Every decision is written at once, so that a review can be left and taken up again. Lines that were not decided on stay
as they are, byte for byte. What is read and shown passes through two functions, so that no terminal is needed.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragkit.evaluation.drafting.goldfile import UNANSWERABLE, UNREVIEWED, GoldFile, beginning
from ragkit.evaluation.measures.metrics import includes
from ragkit.models.reading import one_line
from ragkit.sentences import split_sentences

Ask = Callable[[str], str | None]
"""A prompt to the line that is typed; None at the end of the input."""

ParagraphOf = Callable[[str, int], str | None]
"""A document's path and a paragraph's number to its text; None if there is none."""

CHOICES = {"a": "accept", "e": "edit", "r": "reject", "s": "skip", "u": "undo", "q": "quit"}
PROMPT = "[a]ccept, [e]dit, [r]eject, [s]kip, [u]ndo or [q]uit? "
HELP = (
    "a: the question is good as it is. e: change its words, its answers or its paragraph. r: take it out of the file. "
    "s: leave it for another time. u: take the last decision back. q: stop; the rest can be reviewed later."
)
NO_ANSWER = "-"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a review did, in questions.

    Attributes:
        left: So many are still unreviewed.
    """

    accepted: int
    edited: int
    rejected: int
    skipped: int
    left: int


def review_file(
    file: Path,
    ask: Ask,
    show: Callable[[str], None],
    paragraph_of: ParagraphOf,
    mark: Callable[[str], str] = ">>> {} <<<".format,
) -> Reviewed:
    """What was decided about the unreviewed questions of a gold file, in its order.

    Args:
        file: As `save_questions` writes it, or any gold file; rewritten after every decision.
        ask: Told what to ask; gives what the person types.
        show: Prints lines of plain text.
        paragraph_of: The paragraphs of the documents.
        mark: Makes the sentence that answers stand out within its paragraph.

    Raises:
        GoldError: The file cannot be read, or something else changed it meanwhile.
        StorageError: It cannot be written.
    """
    return _Review(GoldFile(file), ask, show, paragraph_of, mark).run()


class _Review:
    """A walk through the unreviewed questions."""

    def __init__(
        self,
        gold: GoldFile,
        ask: Ask,
        show: Callable[[str], None],
        paragraph_of: ParagraphOf,
        mark: Callable[[str], str],
    ) -> None:
        self._gold = gold
        self._ask = ask
        self._show = show
        self._paragraph_of = paragraph_of
        self._mark = mark
        self._waiting = gold.unreviewed()
        self._done: list[tuple[int, bytes, str]] = []

    def run(self) -> Reviewed:
        """Asks about one question after the other until none is left or the person quits."""
        for number in self._gold.broken():
            self._show(f"Line {number + 1} holds no question and stays as it is. Look at it: ragkit eval check")
        if not self._waiting:
            self._show("No question is left to review.")
        place = 0
        while place < len(self._waiting):
            number = self._waiting[place]
            entry = self._gold.entry(number) or {}
            self._show(f"\nQuestion {place + 1} of {len(self._waiting)}: {_flat(entry.get('id', ''))}")
            for line in self._describe(entry):
                self._show(line)
            choice = self._choose()
            if choice == "quit":
                break
            if choice == "undo":
                place = self._undo(place)
            elif choice == "edit":
                if (edited := self._edit(entry)) is None:
                    break
                if edited != entry:
                    self._done.append((place, self._gold.replace(number, edited), choice))
            else:
                self._done.append((place, self._decide(number, entry, choice), choice))
                place += 1
        counts = Counter(choice for _, _, choice in self._done)
        left = len(self._gold.unreviewed())
        return Reviewed(counts["accept"], counts["edit"], counts["reject"], counts["skip"], left)

    def _choose(self) -> str:
        while (line := self._ask(PROMPT)) is not None:
            typed = line.strip().casefold()
            choice = next((name for key, name in CHOICES.items() if typed in {key, name}), None)
            if choice is not None:
                return choice
            self._show(HELP)
        return "quit"

    def _decide(self, number: int, entry: dict[str, Any], choice: str) -> bytes:
        """Writes a decision, and gives back the line as it was."""
        if choice == "accept":
            return self._gold.replace(number, entry | {"tags": [tag for tag in entry["tags"] if tag != UNREVIEWED]})
        return self._gold.replace(number, None) if choice == "reject" else self._gold.lines[number]

    def _undo(self, place: int) -> int:
        """Takes the last decision back, and gives back the place of its question."""
        if not self._done:
            self._show("There is nothing to undo.")
            return place
        before, line, choice = self._done.pop()
        if choice != "skip":
            self._gold.restore(self._waiting[before], line)
        return before

    def _describe(self, entry: Mapping[str, Any]) -> list[str]:
        """What a person needs to see of a question."""
        shown = [f"  {_flat(entry['question'])}", f"  Answer: {_answers(entry)}"]
        held = False
        for evidence in _list(entry.get("evidence")):
            document, number = str(evidence.get("document", "")), evidence.get("paragraph")
            text = self._paragraph_of(document, number) if isinstance(number, int) else None
            shown.append(f"  {_flat(document)}, paragraph {number}:")
            sentence = str(evidence.get("sentence", ""))
            shown.append(f"    {self._marked(text, sentence) if text else 'There is no such paragraph.'}")
            held = held or any(includes(text or "", wording) for wording in _wordings(entry))
        if _wordings(entry) and not held:
            shown.append("  Note: none of these answers stands in these paragraphs.")
        return shown

    def _marked(self, text: str, sentence: str) -> str:
        """The paragraph on one line, the sentence made to stand out."""
        flat = one_line(text)
        wanted = sentence.split()
        spans = [span for span in [*split_sentences(text), (0, len(text))] if text[slice(*span)].split() == wanted]
        if not spans or not wanted:
            return flat
        start, end = spans[0]
        return f"{flat[:start]}{self._mark(flat[start:end])}{flat[end:]}"

    def _edit(self, entry: dict[str, Any]) -> dict[str, Any] | None:
        """The question with what the person changed; None at the end of the input."""
        changed = dict(entry)
        question = self._ask("Question (Enter keeps it): ")
        is_list = bool(entry.get("must_include"))
        parted = "parted by ; and wordings of one entry by |" if is_list else "parted by | if several will do"
        answers = self._ask(f"Answer, {parted} ({NO_ANSWER} if there is none, Enter keeps it): ")
        place = self._ask("Paragraph as FILE:NUMBER (Enter keeps it): ")
        if question is None or answers is None or place is None:
            return None
        if question.strip():
            changed["question"] = question.strip()
        if answers.strip() == NO_ANSWER:
            changed = {k: v for k, v in changed.items() if k not in {"answers", "must_include", "evidence_sentences"}}
            changed["answerable"] = False
        elif given := _parted(answers, ";" if is_list else "|"):
            changed["answerable"] = True
            changed["must_include" if is_list else "answers"] = [_parted(e, "|") for e in given] if is_list else given
        if changed.get("answerable", True) != entry.get("answerable", True):
            tags = [tag for tag in entry["tags"] if tag != UNANSWERABLE]
            changed["tags"] = tags if changed["answerable"] else [*tags, UNANSWERABLE]
        if place.strip():
            self._move(changed, place.strip())
        return changed

    def _move(self, entry: dict[str, Any], place: str) -> None:
        """Gives the question another paragraph as its evidence, if there is such a one."""
        document, _, number = place.rpartition(":")
        text = self._paragraph_of(document, int(number)) if document and number.isdecimal() else None
        if text is None:
            self._show(f"There is no paragraph {_flat(place)}; the old one is kept.")
            return
        entry["evidence"] = [{"document": document, "paragraph": int(number), "starts_with": beginning(text)}]
        entry.pop("evidence_sentences", None)


def _parted(text: str, mark: str) -> list[str]:
    return [part.strip() for part in text.split(mark) if part.strip()]


def _answers(entry: Mapping[str, Any]) -> str:
    if not entry.get("answerable", True):
        return "none; the documents should not answer it"
    entries = [" | ".join(_texts(wordings)) for wordings in _list(entry.get("must_include"), of=object)]
    return _flat("; ".join(entries) or " | ".join(_texts(entry.get("answers"))))


def _wordings(entry: Mapping[str, Any]) -> list[str]:
    """Everything that an answer may say."""
    entries = _list(entry.get("must_include"), of=object)
    return [*_texts(entry.get("answers")), *(text for wordings in entries for text in _texts(wordings))]


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(text) for text in _list(value, of=object)]


def _list(value: Any, of: type = dict) -> list[Any]:
    return [item for item in value if isinstance(item, of)] if isinstance(value, list) else []


def _flat(text: Any) -> str:
    """On one line, without what a terminal would obey."""
    return one_line(str(text))
