"""Generations: every one that is kept can be gone back to exactly, whatever happened since."""

import copy
import hashlib
import multiprocessing
import random
import re
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field

import faiss
import numpy as np
import pytest
from fakes import WordEmbedder

from ragkit import maintenance
from ragkit.errors import IndexLockedError, InputError
from ragkit.index.folder import DATABASE, INTEGRITY
from ragkit.index.history import DEAD_SHARE, dead_share
from ragkit.index.index import Index
from ragkit.index.repair import repair_index
from ragkit.index.spec import IndexSpec
from ragkit.index.store import FileStamp, Origin
from ragkit.index.writer import IndexWriter
from ragkit.records import Chunk, Document, DocumentRef, Paragraph

EMBEDDER = WordEmbedder()
SPEC = IndexSpec(EMBEDDER.name, EMBEDDER.dimensions, chunk_tokens=60, min_chunk_tokens=10, chunker_version=1)
QUESTION = "red fig öl monkey"


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """For so few vectors, waking others takes longer than searching."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(before)


def put(writer, path, text):
    """Puts a document whose lines are its paragraphs and its chunks."""
    ref = DocumentRef(path, "sha256:" + hashlib.sha256(text.encode()).hexdigest())
    paragraphs, start = [], 0
    for number, line in enumerate(text.split("\n"), start=1):
        paragraphs.append(Paragraph(ref, number, start, start + len(line), line))
        start += len(line) + 1
    chunks = [Chunk(ref, p.start, p.end, p.text, (p,), 5) for p in paragraphs]
    vectors = EMBEDDER.embed_documents([chunk.embedded_text for chunk in chunks])
    origin = Origin(a_stamp(path, len(text)), "text/1")
    writer.put_document(Document(ref, text, tuple(paragraphs)), list(zip(chunks, vectors, strict=True)), origin)


def a_stamp(path, size=9):
    return FileStamp(f"../{path}", "docs", size, 1)


def write(folder, texts, removed=(), **options):
    with IndexWriter.open(folder, SPEC, **options) as writer:
        for path, text in texts.items():
            put(writer, path, text)
        for path in removed:
            writer.remove(path)
        return writer.commit()


def contents(index):
    return {ref.path: index.document(ref.path).text for ref in index.documents()}


def copies(index):
    with index.snapshot() as snapshot:
        return {file.path: file.ref.path for file in snapshot.known_files() if file.is_copy}


def kept(folder):
    return [one.number for one in maintenance.history(folder)]


# a model in plain Python


@dataclass
class State:
    """What a generation holds: texts by path, and the paths of copies with those of their documents."""

    texts: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)

    def put(self, path, text):
        self.remove(path)
        self.texts[path] = text

    def put_copy(self, path, of):
        self.remove(path)
        self.copies[path] = of

    def remove(self, path):
        if self.copies.pop(path, None) or path not in self.texts:
            return
        text = self.texts.pop(path)
        heirs = sorted(copy for copy, of in self.copies.items() if of == path)
        if heirs:
            self.texts[heirs[0]] = text
            self.copies |= dict.fromkeys(heirs[1:], heirs[0])
            del self.copies[heirs[0]]


class Played:
    """An index to which things are done, and what a model says it should be then.

    Attributes:
        committed: The state of every generation so far.
        kept: Those that there is no reason to have forgotten, though there may have been no room for them.
        before_run: The generation that the present writer found.
    """

    def __init__(self, folder):
        self.folder = folder
        self.now = State()
        self.committed = {}
        self.kept = set()
        self.tags = {}
        self.number = 0
        self.before_run = 0
        self.seen = {}
        self.steps = []
        self.changed = True
        self._opened = None
        self.reopen()

    def do(self, deed, path, text):
        getattr(self, deed)(path, text)

    def reopen(self, *_, **options):
        """Ends the writer, with which goes what it did not commit, and opens another."""
        self.close()
        self._opened = IndexWriter.open(self.folder, SPEC, **options)
        self.writer = self._opened.__enter__()
        self.before_run, self.steps = self.number, []
        self.now = copy.deepcopy(self.committed.get(self.number, State()))
        self.changed = not self.number

    def close(self):
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
            self._opened = None

    def rebuild(self, path, text):
        self.commit()
        self.reopen(rebuild=True)
        self.now, self.kept, self.tags, self.changed = State(), set(), {}, True
        self.put(path, text)
        self.commit()

    def put(self, path, text):
        put(self.writer, path, text)
        self.now.put(path, text)
        self.changed = True

    def remove(self, path, _):
        self.writer.remove(path)
        self.now.remove(path)
        self.changed = True

    def put_copy(self, path, text):
        of = next((of for of in sorted(self.now.texts) if of != path), None)
        if of is not None:
            self.writer.put_copy(path, of, a_stamp(path))
            self.now.put_copy(path, of)
            self.changed = True

    def commit(self, *_):
        self.number += self.changed
        assert self.writer.commit() == self.number
        if self.changed:
            self.kept -= {step for step in self.steps if step not in self.tags.values()}
            self.kept.add(self.number)
            self.steps.append(self.number)
        self.committed[self.number] = copy.deepcopy(self.now)
        makes_room, self.changed = self.changed, False
        self.check(makes_room)

    def tag(self, path, _):
        self.commit()
        name = f"before {path}"
        if name in self.tags:
            self.writer.untag(name)
            del self.tags[name]
        else:
            assert self.writer.tag(name) == self.number
            self.tags[name] = self.number
        self.commit()

    def restore(self, path, text):
        self.commit()
        numbers = kept(self.folder)
        number = numbers[(ord(path) + len(text)) % len(numbers)]
        assert self.writer.restore(number) == number
        self.changed = self.changed or self.committed[number] != self.now
        self.now = copy.deepcopy(self.committed[number])

    def prune(self, path, _):
        self.commit()
        keep = ord(path) % 3
        earlier = sorted(n for n in kept(self.folder) if n < self.number and n not in self.tags.values())
        gone = earlier[: max(0, len(earlier) - keep)]
        assert self.writer.prune(keep) == len(gone)
        self.kept -= set(gone)
        self.commit()
        assert not set(gone) & set(kept(self.folder))

    def check(self, makes_room):
        """The index is as the model says, whole, and no row was used twice."""
        with Index.open(self.folder) as index, index.snapshot() as snapshot:
            index.check_all()
            assert contents(index) == self.now.texts
            assert copies(index) == self.now.copies
            lines = [(path, line) for path, text in self.now.texts.items() for line in text.split("\n")]
            found = dict(snapshot.search_vectors(EMBEDDER.embed_question(QUESTION), 1000))
            chunks = snapshot.chunks(list(found))
            assert sorted((c.document.path, c.text) for c in chunks.values()) == sorted(lines)
            for number, chunk in chunks.items():
                expected = EMBEDDER.embed_documents([chunk.text])[0]
                assert np.array_equal(snapshot.vectors.vector_of(number), expected)
                assert self.seen.setdefault(number, chunk) == chunk
            by_word = {chunks[n].text for n, _ in snapshot.search_keywords("fig", 1000)}
            assert by_word == {line for _, line in lines if "fig" in line}
            history = snapshot.history()
        assert {one.number: one.tags for one in history if one.tags} == {
            number: tuple(sorted(name for name, of in self.tags.items() if of == number))
            for number in self.tags.values()
        }
        numbers = {one.number for one in history}
        must = {self.number, *self.tags.values(), *({self.before_run} & self.kept)}
        assert must <= numbers <= self.kept
        for one in history:
            assert one.documents == len(self.committed[one.number].texts)
        assert not makes_room or must == numbers or self.dead_share() <= DEAD_SHARE

    def dead_share(self):
        with closing(sqlite3.connect(self.folder / DATABASE)) as connection:
            return dead_share(connection)

    def check_history(self):
        """Every generation that is kept can be gone back to."""
        for number in kept(self.folder):
            again = self.folder.with_name("again")
            shutil.copytree(self.folder, again)
            maintenance.go_back(again, number)
            with Index.open(again) as index:
                index.check_all()
                assert contents(index) == self.committed[number].texts
                assert copies(index) == self.committed[number].copies
            shutil.rmtree(again)


DEEDS = ["put"] * 6 + ["put_copy"] * 4 + ["remove", "commit", "restore"] * 2 + ["reopen", "tag", "prune", "rebuild"]
LINES = ["red", "fig", "öl", "𝒜pple fig", "monkey ate", ""]


@pytest.mark.parametrize("seed", range(16))
def test_whatever_is_done_every_kept_generation_can_be_gone_back_to(tmp_path, seed):
    chance = random.Random(seed)
    played = Played(tmp_path / "index")
    try:
        for deed in chance.choices(DEEDS, k=40):
            played.do(deed, chance.choice("abcde"), "\n".join(chance.choices(LINES, k=chance.randint(1, 3))))
        played.commit()
    finally:
        played.close()
    played.check_history()


# what a user does with it

FIGS = "\n".join(f"The monkey ate {number} figs." for number in range(9))


@pytest.fixture
def folder(tmp_path):
    """Three generations: apples come, change, and leave."""
    folder = tmp_path / "index"
    write(folder, {"a.txt": "Apples are red.", "b.txt": FIGS})
    write(folder, {"a.txt": "Apples are green."})
    write(folder, {"c.txt": "Cherries."}, removed=["a.txt"])
    return folder


def test_the_history_says_what_came_and_what_left(folder):
    history = maintenance.history(folder)
    assert [(one.number, one.documents, one.chunks, one.added, one.removed) for one in history] == [
        (1, 2, 10, 2, 0),
        (2, 2, 10, 1, 1),
        (3, 2, 10, 1, 1),
    ]
    assert all(one.made_at.endswith("+00:00") and one.is_kept for one in history)


def test_going_back_is_a_generation_of_its_own_and_can_be_undone(folder):
    assert maintenance.go_back(folder, 1) == (1, 4)
    with Index.open(folder) as index:
        assert contents(index) == {"a.txt": "Apples are red.", "b.txt": FIGS}
    assert maintenance.go_back(folder, 3) == (3, 5)
    with Index.open(folder) as index:
        assert contents(index) == {"b.txt": FIGS, "c.txt": "Cherries."}
    assert maintenance.go_back(folder, 5) == (5, 5)


def test_a_tag_can_be_used_in_the_place_of_a_number_and_makes_no_generation(folder):
    assert maintenance.tag(folder, "first words", 1) == 1
    assert maintenance.tag(folder, "now") == 3
    assert maintenance.tag(folder, "also now", "now") == 3
    assert [one.tags for one in maintenance.history(folder)] == [("first words",), (), ("also now", "now")]
    maintenance.untag(folder, "now")
    assert maintenance.go_back(folder, "first words") == (1, 4)


@pytest.mark.parametrize("name", ["", "7", " x", "x" * 65, "a\nb", "\x1b[1m"])
def test_what_is_no_name_is_no_tag(folder, name):
    with pytest.raises(InputError, match="is no name for a tag"):
        maintenance.tag(folder, name)


def test_what_is_not_in_the_history_is_told_with_what_is(folder):
    maintenance.tag(folder, "now")
    for name in ("4", "0", "-1", "²", "9" * 50, "then"):
        with pytest.raises(InputError, match=r"There is no generation '.*'\. Kept are: 1, 2, 3$"):
            maintenance.go_back(folder, name)
        with pytest.raises(InputError, match="There is no generation"):
            maintenance.tag(folder, "other", name)
    with pytest.raises(InputError, match="Generation 3 has the tag 'now' already"):
        maintenance.tag(folder, "now", 1)
    with pytest.raises(InputError, match="No generation has the tag 'then'"):
        maintenance.untag(folder, "then")
    assert kept(folder) == [1, 2, 3]


def test_pruning_forgets_all_earlier_ones_but_the_newest_and_the_tagged(folder):
    maintenance.tag(folder, "first", 1)
    write(folder, {"d.txt": "Dates."})
    assert maintenance.prune(folder, keep=1).forgotten == 1
    assert kept(folder) == [1, 3, 4]
    assert maintenance.prune(folder).forgotten == 1
    assert kept(folder) == [1, 4]
    maintenance.untag(folder, "first")
    assert maintenance.compact(folder).forgotten == 1
    assert kept(folder) == [4]


def test_after_compacting_nothing_is_left_of_what_was_removed(tmp_path):
    folder = tmp_path / "index"
    write(folder, {f"{number}.txt": f"Ordinary text {number}." for number in range(30)})
    write(folder, {"secret.txt": "The zanzibarian quokkafluff merger."})
    with IndexWriter.open(folder, None) as writer:
        writer.remove("secret.txt")
        writer.commit()
    maintenance.compact(folder)
    left = b"".join(file.read_bytes() for file in folder.iterdir()).lower()
    assert b"ordinari" in left
    assert [word for word in (b"zanzibarian", b"quokkafluff", b"merger") if word in left] == []
    assert len(list(folder.glob("*.faiss"))) == 1


def test_compacting_makes_the_file_smaller_and_changes_nothing_else(tmp_path):
    folder = tmp_path / "index"
    texts = {f"{number}.txt": f"Text number {number}. " * 50 for number in range(40)}
    write(folder, texts)
    write(folder, {path: text.upper() for path, text in texts.items()})
    compacted = maintenance.compact(folder)
    assert compacted.bytes_after == (folder / DATABASE).stat().st_size < 0.8 * compacted.bytes_before
    with Index.open(folder) as index:
        assert contents(index) == {path: text.upper() for path, text in texts.items()}
        assert (index.check_all(), index.generation) == (40, 2)


def test_room_is_made_without_being_asked_but_not_of_what_has_a_tag(tmp_path):
    folder = tmp_path / "index"
    texts = {f"{number}.txt": f"Text number {number}. " * 50 for number in range(20)}
    write(folder, texts)
    once = (folder / DATABASE).stat().st_size
    for number in range(6):
        write(folder, {path: f"{number} {text}" for path, text in texts.items()})
        assert kept(folder) == [number + 1, number + 2]
    assert (folder / DATABASE).stat().st_size < 2.5 * once
    maintenance.tag(folder, "keep")
    for number in range(6):
        write(folder, {path: f"again {number} {text}" for path, text in texts.items()})
    assert kept(folder) == [7, 12, 13]


def test_a_run_of_several_commits_leaves_one_generation_and_the_one_before_it(folder):
    with IndexWriter.open(folder, SPEC) as writer:
        for number in range(5):
            put(writer, "d.txt", f"Step {number}.")
            writer.commit()
    assert kept(folder) == [1, 2, 3, 8]
    maintenance.go_back(folder, 3)
    with Index.open(folder) as index:
        assert "d.txt" not in contents(index)


def ids(folder):
    """The row of every document and chunk that an index holds, with what it is."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        documents = connection.execute("SELECT 'document', id FROM documents").fetchall()
        return {*documents, *connection.execute("SELECT 'chunk', id FROM chunks").fetchall()}


@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "record-lost"])
def test_a_rebuild_uses_no_row_again(folder, is_recorded):
    seen = ids(folder)
    if not is_recorded:
        (folder / INTEGRITY).write_text("{")
    assert write(folder, {"a.txt": "Apples are red."}, rebuild=True) == 4
    assert not seen & ids(folder)
    assert kept(folder) == [4]


# several at once

DOCUMENTS = 12
SOAK_S = 3.0


def a_generation(number):
    text = "Generation {number} of document {one}.\nThe fig of generation {number}."
    return {f"{one}.txt": text.format(number=number, one=one) for one in range(DOCUMENTS)}


def read_until(is_done, folder, report, begun):
    """Asks all the time; reports how often, how long the longest question took, and what was not whole."""
    problems, asked, longest = [], 0, 0.0
    with Index.open(folder) as index:
        while not is_done.is_set():
            started = time.perf_counter()
            problem = what_is_not_whole(index)
            longest = max(longest, time.perf_counter() - started)
            asked += 1
            if asked == 1:
                begun.release()
            if problem:
                problems.append(problem)
    report((asked, longest, problems))


def what_is_not_whole(index):
    with index.snapshot() as snapshot:
        found = [n for n, _ in snapshot.search_vectors(EMBEDDER.embed_question("fig generation"), 100)]
        by_word = [n for n, _ in snapshot.search_keywords("generation", 100)]
        texts = [chunk.text for chunk in snapshot.chunks(found).values()]
        texts += [snapshot.document(ref.path).text for ref in snapshot.documents()]
    numbers = {number for text in texts for number in re.findall(r"[Gg]eneration (\d+)", text)}
    is_whole = len(numbers) == 1 and len(texts) == 3 * DOCUMENTS and sorted(found) == sorted(by_word)
    return None if is_whole else (numbers, len(texts))


def test_readers_see_whole_generations_and_do_not_wait_while_another_writes(tmp_path):
    folder = tmp_path / "index"
    write(folder, a_generation(0))
    processes = multiprocessing.get_context("spawn")
    is_done, reports, begun = processes.Event(), processes.Queue(), processes.Semaphore(0)
    arguments = (is_done, folder, reports.put, begun)
    readers = [processes.Process(target=read_until, args=arguments) for _ in range(2)]
    readers += [threading.Thread(target=read_until, args=arguments) for _ in range(3)]
    for reader in readers:
        reader.start()
    assert all(begun.acquire(timeout=60) for _ in readers)
    started, committed = time.monotonic(), 0
    while time.monotonic() - started < SOAK_S:
        committed = write(folder, a_generation(committed))
        maintenance.go_back(folder, kept(folder)[0])
        if committed % 3 == 0:
            maintenance.compact(folder)
    is_done.set()
    found = [reports.get(timeout=30) for _ in readers]
    for reader in readers:
        reader.join(30)
    assert [problems for _, _, problems in found] == [[]] * len(readers)
    assert all(asked > 1 for asked, _, _ in found)
    assert max(longest for _, longest, _ in found) < 10.0  # whoever waits for the writer waits for all its commits
    assert committed > 3


def test_a_second_writer_is_told_or_waits_its_turn(folder):
    is_waiting = threading.Event()

    def write_next():
        is_waiting.set()
        write(folder, {"e.txt": "Elderberries."}, timeout_s=30)

    with IndexWriter.open(folder, SPEC) as writer:
        for call in (lambda: write(folder, {}, timeout_s=0.05), lambda: repair_index(folder, timeout_s=0.05)):
            with pytest.raises(IndexLockedError, match=r"Another process is writing .* Try again"):
                call()
        other = threading.Thread(target=write_next)
        other.start()
        is_waiting.wait(10)
        put(writer, "d.txt", "Dates.")
        assert writer.commit() == 4
    other.join(30)
    with Index.open(folder) as index:
        assert contents(index).keys() == {"b.txt", "c.txt", "d.txt", "e.txt"}
        assert index.generation == 5
