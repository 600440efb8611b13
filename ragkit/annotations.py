"""A citation as other programs read it: a W3C Web Annotation, and a URL that scrolls to the quoted words.

Both find the words again in a copy of the document that was never indexed here: by what they are and what stands
beside them, and by where they stood. Called by `cli`.

Sources: Web Annotation Data Model (W3C 2017), sections 3.1, 4.2.4 and 4.2.5; URL Fragment Text Directives (WICG).
"""

from typing import Any
from urllib.parse import quote as percent_encoded

from ragkit.records import Citation

CONTEXT_CHARS = 32
"""So much before and after the quotation goes along, in code points."""

SHORT_WORDS = 12
"""A longer quotation is named in a URL by its first and last words."""

END_WORDS = 5


def annotate(citation: Citation, *, body: str | None = None, url: str | None = None) -> dict[str, Any]:
    """The citation as a Web Annotation, ready for JSON.

    Args:
        citation: Of an answer; its paragraph gives the words around it.
        body: The sentence that cites it.
        url: Where the documents stand on the web; by default the source is the document's path.
    """
    said = {} if body is None else {"body": {"type": "TextualBody", "value": body, "format": "text/plain"}}
    path = citation.paragraph.document.path
    source = path if url is None else f"{url.rstrip('/')}/{percent_encoded(path)}"
    target = {"source": source, "selector": selectors(citation)}
    if url is not None:
        target["id"] = f"{source}#{text_fragment(citation)}"
    return {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "type": "Annotation",
        "motivation": "linking",
        **said,
        "target": target,
    }


def selectors(citation: Citation) -> list[dict[str, Any]]:
    """A TextQuoteSelector and a TextPositionSelector, in code points; either of them finds the words."""
    start, end = (place - citation.paragraph.start for place in (citation.start, citation.end))
    text = citation.paragraph.text
    before, after = text[max(0, start - CONTEXT_CHARS) : start], text[end : end + CONTEXT_CHARS]
    return [
        {"type": "TextQuoteSelector", "exact": citation.quote, "prefix": before, "suffix": after},
        {"type": "TextPositionSelector", "start": citation.start, "end": citation.end},
    ]


def text_fragment(citation: Citation) -> str:
    """What, after the # of a page's URL, makes a browser scroll to the quotation and highlight it."""
    words = citation.quote.split()
    ends = [words] if len(words) <= SHORT_WORDS else [words[:END_WORDS], words[-END_WORDS:]]
    return ":~:text=" + ",".join(_encoded(" ".join(part)) for part in ends)


def _encoded(words: str) -> str:
    """Percent-encoded; the hyphen too, which would part a prefix from the text."""
    return percent_encoded(words, safe="").replace("-", "%2D")
