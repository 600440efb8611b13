"""An office file enters, what it says of itself leaves: title, author, date, language, tags.

Called by the readers of Word, PowerPoint and Excel files; the other office formats say it elsewhere but as they do.
"""

import re

from ragkit.readers.extraction import Builder
from ragkit.readers.packages import Package, children, local_name, related

TAG_SEPARATOR = re.compile(r"[,;]")
"""Keywords are one text."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def add_facts(package: Package, builder: Builder) -> None:
    """Notes what a file of Word, PowerPoint or Excel says of itself."""
    properties = children(package.xml(related(package, "", "core-properties") or "docProps/core.xml"))
    said = {local_name(element): element.text or "" for element in properties}
    builder.fact("title", said.get("title"))
    builder.fact("author", said.get("creator"))
    builder.fact("date", date_of(said.get("modified") or said.get("created") or ""))
    builder.fact("language", said.get("language"))
    for tag in TAG_SEPARATOR.split(said.get("keywords", "")):
        builder.fact("tag", tag)


def date_of(moment: str) -> str:
    """The date in front of a time, or nothing if there is none."""
    found = _DATE.match(moment.strip())
    return found.group() if found else ""
