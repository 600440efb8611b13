"""What is left when a writing process is killed or the disk is full: the index before or the index after, whole."""

import contextlib
import errno
import itertools
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from fakes import WordEmbedder

from ragkit.errors import IndexNotFoundError, InputError, StorageError
from ragkit.index.index import Index
from ragkit.ingest import index_paths, remove_paths
from ragkit.ingest_records import IngestOptions
from ragkit.maintenance import compact, go_back, history, repair_index, tag

BATCHES = IngestOptions(chunk_tokens=60, min_chunk_tokens=4, batch_chunks=8)
REBUILD = IngestOptions(chunk_tokens=60, min_chunk_tokens=4, batch_chunks=8, rebuild=True)
AT_ONCE = IngestOptions(chunk_tokens=60, min_chunk_tokens=4)
FILES = 12
WATCHED = ("open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect")

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["faiss", "pytest", "ragkit.maintenance"])  # what takes long; the server has no path


def write_documents(folder, version):
    folder.mkdir(exist_ok=True)
    for number in range(FILES):
        words = f"{number} {version}" if number % 2 else f"{number}"  # every second one does not change
        (folder / f"{number:02}.txt").write_text(f"Document {words} is here.\n\nThe same paragraph of {words}.\n")


def answers(folder):
    """All that can be asked of an index: texts, vectors and keywords agree."""
    with Index.open(folder) as index, index.snapshot() as snapshot:
        texts = {ref.path: snapshot.document(ref.path).text for ref in snapshot.documents()}
        ids = dict(snapshot.search_vectors(WordEmbedder().embed_question("same document"), 1000))
        assert sorted(ids) == sorted(chunk_id for chunk_id, _ in snapshot.search_keywords("document paragraph", 1000))
        chunks = snapshot.chunks(list(ids))
        assert len(chunks) == len(ids) == 2 * len(texts)
        assert {chunk.document.path for chunk in chunks.values()} == texts.keys()
        return texts


def index_in(place, options=BATCHES, embedder=None):
    with contextlib.chdir(place):
        return index_paths(["docs"], "index", embedder or WordEmbedder(), options)


def at_step(fatal_step, happen):
    """Lets something happen the n-th time that a file of the index is touched."""
    steps = 0

    def count(event, arguments):
        nonlocal steps
        if event in WATCHED and "place/index" in str(Path(str(arguments[0])).absolute()):
            steps += 1
            if steps == fatal_step:
                happen()

    sys.addaudithook(count)


def do_and_die(place, act, arguments, fatal_step):
    at_step(fatal_step, lambda: os.kill(os.getpid(), signal.SIGKILL))
    act(place, *arguments)


def run_in_process(target, *arguments):
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    process.join(20)
    return process.exitcode


def beginnings(place):
    """Again and again the place as it is now."""
    shutil.copytree(place, place.with_suffix(".start"))
    while True:
        shutil.rmtree(place)
        shutil.copytree(place.with_suffix(".start"), place)
        yield


def deaths(place, act, *arguments, every):
    """Kills a run at one step after the other; each time the state it left is in `place` until the next."""
    for fatal_step, _ in zip(itertools.count(1, every), beginnings(place)):
        exit_code = run_in_process(do_and_die, place, act, arguments, fatal_step)
        yield
        if exit_code == 0:
            return
        assert exit_code == -signal.SIGKILL


@pytest.fixture
def place(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    write_documents(place / "docs", 1)
    return place


def test_a_first_run_killed_at_any_step_goes_on_without_embedding_anything_twice(place):
    states = set()
    for _ in deaths(place, index_in, BATCHES, every=5):
        try:
            done = answers(place / "index")
        except IndexNotFoundError:
            done = {}
        embedder = WordEmbedder()
        index_in(place, BATCHES, embedder)
        assert len(answers(place / "index")) == FILES
        assert embedder.embedded == 2 * (FILES - len(done))
        assert sum(one.added for one in history(place / "index")) == FILES
        states.add(len(done))
    assert states >= {0, FILES}
    assert any(0 < count < FILES for count in states)


@pytest.mark.parametrize("options", [BATCHES, REBUILD], ids=["update", "rebuild"])
def test_a_run_killed_at_any_step_leaves_the_index_before_or_after(place, options):
    index_in(place)
    before = answers(place / "index")
    write_documents(place / "docs", 2)
    (place / "docs" / "00.txt").unlink()
    states = []
    for _ in deaths(place, index_in, options, every=5):
        now = answers(place / "index")
        states.append({path: now.get(path) == text for path, text in before.items()})
        index_in(place)
        after = answers(place / "index")
        assert after == {f"docs/{file.name}": file.read_text() for file in (place / "docs").iterdir()}
        assert not list((place / "index").glob("*.draft"))
    assert all(states[0].values())
    assert not all(states[-1].values())
    if options.rebuild:
        assert all(all(state.values()) or not state["docs/00.txt"] for state in states)


def remove_two(place):
    with contextlib.chdir(place):
        remove_paths(["docs/01.txt", "docs/02.txt"], "index")


def compact_index(place):
    compact(place / "index")


def go_back_to_first(place):
    go_back(place / "index", "first")


def everything(folder):
    """What can be asked of an index, and its generations with their tags; all of it is checked."""
    with Index.open(folder) as index:
        index.check_all()
    return answers(folder), [(one.number, one.documents, one.tags) for one in history(folder)]


@pytest.mark.parametrize("act", [remove_two, compact_index, go_back_to_first], ids=["remove", "compact", "go back"])
def test_what_is_killed_at_any_step_was_done_or_was_not_begun(place, act):
    for version in (1, 2, 3):
        write_documents(place / "docs", version)
        index_in(place, AT_ONCE)
        if version == 1:
            tag(place / "index", "first")
    before = everything(place / "index")
    found, texts = [], []
    for _ in deaths(place, act, every=2):
        found.append(everything(place / "index"))
        with contextlib.nullcontext() if found[-1] == before else contextlib.suppress(InputError):  # removed already
            act(place)
        texts.append(answers(place / "index"))
        assert not list((place / "index").glob("*.draft"))
    after, _ = found[-1]
    assert texts == [after] * len(texts)
    assert found[0] == before != found[-1]
    assert all(state in (before, found[-1]) for state in found)


def repair(place):
    repair_index(place / "index")


def test_a_repair_killed_at_any_step_is_done_at_the_next_try_and_puts_the_damaged_database_aside_once(place):
    index_in(place)
    before = answers(place / "index")
    database = place / "index" / "ragkit.sqlite"
    damaged = database.read_bytes().replace(b"The same paragraph of 5 1", b"The same paragraph of 5 7")
    database.write_bytes(damaged)
    del before["docs/05.txt"]
    for _ in deaths(place, repair, every=3):
        repair(place)
        assert answers(place / "index") == before
        assert [file.read_bytes() for file in (place / "index" / "quarantine").iterdir()] == [damaged]


class SlowEmbedder(WordEmbedder):
    def embed_documents(self, texts, on_done=None):
        time.sleep(0.004 * len(texts))
        return super().embed_documents(texts, on_done)


def test_a_run_killed_at_any_time_leaves_a_whole_index(place):
    chance = random.Random(7)
    for _ in range(6):
        process = PROCESSES.Process(target=index_in, args=(place, BATCHES, SlowEmbedder()))
        process.start()
        process.join(chance.uniform(0.02, 0.25))
        process.kill()
        process.join()
        if (place / "index" / "ragkit.sqlite").exists():
            answers(place / "index")
    index_in(place)
    assert len(answers(place / "index")) == FILES


def index_on_a_small_disk(place, file_bytes):
    """Every write past a size fails, as it does on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))
    try:
        index_in(place, AT_ONCE)
    except StorageError as error:
        sys.exit(3 if "still answers" in str(error) else 4)


def test_a_full_disk_is_reported_and_the_old_index_still_answers(place):
    index_in(place)
    before = answers(place / "index")
    write_documents(place / "docs", 2)
    whole = (place / "index" / "ragkit.sqlite").stat().st_size
    for file_bytes in (1, 6000, 20_000, whole - 100):
        assert run_in_process(index_on_a_small_disk, place, file_bytes) == 3
        assert answers(place / "index") == before
        assert not list(Path(place / "index").glob("*.draft"))
    assert run_in_process(index_on_a_small_disk, place, 10 * whole) == 0
    assert answers(place / "index") != before


def index_on_a_failing_disk(place, fatal_step, code):
    """One call fails; the exit status tells whether that was said (3), did not matter (5) or was not reached (0)."""
    failed = []

    def fail():
        failed.append(code)
        raise OSError(code, os.strerror(code))

    at_step(fatal_step, fail)
    try:
        index_in(place)
    except StorageError as error:
        sys.exit(3 if "still answers" in str(error) or str(error).startswith("Cannot read index") else 4)
    sys.exit(5 if failed else 0)


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC], ids=errno.errorcode.get)
def test_a_disk_that_fails_at_any_step_is_reported_and_what_was_committed_still_answers(place, code):
    index_in(place)
    before = answers(place / "index")
    write_documents(place / "docs", 2)
    after = {f"docs/{file.name}": file.read_text() for file in (place / "docs").iterdir()}
    ended = []
    for fatal_step, _ in zip(itertools.count(1, 3), beginnings(place)):
        ended.append(run_in_process(index_on_a_failing_disk, place, fatal_step, code))
        now = answers(place / "index")
        assert now == after if ended[-1] in (0, 5) else all(now[path] in (before[path], after[path]) for path in after)
        index_in(place)
        assert answers(place / "index") == after
        assert not list((place / "index").glob("*.draft"))
        if ended[-1] == 0:
            break
    assert len(ended) > 9
    assert set(ended) <= {0, 3, 5}
    assert 3 in ended
