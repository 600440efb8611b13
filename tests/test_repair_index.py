"""A damaged index is noticed, and mended: every document that is left is whole, and what is lost is named."""

import random
import shutil
import sqlite3
from contextlib import closing

import faiss
import pytest
from fakes import WordEmbedder

from ragkit import maintenance
from ragkit.errors import IndexCorruptError, IndexNotFoundError, RagkitError
from ragkit.index.filing import Filing
from ragkit.index.folder import DATABASE, INTEGRITY, LOCK
from ragkit.index.index import Index
from ragkit.index.repair import QUARANTINE, repair_index
from ragkit.index.spec import IndexSpec
from ragkit.index.store import FileStamp, Origin
from ragkit.index.writer import IndexWriter
from ragkit.records import Chunk, Document, DocumentRef, Fact, Paragraph

EMBEDDER = WordEmbedder()
SPEC = IndexSpec(EMBEDDER.name, EMBEDDER.dimensions, chunk_tokens=60, min_chunk_tokens=4, chunker_version=1)
DOCUMENTS = 16


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """For so few vectors, waking others takes longer than searching."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(before)


def put(writer, number, version):
    path, words = f"docs/{number}.md", "the apple of the monkey at the market " * (number % 5 + 1)
    lines = [f"Line {line} of document {number} in version {version}: {words}." for line in range(number % 4 + 1)]
    text = "\n".join(lines)
    ref = DocumentRef(path, f"sha256:{number}{version}")
    paragraphs, start = [], 0
    for place, line in enumerate(lines, start=1):
        paragraphs.append(Paragraph(ref, place, start, start + len(line), line, headings=("Part", f"No. {number}")))
        start += len(line) + 1
    document = Document(ref, text, tuple(paragraphs), (Fact("author", f"Ann {number}"), Fact("tag", "peace")))
    chunks = [Chunk(ref, p.start, p.end, p.text, (p,), 9) for p in paragraphs]
    vectors = EMBEDDER.embed_documents([chunk.embedded_text for chunk in chunks])
    filing = Filing.of("letters" if number % 3 else None, ["board"] if number % 2 else [])
    origin = Origin(FileStamp(f"../{path}", "docs", len(text), 1_700_000_000 * 10**9), "markdown/1", filing)
    writer.put_document(document, list(zip(chunks, vectors, strict=True)), origin)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """An index with a past: documents that changed, one that left, a copy, a tag."""
    folder = tmp_path_factory.mktemp("original") / "index"
    for changed in (range(DOCUMENTS + 1), (3, 7), (5,)):
        with IndexWriter.open(folder, SPEC) as writer:
            for number in changed:
                put(writer, number, len(changed))
            if len(changed) == 1:
                writer.remove(f"docs/{DOCUMENTS}.md")
                writer.put_copy("docs/same.md", "docs/4.md", FileStamp("../docs/same.md", "docs", 9, 1))
            writer.commit()
    maintenance.tag(folder, "first", 1)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "index")


def told(folder):
    """All documents, chunks and files of an index that is sound: texts, vectors, keywords, filings."""
    with Index.open(folder) as index, index.snapshot() as snapshot:
        index.check_all()
        documents = {ref.path: snapshot.document(ref.path) for ref in snapshot.documents()}
        found = dict(snapshot.search_vectors(EMBEDDER.embed_question("apple line"), 999))
        assert sorted(n for n, _ in snapshot.search_keywords("line", 999)) == sorted(found)
        chunks = {(chunk.document.path, chunk.start): chunk for chunk in snapshot.chunks(list(found)).values()}
        return documents, chunks, {file.path: file.origin.filing for file in snapshot.known_files()}


def is_noticed(folder, before):
    """Whether the damage of an index is noticed; if it is not, there is none that can be read."""
    try:
        after = told(folder)
    except RagkitError:
        return True
    assert after == before
    return False


def mend(folder, before):
    """Repairs an index; gives which documents are saved. What is not is named, and nothing else came of it."""
    repaired = repair_index(folder)
    documents, chunks, files = told(folder)
    assert documents == {path: before[0][path] for path in documents}
    assert chunks == {place: chunk for place, chunk in before[1].items() if place[0] in documents}
    assert files == {path: before[2][path] for path in files}
    assert before[0].keys() - documents.keys() <= set(repaired.lost)
    assert repaired.documents == len(documents)
    return repaired, set(documents)


def damaged(folder, original, change):
    """The index with its database changed byte by byte."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original, folder)
    content = bytearray((folder / DATABASE).read_bytes())
    change(content)
    (folder / DATABASE).write_bytes(content)
    return bytes(content)


def flip(position, bit):
    def change(content):
        content[position] ^= 1 << bit

    return change


def blot(position, length):
    def change(content):
        content[position : position + length] = b"\xa5" * length

    return change


def test_wherever_a_byte_of_the_database_is_flipped_all_that_is_whole_is_saved(original, tmp_path):
    before, chance = told(original), random.Random(1)
    size = (original / DATABASE).stat().st_size
    saved = 0
    positions = chance.sample(range(4096, size), 70)  # the first page says where everything is
    for position in positions:
        content = damaged(tmp_path / "index", original, flip(position, chance.randrange(8)))
        assert is_noticed(tmp_path / "index", before)
        repaired, documents = mend(tmp_path / "index", before)
        assert repaired.quarantined.read_bytes() == content
        assert repaired.quarantined.parent == tmp_path / "index" / QUARANTINE
        saved += len(documents)
    assert saved / (len(positions) * DOCUMENTS) > 0.95


def test_wherever_a_stretch_of_the_database_is_lost_what_was_in_it_is_named(original, tmp_path):
    before, chance = told(original), random.Random(2)
    size = (original / DATABASE).stat().st_size
    saved, mended = 0, 0
    for position in chance.sample(range(size), 40):
        damaged(tmp_path / "index", original, blot(position, 300))
        assert is_noticed(tmp_path / "index", before)
        try:
            saved += len(mend(tmp_path / "index", before)[1])
            mended += 1
        except IndexCorruptError:
            pass  # it was a place by which all others are found
    assert mended > 32
    assert saved / (mended * DOCUMENTS) > 0.85


def test_damaged_or_missing_vectors_are_made_anew_and_the_history_stays(original, folder):
    before = told(original)
    (vectors,) = (folder / name for name in ("vectors-3.faiss",))
    content = vectors.read_bytes()
    for position in (0, 40, len(content) // 2, len(content) - 1, None):
        shutil.rmtree(folder)
        shutil.copytree(original, folder)
        if position is None:
            vectors.unlink()
        else:
            vectors.write_bytes(content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :])
        assert is_noticed(folder, before)
        repaired, documents = mend(folder, before)
        assert (len(documents), repaired.lost, repaired.quarantined, repaired.was_sound) == (DOCUMENTS, (), None, False)
        assert [one.tags for one in maintenance.history(folder)][:2] == [("first",), ()]
        assert told(folder) == before
        assert repair_index(folder).was_sound


def test_where_only_the_record_beside_the_database_is_damaged_nothing_is_lost(original, folder):
    before, content = told(original), (original / INTEGRITY).read_bytes()
    changes = [content[:n] + bytes([content[n] ^ 2]) + content[n + 1 :] for n in range(0, len(content), 23)]
    for change in (*changes, b"", b"{", b"[]", b"null", content[: len(content) // 2], b"[" * 50_000, None):
        (folder / INTEGRITY).unlink(missing_ok=True)
        if change is not None:
            (folder / INTEGRITY).write_bytes(change)
        assert is_noticed(folder, before)
        repaired, _ = mend(folder, before)
        assert (repaired.lost, repaired.quarantined) == ((), None)
        assert told(folder) == before
        assert [(one.number, one.tags) for one in maintenance.history(folder)] == [(1, ("first",)), (2, ()), (3, ())]


def test_a_sound_index_is_left_alone(folder):
    before = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir() if file.name != LOCK}
    repaired = repair_index(folder)
    assert repaired.to_dict() == {"was_sound": True, "documents": DOCUMENTS, "lost": [], "quarantined": None}
    after = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir() if file.name != LOCK}
    assert after == before


def test_ids_and_generations_go_on_after_a_repair(original, tmp_path):
    for name, is_recorded in (("recorded", True), ("lost", False)):
        folder = tmp_path / name
        seen = chunk_ids(original)
        shutil.copytree(original, folder)
        changed_by_sql(folder, "UPDATE documents SET text = 'x' WHERE path = 'docs/7.md'")
        if not is_recorded:
            (folder / INTEGRITY).unlink()
        assert repair_index(folder).lost == ("docs/7.md",)
        assert not chunk_ids(folder) & seen
        with Index.open(folder) as index:
            assert index.generation == 4
        with IndexWriter.open(folder, SPEC) as writer:
            put(writer, 3, 99)
            assert writer.commit() == 5


def chunk_ids(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return {row for (row,) in connection.execute("SELECT id FROM chunks")}


def changed_by_sql(folder, *statements):
    """Changes a database behind the back of its checksums, as a damaged page might."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_what_is_dead_does_not_come_to_life_and_what_lives_does_not_die(original, folder):
    before = told(original)
    gone = f"SELECT id FROM documents WHERE path = 'docs/{DOCUMENTS}.md'"
    old = "SELECT id FROM documents WHERE path = 'docs/3.md' AND NOT is_live"
    changed_by_sql(
        folder,
        f"UPDATE lives SET died = NULL WHERE document IN ({gone} UNION {old})",
        "UPDATE lives SET died = 3 WHERE document = (SELECT id FROM documents WHERE path = 'docs/8.md')",
    )
    assert is_noticed(folder, before)
    repaired, documents = mend(folder, before)
    assert len(documents) == DOCUMENTS
    assert set(repaired.lost) <= {f"docs/{DOCUMENTS}.md"}


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM chunks WHERE id = (SELECT min(chunks.id) FROM chunks JOIN documents ON document = documents.id "
        "WHERE path = 'docs/7.md' AND is_live)",
        "UPDATE chunks SET vector = zeroblob(256) WHERE document = (SELECT max(id) FROM documents "
        "WHERE path = 'docs/7.md')",
        "UPDATE documents SET text = replace(text, 'apple', 'peach') WHERE path = 'docs/7.md'",
        "UPDATE documents SET labels = '[]' WHERE path = 'docs/7.md'",
        "UPDATE documents SET mtime_ns = 'x' WHERE path = 'docs/7.md'",
        "UPDATE documents SET collection = 'default' WHERE path = 'docs/7.md'",
        "DELETE FROM labels WHERE document = (SELECT max(id) FROM documents WHERE path = 'docs/7.md')",
        "UPDATE facts SET value = 'Bob' WHERE name = 'author' AND value = 'Ann 7'",
        "DELETE FROM paragraphs WHERE document = (SELECT max(id) FROM documents WHERE path = 'docs/7.md')",
    ],
)
def test_a_document_that_is_not_whole_is_named_and_not_kept_in_part(original, folder, damage):
    before = told(original)
    changed_by_sql(folder, damage)
    repaired, documents = mend(folder, before)
    assert repaired.lost == ("docs/7.md",)
    assert len(documents) == DOCUMENTS - 1


def test_copies_are_saved_with_their_documents(original, folder):
    before = told(original)
    damaged(folder, original, flip(20_000, 1))
    mend(folder, before)
    with Index.open(folder) as index, index.snapshot() as snapshot:
        assert [file.ref.path for file in snapshot.known_files() if file.is_copy] == ["docs/4.md"]


def test_each_damaged_database_is_put_aside_under_a_name_of_its_own(original, folder):
    for count in (1, 2, 3):
        content = bytearray((folder / DATABASE).read_bytes())
        content[20_000 + count] ^= 1
        (folder / DATABASE).write_bytes(content)
        aside = repair_index(folder).quarantined
        assert aside.read_bytes() == content
        assert len(list((folder / QUARANTINE).iterdir())) == count


@pytest.mark.parametrize("share", [0.0, 0.01, 0.03])
def test_a_database_of_which_nothing_is_left_is_not_touched(original, folder, share):
    content = (folder / DATABASE).read_bytes()
    (folder / DATABASE).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(IndexCorruptError, match=r"^Index .* Make it anew: ragkit index PATH\.\.\. --index"):
        repair_index(folder)
    assert (folder / DATABASE).read_bytes() == content[: int(len(content) * share)]
    with IndexWriter.open(folder, SPEC, rebuild=True) as writer:
        put(writer, 1, 1)
        assert writer.commit() == 4


def test_without_an_index_there_is_nothing_to_repair_and_nothing_is_made(tmp_path):
    with pytest.raises(IndexNotFoundError):
        repair_index(tmp_path / "index")
    assert not (tmp_path / "index").exists()
