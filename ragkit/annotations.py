"""A citation as other programs read it: a W3C Web Annotation, and a URL that scrolls to the quoted words.

Both find the words again in a copy of the document that was never indexed here: by what they are and what stands
beside them, and by where they stood. Called by `cli`.

Sources: Web Annotation Data Model (W3C 2017), sections 3.1, 4.2.4 and 4.2.5; URL Fragment Text Directives (WICG).
"""

import re
from typing import Any
from urllib.parse import quote as percent_encoded

from ragkit.errors import InputError
from ragkit.records import Citation

CONTEXT_CHARS = 32
"""So much before and after the quotation goes along, in code points."""

SHORT_WORDS = 12
"""A longer quotation is named in a URL by its first and last words."""

END_WORDS = 5

CONTEXT_WORDS = 3

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"\*\*|__|\*|`|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)")


def annotate(
    citation: Citation, *, body: str | None = None, url: str | None = None, root: str = "", text: str | None = None
) -> dict[str, Any]:
    """The citation as a Web Annotation, ready for JSON.

    Args:
        citation: Of an answer.
        body: The sentence that cites it.
        url: Where the documents stand on the web; by default the source is the document's path.
        root: The folder that stands at the URL; paths of documents in it are taken from there on.
        text: Of the whole document, for the words around the quotation; else its paragraph gives them.

    Raises:
        InputError: The document's path is absolute and not in `root`, so that it is nowhere under the URL.
    """
    said = {} if body is None else {"body": {"type": "TextualBody", "value": body, "format": "text/plain"}}
    path = citation.paragraph.document.path
    source = path if url is None else _address(path, url, root)
    target = {"source": source, "selector": selectors(citation, text)}
    if url is not None:
        target["id"] = f"{source}#{text_fragment(citation, text)}"
    return {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "type": "Annotation",
        "motivation": "linking",
        **said,
        "target": target,
    }


def _address(path: str, url: str, root: str) -> str:
    inside = path.removeprefix(f"{root.rstrip('/')}/") if root else path
    if inside.startswith("/"):
        raise InputError(f"{path} is no address under {url}. Name the folder that stands there: --root FOLDER")
    return f"{url.rstrip('/')}/{percent_encoded(inside, errors='surrogateescape')}"


def selectors(citation: Citation, text: str | None = None) -> list[dict[str, Any]]:
    """A TextQuoteSelector and a TextPositionSelector, in code points; either of them finds the words.

    Args:
        citation: Of an answer.
        text: Of the whole document; else the paragraph's.
    """
    before, after = _around(citation, text)
    return [
        {"type": "TextQuoteSelector", "exact": citation.quote, "prefix": before, "suffix": after},
        {"type": "TextPositionSelector", "start": citation.start, "end": citation.end},
    ]


def _around(citation: Citation, text: str | None) -> tuple[str, str]:
    """What stands before and after the quotation."""
    offset = citation.paragraph.start if text is None else 0
    whole = citation.paragraph.text if text is None else text
    start, end = citation.start - offset, citation.end - offset
    return whole[max(0, start - CONTEXT_CHARS) : start], whole[end : end + CONTEXT_CHARS]


def text_fragment(citation: Citation, text: str | None = None) -> str:
    """What, after the # of a page's URL, makes a browser scroll to the quotation and highlight it.

    Where the document has the same words twice, the words before and after tell which are meant.

    Args:
        citation: Of an answer.
        text: Of the whole document; else the paragraph's.
    """
    words = _as_shown(citation, citation.quote).split()
    ends = [words] if len(words) <= SHORT_WORDS else [words[:END_WORDS], words[-END_WORDS:]]
    parts = [_encoded(" ".join(part)) for part in ends]
    if (citation.paragraph.text if text is None else text).count(citation.quote) > 1:
        before, after = (_as_shown(citation, around).split() for around in _around(citation, text))
        parts = [
            *([f"{_encoded(' '.join(before[-CONTEXT_WORDS:]))}-"] if before else []),
            *parts,
            *([f"-{_encoded(' '.join(after[:CONTEXT_WORDS]))}"] if after else []),
        ]
    return ":~:text=" + ",".join(parts)


def _as_shown(citation: Citation, words: str) -> str:
    """The words as a browser shows them: of Markdown without its marks."""
    if not citation.paragraph.document.path.lower().endswith((".md", ".markdown")):
        return words
    return _EMPHASIS.sub("", _LINK.sub(r"\1", words))


def _encoded(words: str) -> str:
    """Percent-encoded; the hyphen too, which would part a prefix from the text."""
    return percent_encoded(words, safe="").replace("-", "%2D")
