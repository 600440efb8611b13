"""What a dry run says is what a run does, and nothing is done."""

import os
import random
import shutil
from pathlib import Path

import pytest
from fakes import WordEmbedder

from ragkit.errors import IndexCorruptError, InputError
from ragkit.index.folder import DATABASE
from ragkit.index.index import Index
from ragkit.index.patterns import Selection
from ragkit.ingest import index_paths
from ragkit.ingest_records import IngestOptions
from ragkit.plan import plan_paths

LONG_AGO = 1_600_000_000
APPLES = "Apples are red and sweet.\n"
BANANAS = "Bananas are yellow and soft.\n"
FIGS = "The monkey ate a fig at noon.\n"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("docs/a.txt", APPLES)
    write("docs/deep/b.txt", BANANAS)
    return tmp_path


def write(path, text, mtime=LONG_AGO):
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(file, (mtime, mtime))


def options(**more):
    return IngestOptions(**{"chunk_tokens": 60, "min_chunk_tokens": 4, **more})


def run(*paths, **more):
    return index_paths(paths or ["docs"], "index", WordEmbedder(), options(**more))


def plan(*paths, **more):
    """What would be done, without what would not."""
    made = plan_paths(paths or ["docs"], "index", options(**more)).to_dict()
    return {name: value for name, value in made.items() if value}


def fingerprint(folder="."):
    return {
        file: (file.read_bytes(), file.stat().st_mtime_ns) for file in sorted(Path(folder).rglob("*")) if file.is_file()
    }


def test_a_first_run_is_planned_and_nothing_is_made():
    before = fingerprint()
    write("docs/picture.bin", b"\0")
    assert plan() == {"added": ["docs/a.txt", "docs/deep/b.txt"], "skipped": 1}
    assert fingerprint().keys() - before.keys() == {Path("docs/picture.bin")}


def test_each_file_is_told_by_what_would_become_of_it():
    write("docs/c.txt", FIGS)
    write("docs/gone.txt", "Cherries.\n")
    write("docs/old.txt", "Dates.\n")
    run()
    write("docs/a.txt", "Apples are green.\n", LONG_AGO + 1)
    Path("docs/gone.txt").unlink()
    Path("docs/old.txt").rename("docs/moved.txt")
    write("docs/new.txt", "Elderberries.\n")
    write("docs/twin.txt", FIGS)
    write("docs/large.txt", "x" * 1000)
    Path("docs/dangling.txt").symlink_to("nowhere.txt")
    before = fingerprint()
    assert plan(selection=Selection(max_bytes=500)) == {
        "added": ["docs/new.txt"],
        "updated": ["docs/a.txt"],
        "moved": ["docs/moved.txt"],
        "copies": ["docs/twin.txt"],
        "removed": ["docs/gone.txt", "docs/old.txt"],
        "unchanged": 2,
        "failed": [
            {
                "path": "docs/large.txt",
                "reason": "is too large: 1,000 bytes, and the limit is 500. "
                "Raise max_file_mb in the settings or leave it out",
            },
            {"path": "docs/dangling.txt", "reason": "is a link to a file that is not there"},
        ],
    }
    assert fingerprint() == before


def test_patterns_and_filings_count_in_a_plan():
    run()
    assert plan(selection=Selection(exclude=("deep",))) == {"removed": ["docs/deep/b.txt"], "unchanged": 1}
    assert plan(selection=Selection(include=("a.*",))) == {"removed": ["docs/deep/b.txt"], "unchanged": 1}
    assert plan("docs/a.txt", labels=("board",)) == {"updated": ["docs/a.txt"]}
    assert plan("docs/a.txt", collection="letters") == {"updated": ["docs/a.txt"]}
    assert plan(rebuild=True) == {"added": ["docs/a.txt", "docs/deep/b.txt"]}


def test_what_cannot_be_planned_is_told_as_a_run_would_tell_it():
    with pytest.raises(InputError, match="'nowhere' does not exist"):
        plan("nowhere")
    with pytest.raises(InputError, match="is no name for a label"):
        plan(labels=("a\nb",))
    run()
    content = bytearray(Path("index", DATABASE).read_bytes())
    content[9000] ^= 1
    Path("index", DATABASE).write_bytes(content)
    with pytest.raises(IndexCorruptError):
        plan()


def change_files(chance):
    """A few changes to the documents, as people make them."""
    for _ in range(chance.randint(1, 6)):
        files = sorted(file for file in Path("docs").rglob("*.txt"))
        kind = chance.choice(["new", "new", "change", "remove", "move", "copy", "touch"])
        name = f"docs/{chance.choice(['', 'deep/', 'far/'])}{chance.choice('abcdefgh')}.txt"
        if kind == "new" or not files:
            text = chance.choice([APPLES, BANANAS, FIGS, f"Number {chance.random()}.\n"])
            write(name, text, LONG_AGO + chance.randint(100, 999))
            continue
        file = chance.choice(files)
        if kind == "change":
            write(file, f"Changed to {chance.random()}.\n", LONG_AGO + chance.randint(1, 99))
        elif kind == "touch":
            os.utime(file, (LONG_AGO, LONG_AGO + 500))
        elif kind == "remove":
            file.unlink()
        elif not Path(name).exists():
            Path(name).parent.mkdir(exist_ok=True)
            (shutil.copy2 if kind == "copy" else shutil.move)(file, name)


@pytest.mark.parametrize("seed", range(15))
def test_whatever_happened_to_the_files_a_run_does_what_was_planned(seed):
    chance = random.Random(seed)
    run()
    for _ in range(3):
        change_files(chance)
        if not list(Path("docs").rglob("*.txt")):
            write("docs/a.txt", APPLES)
        before = files()
        expected = plan_paths(["docs"], "index", options())
        report = run()
        assert (report.added, report.updated) == (len(expected.added) + len(expected.moved), len(expected.updated))
        assert (report.copies, report.removed) == (len(expected.copies), len(expected.removed))
        assert (report.unchanged, report.skipped, report.failed) == (expected.unchanged, 0, ())
        after = files()
        gone = set(expected.removed)
        assert before.keys() - after.keys() == gone
        new = {*expected.added, *expected.moved, *expected.copies}
        assert after.keys() - before.keys() <= new
        assert {path for path, of in after.items() if path != of} >= set(expected.copies)
        assert after.keys() == {str(file) for file in Path("docs").rglob("*.txt")}
        texts = {path: Path(path).read_text() for path in after}
        with Index.open("index") as index:
            index.check_all()
            assert {path: index.document(of).text for path, of in after.items()} == texts
        assert plan_paths(["docs"], "index", options()).unchanged == len(after)


def files():
    with Index.open("index") as index, index.snapshot() as snapshot:
        return {file.path: file.ref.path for file in snapshot.known_files()}
