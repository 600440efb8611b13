"""Rankings of paragraphs to what they are worth, stage by stage, and to TREC files that others' tools read.

The rows of an evaluation go in (see `results.Row`), or a run and a qrels file of any other tool. A paragraph's key is
`document#number`. The values are those of trec_eval, through ir-measures. Called by the command line.
"""

import math
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, unquote

from ragkit.durable import write_atomically
from ragkit.errors import GoldError, StorageError
from ragkit.evaluation.gold import is_same_document, read_text
from ragkit.evaluation.measures.estimates import Estimate, Observation, estimate_mean
from ragkit.retrieval import paragraph_key

STAGES = ("dense", "keyword", "fused", "reranked")
MEASURES = {
    "recall@1": "R@1",
    "recall@5": "R@5",
    "recall@10": "R@10",
    "recall@20": "R@20",
    "MRR": "RR",
    "nDCG@10": "nDCG@10",
    "MAP": "AP",
}
"""Our name to that of ir-measures. A gold paragraph is relevant; only nDCG tells grades apart, as gain over log2."""

Run = dict[str, list[tuple[str, float]]]
"""Question id to paragraph keys with their scores, best first."""

Qrels = dict[str, dict[str, int]]
"""Question id to the grade of each judged paragraph; from 1 on it is relevant."""

Number = TypeVar("Number", int, float)

_RUN_LINE = "question Q0 paragraph rank score tag"
_QRELS_LINE = "question 0 paragraph grade"
_KEPT = string.punctuation.replace("%", "")  # these need no escape in a column of a TREC file


class Ranked(Protocol):
    """What is read of `results.Row`."""

    @property
    def id(self) -> str:
        """Of the question."""

    @property
    def gold(self) -> Mapping[str, Any]:
        """The gold question with all its fields."""

    @property
    def cluster(self) -> str:
        """What the question is resampled with."""

    @property
    def error(self) -> str | None:
        """The message of the error that came instead of an answer."""

    @property
    def retrieved(self) -> Mapping[str, Sequence[str]]:
        """Stage to paragraph keys, best first."""


def retrieval_measures(rows: Sequence[Ranked]) -> dict[str, dict[str, Estimate]]:
    """Each stage's measures over the answerable questions with gold paragraphs; nothing where no row has a ranking.

    A question that ended in an error found nothing. Intervals resample whole clusters. A gold paragraph that no stage
    brought up lowers recall and MAP, as it should.
    """
    qrels = find_relevant(rows)
    clusters = {row.id: row.cluster for row in rows if row.id in qrels and (row.retrieved or row.error)}
    judged = {question: qrels[question] for question in clusters}
    measured = {}
    for stage in list_stages(rows) if judged else ():
        run = {row.id: _rank_scores(row.retrieved.get(stage, ())) for row in rows if row.id in judged}
        measured[stage] = _estimate(_judge(run, judged), clusters)
    return measured


def list_stages(rows: Iterable[Ranked]) -> list[str]:
    """The stages that any row has a ranking of, in the order in which retrieval passes them, others behind."""
    found = {stage: None for row in rows for stage in row.retrieved}
    return [stage for stage in STAGES if stage in found] + [stage for stage in found if stage not in STAGES]


def find_relevant(rows: Sequence[Ranked]) -> Qrels:
    """The gold paragraphs of each answerable question that has any, named as the rankings name them."""
    path_of = _path_finder(rows)
    qrels: Qrels = {}
    for row in rows:
        grades: dict[str, int] = {}
        for evidence in row.gold["evidence"] if row.gold["answerable"] else ():
            key = paragraph_key(path_of(evidence["document"]), evidence["paragraph"])
            grades[key] = max(grades.get(key, 0), evidence.get("grade", 1))
        if any(grade > 0 for grade in grades.values()):
            qrels[row.id] = grades
    return qrels


def score_run(run: Run, qrels: Qrels) -> dict[str, Estimate]:
    """The measures of a run over the questions that have a relevant paragraph; one that the run lacks found nothing.

    Each question is resampled by itself, as the files do not tell what they are about.

    Raises:
        GoldError: Run and qrels have no question in common.
    """
    judged = {question: grades for question, grades in qrels.items() if any(grade > 0 for grade in grades.values())}
    if not judged.keys() & run.keys():
        asked, known = next(iter(run), "none"), next(iter(judged), "none")
        raise GoldError(
            f"No question of the run has a relevant paragraph in the qrels (the run's first is {asked!r}, that of the "
            f"qrels {known!r}). Give a run and qrels of the same questions."
        )
    scores = {question: dict(run.get(question, ())) for question in judged}
    return _estimate(_judge(scores, judged), {question: question for question in judged})


def write_run(rows: Sequence[Ranked], stage: str, file: Path, tag: str = "ragkit") -> None:
    """Writes the rankings of one stage as a TREC run; a question for which nothing was found has no line.

    Names are percent-encoded where they hold spaces, `%`, or letters outside ASCII. Scores fall by one from rank to
    rank, so that no tool reorders what is equally good.

    Raises:
        GoldError: No row has a ranking of that stage.
        StorageError: The file cannot be written.
    """
    if stage not in (known := list_stages(rows)):
        raise GoldError(f"There is no ranking of the stage {stage!r}; known: {', '.join(known) or 'none'}.")
    lines = []
    for row in rows:
        scores = _rank_scores(row.retrieved.get(stage, ()))
        for rank, (key, score) in enumerate(scores.items(), start=1):
            lines.append(f"{_encode(row.id)} Q0 {_encode(key)} {rank} {score:g} {_encode(tag)}")
    _write_lines(lines, file)


def write_qrels(rows: Sequence[Ranked], file: Path) -> None:
    """Writes the gold paragraphs of the answerable questions as TREC qrels, named as `write_run` names them.

    Raises:
        GoldError: No question has a gold paragraph.
        StorageError: The file cannot be written.
    """
    qrels = find_relevant(rows)
    if not qrels:
        raise GoldError("No answerable question has a gold paragraph, so there are no qrels. Add evidence to the gold.")
    lines = [f"{_encode(id)} 0 {_encode(key)} {grade}" for id, grades in qrels.items() for key, grade in grades.items()]
    _write_lines(lines, file)


def read_run(file: Path) -> Run:
    """The rankings of a TREC run by question; the scores decide, equal ones order by name, the last first.

    So does trec_eval, which does not look at the ranks either.

    Raises:
        GoldError: The file cannot be read, is empty, or a line is broken; the message names file and line.
    """
    scores: dict[str, dict[str, float]] = {}
    for where, words in _read_lines(file):
        if len(words) != 6:
            raise GoldError(f"{where} has {len(words)} columns, not 6. A run has lines such as: {_RUN_LINE}")
        score = _number(words[4], float, where)
        _add_once(scores.setdefault(_decode(words[0]), {}), _decode(words[2]), score, where)
    return {id: sorted(found.items(), key=_by_score, reverse=True) for id, found in scores.items()}


def read_qrels(file: Path) -> Qrels:
    """The grades of a TREC qrels file, or of BEIR's with three columns under a heading.

    Raises:
        GoldError: The file cannot be read, is empty, or a line is broken; the message names file and line.
    """
    qrels: Qrels = {}
    for where, words in _read_lines(file):
        if words[0] == "query-id":
            continue
        if len(words) not in {3, 4}:
            raise GoldError(f"{where} has {len(words)} columns, not 4. Qrels have lines such as: {_QRELS_LINE}")
        grade = _number(words[-1], int, where)
        _add_once(qrels.setdefault(_decode(words[0]), {}), _decode(words[-2]), grade, where)
    return qrels


def _by_score(pair: tuple[str, float]) -> tuple[float, str]:
    return pair[1], _encode(pair[0])


def _judge(run: Mapping[str, Mapping[str, float]], qrels: Qrels) -> dict[str, dict[str, float]]:
    """Each measure's value for every question of the qrels."""
    import ir_measures

    names = {ir_measures.parse_measure(code): name for name, code in MEASURES.items()}
    values: dict[str, dict[str, float]] = {name: {} for name in MEASURES}
    for found in ir_measures.iter_calc(list(names), _encode_all(qrels), _encode_all(run)):
        values[names[found.measure]][_decode(found.query_id)] = float(found.value)
    return values


def _encode_all(table: Mapping[str, Mapping[str, Number]]) -> dict[str, dict[str, Number]]:
    return {_encode(id): {_encode(key): value for key, value in line.items()} for id, line in table.items()}


def _estimate(values: Mapping[str, Mapping[str, float]], clusters: Mapping[str, str]) -> dict[str, Estimate]:
    return {
        name: estimate_mean([Observation(by_question[id], cluster) for id, cluster in clusters.items()])
        for name, by_question in values.items()
    }


def _rank_scores(keys: Sequence[str]) -> dict[str, float]:
    """Keys with scores that fall from the first to 1 at the last."""
    distinct = list(dict.fromkeys(keys))
    return {key: float(len(distinct) - place) for place, key in enumerate(distinct)}


def _path_finder(rows: Iterable[Ranked]) -> Callable[[str], str]:
    """A function from a document's path in gold evidence to its path in the rankings; unchanged where none fits."""
    keys = {key for row in rows for ranking in row.retrieved.values() for key in ranking}
    paths = {key.rpartition("#")[0] for key in keys}
    by_name: dict[str, list[str]] = {}
    for path in sorted(paths):
        by_name.setdefault(_last_part(path), []).append(path)

    def path_of(document: str) -> str:
        if document in paths:
            return document
        alike = by_name.get(_last_part(document), [])
        return next((path for path in alike if is_same_document(path, document)), document)

    return path_of


def _last_part(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _encode(name: str) -> str:
    """The name as one column of a TREC file."""
    return quote(name, safe=_KEPT, errors="surrogatepass")


def _decode(word: str) -> str:
    """The name that a column holds; the column itself where its percent signs mean something else."""
    try:
        return unquote(word, errors="surrogatepass")
    except UnicodeDecodeError:
        return word


def _write_lines(lines: Iterable[str], file: Path) -> None:
    try:
        write_atomically(file, "".join(f"{line}\n" for line in lines).encode("ascii"))
    except OSError as exc:
        raise StorageError(f"{file} cannot be written: {exc.strerror}. Give another file.") from exc


def _read_lines(file: Path) -> Iterator[tuple[str, list[str]]]:
    """Where each line that is not empty stands, and its columns; GoldError if there is none."""
    lines = [(number, re.findall(r"[^ \t\r]+", line)) for number, line in enumerate(read_text(file).split("\n"), 1)]
    if not any(words for _, words in lines):
        raise GoldError(f"{file} is empty. Give a TREC file.")
    yield from ((f"{file}, line {number}", words) for number, words in lines if words)


def _number(word: str, kind: type[Number], where: str) -> Number:
    try:
        number = kind(word)
    except ValueError as error:
        raise GoldError(f"{where}: {word!r} is no {'whole ' if kind is int else ''}number.") from error
    if not math.isfinite(number):
        raise GoldError(f"{where}: {word!r} is no finite number.")
    return number


def _add_once(line: dict[str, Number], key: str, value: Number, where: str) -> None:
    if key in line:
        raise GoldError(f"{where}: {key!r} came before for the same question. Leave one of the lines.")
    line[key] = value
