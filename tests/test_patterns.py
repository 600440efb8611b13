import os
from pathlib import Path

import pytest

from ragkit.errors import InputError
from ragkit.index.files import find_files
from ragkit.index.patterns import MAX_IGNORE_BYTES, Patterns, Selection


@pytest.fixture(autouse=True)
def _in_a_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(*paths, text="Text."):
    for path in paths:
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def found(*arguments, **selection):
    return [file.path for file in find_files(arguments or ["docs"], Selection(**selection)).files.values()]


def test_files_come_by_name_within_each_folder():
    write("docs/b.txt", "docs/a/z.txt", "docs/a.txt", "docs/c/a.txt", "docs/B.txt")

    assert found() == ["docs/B.txt", "docs/a/z.txt", "docs/a.txt", "docs/b.txt", "docs/c/a.txt"]


def test_the_working_folder_and_the_one_above_give_short_paths():
    write("docs/a.txt", "docs/deep/b.txt")
    os.chdir("docs/deep")

    assert found(".") == ["b.txt"]
    assert found("..") == ["../a.txt", "../deep/b.txt"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.log", {"docs/README.md", "docs/drafts/a.txt", "docs/notes/old/b.txt", "docs/notes/new.txt"}),
        ("drafts", {"docs/README.md", "docs/x.log", "docs/notes/old/b.txt", "docs/notes/new.txt", "docs/notes/y.log"}),
        ("drafts/", {"docs/README.md", "docs/x.log", "docs/notes/old/b.txt", "docs/notes/new.txt", "docs/notes/y.log"}),
        (
            "notes/old/*",
            {"docs/README.md", "docs/drafts/a.txt", "docs/x.log", "docs/notes/new.txt", "docs/notes/y.log"},
        ),
        (
            "README.md",
            {"docs/drafts/a.txt", "docs/x.log", "docs/notes/old/b.txt", "docs/notes/new.txt", "docs/notes/y.log"},
        ),
        (
            "/x.log",
            {"docs/README.md", "docs/drafts/a.txt", "docs/notes/old/b.txt", "docs/notes/new.txt", "docs/notes/y.log"},
        ),
        ("notes/**/*.txt", {"docs/README.md", "docs/drafts/a.txt", "docs/x.log", "docs/notes/y.log"}),
    ],
)
def test_excluded_files_and_folders_are_left_out(pattern, left):
    write("docs/README.md", "docs/drafts/a.txt", "docs/x.log")
    write("docs/notes/old/b.txt", "docs/notes/new.txt", "docs/notes/y.log")

    assert set(found(exclude=(pattern,))) == left


def test_only_included_files_of_folders_are_taken_but_every_file_that_is_named():
    write("docs/a.md", "docs/b.txt", "docs/deep/c.md", "docs/notes/d.txt")

    assert found("docs", "docs/b.txt", include=("*.md", "notes/")) == [
        "docs/a.md",
        "docs/deep/c.md",
        "docs/notes/d.txt",
        "docs/b.txt",
    ]
    assert found(include=("*.md",), exclude=("deep",)) == ["docs/a.md"]
    assert find_files(["docs"], Selection(include=("*.md",))).skipped == 0


def test_ignore_files_leave_out_what_lies_below_them():
    write("docs/.ragkitignore", text="# not these\n*.log\n/a.txt\n\nold/\n")
    write("docs/a.txt", "docs/x.log", "docs/deep/a.txt", "docs/deep/x.log", "docs/deep/old/b.txt", "docs/old.txt")
    write("more/x.log")

    assert found("docs", "more") == ["docs/deep/a.txt", "docs/old.txt", "more/x.log"]


def test_an_inner_ignore_file_has_the_last_word_but_not_over_what_is_excluded():
    write("docs/.ragkitignore", text="*.log\n")
    write("docs/deep/.ragkitignore", text="!keep.log\n/b.txt\n")
    write("docs/keep.log", "docs/b.txt", "docs/deep/keep.log", "docs/deep/b.txt", "docs/deep/in/b.txt")

    assert found() == ["docs/b.txt", "docs/deep/in/b.txt", "docs/deep/keep.log"]
    assert found(exclude=("*.log",)) == ["docs/b.txt", "docs/deep/in/b.txt"]


def test_what_lies_in_an_ignored_folder_cannot_come_back():
    write("docs/.ragkitignore", text="private/\n!private/a.txt\n")
    write("docs/private/.ragkitignore", text="!a.txt\n")
    write("docs/private/a.txt", "docs/b.txt")

    assert found() == ["docs/b.txt"]


def test_all_but_one_file_of_a_folder_can_be_ignored():
    write("docs/.ragkitignore", text="/data/*\n!/data/about.txt\n")
    write("docs/data/about.txt", "docs/data/a.txt")

    assert found() == ["docs/data/about.txt"]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("!", "it ends too early"),
        ("a\\", "it ends too early"),
        ("/", "it means nothing"),
        ("[a", "it means nothing"),
        ("[z-a]", "bad character range z-a"),
        ("a*b*c*d*e*f", "more than 4 wildcards"),
    ],
)
def test_a_bad_pattern_is_refused(pattern, reason):
    write("docs/a.txt")

    for selection in (Selection(include=(pattern,)), Selection(exclude=("*.log", pattern))):
        with pytest.raises(InputError, match=f"is not a pattern for files: .*{reason}.*Write it as in .gitignore"):
            find_files(["docs"], selection)


def test_a_bad_line_of_an_ignore_file_is_named():
    write("docs/.ragkitignore", text="*.log\n[z-a]\n")

    with pytest.raises(InputError, match=r"Line 2 of 'docs/\.ragkitignore', '\[z-a\]', is not a pattern"):
        find_files(["docs"])


def test_an_ignore_file_that_cannot_be_read_stops_the_search():
    Path("docs/.ragkitignore").mkdir(parents=True)
    with pytest.raises(InputError, match=r"'docs/\.ragkitignore' is not a file"):
        find_files(["docs"])

    write("more/.ragkitignore", text="x\n" * MAX_IGNORE_BYTES)
    with pytest.raises(InputError, match="more than 65,536 bytes"):
        find_files(["more"])


def test_odd_characters_in_an_ignore_file_do_no_harm():
    write("docs/a.txt", "docs/caf\u00e9.txt")
    Path("docs/.ragkitignore").write_bytes(b"\xef\xbb\xbfa.txt\r\n\xff\xfe\x00\r\ncaf\xc3\xa9.txt")

    assert found() == []


def test_a_pattern_says_yes_no_or_nothing():
    patterns = Patterns(["*.txt", "!keep.txt", "old/"])

    assert [patterns.verdict(path) for path in ("a.txt", "b/keep.txt", "a.md", "old/", "old")] == [
        True,
        False,
        None,
        True,
        None,
    ]
    assert Patterns([]).verdict("a.txt") is None


def test_a_file_that_is_too_large_is_reported_whether_found_or_named():
    write("docs/a.txt", text="x" * 2000)
    write("docs/b.txt")

    for arguments in (["docs"], ["docs/a.txt", "docs/b.txt"]):
        result = find_files(arguments, Selection(max_bytes=1500))
        assert [file.path for file in result.files.values()] == ["docs/b.txt"]
        assert [str(file) for file in result.failed] == [
            "docs/a.txt is too large: 2,000 bytes, and the limit is 1,500. "
            "Raise max_file_mb in the settings or leave it out"
        ]


def test_a_named_file_of_an_unknown_kind_is_reported_by_its_suffix():
    write("a.xyz", "noname")

    assert [str(file) for file in find_files(["a.xyz", "noname"]).failed] == [
        "a.xyz cannot be read: ragkit does not know .xyz files. Convert it or leave it out",
        "noname cannot be read: ragkit does not know files without a suffix. Convert it or leave it out",
    ]


def test_links_lead_to_files_inside_only():
    write("docs/a.txt", "docs/deep/b.txt", "outside/c.txt")
    Path("docs/inside.txt").symlink_to("deep/b.txt")
    Path("docs/outside.txt").symlink_to("../outside/c.txt")
    Path("docs/folder").symlink_to("deep")
    Path("docs/deep/loop").symlink_to("..")
    Path("docs/missing.txt").symlink_to("nothing.txt")
    Path("docs/self.txt").symlink_to("self.txt")
    Path("docs/long.txt").symlink_to("x" * 300)

    result = find_files(["docs"])

    assert [file.path for file in result.files.values()] == ["docs/a.txt", "docs/deep/b.txt"]
    assert result.skipped == 1
    assert {file.path for file in result.failed} == {"docs/missing.txt", "docs/self.txt", "docs/long.txt"}


def test_a_file_reached_by_a_link_has_its_real_place():
    write("real/docs/a.txt")
    Path("docs").symlink_to("real/docs")

    (file,) = find_files(["docs"]).files.values()

    assert (file.path, file.root) == ("docs/a.txt", "docs")
    assert file.real == Path("real/docs/a.txt").resolve()
    assert file.file.read_text() == "Text."


def test_folders_may_nest_deeper_than_python_recurses(tmp_path):
    depth = 1200
    folders = [Path.cwd()]
    for _ in range(depth):
        Path("d").mkdir()
        os.chdir("d")
    Path("a.txt").write_text("Deep.")
    os.chdir(folders[0])

    try:
        (path,) = found(".")
    finally:  # what pytest cleans up with does recurse
        for _ in range(depth):
            os.chdir("d")
        Path("a.txt").unlink()
        for _ in range(depth):
            os.chdir("..")
            Path("d").rmdir()

    assert path.count("/") == depth
