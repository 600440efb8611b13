"""Collections of judged documents (BEIR, MTRAG's retrieval tasks, TREC) to questions with relevant paragraphs.

Three things make one: questions, documents, and judgments (qrels) of which documents are relevant. They lie in one
folder; the judgments may lie in its folder `qrels`. Given is the folder, or the file of questions or of judgments in
it. Only questions with a relevant document are asked, and of what a good answer says nothing is known.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from ragkit.errors import GoldError
from ragkit.evaluation.formats.corpora import is_corpus, is_marked_corpus, read_corpus
from ragkit.evaluation.formats.documents import Dataset, DocumentWriter, WrittenDocument, kind_tags
from ragkit.evaluation.formats.heads import Head, read_head
from ragkit.evaluation.formats.qrels import is_qrels, read_qrels
from ragkit.evaluation.formats.topics import is_topics, read_topics
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, OnBroken

QRELS = "qrels"
SPLITS = ("test", "dev")
"""Of several files of judgments the first of these names is taken."""
PEEK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Collection:
    """Where the parts of a collection lie.

    Attributes:
        corpus: The files of documents.
    """

    name: str
    topics: Head
    qrels: Head
    corpus: tuple[Head, ...]


def is_collection(place: Path) -> bool:
    """Whether a folder, or a file in it, belongs to a collection: questions with ids lie there, and judgments."""
    folder, given = _folder_of(place)
    if given is not None and not (is_topics(given) or is_qrels(given)):
        return False
    heads = _heads_in(folder)
    return any(map(is_qrels, heads)) and any(is_topics(head) for head in heads)


def load_collection(place: Path, on_broken: OnBroken) -> Dataset:
    """The questions with a relevant document, each with the paragraphs of those documents and their grades.

    Raises:
        GoldError: A part is missing, or there are several to choose from.
    """
    found = find_collection(place)
    writer, written = DocumentWriter(), dict[str, WrittenDocument]()
    for head in found.corpus:
        for entry in read_corpus(head, on_broken):
            if entry.id in written:
                on_broken(GoldError(f"{head.file}: the document id {entry.id!r} occurs twice."))
            elif entry.text.strip():
                written[entry.id] = writer.add(entry.title or entry.id, [entry.text])
    topics, qrels = read_topics(found.topics, on_broken), read_qrels(found.qrels.file, on_broken)
    questions = []
    for name, question in topics.items():
        relevant = {document: grade for document, grade in qrels.get(name, {}).items() if grade > 0}
        if missing := [document for document in relevant if document not in written]:
            problem = f"{found.qrels.file}: question {name!r}: there is no document {missing[0]!r}, or it is empty"
            on_broken(GoldError(f"{problem}. Add it to the corpus or take the judgment out."))
        evidence = _collect_evidence((written[d], grade) for d, grade in relevant.items() if d in written)
        if evidence:
            questions.append(GoldQuestion(name, question, evidence=evidence, tags=kind_tags(True)))
    return Dataset(found.name, tuple(questions), writer)


def _collect_evidence(relevant: Iterable[tuple[WrittenDocument, int]]) -> tuple[GoldEvidence, ...]:
    """The paragraphs of the documents; where two documents are the same text, one of them with the higher grade."""
    best: dict[tuple[str, int], GoldEvidence] = {}
    for document, grade in relevant:
        for paragraph in document.read_paragraphs()[0]:
            place = (paragraph.document, paragraph.number)
            if place not in best or best[place].grade < grade:
                best[place] = paragraph.as_evidence(grade=grade)
    return tuple(best.values())


def find_collection(place: Path) -> Collection:
    """The parts of the collection that a folder or a file stands for; GoldError if it is not clear which they are."""
    folder, given = _folder_of(place)
    heads = _heads_in(folder)
    given_qrels = given if given is not None and is_qrels(given) else None
    given_topics = given if given is not None and given_qrels is None else None
    qrels = given_qrels or _choose([h for h in heads if is_qrels(h)], "judgments", SPLITS, _sharing(given_topics))
    others = [head for head in heads if not is_qrels(head)]
    corpus, candidates = _part_corpus(others, set(read_qrels(qrels.file, _pass_over)))
    topics = given_topics or _choose(candidates, "questions", ("queries", "topics"), _sharing(given_qrels))
    files = tuple(head for head in corpus if head.file != topics.file) or tuple(_marked_files(folder))
    if not files:
        cure = "Put them there as corpus.jsonl or as files of <DOC> ... </DOC>, unpacked"
        raise GoldError(f"{folder} holds questions and judgments, but no documents. {cure}.")
    name = folder.resolve().name
    return Collection(name if given is None else f"{name}-{given.file.stem}", topics, qrels, files)


def _folder_of(place: Path) -> tuple[Path, Head | None]:
    """The folder of a collection, and the file in it or in its folder of judgments that was given, if one was."""
    if place.is_dir():
        return place, None
    parent = place.parent
    return parent.parent if parent.name == QRELS else parent, read_head(place)


def _heads_in(folder: Path) -> list[Head]:
    """How the files of a folder and of its folder of judgments begin, by name."""
    files = [*folder.glob("*"), *folder.glob(f"{QRELS}/*")]
    return [read_head(file) for file in sorted(files) if file.is_file() and not file.name.startswith(".")]


def _part_corpus(heads: Sequence[Head], judged: AbstractSet[str]) -> tuple[list[Head], list[Head]]:
    """The JSON files of documents, and the files of questions.

    In JSON the two look alike: documents are in files called corpus or, where there are none, in all of them if the
    questions are in another form, else in those without the id of a judged question.
    """
    listed = [head for head in heads if head.keys and (is_corpus(head) or is_topics(head))]
    others = [head for head in heads if not head.keys and is_topics(head) and not is_marked_corpus(head)]
    corpus = [head for head in listed if head.file.stem.startswith("corpus")]
    if not corpus and others:
        corpus = listed
    elif not corpus and len(listed) > 1:
        corpus = [head for head in listed if judged.isdisjoint(_ids_in(head))]
    return corpus, others + [head for head in listed if head not in corpus and is_topics(head)]


def _pass_over(_: GoldError) -> None:
    """Nothing: what is broken is told when the file that was chosen is loaded."""


def _ids_in(head: Head) -> set[str]:
    return set(read_topics(head, _pass_over))


def _sharing(other: Head | None) -> Callable[[Head], int] | None:
    """How many questions a file of questions or of judgments shares with the other one, which was given."""
    if other is None:
        return None
    if is_qrels(other):
        judged = set(read_qrels(other.file, _pass_over))
        return lambda head: len(judged & _ids_in(head))
    asked = _ids_in(other)
    return lambda head: len(asked & set(read_qrels(head.file, _pass_over)))


def _choose(candidates: Sequence[Head], what: str, names: Sequence[str], count: Callable[[Head], int] | None) -> Head:
    """The only candidate, else the one with the best name, else the one with the highest count above zero."""
    named = [head for name in names for head in candidates if head.file.stem == name]
    if len(candidates) == 1 or named:
        return (named or candidates)[0]
    if count is not None and candidates and count(best := max(candidates, key=count)):
        return best
    files = ", ".join(str(head.file) for head in candidates)
    if not files:
        raise GoldError(f"There is no file of {what} there that could be read.")
    raise GoldError(f"There are several files of {what}: {files}. Give the one that is meant: ragkit eval FILE")


def _marked_files(folder: Path) -> Iterator[Head]:
    """The files of TREC documents in a folder and below."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts):
            head = read_head(file, PEEK_BYTES)
            if is_marked_corpus(head):
                yield head
