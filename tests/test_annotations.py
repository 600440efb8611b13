"""A citation as a W3C Web Annotation and as a URL with a text fragment."""

from urllib.parse import unquote

import pytest

from ragkit.annotations import annotate, selectors, text_fragment
from ragkit.errors import InputError
from ragkit.records import Citation, DocumentRef, Paragraph

TEXT = "Anna came early. Bob, her brother, stayed away - as always. Nobody minded much at all."
PARAGRAPH = Paragraph(DocumentRef("papers/a b.txt", "sha256:0"), 2, 100, 100 + len(TEXT), TEXT)
QUOTE = "Bob, her brother, stayed away - as always."
START = 100 + TEXT.index(QUOTE)
CITATION = Citation(1, PARAGRAPH, START, START + len(QUOTE), QUOTE, 0.5)


def test_the_quotation_stands_between_its_neighbours_and_at_its_offsets():
    words, position = selectors(CITATION)
    assert words == {
        "type": "TextQuoteSelector",
        "exact": QUOTE,
        "prefix": "Anna came early. ",
        "suffix": " Nobody minded much at all.",
    }
    assert position == {"type": "TextPositionSelector", "start": START, "end": START + len(QUOTE)}


def test_prefix_and_suffix_are_short():
    long = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, 206, "a" * 100 + "needle" + "b" * 100)
    words, _ = selectors(Citation(1, long, 100, 106, "needle", 1.0))
    assert (words["prefix"], words["suffix"]) == ("a" * 32, "b" * 32)


def test_the_annotation_names_document_and_sentence():
    annotation = annotate(CITATION, body="Bob stayed away.")
    assert annotation["type"] == "Annotation"
    assert annotation["body"]["value"] == "Bob stayed away."
    assert annotation["target"] == {"source": "papers/a b.txt", "selector": selectors(CITATION)}


def test_on_the_web_the_target_is_a_url_that_scrolls_to_the_words():
    target = annotate(CITATION, url="https://example.org/")["target"]
    assert target["source"] == "https://example.org/papers/a%20b.txt"
    assert target["id"] == f"{target['source']}#{text_fragment(CITATION)}"


def test_commas_and_hyphens_of_a_quotation_are_not_those_of_the_fragment():
    fragment = text_fragment(CITATION)
    assert not set(",-") & set(fragment.removeprefix(":~:text="))
    assert unquote(fragment) == f":~:text={QUOTE}"


def test_a_long_quotation_is_named_by_its_ends():
    text = " ".join(f"w{n}" for n in range(30))
    paragraph = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(text), text)
    fragment = text_fragment(Citation(1, paragraph, 0, len(text), text, 1.0))
    assert unquote(fragment) == ":~:text=w0 w1 w2 w3 w4,w25 w26 w27 w28 w29"


def cited(text, quote, path="a.txt", start=0):
    """A citation of words in a document of one paragraph."""
    paragraph = Paragraph(DocumentRef(path, "sha256:0"), 1, 0, len(text), text)
    place = text.index(quote, start)
    return Citation(1, paragraph, place, place + len(quote), quote, 1.0)


def test_of_words_that_stand_twice_those_around_tell_which_are_meant():
    text = "The vote passed. Bob left early. The vote passed. Anna stayed."
    fragment = text_fragment(cited(text, "The vote passed.", start=20))
    assert unquote(fragment) == ":~:text=Bob left early.-,The vote passed.,-Anna stayed."


def test_markdown_is_looked_for_as_a_browser_shows_it():
    quote = "The **new** bridge of [Lund](https://lund.example) is `safe`."
    assert unquote(text_fragment(cited(quote, quote, "a.md"))) == ":~:text=The new bridge of Lund is safe."


def test_a_path_under_the_root_is_an_address_and_an_absolute_one_is_not():
    citation = cited("It is safe.", "It is safe.", "/home/me/papers/b/a.txt")
    target = annotate(citation, url="https://example.org", root="/home/me/papers")["target"]
    assert target["source"] == "https://example.org/b/a.txt"
    with pytest.raises(InputError, match="--root"):
        annotate(citation, url="https://example.org")


def test_the_whole_document_lends_the_words_around_a_short_paragraph():
    text = "Before it.\n\nIt is safe.\n\nAfter it."
    paragraph = Paragraph(DocumentRef("a.txt", "sha256:0"), 2, 12, 23, "It is safe.")
    words, _ = selectors(Citation(1, paragraph, 12, 23, "It is safe.", 1.0), text)
    assert (words["prefix"], words["suffix"]) == ("Before it.\n\n", "\n\nAfter it.")
