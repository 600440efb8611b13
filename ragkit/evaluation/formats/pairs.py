"""A plain table (CSV) or JSON lines of questions and answers, as people keep them: columns known by several names.

They bring no documents. A cell may hold a JSON list, or several accepted answers with bars between them. A question
that the documents do not answer needs a column that says so, since an empty answer may as well be one forgotten.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ragkit.errors import GoldError
from ragkit.evaluation.formats.documents import Dataset, kind_tags
from ragkit.evaluation.formats.heads import Head, fold_name, read_head, read_objects, read_table
from ragkit.evaluation.gold import GoldQuestion, OnBroken

QUESTION = ("question", "query", "q", "userinput", "prompt", "input")
ANSWER = (
    *("answers", "answer", "a", "goldanswers", "goldanswer", "goldenanswers", "goldenanswer", "expectedanswer"),
    *("expected", "expectedoutput", "groundtruths", "groundtruth", "referenceanswer", "reference", "target"),
)
ID = ("id", "qid", "questionid", "uid")
TAGS = ("tags", "tag", "categories", "category", "type", "topic")
ANSWERABLE = ("answerable", "isanswerable")
UNANSWERABLE = ("unanswerable", "isunanswerable", "isimpossible")
"""Names of columns, folded by `fold_name`; where a file has several of them, the one named first counts."""

YES, NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")
LONG_ANSWER_WORDS = 10
"""With more words than this, an answer is a text to be compared with, which no good answer can be expected to hold."""


def is_pairs(head: Head) -> bool:
    """Whether a file has a question and an answer by any of their usual names, in columns or in keys."""
    names = set(head.columns) | set(map(fold_name, head.keys))
    return not names.isdisjoint(QUESTION) and not names.isdisjoint((*ANSWER, *ANSWERABLE, *UNANSWERABLE))


def load_pairs(file: Path, on_broken: OnBroken) -> Dataset:
    """The questions of a table or of JSON lines; those without an id are called by their number, as in `q7`."""
    rows = read_table(file, on_broken) if read_head(file).columns else _read_rows(file, on_broken)
    questions = []
    for number, (where, row) in enumerate(rows, start=1):
        try:
            questions.append(_parse_row(row, f"q{number}", where))
        except GoldError as error:
            on_broken(error)
    return Dataset(file.stem, tuple(questions))


def _read_rows(file: Path, on_broken: OnBroken) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, value in read_objects(file, "question and answer", on_broken):
        if isinstance(value, dict):
            yield where, {fold_name(name): entry for name, entry in value.items()}
        else:
            on_broken(GoldError(f"{where}: not an object with a question and an answer."))


def _parse_row(row: Mapping[str, Any], default_id: str, where: str) -> GoldQuestion:
    question = " ".join(str(_first_of(row, QUESTION) or "").split())
    if not question:
        raise GoldError(f"{where}: there is no question.")
    answers = _as_texts(_first_of(row, ANSWER), lambda text: text.split("|"))
    answerable = _says_answerable(row, where)
    if answerable is None and not answers:
        cure = "Write one or, if a refusal is right, put false into a column 'answerable'"
        raise GoldError(f"{where}: there is no answer. {cure}.")
    if answerable and not answers:
        raise GoldError(f"{where}: the question is said to be answerable, but there is no answer.")
    given_id = _first_of(row, ID)
    tags = _as_texts(_first_of(row, TAGS), lambda text: text.replace(";", ",").split(","))
    return GoldQuestion(
        id=str(given_id).strip() if given_id not in (None, "") else default_id,
        question=question,
        answers=answers,
        answerable=answerable is not False,
        tags=tuple(tags) or kind_tags(answerable is not False),
        answers_are_long=bool(answers) and all(len(answer.split()) > LONG_ANSWER_WORDS for answer in answers),
    )


def _first_of(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The value under the first of the names that the row has anything under."""
    return next((row[name] for name in names if row.get(name) not in (None, "", [])), None)


def _as_texts(value: Any, split: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """The texts of a value, each once: of a list, of a JSON list in a text, or of a text that holds several."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _parse_list(value)
    entries = value if isinstance(value, list) else [] if value is None else split(str(value))
    texts = (str(entry).strip() for entry in entries)
    return tuple(dict.fromkeys(text for text in texts if text))


def _parse_list(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _says_answerable(row: Mapping[str, Any], where: str) -> bool | None:
    """What a row says of being answerable; None if it says nothing."""
    for names, yes in ((ANSWERABLE, True), (UNANSWERABLE, False)):
        value = _first_of(row, names)
        said = "" if value is None else str(value).strip().lower()
        if said not in (*YES, *NO, ""):
            raise GoldError(f"{where}: {names[0]} is {said!r}. Write true or false.")
        if said:
            return (said in YES) == yes
    return None
