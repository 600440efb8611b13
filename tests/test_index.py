import hashlib
import multiprocessing
import os
import random
import shutil
import sqlite3
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragkit.errors import (
    IndexCorruptError,
    IndexLockedError,
    IndexMismatchError,
    IndexNotFoundError,
    IndexVersionError,
    ModelError,
    RagkitError,
    StorageError,
)
from ragkit.index import folder as index_folder
from ragkit.index.folder import DATABASE, DRAFT, INTEGRITY, LOCK, Integrity, record_integrity, sha256_of, vectors_name
from ragkit.index.index import Index
from ragkit.index.spec import IndexSpec
from ragkit.index.store import FileStamp, Origin
from ragkit.index.writer import IndexWriter
from ragkit.records import Chunk, Document, DocumentRef, Paragraph

EMBEDDER = WordEmbedder()
SPEC = IndexSpec(EMBEDDER.name, EMBEDDER.dimensions, chunk_tokens=60, min_chunk_tokens=10, chunker_version=1)
TEXTS = {"a.txt": "Apples are red.\nBananas are yellow.", "b.txt": "The monkey ate a fig at noon."}


def a_document(path, text):
    """A document whose lines are its paragraphs."""
    ref = DocumentRef(path, "sha256:" + hashlib.sha256(text.encode()).hexdigest())
    paragraphs, start = [], 0
    for number, line in enumerate(text.split("\n"), start=1):
        paragraphs.append(Paragraph(ref, number, start, start + len(line), line))
        start += len(line) + 1
    return Document(ref, text, tuple(paragraphs))


def origin(path, size):
    return Origin(FileStamp(f"../{path}", path, size, 1), "text/1")


def put(writer, path, text):
    document = a_document(path, text)
    chunks = [Chunk(p.document, p.start, p.end, p.text, (p,), 5) for p in document.paragraphs]
    vectors = EMBEDDER.embed_documents([chunk.embedded_text for chunk in chunks])
    writer.put_document(document, list(zip(chunks, vectors, strict=True)), origin(path, len(text)))


def write(folder, texts, **options):
    with IndexWriter.open(folder, SPEC, **options) as writer:
        for path, text in texts.items():
            put(writer, path, text)
        return writer.commit()


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "index", TEXTS)
    return tmp_path / "index"


def contents(index):
    return {ref.path: index.document(ref.path).text for ref in index.documents()}


def best_text(index, question):
    with index.snapshot() as snapshot:
        ids = [snapshot.search_vectors(EMBEDDER.embed_question(question), 1)[0][0]]
        assert snapshot.search_keywords(question, 1)[0][0] == ids[0]
        return snapshot.chunks(ids)[ids[0]].text


def fingerprint(folder):
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


def test_what_was_written_is_found_by_vector_and_by_keyword(folder):
    with Index.open(folder) as index:
        assert best_text(index, "Which bananas are yellow?") == "Bananas are yellow."
        assert contents(index) == TEXTS
        assert [p.text for p in index.paragraphs("a.txt")] == ["Apples are red.", "Bananas are yellow."]
        assert index.paragraphs("c.txt") == ()
        assert index.document("c.txt") is None
        assert (index.generation, index.spec) == (1, SPEC)


def test_info_says_how_much_there_is_and_what_made_it(folder):
    with Index.open(folder) as index:
        info = index.info()
    assert (info.documents, info.paragraphs, info.chunks, info.generation, info.spec) == (2, 3, 3, 1, SPEC)
    assert info.bytes == sum((folder / name).stat().st_size for name in (DATABASE, vectors_name(1)))
    assert info.to_dict()["folder"] == str(folder)
    assert info.to_dict()["spec"]["dimensions"] == 64


def test_an_index_folder_holds_these_files_and_no_others(folder):
    assert {file.name for file in folder.iterdir()} == {DATABASE, INTEGRITY, LOCK, vectors_name(1)}


def test_a_commit_without_changes_makes_no_generation(folder):
    before = fingerprint(folder)
    with IndexWriter.open(folder, SPEC) as writer:
        assert writer.commit() == 1
    assert fingerprint(folder) == before


def test_a_document_put_again_takes_the_place_of_the_old_one(folder):
    write(folder, {"a.txt": "Apples are green."})
    with Index.open(folder) as index:
        assert best_text(index, "apples") == "Apples are green."
        assert index.search_keywords("bananas", 5) == []
        assert index.info().chunks == 2


def test_what_was_not_committed_is_gone_and_nothing_is_left_of_it(folder):
    before = fingerprint(folder)
    with pytest.raises(KeyboardInterrupt):
        interrupted_write(folder, {"c.txt": "Cherries."})
    assert fingerprint(folder) == before


def interrupted_write(folder, texts):
    with IndexWriter.open(folder, SPEC) as writer:
        for path, text in texts.items():
            put(writer, path, text)
        raise KeyboardInterrupt


def test_an_emptied_index_answers_with_nothing(folder):
    with IndexWriter.open(folder, None) as writer:
        writer.remove("a.txt")
        writer.remove("b.txt")
        writer.commit()
    with Index.open(folder) as index:
        assert index.documents() == []
        assert index.search_vectors(EMBEDDER.embed_question("apples"), 5) == []
        assert index.search_keywords("apples", 5) == []


def test_a_vector_that_is_no_vector_is_refused(folder):
    document = a_document("c.txt", "Cherries.")
    chunk = Chunk(document.ref, 0, 9, "Cherries.", document.paragraphs, 1)
    with IndexWriter.open(folder, SPEC) as writer:
        for vector in (np.full(64, np.nan, np.float32), np.ones(3, np.float32)):
            with pytest.raises(ModelError, match="another embedder"):
                writer.put_document(document, [(chunk, vector)], origin("c.txt", 9))


changes = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "remove", "commit"]),
        st.sampled_from(["a", "b", "c", "d"]),
        st.lists(st.sampled_from(["red", "fig", "öl", "𝒜pple", "monkey ate", ""]), min_size=1, max_size=4),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=changes)
def test_after_any_changes_every_vector_belongs_to_its_own_chunk(changes):
    with tempfile.TemporaryDirectory() as name, IndexWriter.open(name, SPEC) as writer:
        model: dict[str, str] = {}
        for kind, path, lines in changes:
            if kind == "put":
                put(writer, path, "\n".join(lines))
                model[path] = "\n".join(lines)
            elif kind == "remove":
                writer.remove(path)
                model.pop(path, None)
            else:
                writer.commit()
        writer.commit()
        with Index.open(name) as index:
            assert contents(index) == model
            check_vectors(index, sum(text.count("\n") + 1 for text in model.values()))


def check_vectors(index, count):
    question = EMBEDDER.embed_question("red fig öl monkey")
    scores = dict(index.search_vectors(question, 1000))
    chunks = index.chunks(list(scores))
    assert len(chunks) == len(scores) == count
    for chunk_id, chunk in chunks.items():
        expected = float(EMBEDDER.embed_documents([chunk.embedded_text])[0] @ question)
        assert scores[chunk_id] == pytest.approx(expected, abs=1e-5)


# several at once


def test_a_second_writer_is_told_that_another_is_writing(folder):
    with IndexWriter.open(folder, SPEC), pytest.raises(IndexLockedError, match="Another process is writing"):
        write(folder, {"c.txt": "Cherries."}, timeout_s=0.05)


def test_a_reader_sees_the_next_generation_whole_and_a_snapshot_does_not(folder):
    with Index.open(folder) as index:
        with index.snapshot() as old:
            write(folder, {"a.txt": "Apples are green.", "c.txt": "Cherries are dark."})
            assert contents(old) == TEXTS
            assert best_text(index, "cherries") == "Cherries are dark."
            assert old.search_keywords("cherries", 5) == []
            assert (old.generation, index.generation) == (1, 2)
        with pytest.raises(sqlite3.ProgrammingError):
            old.documents()  # nobody uses it any more, so its file was let go


def test_readers_in_other_threads_always_see_one_whole_generation(folder):
    write(folder, dict.fromkeys(TEXTS, "version 0"))
    is_done = threading.Event()
    problems: list[object] = []

    def read():
        while not is_done.is_set():
            with index.snapshot() as snapshot:
                ids = [chunk_id for chunk_id, _ in snapshot.search_vectors(EMBEDDER.embed_question("version"), 9)]
                seen = {chunk.text for chunk in snapshot.chunks(ids).values()} | set(contents(snapshot).values())
                if len(seen) != 1 or len(ids) != 2:
                    problems.append((seen, ids))

    with Index.open(folder) as index:
        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(1, 12):
            write(folder, dict.fromkeys(TEXTS, f"version {number}"))
        is_done.set()
        for thread in threads:
            thread.join()
        assert contents(index) == dict.fromkeys(TEXTS, "version 11")
    assert problems == []


def test_the_vectors_of_the_generation_before_are_kept_and_older_ones_are_not(folder):
    for number in range(3):
        write(folder, {"c.txt": f"number {number}"})
    assert sorted(file.name for file in folder.glob("vectors*")) == [vectors_name(3), vectors_name(4)]


def test_leftovers_of_a_dead_writer_are_removed_by_the_next(folder):
    for name in (DRAFT, vectors_name(2), vectors_name(3) + ".draft"):
        (folder / name).write_bytes(b"half")
    with IndexWriter.open(folder, SPEC):
        pass
    assert {file.name for file in folder.iterdir()} == {DATABASE, INTEGRITY, LOCK, vectors_name(1)}


def test_a_rebuild_answers_from_the_old_index_until_it_is_complete(folder):
    with IndexWriter.open(folder, replace(SPEC, chunk_tokens=99), rebuild=True) as writer:
        assert writer.replaces
        put(writer, "c.txt", "Cherries are dark.")
        with Index.open(folder) as index:
            assert contents(index) == TEXTS
            writer.commit()
            assert contents(index) == {"c.txt": "Cherries are dark."}
            assert index.spec.chunk_tokens == 99
        assert not writer.replaces


# opening


def test_opening_and_searching_write_nothing(folder):
    before = fingerprint(folder)
    with Index.open(folder) as index:
        best_text(index, "apples")
        assert fingerprint(folder) == before
    assert fingerprint(folder) == before


def ask_without_rights(folder, answers):
    if os.getuid() == 0:
        os.setuid(65534)
    with Index.open(folder) as index:
        texts = contents(index)
    try:
        write(folder, {"c.txt": "Cherries."})
    except StorageError:
        answers.put(texts)


def test_a_folder_that_cannot_be_written_can_be_read():
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # so that another user gets there
        folder = Path(name) / "index"
        write(folder, TEXTS)
        folder.chmod(0o555)
        context = multiprocessing.get_context("spawn")
        answers = context.Queue()
        process = context.Process(target=ask_without_rights, args=(folder, answers))
        process.start()
        assert answers.get(timeout=20) == TEXTS
        process.join()
        folder.chmod(0o755)


def test_a_folder_without_an_index_says_how_to_make_one(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere", Path("no index here")):
        with pytest.raises(IndexNotFoundError, match="ragkit index PATH --index"):
            Index.open(folder)
        with pytest.raises(IndexNotFoundError), IndexWriter.open(folder, None):
            pass
    assert list(tmp_path.iterdir()) == []


def test_another_embedder_is_refused_with_both_names_and_the_cure(folder):
    with Index.open(folder) as index:
        index.check(EMBEDDER.name, 64)
        with pytest.raises(IndexMismatchError) as error:
            index.check("other@2", 768)
    assert str(error.value) == (
        f"Index '{folder}' was built with word-embedder@1 (64 dimensions) but you asked for other@2 (768 dimensions). "
        f"Give the --embedder that built it, or rebuild it: ragkit index PATH... --index {folder} --rebuild"
    )


@pytest.mark.parametrize(
    "change", [{"embedder": "x"}, {"chunk_tokens": 9}, {"min_chunk_tokens": 9}, {"chunker_version": 2}]
)
def test_a_writer_with_other_settings_is_refused(folder, change):
    before = fingerprint(folder)
    with pytest.raises(IndexMismatchError, match="--rebuild"):
        open_and_close(folder, replace(SPEC, **change))
    assert fingerprint(folder) == before


def open_and_close(folder, spec):
    with IndexWriter.open(folder, spec):
        pass


def test_another_version_of_the_format_is_refused(folder):
    connection = sqlite3.connect(folder / DATABASE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    record_integrity(folder, Integrity((sha256_of(folder / DATABASE),), 1, {}, SPEC))
    with pytest.raises(IndexVersionError, match=r"format 99 .* --rebuild"):
        Index.open(folder)
    assert write(folder, {"c.txt": "Cherries."}, rebuild=True) == 2


# damage


@pytest.mark.parametrize("name", [DATABASE, vectors_name(1), INTEGRITY])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_half_written_file_is_noticed_and_a_rebuild_cures_it(folder, name, share):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(IndexCorruptError, match=r"--index .* --rebuild"):
        Index.open(folder)
    if name != vectors_name(1):  # which are made anew from the database
        with pytest.raises(IndexCorruptError):
            open_and_close(folder, SPEC)
    write(folder, TEXTS, rebuild=name != vectors_name(1))
    with Index.open(folder) as index:
        assert contents(index) == TEXTS
        assert best_text(index, "Which bananas are yellow?") == "Bananas are yellow."


@pytest.mark.parametrize("name", [vectors_name(1), INTEGRITY])
def test_a_missing_file_is_noticed(folder, name):
    (folder / name).unlink()
    with pytest.raises(IndexCorruptError, match=name):
        Index.open(folder)


def test_a_database_of_something_else_is_noticed(folder):
    (folder / DATABASE).unlink()
    connection = sqlite3.connect(folder / DATABASE)
    connection.execute("CREATE TABLE meta (key, value)")
    connection.close()
    with pytest.raises(IndexCorruptError, match="not a database of ragkit"):
        Index.open(folder)


@contextmanager
def flipped(file, position):
    with file.open("r+b") as opened:
        opened.seek(position)
        byte = opened.read(1)[0]
        opened.seek(position)
        opened.write(bytes([byte ^ 0x41]))
        opened.flush()
        yield
        opened.seek(position)
        opened.write(bytes([byte]))


@pytest.mark.parametrize("name", [DATABASE, vectors_name(1)])
def test_a_flipped_byte_anywhere_is_noticed(folder, name):
    size = (folder / name).stat().st_size
    for position in [*range(0, 100), *random.Random(1).sample(range(size), 100)]:
        if position < size:
            with flipped(folder / name, position), pytest.raises((IndexCorruptError, IndexVersionError)):
                Index.open(folder)
    with Index.open(folder) as index:
        assert contents(index) == TEXTS


def test_a_flipped_byte_in_a_database_too_large_to_hash_never_gives_wrong_text(folder, monkeypatch):
    with Index.open(folder) as index:
        expected = index.chunks(range(9))
    monkeypatch.setattr(index_folder, "HASHED_BYTES", 0)
    size = (folder / DATABASE).stat().st_size
    refused = 0
    for position in range(0, size, 307):
        with flipped(folder / DATABASE, position):
            try:
                with Index.open(folder) as index:
                    check_nothing_is_wrong(index, expected)
            except RagkitError:
                refused += 1
    assert refused > 5


def check_nothing_is_wrong(index, expected):
    ids = [chunk_id for chunk_id, _ in index.search_vectors(EMBEDDER.embed_question("apples are red"), 9)]
    ids += [chunk_id for chunk_id, _ in index.search_keywords("apples bananas monkey", 9)]
    for chunk_id, chunk in index.chunks(ids).items():
        assert chunk == expected[chunk_id]
    for path, text in TEXTS.items():
        document = index.document(path)
        assert document is None or document.text == text


def test_text_that_changed_under_a_right_file_hash_is_noticed(folder):
    connection = sqlite3.connect(folder / DATABASE)
    connection.execute("UPDATE documents SET text = replace(text, 'red', 'blu')")
    connection.commit()
    connection.close()
    record_integrity(folder, Integrity((sha256_of(folder / DATABASE),), 1, {}, SPEC))
    with Index.open(folder) as index:
        ids = [chunk_id for chunk_id, _ in index.search_keywords("apples", 1)]
        with pytest.raises(IndexCorruptError, match=r"a\.txt.* --rebuild"):
            index.chunks(ids)


def test_an_index_can_be_copied_and_moved(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(folder)
    with Index.open(tmp_path / "copy") as index:
        assert contents(index) == TEXTS


def test_an_open_index_goes_on_answering_when_its_folder_is_removed(folder):
    with Index.open(folder) as index:
        shutil.rmtree(folder)
        assert best_text(index, "apples") == "Apples are red."
