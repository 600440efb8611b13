"""Broken files of every format are refused or read, and nothing else happens; files that once did harm are kept."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.fuzz.mutating import Mutator
from evals.fuzz.rules import broken_rules
from evals.fuzz.samples import samples
from evals.fuzz.splitting import split
from evals.fuzz.trying import Problem, try_reader
from ragkit.errors import DocumentError
from ragkit.readers import extract, formats
from ragkit.readers.extraction import Extracted
from ragkit.readers.formats import FORMATS, Format
from ragkit.readers.opening import ReadOptions
from ragkit.readers.spans import Span, trimmed
from ragkit.records import Fact

KEPT = sorted((Path(__file__).parent / "data" / "fuzz").iterdir())
SOUND = samples()
SIZE = 20_000
TIMES = 4
UNJUDGED_S = 0.8  # what takes less for so few characters takes less than a minute for a million, even by its square

REPEATED = {
    "quotes.md": "> " * 60 + "a\n\n",
    "quoted.md": "> a\n",
    "lists.md": "- a\n  - b\n    - c\n",
    "items.md": "- a\n\n",
    "markers.md": "1. - ",
    "brackets.md": "[a](b ",
    "images.md": "# ![",
    "definitions.md": '[a]: b "\n',
    "signs.md": "**a __b _c *d `e ~~f\n\n",
    "emphasis.md": "*a _b **c ",
    "backticks.md": "`a ``b ```c ",
    "pipes.md": "|",
    "table.md": "|a|b|\n|-|-|\n|c|d|\n",
    "fences.md": "```a\n~~~b\n",
    "headings.md": "a\n=\n# b\n",
    "html.md": "<div>\n",
    "comments.md": "<!-- <a\n",
    "scripts.md": "<script>\n\n",
    "spaces.md": " \t",
    "blanks.md": "\n",
    "word.md": "a",
    "lines.txt": "a\n",
    "paragraphs.txt": "a. B\n\n",
    "pages.txt": "a\f",
    "indented.txt": "      a b\n",
    "word.txt": "a",
    "titles.rst": "a\n=\n",
    "roles.rst": ":a:`b |c| *d `e`_ .. f::\n\n",
    "items.rst": "* a\n\n",
    "fields.rst": ":a: b\n",
    "directives.rst": ".. note::\n\n   a\n",
    "grids.rst": "+-+\n|a|\n",
    "stars.rst": "*a `b ",
    "tags.html": "<div><p>a<ul><li>b<td>",
    "inline.html": "<b><i><a>",
    "cells.html": "<table><tr><td rowspan=999 colspan=999>a",
    "attributes.html": "<a b=c d='e f=\"g>",
    "comments.html": "<!-- <script>",
    "entities.html": "&amp;&#x41;&bogus;&#",
    "tags.xhtml": "<div>a",
    "quotes.csv": '"a,b\n',
    "rows.csv": "a,b\n1,2\n\n",
    "commas.csv": ",",
    "braces.json": '{"a": [',
    "quotes.json": '"a',
    "lines.jsonl": '{"a": "b"\n',
    "groups.rtf": "{\\rtf1 {\\b a",
    "notes.rtf": "{\\rtf1 {\\footnote a}",
    "cells.rtf": "{\\rtf1 \\intbl a\\cell\\row ",
    "heads.eml": "Subject: =?utf-8?q?a?=\n b\n",
    "heads.mbox": "From a@b Mon May  4 10:00:00 2026\nSubject: x\n\n",
    "braces.js": "function a() {\n",
    "comments.c": "/* a. b.\n",
    "strings.py": '"""\n',
    "keys.yaml": "a:\n",
    "sections.toml": "[a]\n",
    "sections.tex": "\\section{a\n",
}
"""What is written over and over again, by the name of the file."""

HEAD = "From: a@b\nSubject: c\nContent-Type: {}\n\n"
MADE: dict[str, Callable[[int], str]] = {
    "rising.md": lambda size: "".join("  " * (line % 60) + "- a\n" for line in range(size // 60)),
    "front.md": lambda size: "---\n" + "a: [\n" * (size // 5),
    "rising.rst": lambda size: "".join(" " * (line % 400) + "a\n\n" for line in range(size // 200)),
    "rising.py": lambda size: "".join(" " * (line % 400) + "def a():\n" for line in range(size // 200)),
    "unclosed.csv": lambda size: 'a,"b\n' + "c,d\n" * (size // 4),
    "cell.csv": lambda size: 'a,b\n"' + "c\n" * (size // 2) + '",d\n',
    "keys.json": lambda size: json.dumps({f"k{number}": {"a": 1} for number in range(size // 18)}),
    "deep.json": lambda size: '{"a":' * 90 + "[" + '{"b":1},' * (size // 8) + "{}]" + "}" * 90,
    "headings.ipynb": lambda size: json.dumps({"cells": [{"cell_type": "markdown", "source": "# a\n" * (size // 4)}]}),
    "cells.ipynb": lambda size: json.dumps({"cells": [{"cell_type": "markdown", "source": "# a"}] * (size // 45)}),
    "quoted.eml": lambda size: HEAD.format("text/plain") + "> a\n" * (size // 4),
    "signed.eml": lambda size: HEAD.format("text/plain") + "-- \na\n" * (size // 6),
    "wrote.eml": lambda size: HEAD.format("text/plain") + "On 1 May x wrote:\n> a\n" * (size // 22),
    "flowed.eml": lambda size: HEAD.format("text/plain; format=flowed") + "> a \nb \n" * (size // 8),
    "parts.eml": lambda size: HEAD.format("multipart/mixed; boundary=x") + "--x\n\na\n" * (size // 7),
    "nested.eml": lambda size: (
        HEAD.format("multipart/mixed; boundary=x") + "--x\nContent-Type: multipart/mixed; boundary=x\n\n" * (size // 45)
    ),
}


def problems(name: str, data: bytes) -> list[tuple[str, str, str]]:
    return [(one.kind, one.what, one.where) for one in try_reader(name, data).problems]


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_a_file_that_once_did_harm_does_none(file):
    assert problems(file.name, file.read_bytes()) == []
    with suppress(DocumentError):
        extract(file.name, file.read_bytes(), ReadOptions(1_000_000))


def test_there_is_a_sound_file_of_every_format():
    assert SOUND.keys() == {one.name for one in FORMATS.values()}
    for files in SOUND.values():
        for name, data in files.items():
            trial = try_reader(name, data)
            assert (trial.problems, dict(trial.foreign)) == ([], {}), name
            assert trial.extracted is not None, name


def test_what_is_taken_apart_and_put_together_is_what_it_was():
    for files in SOUND.values():
        for name, data in files.items():
            whole = split(name, data)
            if whole:
                again = split(name, whole.join(whole.parts))
                assert again is not None, name
                assert again.parts == whole.parts, name


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(sorted(SOUND)), number=st.integers(0, 99), seed=st.integers(0, 2**32))
def test_a_file_with_some_things_wrong_is_refused_or_read(kind, number, seed):
    name, data = sorted(SOUND[kind].items())[number % len(SOUND[kind])]
    broken = Mutator("formats", SOUND[kind]).mutated(seed, name, data)
    assert problems(name, broken) == []


@settings(max_examples=200, deadline=None)
@given(suffix=st.sampled_from(sorted(FORMATS)), data=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_under_any_name_are_refused_or_read(suffix, data):
    assert problems(f"a{suffix}", data) == []


@pytest.mark.parametrize("name", [*REPEATED, *MADE])
def test_time_grows_with_the_size_of_a_file_and_not_with_its_square(name):
    def seconds(size: int) -> float:
        text = MADE[name](size) if name in MADE else REPEATED[name] * (size // len(REPEATED[name]))
        trial = try_reader(name, text.encode(), limit_s=60)
        assert trial.problems == []
        return trial.seconds

    longer = seconds(TIMES * SIZE)
    assert longer < UNJUDGED_S or longer < TIMES * TIMES / 2 * seconds(SIZE)


def planted(monkeypatch: pytest.MonkeyPatch, reader: Callable) -> None:
    monkeypatch.setitem(formats.FORMATS, ".txt", Format("text", 1, reader, ".txt"))


def endless(_: object) -> Extracted:
    while True:
        pass


def greedy(_: object) -> Extracted:
    raise MemoryError


def test_an_exception_in_a_line_of_ragkit_is_a_problem_and_one_in_a_library_is_counted(monkeypatch):
    planted(monkeypatch, lambda _: trimmed(None, 0, 1))
    (problem,) = try_reader("a.txt", b"").problems
    assert (problem.kind, problem.what) == ("exception", "TypeError")
    assert problem.where.startswith("spans.py:")
    assert problem.where.endswith(" trimmed")

    planted(monkeypatch, lambda _: json.loads("{"))
    trial = try_reader("a.txt", b"")
    assert trial.problems == []
    assert [what for what, _ in trial.foreign] == ["JSONDecodeError"]


def test_a_reader_that_takes_too_long_or_too_much_is_stopped(monkeypatch):
    planted(monkeypatch, endless)
    assert try_reader("a.txt", b"", limit_s=0.05).problems == [Problem("slow", "stopped", "")]

    planted(monkeypatch, greedy)
    assert try_reader("a.txt", b"").problems == [Problem("memory", "MemoryError", "")]


@pytest.mark.parametrize(
    ("extracted", "rule"),
    [
        (Extracted("a\x00", [Span(0, 1)]), "text holds U+0000"),
        (Extracted("a\x85b", [Span(0, 1)]), "text holds U+0085"),
        (Extracted("a\fb", [Span(0, 1)]), "text holds U+000C"),
        (Extracted("a\ud800", [Span(0, 1)]), "text holds half a character"),
        (Extracted("ab", [Span(1, 2), Span(0, 1)]), "spans empty, in disorder or outside the text"),
        (Extracted("ab", [Span(0, 3)]), "spans empty, in disorder or outside the text"),
        (Extracted("a b", [Span(0, 2)]), "span with space around it"),
        (Extracted("a", [Span(0, 1, page=0)]), "page before the first"),
        (Extracted("a", [Span(0, 1, headings=("x" * 161,))]), "heading too long"),
        (Extracted("a", [Span(0, 1, headings=("",))]), "heading empty"),
        (Extracted("a", [Span(0, 1, place="b\u2028c")]), "place with a control character or a line end"),
        (Extracted("a", [], (Fact("Title", "b"),)), "name of a fact not in lower case"),
        (Extracted("a", [], (Fact("title", "\x1b"),)), "value of a fact with a control character or a line end"),
        (Extracted("a", [], (), ("x" * 5_000,)), "arrives as something else"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_rule_that_is_broken_is_named(extracted, rule):
    assert rule in list(broken_rules(extracted, "docx"))
    assert list(broken_rules(Extracted("a\n\nb", [Span(0, 1), Span(3, 4, page=1)]), "docx")) == []
