"""HTML and SVG that cannot be broken by what stands in documents: every text is escaped unless it is `Html` already.

Called by `charts`, `sections` and `page`.
"""

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

VOID = frozenset({"meta", "input", "col", "br"})


class Html(str):
    """Text that is HTML already; only this module and what it gives back make it."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: str | float | None) -> Html:
    """An element with its content, which is escaped where it is not `Html`.

    Args:
        name: Of the element.
        content: Texts and elements, one after the other.
        attributes: `aria_label` stands for `aria-label`, `class_` for `class`; those that are None are left out.
    """
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    head = "".join(f' {key}="{escape(_number(value))}"' for key, value in given)
    return Html(f"<{name}{head}>" if name in VOID else f"<{name}{head}>{join(content)}</{name}>")


def join(parts: Iterable[str], between: str = "") -> Html:
    """The parts as one piece, escaped where they are not `Html`."""
    return Html(between.join(part if isinstance(part, Html) else escape(part) for part in parts))


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, class_: str | None = None) -> Html:
    """A table whose first column names its rows, in a box that scrolls sideways where the screen is narrow."""
    head = tag("tr", *(tag("th", cell, scope="col") for cell in header))
    body = (tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest)) for first, *rest in rows)
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body), class_=class_)
    return tag("div", whole, class_="scrolls", role="region", aria_label=caption, tabindex=0)


def json_text(value: Any) -> Html:
    """A value as JSON that may stand inside a `script` element: it holds no `<`, `>` or `&`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Html(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _number(value: str | float) -> str:
    """The text of an attribute; numbers get two digits at most."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
