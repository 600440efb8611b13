"""Changes in files are told once for a burst, and those of the index not at all."""

import sys
import threading
from itertools import count
from pathlib import Path

import pytest

from ragkit import watching
from ragkit.errors import InputError, StorageError
from ragkit.watching import changes_in


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watching, "QUIET_MS", 50)
    Path("docs/index").mkdir(parents=True)
    Path("docs/index-notes").mkdir()
    return tmp_path


@pytest.fixture
def watched():
    """Begins to watch; a file is written after a while, so that a change that is missed is no endless wait."""
    begun = []

    def begin(path, index):
        changes = changes_in([path], Path(index))
        begun.append(changes)
        assert next(changes) == 0
        return changes

    timer = threading.Timer(10, lambda: Path("docs/too-late.txt").write_text("x"))
    timer.start()
    yield begin
    timer.cancel()
    for changes in begun:
        changes.close()
    assert not Path("docs/too-late.txt").exists()


def test_new_changed_and_removed_files_are_told(watched):
    changes = watched("docs", "index")
    Path("docs/a.txt").write_text("Apples.")
    assert next(changes) == 1
    Path("docs/a.txt").write_text("Apples are red.")
    assert next(changes) == 1
    Path("docs/a.txt").unlink()
    assert next(changes) == 1


def test_a_folder_that_is_made_again_is_watched_again(watched):
    Path("other").mkdir()
    changes = watched("other", "index")
    Path("other").rmdir()
    assert next(changes) == 1
    Path("other").mkdir()
    Path("other/b.txt").write_text("Bananas.")
    assert next(changes) == 1
    Path("other/a.txt").write_text("Apples.")
    assert next(changes) == 1


def test_a_burst_is_told_once(watched):
    changes = watched("docs", "index")
    for number in range(20):
        Path(f"docs/{number}.txt").write_text("x")
    told = [next(changes)]
    while sum(told) < 20:  # on a busy machine, writing twenty files may take a while
        told.append(next(changes))
    assert sum(told) == 20
    assert len(told) < 5


@pytest.mark.parametrize("path", ["docs", "linked", "absolute"])
def test_changes_of_the_index_itself_do_not_count_but_those_of_its_neighbours_do(watched, place, path):
    if path == "linked":
        Path("linked").symlink_to("docs")
    given = place / "docs" if path == "absolute" else path
    changes = watched(given, f"{given}/index")
    for name in ("ragkit.sqlite", "writer.lock", "vectors-2.faiss.draft"):
        Path("docs/index", name).write_text("x")
    Path("docs/index-notes/a.txt").write_text("x")
    assert next(changes) == 1


def test_what_changes_while_the_caller_is_busy_is_told_afterwards(watched):
    changes = watched("docs", "index")
    numbers = count()
    for _ in range(3):
        Path(f"docs/{next(numbers)}.txt").write_text("x")
        assert next(changes) == 1
        Path(f"docs/{next(numbers)}.txt").write_text("x")  # as if written while the index is being made
        assert next(changes) == 1


def test_what_cannot_be_watched_is_told():
    with pytest.raises(StorageError, match="nowhere cannot be watched: "):
        next(changes_in(["nowhere"], Path("index")))


def test_a_missing_library_is_told_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(InputError, match=r"pip install 'ragkit-qa\[watch\]'"):
        next(changes_in(["docs"], Path("index")))
