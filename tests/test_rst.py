import sys

import pytest
from docutils.parsers.rst import Directive, directives, roles
from hypothesis import given, settings
from hypothesis import strategies as st

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Extracted, Source
from ragkit.readers.rst.document import read_rst
from ragkit.readers.rst.parser import MAX_CHARS


def read(text: str) -> Extracted:
    return read_rst(Source("a.rst", text.encode(), read_rst))


def spans(text: str):
    extracted = read(text)
    return [(span.kind, extracted.text[span.start : span.end]) for span in extracted.spans]


def texts(text: str):
    return [content for _, content in spans(text)]


MANUAL = """
.. A comment that nobody sees.

.. _store:

The store
=========

The store keeps what it is *given*, as ``bytes`` do.
It never forgets.

* One item.
* Another item,
  on two lines.

  Its second paragraph.

Limits
------

1. Ten.

   - Inner.

Taking it apart
---------------

::

    store.open()

    store.close()

    As a quotation.
"""


def test_a_document_falls_into_the_paragraphs_a_reader_sees():
    assert spans(MANUAL) == [
        ("heading", "The store"),
        ("prose", "The store keeps what it is given, as bytes do. It never forgets."),
        ("list", "One item."),
        ("list", "Another item, on two lines."),
        ("list", "Its second paragraph."),
        ("heading", "Limits"),
        ("list", "Ten."),
        ("list", "Inner."),
        ("heading", "Taking it apart"),
        ("code", "store.open()\n\nstore.close()\n\nAs a quotation."),
    ]


def test_paragraphs_stand_under_their_headings():
    paths = {span.headings for span in read(MANUAL).spans}

    assert paths == {(), ("The store",), ("The store", "Limits"), ("The store", "Taking it apart")}
    assert [len(heading) for heading in read("x" * 300 + "\n" + "=" * 300 + "\n\nText.").spans[-1].headings] == [160]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("term : kind\n  What it is.\n\n  More.", ["term (kind): What it is.", "More."], id="definitions"),
        pytest.param("What is it?\n  A thing.", ["What is it? A thing."], id="questions"),
        pytest.param(
            "Text.\n\n:name: Value\n:other:\n  On the\n  next line.",
            ["Text.", "name: Value", "other: On the next line."],
            id="fields",
        ),
        pytest.param(
            "-f FILE, --file=FILE  Reads it.\n/V  Says so.",
            ["-f FILE, --file=FILE: Reads it.", "/V: Says so."],
            id="options",
        ),
        pytest.param("| One line\n| and\n|   more", ["One line\nand\n  more"], id="lines"),
        pytest.param("Text:\n\n  A quote.\n\n  -- Ann", ["Text:", "A quote.", "Ann"], id="quotes"),
        pytest.param(
            "Some [1]_ and [#]_ and [#b]_ and [Lee]_.\n\n.. [1] One.\n.. [#b] Three.\n.. [#] Two.\n.. [Lee] Who.",
            ["Some [1] and [3] and [2] and [Lee].", "[1] One.", "[2] Three.", "[3] Two.", "[Lee] Who."],
            id="notes",
        ),
        pytest.param(".. image:: a.png\n   :alt: A red apple\n\n.. image:: b.png\n", ["A red apple"], id="images"),
        pytest.param(
            ".. figure:: a.png\n   :alt: An apple\n   :figwidth: image\n\n   The caption.\n\n   The legend.",
            ["An apple", "The caption.", "The legend."],
            id="figures",
        ),
        pytest.param(
            "It says `here <http://a.org>`_ and `there`__ and http://b.org.\n\n__ http://c.org",
            ["It says here and there and http://b.org."],
            id="links",
        ),
        pytest.param(">>> 1 + 1\n2", [">>> 1 + 1\n2"], id="doctests"),
        pytest.param("It is A\\*b\u00a0c\u00add or not.", ["It is A*b cd or not."], id="escapes"),
        pytest.param("Text.\n\n----\n\nMore.", ["Text.", "More."], id="rules"),
    ],
)
def test_what_stands_in_a_document_is_kept(text, expected):
    assert texts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(".. note:: Take care\n   of it.\n\n   Always.", ["Take care of it.", "Always."], id="notes"),
        pytest.param(".. admonition:: By the way\n\n   It rains.", ["By the way", "It rains."], id="titled"),
        pytest.param(
            ".. versionadded:: 3.2\n   The *second* one.", ["New in version 3.2: The second one."], id="versions"
        ),
        pytest.param(
            ".. deprecated-removed:: 3.2 3.4\n\n   Not used.",
            ["Deprecated since version 3.2, removed in version 3.4.", "Not used."],
            id="removals",
        ),
        pytest.param(
            ".. code-block:: python\n   :caption: a.py\n\n   def f():\n       pass",
            ["a.py", "def f():\n    pass"],
            id="code",
        ),
        pytest.param(".. parsed-literal::\n\n   a  *b*", ["a  b"], id="marked-code"),
        pytest.param(".. math:: a = b", ["a = b"], id="formulas"),
        pytest.param(
            ".. toctree::\n   :maxdepth: 2\n\n   one\n   two\n\n.. contents::\n.. index:: x\n.. raw:: html\n\n   <b>",
            [],
            id="no-text",
        ),
        pytest.param(".. only:: html\n\n   For the web.", ["For the web."], id="only"),
        pytest.param(".. glossary::\n\n   apple\n     A fruit.", ["apple: A fruit."], id="glossary"),
        pytest.param(
            ".. strange:: With words\n   :option: x\n\n   And content.", ["With words", "And content."], id="unknown"
        ),
        pytest.param(".. rubric:: See also", ["See also"], id="rubrics"),
        pytest.param(".. include:: /etc/passwd\n\n.. literalinclude:: /etc/passwd\n", [], id="includes"),
    ],
)
def test_directives_leave_the_text_they_hold(text, expected):
    assert texts(text) == expected


def test_what_describes_an_object_stands_under_its_signature():
    extracted = read(
        ".. py:function:: put(key)\n                 put(key, value)\n\n   Puts it.\n\n   :param key: Where.\n\nText."
    )

    assert [(span.kind, extracted.text[span.start : span.end], span.headings) for span in extracted.spans] == [
        ("code", "put(key)\nput(key, value)", ()),
        ("prose", "Puts it.", ("put(key) put(key, value)",)),
        ("list", "param key: Where.", ("put(key) put(key, value)",)),
        ("prose", "Text.", ()),
    ]


ROLES = """
.. _top:

The top
=======

.. role:: html(raw)
   :format: html

.. role:: loud

See :ref:`top`, :ref:`Up <top>`, :ref:`far`, :doc:`/a/b`, :py:func:`~a.b.c`, :term:`x` and :file:`a <b>`.

Or :html:`<br>` this :loud:`time` :pep:`8` :sup:`2`.
"""


def test_roles_show_their_title_or_their_target():
    assert texts(ROLES)[1:] == [
        "See The top, Up, far, /a/b, c, x and a <b>.",
        "Or this time PEP 8 2.",
    ]


SUBSTITUTIONS = """
|a| and |B|, |logo| |unknown|.

.. |a| replace:: An *apple*
.. |b| replace:: |a| and a pear
.. |logo| image:: a.png
   :alt: Logo
"""


def test_substitutions_are_put_in_place():
    assert texts(SUBSTITUTIONS) == ["An apple and An apple and a pear, Logo unknown."]


def test_substitutions_cannot_multiply_without_end():
    definitions = [f".. |a{n}| replace:: " + f"|a{n - 1}| " * 50 for n in range(1, 9)]
    extracted = read(
        "\n".join(
            [".. |a0| replace:: " + "x" * 1000, *definitions, "", "|a3| " * 50, "", ".. |b| replace:: |b|", "", "|b|"]
        )
    )

    assert len(extracted.text) < 2_000_000
    assert extracted.text.endswith("b")


TABLES = """
=====  =====  ======
Fruit  Sold   Price
=====  =====  ======
apple  10     2
pear          3
=====  =====  ======

+-------+---------------+
| Fruit | Sold          |
|       +-------+-------+
|       | here  | there |
+=======+=======+=======+
| apple | 10    | 2     |
|       +-------+-------+
|       | 11    | 3     |
+-------+-------+-------+
| none at all           |
+-------+-------+-------+

.. csv-table:: Sales
   :header: "Fruit", "Sold"

   apple, 10
   "a, b"

.. list-table::
   :header-rows: 1

   * - Fruit
     - Sold
   * - apple
     - * 10
       * 11
"""


def test_tables_are_read_row_by_row():
    assert spans(TABLES) == [
        ("table", "Fruit: apple; Sold: 10; Price: 2"),
        ("table", "Fruit: pear; Price: 3"),
        ("table", "Fruit: apple; Sold here: 10; Sold there: 2"),
        ("table", "Fruit: apple; Sold here: 11; Sold there: 3"),
        ("table", "Fruit: none at all"),
        ("prose", "Sales"),
        ("table", "Fruit: apple; Sold: 10"),
        ("table", "Fruit: a, b"),
        ("table", "Fruit: apple; Sold: 10 11"),
    ]


FACTS = """
The store
=========

:Authors: Ann Lee; Bob Ray
:Date: $Date: 2026/06/01 $
:Version: 1.2
:Abstract: Short.
:orphan:

Text.

.. meta::
   :keywords: apples, pears
"""


def test_a_document_says_its_title_and_who_wrote_it():
    extracted = read(FACTS)

    assert [(fact.name, fact.value) for fact in extracted.facts] == [
        ("title", "The store"),
        ("author", "Ann Lee"),
        ("author", "Bob Ray"),
        ("date", "2026-06-01"),
        ("version", "1.2"),
        ("tag", "apples"),
        ("tag", "pears"),
    ]
    assert texts(FACTS)[-2:] == ["Abstract: Short.", "Text."]
    assert read("One\n===\n\nText.\n\nTwo\n===\n\nText.").facts == ()


FAULTS = """
An *unclosed word and `another.

.. csv-table::
   :file: /etc/passwd

.. list-table::

   No list at all.

Title
==

   Indented.
  Less.
"""


def test_text_that_makes_no_sense_to_the_parser_is_kept():
    assert set(" ".join(texts(FAULTS)).split()) >= {"*unclosed", "`another.", "list", "Title", "Indented.", "Less."}
    assert "root" not in read(FAULTS).text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("\n\n".join(" " * 2 * depth + "* a" for depth in range(400)), "nests too deeply", id="deep"),
        pytest.param("word " * (MAX_CHARS // 5 + 1), "has more than 1,000,000 characters", id="long"),
        pytest.param("9" * 5000 + ". A list.", "is not valid", id="number"),
        pytest.param("p\n\n* a\n\n" * 14_000, "holds more lists and directives", id="lists"),
    ],
)
def test_what_cannot_be_parsed_is_read_as_plain_text(text, reason):
    extracted = read(text)

    assert extracted.text == text
    assert extracted.spans
    assert extracted.warnings[0].startswith(reason)
    assert extracted.warnings[0].endswith("so that it was read as plain text")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("*a " * 30_000, id="marks"),
        pytest.param("a-" * 30_000, id="hyphens"),
        pytest.param("`a" + " " * 60_000 + "b`_", id="spaces"),
        pytest.param(".. _a" + "\n   b" * 10_000, id="target"),
        pytest.param(".. |a" + "\n   b" * 10_000, id="substitution"),
        pytest.param("= " * 10_000 + "\n" + "a " * 10_000 + "\n" + "= " * 10_000, id="columns"),
        pytest.param(".. csv-table::\n\n   " + "a," * 2_000 + "\n" + "   b\n" * 300, id="cells"),
    ],
)
def test_hostile_documents_take_no_time(text):
    assert len(read(text).text) <= 2 * len(text)


def test_what_others_registered_with_docutils_is_neither_run_nor_changed(monkeypatch):
    class Exploding(Directive):
        has_content = True

        def run(self):
            raise AssertionError

    def explode(*arguments):
        raise AssertionError

    monkeypatch.setitem(directives._directives, "note", Exploding)
    monkeypatch.setitem(roles._roles, "ref", explode)
    monkeypatch.setitem(roles._roles, "", explode)
    before = dict(directives._directives), dict(roles._roles)

    assert texts(".. note:: Text.\n\n.. role:: new\n.. default-role:: math\n\n:ref:`a` `b` :new:`c`") == [
        "Text.",
        "a b c",
    ]
    assert (directives._directives, roles._roles) == before


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "docutils", None)

    with pytest.raises(DocumentError, match=r"^a\.rst needs docutils\. Install it: pip install docutils$"):
        read("Text.")


def test_a_binary_file_is_refused():
    with pytest.raises(DocumentError, match="looks binary"):
        read_rst(Source("a.rst", bytes(range(256)) * 8, read_rst))


MARKS = st.sampled_from(
    [
        *"* ** ` `` _ __ | :: .. + - = +--+ [1]_ :a: :ref:` 1. -- === a b".split(),
        *(".. [#] ", ".. _a: ", ".. note:: ", ".. |a| ", ".. csv-table:: ", "\n", "\n\n"),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(MARKS, st.sampled_from(["", " ", "\n", "\n\n", "\n   "])), max_size=40))
def test_no_text_makes_it_fail_and_spans_are_in_order(parts):
    extracted = read("".join(mark + space for mark, space in parts))

    end = 0
    for span in extracted.spans:
        content = extracted.text[span.start : span.end]
        assert span.start >= end
        assert content == content.strip() != ""
        assert all(character >= " " or character in "\n\t" for character in content)
        end = span.end
