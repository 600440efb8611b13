"""What is left when a writing process is killed or the disk is full: the index before or the index after, whole."""

import contextlib
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

from ragkit.errors import IndexNotFoundError, StorageError
from ragkit.index.index import Index
from ragkit.ingest import IngestOptions, index_paths

BATCHES = IngestOptions(chunk_tokens=60, min_chunk_tokens=4, batch_chunks=8)
REBUILD = IngestOptions(chunk_tokens=60, min_chunk_tokens=4, batch_chunks=8, rebuild=True)
AT_ONCE = IngestOptions(chunk_tokens=60, min_chunk_tokens=4)
FILES = 12
WATCHED = ("open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect")

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["faiss", "test_crash"])


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


def index_and_die(place, options, fatal_step):
    """Runs until the n-th time that a file of the index is touched, and is killed there."""
    steps = 0

    def count(event, arguments):
        nonlocal steps
        if event in WATCHED and "place/index" in str(Path(str(arguments[0])).absolute()):
            steps += 1
            if steps == fatal_step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    index_in(place, options)


def run_in_process(target, *arguments):
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    process.join(20)
    return process.exitcode


def deaths(place, options, every):
    """Kills a run at one step after the other; each time the state it left is in `place` until the next."""
    shutil.copytree(place, place.with_suffix(".start"))
    for fatal_step in range(1, 1000, every):
        shutil.rmtree(place)
        shutil.copytree(place.with_suffix(".start"), place)
        exit_code = run_in_process(index_and_die, place, options, fatal_step)
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
    for _ in deaths(place, BATCHES, every=13):
        try:
            done = answers(place / "index")
        except IndexNotFoundError:
            done = {}
        embedder = WordEmbedder()
        index_in(place, BATCHES, embedder)
        assert len(answers(place / "index")) == FILES
        assert embedder.embedded == 2 * (FILES - len(done))
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
    for _ in deaths(place, options, every=11):
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
