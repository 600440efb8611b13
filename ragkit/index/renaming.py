"""A document goes on under another path: that of a copy, when its own file is gone. Called by `writer`."""

from collections.abc import Sequence
from dataclasses import replace

from ragkit.index.draft import Draft
from ragkit.index.store import Origin, Vector
from ragkit.records import Chunk, Document


def bequeath(draft: Draft, path: str) -> None:
    """Lets the document of a path die; where it has copies, it goes on under the path of the first."""
    row = draft.row_of(path)
    if row is None:
        return
    copies = draft.copies_of(row)
    if not copies:
        draft.retire(path)
        return
    heir, stamp = copies[0]
    known = draft.origin_of(row)
    embedded = [(chunk, vector) for _, chunk, vector in draft.embedded_chunks(row)]
    document, chunks = renamed(draft.document_of(row), embedded, heir)
    draft.retire(path)
    draft.put_document(document, chunks, Origin(stamp, known.reader, known.filing))
    heir_row = draft.row_of(heir)
    assert heir_row is not None
    for copy, copy_stamp in copies[1:]:
        draft.put_copy(copy, heir_row, copy_stamp)


def renamed(
    document: Document, embedded: Sequence[tuple[Chunk, Vector]], path: str
) -> tuple[Document, list[tuple[Chunk, Vector]]]:
    """The same document by another path."""
    ref = replace(document.ref, path=path)
    paragraphs = {paragraph.number: replace(paragraph, document=ref) for paragraph in document.paragraphs}
    chunks = [
        (replace(chunk, document=ref, paragraphs=tuple(paragraphs[p.number] for p in chunk.paragraphs)), vector)
        for chunk, vector in embedded
    ]
    return replace(document, ref=ref, paragraphs=tuple(paragraphs.values())), chunks
