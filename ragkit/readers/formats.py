"""Which reader takes which file: the one table of suffixes and names.

Called by `ragkit.readers`. Packed files (`.txt.gz`) are known by what is inside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from ragkit.readers.archives import read_gzip, read_tar, read_zip
from ragkit.readers.code import read_code
from ragkit.readers.code_lines import CODE_NAMES, CODE_SUFFIXES
from ragkit.readers.csv_rows import read_csv
from ragkit.readers.decoding import decode
from ragkit.readers.extraction import Extracted, Source
from ragkit.readers.front_matter import front_matter_facts
from ragkit.readers.json_records import read_json, read_jsonl
from ragkit.readers.mail.messages import read_eml, read_mbox
from ragkit.readers.markdown import markdown_spans
from ragkit.readers.notebook import read_notebook
from ragkit.readers.office.docx import read_docx
from ragkit.readers.office.odf import read_odf
from ragkit.readers.office.pptx import read_pptx
from ragkit.readers.office.rtf import read_rtf
from ragkit.readers.office.sheets import read_sheets
from ragkit.readers.pdf.document import read_pdf
from ragkit.readers.rst.document import read_rst
from ragkit.readers.text import text_spans
from ragkit.readers.web.epub import read_epub
from ragkit.readers.web.html import read_html


@dataclass(frozen=True, slots=True)
class Format:
    """How files of one kind are read.

    Attributes:
        name: In lower case.
        version: Raised whenever a file would give other text or other paragraphs than before.
        read: The reader.
        suffixes: What the names of its files end in, in lower case.
        is_plain: Whether ragkit alone reads it, in time and memory in proportion to its size.
    """

    name: str
    version: int
    read: Callable[[Source], Extracted]
    suffixes: str
    is_plain: bool = False

    @property
    def reader(self) -> str:
        """What an index notes of how a document was read."""
        return f"{self.name}/{self.version}"


def _read_text(source: Source) -> Extracted:
    text = decode(source.data, source.name)
    return Extracted(text, text_spans(text))


def _read_markdown(source: Source) -> Extracted:
    text = decode(source.data, source.name)
    return Extracted(text, markdown_spans(text), front_matter_facts(text))


_CODE = Format("code", 1, read_code, " ".join(sorted(CODE_SUFFIXES)))
_TABLE = (
    Format("text", 1, _read_text, ".txt .text .log", is_plain=True),
    Format("markdown", 1, _read_markdown, ".md .markdown"),
    Format("rst", 1, read_rst, ".rst .rest"),
    Format("html", 1, read_html, ".html .htm .xhtml"),
    Format("epub", 1, read_epub, ".epub"),
    Format("pdf", 1, read_pdf, ".pdf"),
    Format("docx", 1, read_docx, ".docx .docm .dotx .dotm"),
    Format("pptx", 1, read_pptx, ".pptx .pptm .ppsx .ppsm .potx .potm"),
    Format("sheets", 1, read_sheets, ".xlsx .xlsm .xltx .xltm"),
    Format("odf", 1, read_odf, ".odt .ott .odp .otp .ods .ots"),
    Format("rtf", 1, read_rtf, ".rtf"),
    Format("csv", 1, read_csv, ".csv .tsv .tab"),
    Format("json", 1, read_json, ".json"),
    Format("jsonl", 1, read_jsonl, ".jsonl .ndjson"),
    Format("notebook", 1, read_notebook, ".ipynb"),
    Format("eml", 1, read_eml, ".eml"),
    Format("mbox", 1, read_mbox, ".mbox"),
    Format("gzip", 1, read_gzip, ".gz .tgz"),
    Format("tar", 1, read_tar, ".tar"),
    Format("zip", 1, read_zip, ".zip"),
    _CODE,
)

FORMATS = {suffix: one for one in reversed(_TABLE) for suffix in one.suffixes.split()}
"""The formats by what names end in, in lower case."""

OLD_OFFICE = {".doc": ".docx", ".dot": ".docx", ".xls": ".xlsx", ".xlsb": ".xlsx", ".ppt": ".pptx", ".pps": ".pptx"}
"""Formats that are not read, and as what to save such files instead."""


def format_of(name: str | PurePath) -> Format | None:
    """The format of a file by its name; None if it is none that ragkit reads."""
    path = PurePath(name)
    if path.name.lower() in CODE_NAMES:
        return _CODE
    suffix = path.suffix.lower()
    if suffix == ".gz" and format_of(path.stem) is None and PurePath(path.stem).suffix:
        return None
    return FORMATS.get(suffix)
