"""An index of the previous format, which lies in tests/data, is brought up to date by whatever writes to it."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEmbedder

from ragkit import maintenance
from ragkit.errors import IndexCorruptError, IndexMismatchError, IndexVersionError
from ragkit.index.folder import DATABASE, INTEGRITY, LOCK, sha256_of
from ragkit.index.index import Index
from ragkit.index.portable import export_index, export_parquet
from ragkit.index.writer import IndexWriter
from ragkit.ingest import index_paths, remove_paths
from ragkit.ingest_records import IngestOptions
from ragkit.plan import plan_paths

FIRST = Path(__file__).parent / "data" / "index-format-1"
OPTIONS = IngestOptions(chunk_tokens=60, min_chunk_tokens=4)
FILES = {
    "docs/lease.md": "# Lease\n\nThe lease of flat 7 ends on 31 May 2027.\n\n## Rent\n\n"
    "The rent is 900 euros a month.\n\n- Heating is included.\n- Water is not.\n",
    "docs/minutes.txt": "The board met on 3 March 2026.\n\nIt voted against the new roof.\n",
    "docs/paged.txt": "First page here.\fSecond page there.\n",
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A working folder with the old index and the documents that it was made of."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(FIRST, "index")
    Path("docs").mkdir()
    for path, text in FILES.items():
        Path(path).write_text(text)
    return tmp_path


def old(query):
    with closing(sqlite3.connect(FIRST / DATABASE)) as connection:
        return connection.execute(query).fetchall()


def fingerprint():
    return {file.name: file.read_bytes() for file in Path("index").iterdir() if file.name != LOCK}


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda: Index.open("index"), id="open"),
        pytest.param(lambda: export_index(Path("index"), Path("out")), id="export"),
        pytest.param(lambda: export_parquet(Path("index"), Path("out")), id="parquet"),
        pytest.param(lambda: maintenance.history("index"), id="history"),
        pytest.param(lambda: plan_paths(["docs"], "index", OPTIONS), id="dry-run"),
    ],
)
def test_who_only_reads_is_told_the_command_that_brings_it_up_to_date(read):
    before = fingerprint()
    with pytest.raises(IndexVersionError, match=r"without embedding anything again: ragkit compact --index index$"):
        read()
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("write", "generation"),
    [
        pytest.param(lambda: maintenance.compact("index"), 3, id="compact"),
        pytest.param(lambda: maintenance.repair_index(Path("index")), 3, id="repair"),
        pytest.param(lambda: maintenance.tag("index", "old"), 3, id="tag"),
        pytest.param(lambda: maintenance.go_back("index", 3), 3, id="back"),
        pytest.param(lambda: index_paths(["docs"], "index", WordEmbedder(), OPTIONS), None, id="index"),
    ],
)
def test_whoever_writes_brings_it_up_to_date(write, generation):
    write()
    with Index.open("index") as index, index.snapshot() as snapshot:
        assert index.check_all() == 6
        assert {ref.path: ref.id for ref in index.documents()} == dict(old("SELECT path, document_id FROM documents"))
        assert generation in (index.generation, None)
        chunks = snapshot.chunks(snapshot.vectors.chunk_ids())
        texts = "SELECT substr(text, start + 1, stop - start), vector FROM chunks"
        known = dict(old(f"{texts} JOIN documents ON documents.id = document"))
        assert {chunk.text for chunk in chunks.values()} == known.keys()
        for chunk_id, chunk in chunks.items():
            assert np.array_equal(snapshot.vectors.vector_of(chunk_id), np.frombuffer(known[chunk.text], np.float32))
            assert chunk.paragraphs[0].document.path == chunk.document.path
        found = snapshot.search_keywords("When does the lease of flat 7 end?", 1)
        assert chunks[found[0][0]].text.endswith("ends on 31 May 2027.")
    assert not {row for (row,) in old("SELECT id FROM chunks")} & set(chunks)


def test_the_texts_and_paragraphs_are_what_they_were():
    maintenance.compact("index")
    with Index.open("index") as index:
        assert {ref.path: index.document(ref.path).text for ref in index.documents()} == FILES
        facts = [
            (ref.path, p.number, p.start, p.end, p.kind, p.headings, p.page, p.place)
            for ref in index.documents()
            for p in index.paragraphs(ref.path)
        ]
    paragraphs = (
        "SELECT path, number, start, stop, kind, headings, page FROM paragraphs JOIN documents ON document = id"
    )
    assert facts == [
        (*row[:5], tuple(json.loads(row[5])), row[6], "") for row in old(f"{paragraphs} ORDER BY path, number")
    ]


def test_nothing_is_embedded_again():
    embedder = WordEmbedder()
    index_paths(["docs"], "index", embedder, OPTIONS)
    assert embedder.embedded == 0
    Path("docs/minutes.txt").write_text(FILES["docs/minutes.txt"] + "\nBob kept the minutes.\n")
    assert index_paths(["docs"], "index", embedder, OPTIONS).updated == 1
    assert embedder.embedded == 1


def test_a_document_can_be_removed_at_once_and_the_way_back_is_open():
    assert remove_paths(["docs/lease.md"], "index").removed == 1
    with Index.open("index") as index:
        assert [ref.path for ref in index.documents()] == ["docs/minutes.txt", "docs/paged.txt"]
    assert [one.number for one in maintenance.history("index")] == [3, 4]
    maintenance.go_back("index", 3)
    with Index.open("index") as index:
        assert len(index.documents()) == 3


def test_a_rebuild_uses_no_row_again():
    seen = {row for (row,) in old("SELECT id FROM chunks")}
    index_paths(["docs"], "index", WordEmbedder(), replace(OPTIONS, rebuild=True))
    with Index.open("index") as index, index.snapshot() as snapshot:
        assert not seen & set(snapshot.vectors.chunk_ids())
        assert index.generation == 3


def test_an_index_of_another_embedder_stays_as_it_is():
    before = fingerprint()
    with pytest.raises(IndexMismatchError, match="word-embedder@1"):
        index_paths(["docs"], "index", WordEmbedder(32, "other@2"), OPTIONS)
    assert fingerprint() == before


def writers():
    """Calls that write to the index."""
    yield lambda: maintenance.compact("index")
    yield lambda: index_paths(["docs"], "index", WordEmbedder(), OPTIONS)
    yield lambda: remove_paths(["docs/lease.md"], "index")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_damaged_file_is_refused_and_stays_as_it_is(share):
    content = bytearray(Path("index", DATABASE).read_bytes())
    content[int(len(content) * share)] ^= 1
    Path("index", DATABASE).write_bytes(content)
    refuse_all()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE documents SET text = replace(text, 'board', 'Board')",
        "UPDATE documents SET path = 'x.txt' WHERE id = 3",
        "UPDATE paragraphs SET page = 9 WHERE document = 3",
        "DELETE FROM paragraphs WHERE number = 2",
        "UPDATE chunks SET vector = zeroblob(256) WHERE id = 6",
        "UPDATE chunks SET paragraphs = '[7]' WHERE id = 6",
        "UPDATE chunks SET vector = 'x' WHERE id = 6",
        "UPDATE chunks SET paragraphs = 'x' WHERE id = 6",
        "DELETE FROM meta WHERE key = 'reader_version'",
        "UPDATE meta SET value = 'x' WHERE key = 'generation'",
        "DROP TABLE paragraphs",
    ],
)
def test_what_is_not_what_was_indexed_is_refused_though_the_file_has_its_checksum(damage):
    with closing(sqlite3.connect(Path("index", DATABASE))) as connection:
        connection.execute(damage)
        connection.commit()
    Path("index", INTEGRITY).write_text(json.dumps({"generations": {"2": sha256_of(Path("index", DATABASE))}}))
    refuse_all()


def refuse_all():
    before = fingerprint()
    for write in writers():
        with pytest.raises(IndexCorruptError, match=r"is damaged.*--rebuild") as refused:
            write()
        assert len(str(refused.value).splitlines()) == 1
        assert fingerprint() == before
    with pytest.raises(IndexCorruptError, match=r"is damaged: [^.]*(\.sqlite)?[^.]*\. Make it anew: ragkit index"):
        maintenance.repair_index(Path("index"))
    index_paths(["docs"], "index", WordEmbedder(), replace(OPTIONS, rebuild=True))
    with Index.open("index") as index:
        assert len(index.documents()) == 3


def test_a_writer_that_ends_early_leaves_the_new_format_behind():
    with IndexWriter.open("index", None) as writer:
        assert writer.generation == 3
    with Index.open("index") as index:
        assert index.generation == 3
        assert sorted(file.name for file in Path("index").iterdir()) == [
            INTEGRITY, DATABASE, "vectors-2.faiss", "vectors-3.faiss", LOCK
        ]  # fmt: skip
