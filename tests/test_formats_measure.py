import gzip
import os
import random
from pathlib import Path

import pytest

from evals.formats import Agreement, Manual, compare, fetch, files_of, longest_in_order, measure, normalise, sort_out

A = "The treaty was signed in Geneva after nine days of talks."
B = "Observers arrived in April and stayed for two years."
C = "Both sides withdrew their heavy weapons by the end of March."
D = "Every month a report went to the council in Vienna."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Wrapped\n  lines  of\ttext", "Wrapped lines of text", id="whitespace"),
        pytest.param('The "dpkg" and *apt* and `dselect`', "The dpkg and apt and dselect", id="marks-of-plain-text"),
        pytest.param("The “dpkg” and ‘apt’", "The dpkg and apt", id="curly-quotes"),
        pytest.param("The maintainer’s own", "The maintainer's own", id="apostrophes-stay"),
        pytest.param("non-\ninteractive mode", "noninteractive mode", id="hyphen-at-a-line-end"),
        pytest.param("non-interactive mode", "noninteractive mode", id="hyphen"),
        pytest.param("one — two -- three", "one two three", id="dashes"),
        pytest.param("4.2.1. The title\n================", "The title", id="number-and-line-of-a-heading"),
        pytest.param("Chapter 4. The title", "The title", id="chapter"),
        pytest.param("• An item", "An item", id="bullet"),
        pytest.param("(a) An item", "An item", id="letter"),
        pytest.param("As was said [1] there [12].", "As was said there .", id="footnote-marks"),
        pytest.param("the archive (https://\n example.org/a) has", "the archive has", id="address-behind-a-link"),
        pytest.param("+-----+-----+\n| one | two |\n+-----+-----+", "one two", id="drawn-table"),
        pytest.param("Case And punctuation, stay: 3.5!", "Case And punctuation, stay: 3.5!", id="the-rest-stays"),
    ],
)
def test_only_what_formats_write_differently_is_taken_off(text, expected):
    assert normalise(text) == expected


def test_a_paragraph_of_fewer_than_four_words_is_left_out_but_can_be_a_neighbour():
    version = sort_out(["Only three words", "These are four words", "- - -"])

    assert version.counted == ["These are four words"]
    assert version.all == ["Only three words", "These are four words"]
    assert version.short == 2


def test_a_table_of_contents_is_left_out_and_the_headings_it_names_are_not():
    contents = "1. How packages are\n   made by hand\n   1.1. What is in a package\n   1.2. Who may upload one"
    headings = ["Chapter 1. How packages are made by hand", "1.1. What is in a package", "1.2. Who may upload one"]

    version = sort_out([contents, *headings, A])

    assert version.counted == ["How packages are made by hand", "What is in a package", "Who may upload one", A]
    assert version.repeated == 1


def test_a_table_of_contents_with_a_paragraph_for_each_line_is_left_out():
    version = sort_out(["1. How to make packages", "2. How to upload them", A, "How to make packages", B])

    assert version.counted == ["How to upload them", A, "How to make packages", B]
    assert version.repeated == 1


@pytest.mark.parametrize(
    ("other", "whole", "found"),
    [
        # ratio: twice the characters in common over all characters of both
        pytest.param("aaaa bbbb cccc ddddd", 1, 1, id="the-same"),
        pytest.param("aaaa bbbb cccc dddxx", 1, 1, id="2*18/40-is-.9"),
        pytest.param("aaaa bbbb cccc ddxxx", 0, 0, id="2*17/40-is-.85"),
        pytest.param("aaaa bbbb cccc ddddd xxx", 1, 1, id="2*20/44-is-.909"),
        pytest.param("aaaa bbbb cccc ddddd xxxx", 0, 1, id="2*20/45-is-.889-but-a-part-is-the-same"),
    ],
)
def test_a_paragraph_is_there_from_a_similarity_of_nine_tenths_on(other, whole, found):
    agreement = compare(["aaaa bbbb cccc ddddd"], [other])

    assert (agreement.whole, agreement.found) == (whole, found)


@pytest.mark.parametrize(
    ("others", "whole", "found"),
    [
        pytest.param([A, B, C], 3, 3, id="the-same-borders"),
        pytest.param([f"{A} {B} {C}"], 0, 3, id="joined"),
        pytest.param([*A.split(" after "), B, C], 2, 3, id="cut-and-2*51/108-is-.944"),
        pytest.param([A[:22], A[22:40], A[40:], B, C], 2, 3, id="cut-in-three"),
        pytest.param([A[:11], A[11:22], A[22:40], A[40:], B, C], 2, 2, id="cut-in-four"),
        pytest.param([A, C], 2, 2, id="one-is-missing"),
        pytest.param([D, D], 0, 0, id="others"),
        pytest.param([], 0, 0, id="nothing"),
    ],
)
def test_words_that_are_there_count_as_found_and_only_equal_borders_as_one_to_one(others, whole, found):
    agreement = compare([A, B, C], [normalise(other) for other in others])

    assert (agreement.whole, agreement.found) == (whole, found)


def test_what_is_not_found_is_told():
    assert compare([A, B, C], [C, A]) == Agreement(counted=3, whole=2, found=2, in_order=1, missing=(B,))


@pytest.mark.parametrize(
    ("others", "in_order"),
    [
        pytest.param([A, B, C, D], 4, id="all"),
        pytest.param([B, C, D, A], 3, id="the-first-comes-last"),
        pytest.param([D, C, B, A], 1, id="backwards"),
        pytest.param([f"{A} {B} {C} {D}"], 4, id="within-one-paragraph"),
        pytest.param([D, A, B, C, D], 4, id="one-stands-there-twice"),
    ],
)
def test_order_is_the_longest_series_that_is_kept(others, in_order):
    agreement = compare([A, B, C, D], others)

    assert (agreement.found, agreement.in_order) == (4, in_order)


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        pytest.param([], 0, id="none"),
        pytest.param([[1], [5], [2], [3]], 3, id="1-2-3"),
        pytest.param([[5, 1], [2, 1], [3]], 3, id="1-2-3-by-choice"),
        pytest.param([[3, 2, 1]], 1, id="one-of-each-set"),
        pytest.param([[4], [4]], 1, id="no-place-twice"),
        pytest.param([[], [2], []], 1, id="nowhere"),
    ],
)
def test_the_longest_series_takes_at_most_one_position_of_each_set(choices, expected):
    assert longest_in_order(choices) == expected


def test_hundreds_of_paragraphs_of_common_words_are_found_within_one():
    chance = random.Random(7)
    words = [f"word{number}" for number in range(100)]
    paragraphs = [" ".join(chance.choices(words, k=30)) for _ in range(500)]

    agreement = compare(paragraphs, [" ".join(paragraphs)])

    assert (agreement.whole, agreement.found, agreement.in_order) == (0, 500, 500)


def page(links: str) -> bytes:
    return f"<html><head>{links}</head><body><p>{A}</p></body></html>".encode()


def write(folder: Path, **files: bytes) -> None:
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data)


def test_html_files_come_in_the_order_of_their_next_links(tmp_path):
    write(
        tmp_path,
        index_html=page("<a href='c.html'></a><link rel='next' href='b.html'>"),
        b_html=page("<link rel='prev' href='index.html'><link rel='next' href='c.html#top'>"),
        c_html=page("<link rel='next' href='index.html'>"),
        d_html=page(""),
    )

    assert [file.name for file in files_of(tmp_path / "index.html")] == ["index.html", "b.html", "c.html"]


def test_without_next_links_html_files_come_in_the_order_in_which_the_first_names_them(tmp_path):
    links = "<a href='b.html#x'></a><a href='a.html'></a><a href='b.html'></a><a href='gone.html'></a><a href='/'></a>"
    write(tmp_path, toc_html=page(links), a_html=page(""), b_html=page(""))

    assert [file.name for file in files_of(tmp_path / "toc.html")] == ["toc.html", "b.html", "a.html"]


def test_a_file_that_is_no_table_of_contents_is_a_manual_by_itself(tmp_path):
    write(tmp_path, manual_html=page("<link rel='next' href='index.html'>"), index_html=page(""))

    assert files_of(tmp_path / "manual.html") == [tmp_path / "manual.html"]


def test_rst_files_come_in_the_order_of_the_toctrees_even_if_these_go_round(tmp_path):
    write(
        tmp_path,
        index_rst_txt=b"Title\n=====\n\n.. toctree::\n   :maxdepth: 2\n\n   b\n   a\n   gone\n\nWords.\n",
        b_rst_txt=b".. toctree::\n\n   c\n   index\n",
        a_rst_txt=b"Words.",
        c_rst_txt=b"Words.",
    )

    names = [file.name for file in files_of(tmp_path / "index.rst.txt")]

    assert names == ["index.rst.txt", "b.rst.txt", "c.rst.txt", "a.rst.txt"]


MANUAL = Manual("example", "developed on", (), "", "manual.txt.gz", {"md": "manual.md", "odd": "manual.odd"})


def test_a_manual_gives_a_row_of_counts_for_each_format(tmp_path, capsys):
    (tmp_path / "manual.txt.gz").write_bytes(gzip.compress(f"Contents\n\n{A}\n\n{B}\n\n{C}\n".encode()))
    (tmp_path / "manual.md").write_text(f"# Contents\n\n- **{A}**\n- {C}\n\n{D}\n", encoding="utf-8")
    (tmp_path / "manual.odd").write_bytes(b"?")

    read, refused = measure(MANUAL, "1.0", tmp_path, None, 1)

    said = {"manual": "example", "version": "1.0", "role": "developed on"}
    counts = {"counted": 3, "one_to_one": 2, "found": 2, "in_order": 2, "back_counted": 3, "back_found": 2}
    assert read == {**said, "format": "md", **counts}
    assert refused["error"].startswith("manual.odd cannot be read")
    shown = capsys.readouterr().out
    assert shown.startswith("example 1.0 (developed on): 3 paragraphs of the text version count; left out are 1 short")
    assert f"not in md: {B}" in shown


def test_no_text_is_shown_unless_it_is_asked_for(tmp_path, capsys):
    (tmp_path / "manual.txt.gz").write_bytes(gzip.compress(A.encode()))
    (tmp_path / "manual.md").write_text(B, encoding="utf-8")

    list(measure(MANUAL, "1.0", tmp_path, "md", 0))

    assert A not in capsys.readouterr().out


def test_the_newest_file_of_a_package_that_is_there_already_is_taken(tmp_path):
    for age, name in enumerate(("example_2_all.deb", "example_1_all.deb", "example-doc_3_all.deb")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1_000 - age, 1_000 - age))

    assert fetch("example", tmp_path).name == "example_2_all.deb"
