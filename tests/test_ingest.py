import os
import shutil
import socket
from pathlib import Path

import pytest
from fakes import WordEmbedder

from ragkit.errors import IndexMismatchError, InputError, NothingIndexedError
from ragkit.index.index import Index
from ragkit.index.patterns import Selection
from ragkit.ingest import index_paths, remove_paths
from ragkit.ingest_records import IngestOptions, Progress

OPTIONS = IngestOptions(chunk_tokens=60, min_chunk_tokens=4)
LONG_AGO = 1_600_000_000


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A working folder with two documents in `docs`."""
    monkeypatch.chdir(tmp_path)
    write("docs/a.txt", "Apples are red and sweet.\n\nBananas are yellow and soft.\n")
    write("docs/deep/b.md", "# Fruit\n\nThe monkey ate a fig at noon.\n")
    return tmp_path


def write(path, text, mtime=LONG_AGO):
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(file, (mtime, mtime))


def run(*paths, embedder=None, folder="index", on_progress=None, exclude=(), **options):
    selection = Selection(exclude=exclude)
    made = IngestOptions(**{"chunk_tokens": 60, "min_chunk_tokens": 4, "selection": selection, **options})
    return index_paths(paths or ["docs"], folder, embedder or WordEmbedder(), made, on_progress)


def counts(report):
    return report.added, report.updated, report.unchanged, report.removed


def paths(folder="index"):
    with Index.open(folder) as index:
        return [ref.path for ref in index.documents()]


def text_of(path):
    with Index.open("index") as index:
        return index.document(path).text


def found(question):
    with Index.open("index") as index:
        ids = [chunk_id for chunk_id, _ in index.search_keywords(question, 3)]
        return [chunk.document.path for chunk in index.chunks(ids).values()]


# what a run does


def test_a_folder_becomes_documents_that_are_called_as_it_was_given():
    report = run("./docs/")
    assert counts(report) == (2, 0, 0, 0)
    assert report.generation == 1
    assert paths() == ["docs/a.txt", "docs/deep/b.md"]
    assert found("Who ate the fig?") == ["docs/deep/b.md"]


def test_what_did_not_change_costs_nothing():
    run()
    embedder = WordEmbedder()
    before = Path("index/ragkit.sqlite").stat()
    report = run(embedder=embedder)
    assert counts(report) == (0, 0, 2, 0)
    assert (embedder.embedded, report.chunks_embedded, report.generation) == (0, 0, 1)
    assert Path("index/ragkit.sqlite").stat() == before


def test_content_decides_not_time():
    run()
    write("docs/a.txt", Path("docs/a.txt").read_bytes(), mtime=LONG_AGO + 50)
    assert counts(run()) == (0, 0, 2, 0)


def test_a_change_within_the_step_of_the_clock_is_seen():
    now = 4_000_000_000  # later than any clock: a time that proves nothing
    write("docs/a.txt", "Apples are red.", mtime=now)
    run()
    write("docs/a.txt", "Apples are bad.", mtime=now)
    assert counts(run()) == (0, 1, 1, 0)
    assert text_of("docs/a.txt") == "Apples are bad."


def test_a_changed_file_is_updated_and_only_its_new_paragraphs_are_embedded():
    run()
    write("docs/a.txt", "Apples are red and sweet.\n\nCherries are dark and sour.\n", mtime=LONG_AGO + 1)
    embedder = WordEmbedder()
    report = run(embedder=embedder)
    assert counts(report) == (0, 1, 1, 0)
    assert embedder.embedded == report.chunks_embedded == 1
    assert found("cherries") == ["docs/a.txt"]
    assert found("bananas") == []


def test_a_vanished_file_leaves_and_a_new_one_comes():
    run()
    Path("docs/a.txt").unlink()
    write("docs/c.txt", "Cherries are dark.")
    assert counts(run()) == (1, 0, 1, 1)
    assert paths() == ["docs/c.txt", "docs/deep/b.md"]
    assert found("apples") == []


def test_a_file_that_moved_is_not_embedded_again():
    run()
    Path("docs/a.txt").rename("docs/deep/z.txt")
    embedder = WordEmbedder()
    assert counts(run(embedder=embedder)) == (1, 0, 1, 1)
    assert embedder.embedded == 0
    assert found("apples") == ["docs/deep/z.txt"]


def test_files_of_other_folders_stay():
    write("more/c.txt", "Cherries are dark.")
    run("docs")
    assert counts(run("more")) == (1, 0, 0, 0)
    shutil.rmtree("docs/deep")
    assert counts(run("more")) == (0, 0, 1, 0)
    assert counts(run(".", folder="index")) == (0, 0, 2, 1)
    assert paths() == ["docs/a.txt", "more/c.txt"]


def test_the_same_file_by_another_spelling_is_the_same_document(place):
    run("docs")
    for spelling in ("./docs", "docs/../docs", str(place / "docs"), "docs/a.txt", place / "docs" / "a.txt"):
        report = run(spelling)
        assert (report.added, report.updated, report.removed) == (0, 0, 0)
    assert paths() == ["docs/a.txt", "docs/deep/b.md"]
    assert counts(run("docs", "docs/a.txt", "docs/deep")) == (0, 0, 2, 0)


def test_an_absolute_argument_gives_absolute_paths(place):
    run(place / "docs")
    assert paths() == [f"{place}/docs/a.txt", f"{place}/docs/deep/b.md"]


def test_two_files_that_are_given_by_the_same_name_from_different_places_are_both_kept(place, monkeypatch):
    write("other/docs/a.txt", "Another file about cherries.")
    run("docs")
    monkeypatch.chdir(place / "other")
    index_paths(["docs"], place / "index", WordEmbedder(), OPTIONS)
    monkeypatch.chdir(place)
    assert paths() == [f"{place}/other/docs/a.txt", "docs/a.txt", "docs/deep/b.md"]
    assert counts(run("docs")) == (0, 0, 2, 0)


def test_documents_and_index_can_move_together_or_apart(place, monkeypatch):
    Path("project").mkdir()
    shutil.move("docs", "project/docs")
    monkeypatch.chdir(place / "project")
    run("docs")
    monkeypatch.chdir(place)
    shutil.copytree("project", "copy")
    monkeypatch.chdir(place / "copy")
    write("docs/a.txt", "Apples are green here.", mtime=LONG_AGO + 1)
    assert counts(run("docs")) == (0, 1, 1, 0)
    shutil.move("index", place / "elsewhere")
    shutil.rmtree(place / "project")
    assert counts(run("docs", folder=place / "elsewhere")) == (0, 0, 2, 0)
    assert paths(place / "elsewhere") == ["docs/a.txt", "docs/deep/b.md"]


def test_documents_given_from_everywhere_are_embedded_together():
    calls = []

    class Noting(WordEmbedder):
        def embed_documents(self, texts, on_done=None):
            calls.append(len(texts))
            return super().embed_documents(texts, on_done)

    for number in range(30):
        write(f"docs/{number}.txt", f"Text number {number} is here.")
    run(embedder=Noting())
    assert calls == [33]


def test_progress_is_told_up_to_the_end():
    steps: list[Progress] = []
    run(on_progress=steps.append)
    assert {step.files for step in steps} == {2}
    assert [step.path for step in steps[:2]] == ["docs/a.txt", "docs/deep/b.md"]
    assert (steps[-1].files_done, steps[-1].chunks_embedded) == (2, 3)


def test_the_report_as_json():
    write("docs/x.bin", b"skipped")
    write("docs/empty.txt", "")
    report = run().to_dict()
    assert report.pop("seconds") >= 0
    reason = report["failed"][0].pop("reason")
    assert "empty" in reason
    assert report == {
        "added": 2,
        "updated": 0,
        "unchanged": 0,
        "removed": 0,
        "copies": 0,
        "skipped": 1,
        "failed": [{"path": "docs/empty.txt"}],
        "warnings": [],
        "chunks_embedded": 3,
        "generation": 1,
    }


# which files


def test_hidden_excluded_and_linked_files_and_other_kinds_are_left_out(place):
    write("docs/.hidden.txt", "Hidden.")
    write("docs/.git/x.txt", "Hidden.")
    write("docs/drafts/x.txt", "Draft.")
    write("docs/old.txt", "Old.")
    write("docs/deep/notes/n.txt", "Note.")
    write("docs/picture.jpeg", b"\xff\xd8")
    write("outside/o.txt", "Outside.")
    Path("docs/link.txt").symlink_to(place / "outside" / "o.txt")
    Path("docs/linked").symlink_to(place / "outside")
    Path("docs/a link.txt").symlink_to("a.txt")
    report = run(exclude=("drafts", "old*", "deep/notes/*"))
    assert paths() == ["docs/a.txt", "docs/deep/b.md"]
    assert (report.skipped, report.failed) == (2, ())


def test_what_is_newly_excluded_leaves_but_not_what_was_named_itself():
    write("docs/.hidden.txt", "Hidden apples.")
    run("docs", "docs/.hidden.txt")
    assert counts(run(exclude=("deep",))) == (0, 0, 1, 1)
    assert paths() == ["docs/.hidden.txt", "docs/a.txt"]
    Path("docs/.hidden.txt").unlink()
    assert counts(run(exclude=("deep",))) == (0, 0, 1, 1)


def test_an_index_inside_the_folder_is_not_a_document():
    for _ in range(2):
        run(".", folder="docs/index")
        run("docs", folder="index")
    assert paths("docs/index") == ["docs/a.txt", "docs/deep/b.md"]


# what goes wrong


def test_a_missing_path_is_named_before_anything_is_changed():
    run()
    Path("docs/a.txt").unlink()
    with pytest.raises(InputError, match="'nowhere' does not exist"):
        run("docs", "nowhere")
    assert paths() == ["docs/a.txt", "docs/deep/b.md"]
    for path in ("", "x" * 5000, "docs/deep/b.md/x.txt"):
        with pytest.raises(InputError, match="does not exist"):
            run("docs", path)
    with pytest.raises(InputError, match="No path"):
        index_paths([], "new", WordEmbedder(), OPTIONS)
    assert not Path("new").exists()


def test_files_that_cannot_be_read_are_named_and_the_rest_is_indexed():
    write("docs/binary.txt", bytes(range(256)) * 8)
    write("docs/empty.txt", " \n \n")
    Path("docs/dangling.txt").symlink_to("nothing.txt")
    Path("docs/loop.txt").symlink_to("loop.txt")
    write("docs/locked.txt", "No entry.")
    Path("docs/locked.txt").chmod(0)
    report = run("docs", "docs/deep")
    failed = {file.path: file.reason for file in report.failed}
    locked = set() if os.geteuid() == 0 else {"docs/locked.txt"}  # root reads everything
    assert failed.keys() == {f"docs/{name}.txt" for name in ("binary", "empty", "dangling", "loop")} | locked
    assert not any(reason.startswith("docs/") for reason in failed.values())
    assert set(paths()) >= {"docs/a.txt", "docs/deep/b.md"}


def test_files_named_themselves_that_are_of_no_readable_kind_are_reported():
    write("docs/picture.jpeg", b"\xff\xd8")
    write("docs/noname", "text")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("pipe.txt")
        report = run("docs/a.txt", "docs/picture.jpeg", "docs/noname", "pipe.txt")
    assert [str(file).split(":")[0] for file in report.failed] == [
        "docs/picture.jpeg cannot be read",
        "docs/noname cannot be read",
        "pipe.txt is neither a file nor a folder",
    ]
    assert paths() == ["docs/a.txt"]


def test_a_name_that_is_not_utf8_is_reported():
    Path(os.fsdecode(b"docs/caf\xe9.txt")).write_bytes(b"Coffee.")
    report = run()
    assert [file.path for file in report.failed] == ["docs/caf\ufffd.txt"]
    assert len(paths()) == 2


def test_a_file_that_can_no_longer_be_read_keeps_its_old_version():
    run()
    write("docs/a.txt", "")
    report = run()
    assert counts(report) == (0, 0, 1, 0)
    assert [file.path for file in report.failed] == ["docs/a.txt"]
    assert text_of("docs/a.txt").startswith("Apples")


def test_a_folder_with_nothing_to_index_makes_no_index():
    Path("empty").mkdir()
    with pytest.raises(NothingIndexedError, match="'empty' could be indexed: there is no file of a kind"):
        run("empty")
    assert not Path("index").exists()
    write("empty/x.txt", "")
    with pytest.raises(NothingIndexedError, match=r"empty/x\.txt is empty"):
        run("empty")
    assert not Path("index/ragkit.sqlite").exists()


def test_an_index_that_would_become_empty_stays_as_it_was():
    run()
    shutil.rmtree("docs")
    Path("docs").mkdir()
    for rebuild in (False, True):
        with pytest.raises(NothingIndexedError):
            run(rebuild=rebuild)
        assert paths() == ["docs/a.txt", "docs/deep/b.md"]


def test_other_settings_need_a_rebuild():
    run()
    for change in ({"embedder": WordEmbedder(32, "other@2")}, {"chunk_tokens": 30}):
        with pytest.raises(IndexMismatchError, match="--rebuild"):
            run(**change)
    embedder = WordEmbedder(32, "other@2")
    report = run(embedder=embedder, rebuild=True)
    assert counts(report) == (2, 0, 0, 0)
    assert embedder.embedded == 3
    with Index.open("index") as index:
        index.check("other@2", 32)


class Interrupting(WordEmbedder):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def embed_documents(self, texts, on_done=None):
        if self.embedded + len(texts) > self.after:
            raise KeyboardInterrupt
        return super().embed_documents(texts, on_done)


def test_an_interrupted_first_run_goes_on_where_it_stopped():
    for number in range(10):
        write(f"docs/{number}.txt", f"Text number {number} is here.")
    interrupted = Interrupting(after=5)
    with pytest.raises(KeyboardInterrupt):
        run(embedder=interrupted, batch_chunks=4)
    assert paths() == [f"docs/{number}.txt" for number in range(4)]
    embedder = WordEmbedder()
    assert counts(run(embedder=embedder)) == (8, 0, 4, 0)
    assert embedder.embedded == 9


def test_an_interrupted_rebuild_leaves_the_old_index():
    run()
    with pytest.raises(KeyboardInterrupt):
        run(embedder=Interrupting(after=2), rebuild=True, batch_chunks=2)
    assert paths() == ["docs/a.txt", "docs/deep/b.md"]


# removing


def test_documents_are_removed_by_path_by_folder_and_by_place(place):
    write("more/c.txt", "Cherries are dark.")
    run("docs", "more")
    report = remove_paths(["docs/deep", place / "more" / "c.txt"], "index")
    assert (report.removed, report.generation) == (2, 2)
    assert paths() == ["docs/a.txt"]


def test_removing_what_is_not_there_changes_nothing():
    run()
    with pytest.raises(InputError, match=r"'nothing\.txt' is not in index"):
        remove_paths(["docs/a.txt", "nothing.txt"], "index")
    assert len(paths()) == 2
