import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragkit.errors import DocumentError
from ragkit.readers.code import MAX_LINES, read_code
from ragkit.readers.code_lines import CODE_NAMES, CODE_SUFFIXES
from ragkit.readers.extraction import Source


def read(text: str, name: str = "a.py"):
    return read_code(Source(name, text.encode(), read_code))


def pieces(text: str, name: str = "a.py"):
    """The first line of each piece, its place, its headings and its kind."""
    extracted = read(text, name)
    return [
        (extracted.text[span.start : span.end].split("\n")[0], span.place, span.headings, span.kind)
        for span in extracted.spans
    ]


def body(lines: int, indent: str = "    ") -> str:
    return "\n".join(f"{indent}x = {number}" for number in range(lines))


PYTHON = '''"""The store enters, the answer leaves. Nothing else is done here."""

import os
import sys

LIMIT = 3

# How it is put.
@cache
def put(value):
    """Puts it."""
    first = value

    return first


class Store:
    """A store."""
    size = 1
'''


def test_functions_stay_whole_with_their_comments_and_what_is_short_is_joined():
    assert pieces(PYTHON) == [
        ('"""The store enters, the answer leaves. Nothing else is done here."""', "line 1", (), "prose"),
        ("import os", "lines 3-6", (), "code"),
        ("# How it is put.", "lines 8-14", (), "code"),
        ("class Store:", "lines 17-19", (), "code"),
    ]


def test_the_text_is_that_of_the_file():
    extracted = read("def f():\r\n\treturn 1\f\n\n\n\nx = 1\n")

    assert extracted.text == "def f():\n\treturn 1 \n\n\n\nx = 1\n"
    assert [extracted.text[span.start : span.end] for span in extracted.spans] == ["def f():\n\treturn 1", "x = 1"]


def test_a_long_class_is_cut_at_its_methods():
    methods = "\n\n".join(f"    @property\n    def get{number}(self):\n{body(20, ' ' * 8)}" for number in range(4))
    head = 'class Store(Base):\n    """A store.\n\n    It keeps things.\n    """\n\n    size = 1'
    text = f"{head}\n\n{methods}\n\n\ndef after():\n    pass\n"

    assert pieces(text) == [
        ("class Store(Base):", "lines 1-7", (), "code"),
        ("@property", "lines 9-30", ("class Store(Base)",), "code"),
        ("@property", "lines 32-53", ("class Store(Base)",), "code"),
        ("@property", "lines 55-76", ("class Store(Base)",), "code"),
        ("@property", "lines 78-99", ("class Store(Base)",), "code"),
        ("def after():", "lines 102-103", (), "code"),
    ]


def test_a_long_function_is_cut_at_blank_lines_into_parts_of_a_screen():
    blocks = "\n\n".join(body(24, " " * 8) for _ in range(5))
    text = f"class Store:\n    def put(self):\n{blocks}\n"

    assert [(place, headings) for _, place, headings, _ in pieces(text)] == [
        ("line 1", ()),
        ("lines 2-51", ("class Store",)),
        ("lines 53-101", ("class Store", "def put(self)")),
        ("lines 103-126", ("class Store", "def put(self)")),
    ]


def test_what_nothing_divides_is_cut_after_so_many_lines():
    places = [place for _, place, *_ in pieces("\n".join(f"row {number}" for number in range(150)), "a.sql")]

    assert len(places) == 3
    assert places[0] == f"lines 1-{MAX_LINES}"
    assert places[-1].endswith("-150")


JAVA = """/*
 * Copyright 2026 Ann Lee. You may use this file under the terms of the licence.
 *
 * It comes without any warranty. Do with it what you like.
 */

package a.b;

import java.util.List;

/** A store. */
public class Store<T> extends Base
{
    private int size;

    /**
     * Puts it.
     */
    @Override
    public void put(String key,
                    String value) {
        if (key == null) {
            return;
        }
BODY
    }

    int size() {
        return size;
    }
}
"""


def test_languages_with_braces_are_cut_as_well():
    text = JAVA.replace("BODY", body(50, " " * 8))

    assert pieces(text, "Store.java") == [
        ("/*", "lines 1-5", (), "prose"),
        ("package a.b;", "lines 7-9", (), "code"),
        ("/** A store. */", "lines 11-14", (), "code"),
        ("/**", "lines 16-75", ("public class Store<T> extends Base",), "code"),
        ("int size() {", "lines 77-80", ("public class Store<T> extends Base",), "code"),
    ]


@pytest.mark.parametrize(
    ("name", "opening", "heading"),
    [
        ("a.go", "func (s *Store) Put(key string) error {", "func (s *Store) Put(key string) error"),
        ("a.rs", "pub(crate) fn put<T>(key: T) -> u32 {", "pub(crate) fn put<T>(key: T) -> u32"),
        ("a.js", "export const put = async (key) => {", "export const put = async (key) =>"),
        ("a.ts", "export default class Store {", "export default class Store"),
        ("a.cpp", "void Store::put(int key)\n{", "void Store::put(int key)"),
        ("a.rb", "def put(key)", "def put(key)"),
        ("a.lua", "local function put(key)", "local function put(key)"),
        ("a.ex", "defmodule Store do", "defmodule Store do"),
        ("a.sh", "put() {", "put()"),
        ("a.php", "public function put($key) {", "public function put($key)"),
        ("a.tf", 'resource "aws_s3_bucket" "store" {', 'resource "aws_s3_bucket" "store"'),
        ("a.yaml", "store:", "store"),
        ("a.scss", ".store {", ".store"),
        ("a.ps1", "function Put-Key {", "function Put-Key"),
    ],
)
def test_the_name_that_a_piece_lies_in_is_told_in_many_languages(name, opening, heading):
    text = f"{opening}\n{body(40)}\n\n{body(40)}\n"

    assert pieces(text, name)[-1][2] == (heading,)


def test_sections_of_settings_are_pieces_and_hold_what_follows():
    rows = "\n".join(f"key{number} = {number}" for number in range(80))
    found = pieces(f"[store]\n{rows}\n\n[other]\na = 1\n", "a.toml")

    assert [headings for _, _, headings, _ in found] == [(), ("[store]",), ()]
    assert found[-1][:2] == ("[other]", "lines 83-84")


TEX = r"""
\section{Talks} % now

They began in May. They went on until June.

\subsection{End}

They ended in June. Nobody was glad.
"""


def test_tex_is_prose_under_its_sections():
    assert [(headings, kind) for _, _, headings, kind in pieces(TEX, "a.tex")] == [
        ((), "code"),
        (("Talks",), "prose"),
        (("Talks",), "code"),
        (("Talks", "End"), "prose"),
    ]


@pytest.mark.parametrize(
    ("comment", "kind"),
    [
        ("# It is put here. It is never taken away.", "prose"),
        ("# It is put here.", "code"),
        ("# x = 1. + 2. \n# y = f(x)[0] . \n# z = 3. ", "code"),
        ("#!/bin/sh", "code"),
    ],
)
def test_only_comments_of_several_sentences_are_prose(comment, kind):
    assert pieces(f"{comment}\n\n\n{body(21, '')}\n", "a.sh")[0][3] == kind


def test_a_text_in_quotation_marks_is_not_cut_at_what_stands_in_it():
    text = 'HELP = """\nUsage.\n\ndef of nothing:\n\n# No comment. Not at all.\n"""\n\n\ndef f():\n    pass\n'

    assert [place for _, place, *_ in pieces(text)] == ["lines 1-7", "lines 10-11"]


def test_preprocessor_lines_do_not_end_a_function():
    text = f"int put(int key)\n{{\n{body(30)}\n\n#ifdef LOUD\n{body(30)}\n#endif\n\n{body(10)}\n}}\n"

    assert pieces(text, "a.c")[-1][2] == ("int put(int key)",)


def test_files_are_known_by_suffix_or_by_name():
    assert set(CODE_SUFFIXES) >= {".py", ".go", ".tsx", ".yaml", ".xml", ".tex", ".tf", ".mk"}
    assert set(CODE_NAMES) >= {"dockerfile", "makefile", "cmakelists.txt"}
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in CODE_SUFFIXES)
    assert pieces("all: x\n\tdo\n\nclean:\n\trm\n", "src/Makefile") == [("all: x", "lines 1-5", (), "code")]


def test_a_binary_file_is_refused_and_an_empty_one_has_no_pieces():
    with pytest.raises(DocumentError, match="looks binary"):
        read_code(Source("a.py", bytes(range(256)) * 8, read_code))
    assert read("\n \n").spans == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\n".join(" " * depth + "def a():" for depth in range(1500)) + "\na" * 20_000, id="stairs"),
        pytest.param("@a\n" * 50_000 + "def x():", id="decorators"),
        pytest.param("# a. b. c\n" * 20_000, id="comments"),
        pytest.param('"""\n' * 20_000, id="quotes"),
        pytest.param("public " * 50_000, id="modifiers"),
        pytest.param("f(,\n" * 20_000, id="parameters"),
        pytest.param("class" + " " * 100_000 + "\n" + "x" * 100_000, id="long-lines"),
    ],
)
def test_hostile_files_take_no_time_and_lose_nothing(text):
    check_whole(text, "a.py")


TOKENS = st.sampled_from(
    ['"""', "/*", "*/", "#", "{", "}", "def f():", "class A {", "@x", "\n", "\n\n", "    ", "[a]", "a:", "f(a,"]
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(TOKENS, max_size=150), st.sampled_from(["a.py", "a.c", "a.yaml", "a.toml", "a.tex", "a.lua", "Makefile"])
)
def test_the_pieces_hold_the_whole_file_in_order(tokens, name):
    check_whole(" ".join(tokens), name)
    check_whole("\n".join(tokens), name)


def check_whole(text: str, name: str) -> None:
    extracted = read(text, name)
    end = 0
    for span in extracted.spans:
        assert not extracted.text[end : span.start].strip()
        content = extracted.text[span.start : span.end]
        assert content == content.strip() != ""
        assert content.count("\n") < MAX_LINES
        end = span.end
    assert not extracted.text[end:].strip()
