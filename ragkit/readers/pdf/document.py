"""A PDF file enters, its paragraphs leave, each with its page and under its headings.

PDFium says which glyph stands where; lines, columns and paragraphs are made of that by the modules `pdf_*`. Pages that
are pictures are recognised by `ocr` if that is asked for. Called through the table of readers.
"""

import re
from collections.abc import Iterator, Sequence
from ctypes import cast, create_string_buffer
from dataclasses import replace
from itertools import islice
from typing import Any

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.pdf.blocks import Block, page_blocks
from ragkit.readers.pdf.drawings import Box, Drawings
from ragkit.readers.pdf.flow import Entry, add_blocks, stitched
from ragkit.readers.pdf.furniture import drop_furniture
from ragkit.readers.pdf.kinds import measure
from ragkit.readers.pdf.layout import page_lines
from ragkit.readers.pdf.lines import Line
from ragkit.readers.pdf.ocr import recognise
from ragkit.readers.pdf.pieces import MAX_PAGE_GLYPHS, Page, read_page
from ragkit.readers.pdf.text import words_of

MAX_PAGES = 5_000
"""Larger files are archives of documents; all that is known of the text of a file is held in memory at once."""

MAX_PIECES = 1_500_000
"""So many stretches of text in one file: about 300 for each of 5,000 pages, which is a dense page."""

MAX_GLYPHS = 25_000_000
"""So many glyphs in one file: 5,000 for each of 5,000 pages."""

MAX_OUTLINE = 20_000
"""More entries than this are no outline for a reader."""

MAX_ANNOTATIONS = 2_000
"""So many notes, links and fields of a page are looked at."""

MAX_STRING_BYTES = 4_096
"""A longer title of a file or entry of its outline is no title and is left out."""

MAX_TAGS = 50
"""More keywords than this are a text."""

_NO_TITLE = re.compile(r"untitled|microsoft \w+ - |\S+\.(?:docx?|odt|rtf|tex|dvi|indd|qxd|pptx?|xlsx?|pdf)$", re.I)
_DATE = re.compile(r"(?:D:)?(\d{4})(?:(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])?)?")


def read_pdf(source: Source) -> Extracted:
    """The text of a PDF file.

    Raises:
        DocumentError: It is encrypted, broken, too large, or has no text.
    """
    try:
        import pypdfium2
    except ModuleNotFoundError as exc:
        raise DocumentError(f"{source.name} needs an extra: pip install 'ragkit-qa[pdf]'") from exc
    try:
        document = pypdfium2.PdfDocument(source.data)
    except pypdfium2.PdfiumError as exc:
        raise DocumentError(f"{source.name} {_trouble(exc)}") from exc
    try:
        if document.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM:
            document.init_forms()  # without this, PDFium does not draw fields that the file does not draw itself
        return _read(source, document)
    finally:
        document.close()


def _trouble(exc: Any) -> str:
    """What PDFium says is wrong with a file, and what to do."""
    import pypdfium2.raw as pdfium

    if exc.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
        return "is encrypted. Save a copy without a password"
    return "is no PDF file or a broken one. Open it in a viewer and save it anew, or leave it out"


def _read(source: Source, document: Any) -> Extracted:
    """The paragraphs of an open document."""
    builder = Builder()
    pages = _pages(source, document, builder)
    drop_furniture(pages)
    silent = [page for page in pages if not page.pieces and not page.aside and page.drawings.may_be_text]
    recognised: set[int] = set()
    if source.use_ocr and silent:
        recognised = _recognise(source, document, silent, builder)
        drop_furniture([page for page in silent if page.number in recognised])
        silent = [page for page in silent if page.number not in recognised]
    if silent:
        builder.warnings.append(f"has no text on {_numbered([page.number for page in silent])} (scanned?)")
    lines = [page_lines(page) for page in pages]
    _add_paragraphs(builder, document, pages, lines)
    _add_facts(builder, document)
    result = builder.extracted()
    _check(source, result, has_pictures=bool(silent))
    for index, span in enumerate(result.spans):
        if span.page in recognised:
            result.spans[index] = replace(span, place=f"page {span.page} (recognised)")
    return result


def _pages(source: Source, document: Any, builder: Builder) -> list[Page]:
    """What stands on the pages of a document."""
    import pypdfium2

    if len(document) > MAX_PAGES:
        raise DocumentError(f"{source.name} has more than {MAX_PAGES:,} pages. Split it into parts")
    pages: list[Page] = []
    unreadable: list[int] = []
    pieces = glyphs = 0
    for number in range(1, len(document) + 1):
        try:
            loaded = _with_fields(document, number)
        except pypdfium2.PdfiumError:
            unreadable.append(number)
            continue
        pages.append(read_page(loaded, number))
        loaded.close()
        pieces += len(pages[-1].pieces) + len(pages[-1].aside)
        glyphs += pages[-1].glyphs
        if pieces > MAX_PIECES or glyphs > MAX_GLYPHS:
            raise DocumentError(f"{source.name} holds too much text from page {number} on. Split it into parts")
    if unreadable:
        builder.warnings.append(f"cannot be read on {_numbered(unreadable)}")
    cut = [page.number for page in pages if page.is_cut]
    if cut:
        builder.warnings.append(f"has more than {MAX_PAGE_GLYPHS:,} letters on {_numbered(cut)}; the rest is left out")
    return pages


def _with_fields(document: Any, number: int) -> Any:
    """A page of a document, with what was filled in or typed on it made part of its text."""
    import pypdfium2.raw as pdfium

    page = document[number - 1]
    written_on = (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT)
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), MAX_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        kind = pdfium.FPDFAnnot_GetSubtype(annotation) if annotation else None
        if annotation:
            pdfium.FPDFPage_CloseAnnot(annotation)
        if kind in written_on:
            pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
            page.close()
            return document[number - 1]
    return page


def _recognise(source: Source, document: Any, silent: Sequence[Page], builder: Builder) -> set[int]:
    """Puts what is recognised on pages in their place; gives the numbers of those on which there was something."""
    found: set[int] = set()
    late: list[int] = []
    for page in silent:
        loaded = document[page.number - 1]
        pieces = recognise(loaded, source.name)
        width, height = loaded.get_size()
        loaded.close()
        if pieces is None:
            late.append(page.number)
        elif pieces:
            found.add(page.number)
            page.box, page.pieces, page.drawings = Box(0.0, 0.0, width, height), pieces, Drawings()
    if late:
        builder.warnings.append(f"took too long to recognise on {_numbered(late)}")
    return found


def _check(source: Source, result: Extracted, *, has_pictures: bool) -> None:
    """Refuses a document without any text."""
    if result.spans:
        return
    if not has_pictures:
        raise DocumentError(f"{source.name} is empty: there is no text in it. Add some or leave it out")
    if source.use_ocr:
        raise DocumentError(f"{source.name} has no text, and none is recognised on its pages. Leave it out")
    raise DocumentError(
        f"{source.name} has no text: its pages are pictures. Have them recognised: --ocr (pip install 'ragkit-qa[ocr]')"
    )


def _add_paragraphs(builder: Builder, document: Any, pages: Sequence[Page], lines: Sequence[list[Line]]) -> None:
    """Makes paragraphs of lines and adds them."""
    every = [line for page_of_lines in lines for line in page_of_lines]
    measures = measure(every)
    blocks: Iterator[Block] = (
        block
        for page, page_of_lines in zip(pages, lines, strict=True)
        for block in page_blocks(page, page_of_lines, measures)
    )
    add_blocks(builder, stitched(blocks, measures), _outline(document), measures, words_of(every))


def _outline(document: Any) -> list[Entry]:
    """The outline of a document, as far as it can be read."""
    import pypdfium2.raw as pdfium

    entries: list[Entry] = []
    for mark in islice(document.get_toc(), MAX_OUTLINE):
        target = mark.get_dest()
        index = target.get_index() if target else None
        title = _string(pdfium.FPDFBookmark_GetTitle, mark)
        entries.append(Entry(title, mark.level + 1, None if index is None else index + 1))
    return entries


def _add_facts(builder: Builder, document: Any) -> None:
    """Notes what a document says of itself."""
    import pypdfium2.raw as pdfium

    title, author, created, keywords = (
        _string(pdfium.FPDF_GetMetaText, document, key) for key in (b"Title", b"Author", b"CreationDate", b"Keywords")
    )
    builder.fact("title", "" if _NO_TITLE.match(title) else title)
    builder.fact("author", author)
    date = _DATE.match(created)
    if date:
        builder.fact("date", "-".join(part for part in date.groups() if part))
    builder.fact("language", _string(pdfium.FPDFCatalog_GetLanguage, document))
    for tag in re.split(r"[,;]", keywords)[:MAX_TAGS]:
        builder.fact("tag", tag)


def _string(read: Any, *arguments: Any) -> str:
    """What a function of PDFium writes in UTF-16 into the buffer that is its last argument but one."""
    buffer = create_string_buffer(MAX_STRING_BYTES)
    size = read(*arguments, cast(buffer, read.argtypes[len(arguments)]), MAX_STRING_BYTES)
    text = buffer.raw[: min(max(size - 2, 0), MAX_STRING_BYTES)].decode("utf-16-le", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _numbered(numbers: Sequence[int]) -> str:
    """Pages in words: `page 3`, `pages 3, 5-7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
    return f"page{'s' if len(numbers) > 1 else ''} {shown}"
