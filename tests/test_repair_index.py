"""A damaged index is noticed, and mended: every document that is left is whole, and what is lost is named."""

import hashlib
import json
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
    positions = chance.sample(range(4096, size), 70)  # the first page is put back to the byte
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
    saved, positions = 0, chance.sample(range(size), 40)
    for position in positions:
        damaged(tmp_path / "index", original, blot(position, 300))
        assert is_noticed(tmp_path / "index", before)
        saved += len(mend(tmp_path / "index", before)[1])
    assert saved / (len(positions) * DOCUMENTS) > 0.9


def history_of(folder):
    return [(one.number, one.tags) for one in maintenance.history(folder)]


def change_text(old, new):
    def change(content):
        content[:] = content.replace(old, new, 1)

    return change


def cut_off(pages):
    def change(content):
        del content[-4096 * pages :]

    return change


@pytest.mark.parametrize(
    ("change", "keeps_history", "least"),
    [
        pytest.param(cut_off(1), False, DOCUMENTS, id="a page cut off"),
        pytest.param(cut_off(8), False, DOCUMENTS // 2, id="a quarter cut off"),
        pytest.param(blot(4000, 4096), False, DOCUMENTS, id="two torn pages"),
        pytest.param(lambda content: content.extend(b"more" * 2000), True, DOCUMENTS, id="too long"),
        pytest.param(change_text(b"TABLE tags", b"TABME tags"), True, DOCUMENTS, id="a table's text"),
        pytest.param(change_text(b"label TEXT", b"lavel TEXT"), True, DOCUMENTS, id="a column's name"),
        pytest.param(flip(62, 0), True, DOCUMENTS, id="version"),
        pytest.param(flip(68, 0), True, DOCUMENTS, id="program"),
        pytest.param(blot(0, 4096), True, DOCUMENTS, id="the first page"),
    ],
)
def test_where_the_database_does_not_open_what_is_in_it_is_saved(original, folder, change, keeps_history, least):
    before = told(original)
    damaged(folder, original, change)
    with pytest.raises(IndexCorruptError, match=r"damaged: .* --repair"):
        Index.open(folder)
    repaired, documents = mend(folder, before)
    assert len(documents) >= least
    if keeps_history:
        assert history_of(folder) == history_of(original)
        assert (folder / DATABASE).read_bytes() == (original / DATABASE).read_bytes()
        assert repaired.to_dict() == {"was_sound": False, "documents": DOCUMENTS, "lost": [], "quarantined": None}


def test_a_header_in_which_any_bit_is_flipped_is_put_back(original, tmp_path):
    for bit in random.Random(3).sample(range(108 * 8), 60):
        damaged(tmp_path / "index", original, flip(bit // 8, bit % 8))
        repaired = repair_index(tmp_path / "index")
        assert (repaired.was_sound, repaired.lost, repaired.documents) == (False, (), DOCUMENTS)
        assert (tmp_path / "index" / DATABASE).read_bytes() == (original / DATABASE).read_bytes()


def test_an_index_whose_record_has_no_pages_opens_and_is_mended_as_far_as_it_goes(original, folder):
    before = told(original)
    for change in (cut_off(1), change_text(b"TABLE tags", b"TABME tags")):
        damaged(folder, original, change)
        recorded = json.loads((folder / INTEGRITY).read_bytes())
        del recorded["checksum"], recorded["pages"]
        checksum = hashlib.sha256(json.dumps(recorded).encode()).hexdigest()
        (folder / INTEGRITY).write_text(json.dumps({**recorded, "checksum": checksum}))
        content = (folder / DATABASE).read_bytes()
        shutil.copyfile(original / DATABASE, folder / DATABASE)
        assert told(folder) == before
        (folder / DATABASE).write_bytes(content)
        assert len(mend(folder, before)[1]) == DOCUMENTS


@pytest.fixture
def states(original, tmp_path):
    """The states of an index one after the other: its files, its generation and what each chunk id meant till then."""
    folder, meant, states = shutil.copytree(original, tmp_path / "states"), {}, []
    acts = (lambda writer: put(writer, 2, 50), lambda writer: put(writer, 2, 51), lambda writer: writer.tag("last"))
    for act in (lambda _: None, *acts):
        with IndexWriter.open(folder, SPEC) as writer:
            act(writer)
            generation = writer.commit()
        meant = meant | texts(folder)
        files = {file.name: file.read_bytes() for file in folder.iterdir() if file.name != LOCK}
        states.append((files, generation, meant))
    return states


def texts(folder):
    with Index.open(folder) as index, index.snapshot() as snapshot:
        chunks = snapshot.chunks(snapshot.vectors.chunk_ids())
        return {chunk_id: chunk.text for chunk_id, chunk in chunks.items()}


def put_together(folder, database, record):
    shutil.rmtree(folder)
    folder.mkdir()
    for name, content in {**database, INTEGRITY: record[INTEGRITY]}.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("hashed_bytes", [2**20, 0], ids=["hashed", "large"])
@pytest.mark.parametrize(
    ("database", "record"),
    [
        pytest.param(0, 1, id="put back"),
        pytest.param(0, 3, id="put back by two"),
        pytest.param(2, 1, id="copied while writing"),
        pytest.param(3, 2, id="copied while a tag was written"),
        pytest.param(2, 3, id="put back from before a tag"),
    ],
)
def test_a_database_of_another_state_is_named_and_taken_as_it_is(
    states, folder, monkeypatch, hashed_bytes, database, record
):
    monkeypatch.setattr("ragkit.index.folder.HASHED_BYTES", hashed_bytes)
    (files, generation, meant), (other_files, begun, other_meant) = states[database], states[record]
    put_together(folder, files, other_files)
    told_as = "checksum" if generation == begun else f"of generation {generation} but .* of generation {begun}"
    with pytest.raises(IndexCorruptError, match=told_as):
        Index.open(folder)
    repaired = repair_index(folder)
    assert repaired.to_dict() == {"was_sound": False, "documents": DOCUMENTS, "lost": [], "quarantined": None}
    assert (folder / DATABASE).read_bytes() == files[DATABASE]
    assert ("first",) in [one.tags for one in maintenance.history(folder)]
    with IndexWriter.open(folder, SPEC) as writer:
        put(writer, 2, 60)
        assert writer.commit() == max(generation, begun) + 1
    meant = meant | other_meant
    assert (texts(folder) | meant).items() == (meant | texts(folder)).items()


def test_ids_are_not_used_again_when_a_database_of_another_state_is_damaged_too(states, folder):
    (*_, meant) = states[-1]
    for database, record in ((0, -1), (-1, 0)):
        put_together(folder, states[database][0], states[record][0])
        changed_by_sql(folder, "UPDATE documents SET text = 'x' WHERE path = 'docs/7.md'")
        assert repair_index(folder).lost == ("docs/7.md",)
        assert not texts(folder).keys() & meant.keys()


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
    changes = [content[:n] + bytes([content[n] ^ 2]) + content[n + 1 :] for n in range(0, len(content), 67)]
    for change in (*changes, b"", b"{", b"[]", b"null", content[: len(content) // 2], b"[" * 50_000, None):
        (folder / INTEGRITY).unlink(missing_ok=True)
        if change is not None:
            (folder / INTEGRITY).write_bytes(change)
        assert is_noticed(folder, before)
        repaired, _ = mend(folder, before)
        assert (repaired.lost, repaired.quarantined) == ((), None)
        assert told(folder) == before
        assert history_of(folder) == [(1, ("first",)), (2, ()), (3, ())]


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
    assert repaired.quarantined is not None


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
