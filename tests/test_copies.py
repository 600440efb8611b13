"""Files with the same content are one document, and both paths are known."""

import os
import shutil
from pathlib import Path

import pytest
from fakes import WordEmbedder

from ragkit import maintenance
from ragkit.index.filing import Scope
from ragkit.index.index import Index
from ragkit.index.patterns import Selection
from ragkit.ingest import index_paths, remove_paths
from ragkit.ingest_records import IngestOptions

APPLES = "Apples are red and sweet.\n\nBananas are yellow and soft.\n"
LONG_AGO = 1_600_000_000


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A working folder with two files of the same content, and one of another."""
    monkeypatch.chdir(tmp_path)
    write("docs/a.txt", APPLES)
    write("docs/b.txt", APPLES)
    write("docs/c.txt", "The monkey ate a fig at noon.\n")
    return tmp_path


def write(path, text, mtime=LONG_AGO):
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (mtime, mtime))


def run(*paths, embedder=None, **options):
    made = IngestOptions(**{"chunk_tokens": 60, "min_chunk_tokens": 4, **options})
    report = index_paths(paths or ["docs"], "index", embedder or WordEmbedder(), made)
    return report.added, report.updated, report.copies, report.unchanged, report.removed


def files(**within):
    """The path of every file with that of its document."""
    with Index.open("index") as index, index.snapshot(Scope.of(within)) as snapshot:
        index.check_all()
        return {file.path: file.ref.path for file in snapshot.known_files()}


def own(*paths):
    return {path: path for path in paths}


def found(question="apples"):
    """The documents that come up, one for each chunk."""
    with Index.open("index") as index:
        ids = [chunk_id for chunk_id, _ in index.search_keywords(question, 9)]
        return [chunk.document.path for chunk in index.chunks(ids).values()]


def test_the_same_content_is_indexed_once_and_both_paths_are_known():
    embedder = WordEmbedder()
    assert run(embedder=embedder) == (2, 0, 1, 0, 0)
    assert embedder.embedded == 3
    assert files() == own("docs/a.txt", "docs/c.txt") | {"docs/b.txt": "docs/a.txt"}
    assert found() == ["docs/a.txt"]
    assert files(where="path = docs/b.txt") == {"docs/a.txt": "docs/a.txt", "docs/b.txt": "docs/a.txt"}
    with Index.open("index") as index:
        assert [ref.path for ref in index.documents()] == ["docs/a.txt", "docs/c.txt"]
        assert index.document("docs/b.txt") is None
        assert index.info().documents == 2


def test_a_document_is_found_in_the_folders_and_by_the_names_of_its_copies():
    write("contracts/deep/a.text", APPLES)
    write("contracts/c.txt", APPLES)
    run("docs", "contracts")
    for where in ("folder = contracts", "folder = contracts/deep", "name = 'c.txt' and name = 'a.txt'", "type = text"):
        assert "docs/a.txt" in files(where=where).values()
    remove_paths(["contracts/c.txt"], "index")
    assert "docs/a.txt" not in files(where="folder = docs and name = 'c.txt'").values()
    assert "docs/a.txt" in files(where="folder = contracts/deep").values()
    remove_paths(["contracts"], "index")
    assert files(where="folder = docs").keys() == {"docs/a.txt", "docs/b.txt", "docs/c.txt"}


def test_copies_that_did_not_change_cost_nothing():
    run()
    before = Path("index/ragkit.sqlite").stat()
    embedder = WordEmbedder()
    assert run(embedder=embedder) == (0, 0, 0, 3, 0)
    assert embedder.embedded == 0
    assert Path("index/ragkit.sqlite").stat() == before


def test_a_copy_that_comes_later_makes_no_new_document():
    Path("docs/b.txt").unlink()
    run()
    write("docs/0.txt", APPLES)
    embedder = WordEmbedder()
    assert run(embedder=embedder) == (0, 0, 1, 2, 0)
    assert embedder.embedded == 0
    assert files() == own("docs/a.txt", "docs/c.txt") | {"docs/0.txt": "docs/a.txt"}


def test_a_copy_that_changes_becomes_a_document():
    run()
    write("docs/b.txt", "Cherries are dark.\n", LONG_AGO + 1)
    assert run() == (0, 1, 0, 2, 0)
    assert files() == own("docs/a.txt", "docs/b.txt", "docs/c.txt")
    assert found() == ["docs/a.txt"]


def test_a_document_that_changes_leaves_its_content_to_its_copy():
    run()
    write("docs/a.txt", "Cherries are dark.\n", LONG_AGO + 1)
    embedder = WordEmbedder()
    run(embedder=embedder)
    assert embedder.embedded == 1
    assert files() == own("docs/a.txt", "docs/b.txt", "docs/c.txt")
    assert found() == ["docs/b.txt"]


def test_a_document_that_becomes_the_same_as_another_is_a_copy_then():
    run()
    write("docs/c.txt", APPLES, LONG_AGO + 1)
    run()
    assert files() == own("docs/a.txt") | {"docs/b.txt": "docs/a.txt", "docs/c.txt": "docs/a.txt"}
    assert found("monkey") == []


def test_two_files_that_swap_their_contents():
    run()
    write("docs/a.txt", Path("docs/c.txt").read_text(), LONG_AGO + 1)
    write("docs/c.txt", APPLES, LONG_AGO + 1)
    embedder = WordEmbedder()
    run(embedder=embedder)
    assert embedder.embedded == 0
    assert found() in (["docs/b.txt"], ["docs/c.txt"])
    assert found("monkey") == ["docs/a.txt"]
    assert len(files()) == 3


@pytest.mark.parametrize("gone", ["docs/a.txt", "docs/b.txt"], ids=["document", "copy"])
def test_when_one_of_them_vanishes_the_other_stays(gone):
    run()
    Path(gone).unlink()
    embedder = WordEmbedder()
    run(embedder=embedder)
    left = {"docs/a.txt": "docs/b.txt", "docs/b.txt": "docs/a.txt"}[gone]
    assert files() == own(left, "docs/c.txt")
    assert found() == [left]
    assert embedder.embedded == 0


def test_when_all_vanish_the_document_goes():
    run()
    Path("docs/a.txt").unlink()
    Path("docs/b.txt").unlink()
    assert run() == (0, 0, 0, 1, 2)
    assert files() == own("docs/c.txt")


@pytest.mark.parametrize("moved", ["docs/a.txt", "docs/b.txt"], ids=["document", "copy"])
def test_when_one_of_them_moves_nothing_is_embedded(moved):
    run()
    Path(moved).rename("docs/z.txt")
    embedder = WordEmbedder()
    run(embedder=embedder)
    assert embedder.embedded == 0
    left = {"docs/a.txt": "docs/b.txt", "docs/b.txt": "docs/a.txt"}[moved]
    assert files() == own(left, "docs/c.txt") | {"docs/z.txt": left}
    assert found() == [left]


def test_copies_in_folders_that_move_together():
    write("docs/deep/a.txt", APPLES)
    run()
    shutil.move("docs/deep", "docs/deeper")
    embedder = WordEmbedder()
    run(embedder=embedder)
    assert embedder.embedded == 0
    assert files() == own("docs/a.txt", "docs/c.txt") | dict.fromkeys(["docs/b.txt", "docs/deeper/a.txt"], "docs/a.txt")


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        (["docs/a.txt"], own("docs/b.txt", "docs/c.txt")),
        (["docs/b.txt"], own("docs/a.txt", "docs/c.txt")),
        (["docs/a.txt", "docs/b.txt"], own("docs/c.txt")),
        (["docs/b.txt", "docs/c.txt"], own("docs/a.txt")),
    ],
    ids=["document", "copy", "both", "copy-and-another"],
)
def test_either_path_can_be_removed(paths, left):
    run()
    assert remove_paths(paths, "index").removed == len(paths)
    assert files() == left


def test_removing_a_folder_removes_document_and_copies_at_once():
    write("more/d.txt", "Dates are brown.\n")
    write("docs/deep/a.txt", APPLES)
    run("docs", "more")
    assert remove_paths(["docs"], "index").removed == 4
    assert files() == own("more/d.txt")


def test_a_copy_with_other_labels_or_in_another_collection_is_a_document_of_its_own():
    write("shown/b.txt", APPLES)
    write("letters/b.txt", APPLES)
    embedder = WordEmbedder()
    run("docs", embedder=embedder)
    assert run("shown", labels=("board",), embedder=embedder)[:3] == (1, 0, 0)
    assert run("letters", collection="letters", embedder=embedder)[:3] == (1, 0, 0)
    assert embedder.embedded == 3
    assert files(labels=["board"]) == own("shown/b.txt")
    assert files(collection="letters") == own("letters/b.txt")
    assert sorted(found()) == ["docs/a.txt", "letters/b.txt", "shown/b.txt"]


def test_a_copy_that_gets_other_labels_becomes_a_document_and_the_first_stays():
    run()
    embedder = WordEmbedder()
    assert run("docs/b.txt", labels=("board",), embedder=embedder)[:3] == (0, 1, 0)
    assert files() == own("docs/a.txt", "docs/b.txt", "docs/c.txt")
    assert files(labels=["board"]) == own("docs/b.txt")
    run("docs/a.txt", labels=("board",), embedder=embedder)
    assert len(found()) == 1
    assert embedder.embedded == 0


def test_when_all_get_other_labels_they_are_one_document_still():
    run()
    run(labels=("board",))
    assert len(found()) == 1
    assert len(files(labels=["board"])) == 3
    run(labels=())
    assert len(found()) == 1
    assert files(labels=["board"]) == {}
    assert len(files()) == 3


def test_a_hidden_document_is_no_reason_to_say_of_a_file_that_it_is_known():
    run("docs/a.txt", labels=("staff",))
    run("docs/b.txt", labels=("board",))
    assert files(labels=["board"]) == own("docs/b.txt")
    assert files(labels=["board"], where="path = docs/a.txt") == {}


def test_the_same_bytes_under_another_reader_are_another_document():
    write("docs/a.md", APPLES)
    run()
    assert files()["docs/a.md"] == "docs/a.md"
    assert len(found()) == 2


def test_a_document_that_is_excluded_leaves_its_content_to_a_copy_that_is_not():
    write("docs/old/a.txt", APPLES)
    Path("docs/a.txt").unlink()
    Path("docs/b.txt").unlink()
    run()
    write("docs/z.txt", APPLES)
    run(selection=Selection(exclude=("old",)))
    assert files() == own("docs/c.txt", "docs/z.txt")
    assert found() == ["docs/z.txt"]


def test_going_back_brings_back_the_copies_too():
    run()
    write("docs/b.txt", "Cherries are dark.\n", LONG_AGO + 1)
    write("docs/c.txt", APPLES, LONG_AGO + 2)
    run()
    assert files() == own("docs/a.txt", "docs/b.txt") | {"docs/c.txt": "docs/a.txt"}
    maintenance.go_back("index", 1)
    assert files() == own("docs/a.txt", "docs/c.txt") | {"docs/b.txt": "docs/a.txt"}
    assert files(where="path = docs/b.txt").keys() == {"docs/a.txt", "docs/b.txt"}
    assert files(where="path = docs/c.txt").keys() == {"docs/c.txt"}
    run()
    assert files() == own("docs/a.txt", "docs/b.txt") | {"docs/c.txt": "docs/a.txt"}


class Interrupting(WordEmbedder):
    def embed_documents(self, texts, on_done=None):
        if any("fig" in text for text in texts):
            raise KeyboardInterrupt
        return super().embed_documents(texts, on_done)


def test_an_interrupted_run_is_gone_on_with_and_loses_no_copy():
    with pytest.raises(KeyboardInterrupt):
        run(embedder=Interrupting(), batch_chunks=1)
    assert files() == own("docs/a.txt")
    embedder = WordEmbedder()
    assert run(embedder=embedder) == (1, 0, 1, 1, 0)
    assert embedder.embedded == 1
    assert files() == own("docs/a.txt", "docs/c.txt") | {"docs/b.txt": "docs/a.txt"}


def test_a_run_interrupted_after_a_document_changed_keeps_what_its_copy_says():
    run()
    write("docs/a.txt", "Cherries are dark.\n", LONG_AGO + 1)
    write("docs/c.txt", "The monkey ate a fig at one.\n", LONG_AGO + 1)
    with pytest.raises(KeyboardInterrupt):
        run(embedder=Interrupting(), batch_chunks=1)
    assert found() == ["docs/b.txt"]
    assert found("monkey") == ["docs/c.txt"]
    run()
    assert files() == own("docs/a.txt", "docs/b.txt", "docs/c.txt")


def test_a_file_is_no_copy_of_what_changed_while_it_was_compared():
    run("docs/a.txt")
    Path("docs/c.txt").unlink()
    write("docs/0.txt", APPLES)

    def change(progress):
        if progress.path == "docs/a.txt":
            write("docs/a.txt", "Apples are green and sour and hard.\n", LONG_AGO + 1)

    options = IngestOptions(chunk_tokens=60, min_chunk_tokens=4)
    report = index_paths(["docs"], "index", WordEmbedder(), options, change)
    assert [str(file) for file in report.failed] == [
        "docs/0.txt was the same as docs/a.txt, which changed. Index again"
    ]
    assert files() == own("docs/a.txt", "docs/b.txt")
    run()
    assert files() == own("docs/a.txt", "docs/b.txt") | {"docs/0.txt": "docs/b.txt"}
