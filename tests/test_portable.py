"""An index as one file: the same bytes for the same index, and nothing is taken in that is not one."""

import contextlib
import hashlib
import json
import os
import random
import shutil
import sqlite3
import stat
import warnings
import zipfile
from collections import deque
from contextlib import closing
from pathlib import Path

import faiss
import numpy as np
import pyarrow.parquet
import pytest
from fakes import ScriptedDecider, ScriptedGenerator, WordEmbedder, WordReader, WordVerifier

import ragkit
from ragkit import maintenance
from ragkit.errors import IndexNotFoundError, InputError, RagkitError, StorageError
from ragkit.index.checksums import chunk_checksum
from ragkit.index.folder import DATABASE, INTEGRITY, LOCK
from ragkit.index.index import Index
from ragkit.index.intake import MANIFEST, MAX_RATIO, Limit
from ragkit.index.portable import export_index, export_parquet, import_index
from ragkit.index.schema import SCHEMA_VERSION
from ragkit.index.session import MAX_ROW
from ragkit.index.store import Store
from ragkit.ingest import index_paths
from ragkit.ingest_records import IngestOptions

QUESTION = "Which monkey ate a fig at the market?"
LONG_AGO = 1_600_000_000


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Documents, and an index of them with a past."""
    place = tmp_path_factory.mktemp("made") / "place"
    place.mkdir()
    with contextlib.chdir(place):
        make()
    return place


@pytest.fixture(autouse=True)
def place(made, tmp_path, monkeypatch):
    """A working folder with the documents and the index."""
    place = shutil.copytree(made, tmp_path / "place")
    monkeypatch.chdir(place)
    return place


def make():
    chance = random.Random(3)
    words = "apple banana monkey market letter harbour winter garden fig noon ate at the".split()
    for number in range(12):
        lines = (" ".join(chance.choices(words, k=chance.randint(4, 12))) + "." for _ in range(chance.randint(1, 4)))
        write(f"docs/{number:02}.md", f"---\ntag: number {number % 3}\n---\n# No. {number}\n\n" + "\n\n".join(lines))
    write("docs/same.md", Path("docs/03.md").read_text())
    run("docs")
    write("docs/04.md", "# No. 4\n\nThe monkey ate a fig at the market at noon.\n")
    Path("docs/05.md").unlink()
    run("docs")
    run("docs/06.md", labels=("board",), collection="letters")
    maintenance.tag("index", "first", 1)
    export_index(Path("index"), Path("index.ragkit"))


def write(path, text):
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (LONG_AGO, LONG_AGO))


def run(*paths, folder="index", **options):
    made = IngestOptions(**{"chunk_tokens": 60, "min_chunk_tokens": 4, **options})
    return index_paths(paths, folder, WordEmbedder(), made)


def told(folder):
    """All that an index tells: documents with their files, ids, scores, history and an answer."""
    models = {"embedder": WordEmbedder(), "reader": WordReader(), "verifier": WordVerifier()}
    models |= {"decider": ScriptedDecider({}), "generator": ScriptedGenerator(lambda prompt: "")}
    with ragkit.open(folder, **models, min_confidence=0.0) as kit, kit.index.snapshot() as snapshot:
        kit.index.check_all()
        documents = {ref.path: snapshot.document(ref.path) for ref in snapshot.documents()}
        dense = snapshot.search_vectors(WordEmbedder().embed_question(QUESTION), 100)
        found = [dense, snapshot.search_keywords(QUESTION, 100), snapshot.chunks(range(1000))]
        hits = [hit.to_dict() for hit in kit.search(QUESTION, 9)]
        hits += [hit.to_dict() for hit in kit.search(QUESTION, 9, labels="board", where="tag ~ number")]
        files = [(file.path, file.ref, file.origin) for file in snapshot.known_files()]
        answer = kit.ask(QUESTION)
        return documents, found, hits, files, snapshot.history(), snapshot.spec, (answer.text, answer.citations)


def test_an_imported_index_tells_the_same_down_to_ids_and_history():
    exported = maintenance.export_index(Path("index"), Path("out.ragkit"))
    imported = maintenance.import_index(Path("out.ragkit"), Path("other/place"))
    assert told("other/place") == told("index")
    assert (imported.documents, imported.generation, imported.bytes) == (11, 3, exported.bytes)
    assert exported.to_dict()["bytes"] == Path("out.ragkit").stat().st_size
    maintenance.go_back("other/place", "first")
    with Index.open("other/place") as index:
        assert index.document("docs/05.md") is not None
        assert index.generation == 4


def test_an_imported_index_goes_on_where_the_exported_one_was():
    import_index(Path("index.ragkit"), Path("other"))
    assert run("docs", folder="other").unchanged == 12
    write("docs/new.md", "Dates.\n")
    run("docs", folder="other")
    run("docs")
    assert told("other")[1] == told("index")[1]


def test_the_same_index_gives_the_same_bytes(place):
    shutil.copytree("index", "copy")
    export_index(Path("copy"), Path("again.ragkit"))
    assert Path("again.ragkit").read_bytes() == Path("index.ragkit").read_bytes()
    assert not list(place.glob("*.draft"))


def test_a_file_that_is_there_is_not_written_over():
    Path("out").write_text("mine")
    for write_out in (export_index, export_parquet):
        with pytest.raises(InputError, match="There is a file 'out' already"):
            write_out(Path("index"), Path("out"))
        with pytest.raises(StorageError, match="Cannot write 'nowhere/x'"):
            write_out(Path("index"), Path("nowhere/x"))
        with pytest.raises(IndexNotFoundError):
            write_out(Path("no-index"), Path("x"))
    assert Path("out").read_text() == "mine"
    assert not Path("x").exists()


def test_an_index_is_not_imported_over_another():
    before = told("index")
    with pytest.raises(InputError, match="There is an index in 'index' already"):
        import_index(Path("index.ragkit"), Path("index"))
    assert told("index") == before


# what is refused


def refuse(file, message=r"damaged|no export", folder=Path("refused")):
    """Checks that a file is refused with one line, and that nothing is left of it."""
    with pytest.raises(InputError, match=message) as refused:
        import_index(Path(file), folder)
    assert len(str(refused.value).splitlines()) == 1
    assert str(file) in str(refused.value)
    assert not folder.exists()


@pytest.fixture
def exported():
    """The members of an exported index."""
    with zipfile.ZipFile("index.ragkit") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(members, **changed):
    """Writes a file as exports are, with a manifest that fits its database unless it was changed."""
    manifest = json.loads(members[MANIFEST])
    manifest |= {"bytes": len(members[DATABASE]), "sha256": hashlib.sha256(members[DATABASE]).hexdigest(), **changed}
    with zipfile.ZipFile("packed", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(DATABASE, members[DATABASE])
        archive.writestr(MANIFEST, json.dumps(manifest))
    return "packed"


def test_a_file_cut_short_is_refused(exported):
    content = Path("index.ragkit").read_bytes()
    for share in (0.0, 0.1, 0.5, 0.9, 0.999):
        Path("cut").write_bytes(content[: int(len(content) * share)])
        refuse("cut")


def test_a_file_with_a_flipped_byte_is_refused_or_gives_the_same_index(exported):
    content, before, chance = Path("index.ragkit").read_bytes(), told("index"), random.Random(4)
    places = [*chance.sample(range(len(content)), 40), *range(30), *range(len(content) - 500, len(content), 7)]
    taken = 0
    for place in places:
        Path("flipped").write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        try:
            import_index(Path("flipped"), Path("refused"))
        except InputError:
            assert not Path("refused").exists()
        else:
            assert told("refused") == before
            shutil.rmtree("refused")
            taken += 1
    assert taken < len(places) / 3  # times and attributes in the archive mean nothing


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04" + b"\0" * 100, id="half-a-zip"),
        pytest.param(b"Dear diary\n" * 100, id="text"),
    ],
)
def test_what_is_no_archive_is_refused(content):
    Path("foreign").write_bytes(content)
    refuse("foreign")


def test_a_missing_file_or_a_folder_is_refused():
    refuse("nowhere", "There is no file 'nowhere'")
    refuse("docs", "'docs' cannot be read")


@pytest.mark.parametrize(
    ("names", "method"),
    [
        pytest.param(["a.txt"], zipfile.ZIP_DEFLATED, id="another-zip"),
        pytest.param([MANIFEST], zipfile.ZIP_DEFLATED, id="no-database"),
        pytest.param([DATABASE], zipfile.ZIP_DEFLATED, id="no-manifest"),
        pytest.param([DATABASE, MANIFEST], zipfile.ZIP_LZMA, id="another-compression"),
    ],
)
def test_an_archive_of_something_else_is_refused(exported, names, method):
    with zipfile.ZipFile("foreign", "w", method) as archive:
        for name in names:
            archive.writestr(name, exported.get(name, b"x"))
    refuse("foreign")


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"ragkit_export": 1}',
        b'{"ragkit_export": 1, "format": 2, "bytes": Infinity, "sha256": ""}',
        b'{"ragkit_export": "1\\n2", "format": 2}',
        b'{"ragkit_export": NaN, "format": 2}',
        b'{"ragkit_export": {}, "format": []}',
    ],
)
def test_a_manifest_that_is_none_is_refused(exported, manifest):
    with zipfile.ZipFile("foreign", "w") as archive:
        archive.writestr(DATABASE, exported[DATABASE])
        archive.writestr(MANIFEST, manifest)
    refuse("foreign")


def test_a_newer_version_is_named(exported):
    refuse(pack(exported, ragkit_export=2), r"exported as version 2, format \d; this version of ragkit takes version 1")
    refuse(pack(exported, format=SCHEMA_VERSION + 1), f"as version 1, format {SCHEMA_VERSION + 1}")


@pytest.mark.parametrize("size", [0, -1, 4096, 10**6])
def test_a_database_that_is_larger_or_smaller_than_it_says_is_refused(exported, size):
    refuse(pack(exported, bytes=size), "its checksum differs")


def test_what_unpacks_to_more_than_it_says_is_cut_off_early(exported):
    exported[DATABASE] = b"\0" * 50_000_000
    file = pack(exported, bytes=1000)
    assert Path(file).stat().st_size < 1_000_000
    refuse(file, "its checksum differs")


@pytest.mark.parametrize("size", [10**9, 10**400])
def test_what_would_unpack_to_far_more_than_an_index_is_not_unpacked(exported, size):
    refuse(pack(exported | {DATABASE: b"\0" * 10**6}, bytes=size), f"more than {MAX_RATIO} times its size")


def test_what_the_disk_has_no_room_for_is_not_unpacked(exported):
    free = shutil.disk_usage(".").free
    file = Path(pack(exported, bytes=2 * free))
    content = file.read_bytes()
    with file.open("wb") as padded:  # what comes before a ZIP archive is no part of it, and a hole takes no room
        padded.seek(2 * free // MAX_RATIO)
        padded.write(content)
    with pytest.raises(StorageError, match=r"unpacks to [\d,.]+ MB and [\d,.]+ MB are free. Make room"):
        import_index(file, Path("refused"))
    assert not Path("refused").exists()


@pytest.mark.parametrize("name", [DATABASE, MANIFEST])
def test_a_member_that_is_a_link_or_there_twice_is_refused(exported, name):
    linked, doubled = ({DATABASE: 1, MANIFEST: 1, name: times} for times in (1, 2))
    for file, members, kind in (("linked", linked, stat.S_IFLNK), ("doubled", doubled, stat.S_IFREG)):
        with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # zipfile's own, of the second
            for member, times in members.items():
                info = zipfile.ZipInfo(member)
                info.external_attr = (kind if member == name else stat.S_IFREG) << 16
                for _ in range(times):
                    archive.writestr(info, exported[member])
        refuse(file)


def altered(exported, *statements):
    """The members with a database that was changed by SQL."""
    Path("altered").write_bytes(exported[DATABASE])
    with closing(sqlite3.connect("altered", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return exported | {DATABASE: Path("altered").read_bytes()}


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(["CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM documents; END"], id="trigger"),
        pytest.param(
            [
                "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM documents; END",
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_schema SET name = 'sqlite_x', "
                "sql = replace(sql, 'TRIGGER t', 'TRIGGER sqlite_x') WHERE name = 't'",
            ],
            id="hidden-trigger",
        ),
        pytest.param(["CREATE TABLE more (x)"], id="another-table"),
        pytest.param(["CREATE VIEW more AS SELECT * FROM meta"], id="view"),
        pytest.param(
            [
                "DROP TABLE meta",
                "CREATE VIEW meta AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
                "SELECT 'a' AS key, n AS value FROM c",
            ],
            id="endless-view",
        ),
        pytest.param(["DROP TABLE tags"], id="a-table-less"),
        pytest.param(["DROP INDEX live_documents"], id="an-index-less"),
        pytest.param(["ALTER TABLE documents ADD COLUMN x"], id="another-column"),
        pytest.param(["PRAGMA user_version = 99"], id="newer-format"),
        pytest.param(["PRAGMA application_id = 7"], id="of-another-program"),
        pytest.param(["DELETE FROM meta"], id="no-facts"),
        pytest.param(["UPDATE meta SET value = 'x' WHERE key = 'generation'"], id="no-number"),
        pytest.param(["UPDATE meta SET value = 77 WHERE key = 'generation'"], id="another-generation"),
        *(
            pytest.param(
                [
                    f"UPDATE meta SET value = {number} WHERE key = 'generation'",
                    f"UPDATE generations SET number = {number} WHERE number = 3",
                ],
                id=f"generation{number}",
            )
            for number in (2**63 - 1, MAX_ROW, 0, -5)
        ),
        pytest.param(["UPDATE meta SET value = '3' WHERE key = 'generation'"], id="generation-as-text"),
        pytest.param([f"UPDATE sqlite_sequence SET seq = {2**63 - 1}"], id="no-rows-left"),
        pytest.param(["UPDATE sqlite_sequence SET seq = NULL"], id="no-last-row"),
        pytest.param(
            [f"UPDATE copies SET document = {MAX_ROW}", f"UPDATE documents SET id = {MAX_ROW} WHERE id = 1"],
            id="row-too-high",
        ),
        pytest.param([f"UPDATE paragraphs SET headings = '{'[' * 100_000}'"], id="deep-nesting"),
        pytest.param(["UPDATE meta SET value = -5 WHERE key = 'dimensions'"], id="no-dimensions"),
        pytest.param(["UPDATE meta SET value = 65 WHERE key = 'dimensions'"], id="other-dimensions"),
        pytest.param(["UPDATE meta SET value = x'00' WHERE key = 'embedder'"], id="no-embedder"),
        pytest.param(["UPDATE documents SET text = 'x' WHERE path = 'docs/04.md'"], id="another-text"),
        pytest.param(["DELETE FROM keywords"], id="no-keywords"),
        pytest.param(["DELETE FROM chunks"], id="no-chunks"),
        pytest.param(["UPDATE chunks SET vector = zeroblob(8)"], id="no-vectors"),
    ],
)
def test_a_database_that_is_not_as_ragkit_makes_it_is_refused(exported, statements):
    refuse(pack(altered(exported, *statements)), "holds a database that is not as ragkit makes it")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_refused_though_their_checksums_fit(exported, value):
    Path("altered").write_bytes(exported[DATABASE])
    with closing(sqlite3.connect("altered", isolation_level=None)) as connection:
        for chunk_id, chunk, vector in Store(connection).embedded_chunks(1):
            content = np.full_like(vector, value).tobytes()
            changed = (content, chunk_checksum(chunk, content), chunk_id)
            connection.execute("UPDATE chunks SET vector = ?, checksum = ? WHERE id = ?", changed)
    refuse(pack(exported | {DATABASE: Path("altered").read_bytes()}), "not as ragkit makes it")


def test_checking_what_takes_far_too_long_is_given_up(exported):
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c"
    with closing(Store(sqlite3.connect(":memory:"))) as store:
        limit = Limit(store, 4096)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            deque(store.connection.execute(endless), maxlen=0)
    assert limit.left < 0


def test_a_refused_file_leaves_a_folder_as_it_was(exported):
    Path("mine").mkdir()
    Path("mine", INTEGRITY).write_text("{}")
    with pytest.raises(InputError):
        import_index(Path(pack(altered(exported, "DELETE FROM keywords"))), Path("mine"))
    assert {file.name: file.read_text() for file in Path("mine").iterdir()} == {INTEGRITY: "{}", LOCK: ""}


def test_bytes_that_are_no_database_are_refused(exported):
    refuse(pack(exported | {DATABASE: b"no database" * 1000}), "not as ragkit makes it")
    refuse(pack(exported | {DATABASE: exported[DATABASE][:8192]}), "not as ragkit makes it")


def test_a_damaged_index_is_not_exported(place):
    content = bytearray(Path("index", DATABASE).read_bytes())
    content[len(content) // 2] ^= 1
    Path("index", DATABASE).write_bytes(content)
    for write_out in (export_index, export_parquet):
        with pytest.raises(RagkitError, match="is damaged"):
            write_out(Path("index"), Path("out"))
    assert not [file for file in place.iterdir() if file.name.startswith("out")]


# Parquet


def test_parquet_holds_every_chunk_with_its_place_and_vector():
    exported = maintenance.export_parquet(Path("index"), Path("chunks.parquet"))
    rows = pyarrow.parquet.read_table("chunks.parquet").to_pylist()
    with Index.open("index") as index, index.snapshot() as snapshot:
        order = sorted(snapshot.vectors.order, key=snapshot.vectors.order.get)
        chunks = snapshot.chunks(order)
        filings = {file.path: file.origin.filing for file in snapshot.known_files()}
        assert [row["text"] for row in rows] == [chunk.text for chunk in chunks.values()]
        for row, (chunk_id, chunk) in zip(rows, chunks.items(), strict=True):
            document = snapshot.document(row["document"])
            assert document.text[row["start"] : row["end"]] == row["text"] == chunk.text
            assert (row["document"], row["document_id"]) == (chunk.document.path, chunk.document.id)
            assert row["paragraphs"] == [paragraph.number for paragraph in chunk.paragraphs]
            assert tuple(row["headings"]) == chunk.paragraphs[0].headings
            assert (row["page"], row["place"]) == (chunk.paragraphs[0].page, chunk.paragraphs[0].place)
            filing = filings[row["document"]]
            assert (row["collection"], tuple(row["labels"])) == (filing.collection, filing.labels)
            assert np.array_equal(np.array(row["vector"], np.float32), snapshot.vectors.vector_of(chunk_id))
    assert exported.documents == 11
    assert [row["document"] for row in rows] == sorted(row["document"] for row in rows)


# the same documents in another way


def same_in_any_case(folder):
    """What an index tells, but for the numbers of chunks and generations."""
    documents, found, hits, _, _, spec, answer = told(folder)
    dense, keyword, chunks = found
    places = [[(chunks[n].document.path, chunks[n].start, score) for n, score in one] for one in (dense, keyword)]
    return documents, places, hits, spec, answer


def test_however_an_index_came_about_the_same_documents_give_the_same_answers():
    files = sorted(Path("docs").glob("*.md"))
    options = {"labels": ("board",), "collection": "letters"}
    others = [file for file in files if file.name != "06.md"]
    for seed in range(2):
        folder, order = f"shuffled-{seed}", random.Random(seed).sample(others, len(others))
        if seed:
            for start in range(0, len(order), 4):
                run(*order[start : start + 4], folder=folder)
        else:
            run(*order, folder=folder, batch_chunks=8)
        run("docs/06.md", folder=folder, **options)
    run(*others, folder="shuffled-0", rebuild=True)
    run("docs/06.md", folder="shuffled-0", **options)
    assert all(same_apart_from_copies(f"shuffled-{seed}") == same_apart_from_copies("index") for seed in range(2))


def same_apart_from_copies(folder):
    """The same with 03.md and same.md, of which either may be the one that is cited, under one name."""
    return json.loads(json.dumps(same_in_any_case(folder), default=str).replace("docs/same.md", "docs/03.md"))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_number_of_threads_changes_nothing(threads):
    before, most = told("index"), faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        assert told("index") == before
        files = [file for file in sorted(Path("docs").glob("*.md")) if file.name != "06.md"]
        run(*files, folder="other")
        run("docs/06.md", folder="other", labels=("board",), collection="letters")
        assert same_in_any_case("other") == same_in_any_case("index")
    finally:
        faiss.omp_set_num_threads(most)
