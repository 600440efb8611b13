"""Labels, collections and conditions: what a question may not see does not exist for it."""

import hashlib
import json
import os
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import faiss
import pytest
from fakes import ScriptedDecider, ScriptedGenerator, WordEmbedder, WordReader, WordVerifier

import ragkit
from ragkit.errors import IndexCorruptError, InputError
from ragkit.index.filing import Filing, Scope
from ragkit.index.folder import DATABASE
from ragkit.index.index import Index
from ragkit.index.repair import repair_index
from ragkit.index.spec import IndexSpec
from ragkit.index.store import FileStamp, Origin
from ragkit.index.writer import IndexWriter
from ragkit.ingest import index_paths
from ragkit.ingest_records import IngestOptions
from ragkit.kit import Kit
from ragkit.records import Chunk, Document, DocumentRef, Fact, Paragraph
from ragkit.settings import Settings

COMMON = ("apple", "banana", "monkey", "market", "letter", "harbour", "winter", "garden", "talks", "place")


class FewWords(WordEmbedder):
    """Knows the common words; any other is one that may be misspelt."""

    def count_tokens(self, text):
        return sum(1 if word in COMMON else 2 for word in text.lower().split())


EMBEDDER = FewWords()
SPEC = IndexSpec(EMBEDDER.name, EMBEDDER.dimensions, chunk_tokens=60, min_chunk_tokens=4, chunker_version=1)
SETTINGS = Settings(min_confidence=0.2, retrieve_chunks=6, rerank_paragraphs=5)
LABELS = ("board", "staff", "press")
QUESTIONS = ("Which apple is at the market?", "secretword harbour banan", "Who wrote the letter in winter? ofering")
WHERES = (None, "tag = peace", "has author and date >= 2026-03", "not tag = war", "title ~ 'of the' or autor = x")
COLLECTIONS = (None, "letters", ("letters", "default"))


@pytest.fixture(autouse=True)
def one_thread():
    """For so few vectors, waking others takes longer than searching."""
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(os.cpu_count() or 1)


@dataclass(frozen=True)
class Version:
    """A document at one time; its own word stands in no other."""

    path: str
    own: str
    lines: tuple[str, ...]
    facts: tuple[Fact, ...]
    filing: Filing


def a_version(chance, number):
    own = f"secretword{chr(97 + number)}"
    lines = [" ".join(chance.choices(COMMON, k=chance.randint(3, 9))) + "." for _ in range(chance.randint(1, 4))]
    lines[chance.randrange(len(lines))] += f" The {own} offering is at the {chance.choice(COMMON)}."
    facts = [Fact("tag", tag) for tag in chance.sample(("peace", "war", own), k=chance.randint(0, 3))]
    facts += [Fact("author", f"Ann {own}")] * chance.randint(0, 1)
    facts += [Fact("date", f"2026-0{chance.randint(1, 9)}-11")] * chance.randint(0, 1)
    facts += [Fact("title", f"Book of the {own}")] * chance.randint(0, 1)
    facts += [Fact(own, "1")] * chance.randint(0, 1)
    filing = Filing.of(
        chance.choice((None, "letters", f"private {own}")), chance.sample(LABELS, k=chance.randint(0, 2))
    )
    return Version(f"docs/{'xyz'[number % 3]}/{own}.md", own, tuple(lines), tuple(facts), filing)


def some_steps(chance):
    """What comes in each of three generations: new documents and new versions of old ones."""
    first = chance.randint(3, 7)
    numbers = [range(first), chance.sample(range(first), 2), [*chance.sample(range(first), 1), first, first + 1]]
    return [[a_version(chance, number) for number in step] for step in numbers]


def is_seen(version, labels):
    return bool(set(version.filing.labels) & set(labels))


def index_of(folder, steps, order=None, labels=None):
    """An index of these generations, each with a tag, or of what some labels show of them."""
    known = set()
    for number, step in enumerate(steps):
        with IndexWriter.open(folder, SPEC) as writer:
            for version in order.sample(step, len(step)) if order else step:  # the ids of the chunks are others then
                if labels is None or is_seen(version, labels):
                    put(writer, version if labels is None else without_other_labels(version, labels))
                    known.add(version.path)
                elif version.path in known:
                    writer.remove(version.path)
            before = writer.generation
            if writer.commit() != before or not number:
                writer.tag(f"step {number}")
                writer.commit()
    return folder


def without_other_labels(version, labels):
    shown = tuple(label for label in version.filing.labels if label in labels)
    return replace(version, filing=replace(version.filing, labels=shown))


def put(writer, version):
    text = "\n".join(version.lines)
    ref = DocumentRef(version.path, "sha256:" + hashlib.sha256(f"{version.path}{text}".encode()).hexdigest())
    paragraphs, start = [], 0
    for number, line in enumerate(version.lines, start=1):
        paragraphs.append(Paragraph(ref, number, start, start + len(line), line))
        start += len(line) + 1
    chunks = [Chunk(ref, p.start, p.end, p.text, (p,), EMBEDDER.count_tokens(p.text)) for p in paragraphs]
    vectors = EMBEDDER.embed_documents([chunk.embedded_text for chunk in chunks])
    stamp = FileStamp(f"../{version.path}", "docs", len(text), 1_780_000_000 * 10**9)
    document = Document(ref, text, tuple(paragraphs), version.facts)
    writer.put_document(document, list(zip(chunks, vectors, strict=True)), Origin(stamp, "text/1", version.filing))


def a_kit(folder, **more):
    says = ScriptedGenerator(lambda prompt: prompt[-60:])
    models = {"generator": says, "verifier": WordVerifier(), "decider": ScriptedDecider({})}
    return Kit(Index.open(folder), SETTINGS, embedder=EMBEDDER, reader=WordReader(), **models, **more)


def without_clock(told):
    """What is told, but for the seconds it took and the number of the generation."""
    if isinstance(told, dict):
        return {key: without_clock(value) for key, value in told.items() if key not in ("seconds", "generation")}
    return [without_clock(value) for value in told] if isinstance(told, list) else told


def all_that_is_told(kit, paths, **within):
    """Everything that a kit tells within a scope, as JSON would have it; an error as its message."""
    try:
        scope = kit.scope(within)
        told = list(kept_there(kit, scope, paths))
        for question in QUESTIONS:
            answer, trace = kit.ask(question, **within), kit.explain(question, **within)
            told.append(without_clock([answer.to_dict(), trace.to_dict()]))
            told.append([trace.retrieved.stages(), trace.retrieved.question])
            told.append([hit.to_dict() for hit in (*answer.nearest, *kit.search(question, 4, **within))])
            places = [kit.locate(question, path, number, **within) for path in paths for number in (1, 2)]
            told.append([place and (place.dense, place.keyword, place.total) for place in places])
    except InputError as error:
        return str(error)
    return json.loads(json.dumps(told))


def kept_there(kit, scope, paths):
    """What an index holds and how it came about."""
    facts = kit.index.info(scope)
    yield [facts.documents, facts.paragraphs, facts.chunks]
    with kit.index.snapshot(scope) as snapshot:
        counts = snapshot.counts()
        yield [counts.documents, counts.paragraphs, counts.chunks]
        yield [[file.path, file.ref.id, file.origin.filing.labels] for file in snapshot.known_files()]
        yield [(ref.path, snapshot.document(ref.path).text) for ref in snapshot.documents()]
        yield [paragraph.text for path in paths for paragraph in snapshot.paragraphs(path)]
        seen = [one for one in snapshot.history() if one.added or one.removed]
        yield [[one.documents, one.chunks, one.added, one.removed, one.tags] for one in seen]
        for question in QUESTIONS:
            yield from searched(snapshot, question)


def searched(snapshot, question):
    """What vectors and keywords find, with their scores, as places instead of ids."""
    for k in (2, 100):
        dense = snapshot.search_vectors(EMBEDDER.embed_question(question), k)
        keyword = snapshot.search_keywords(question, k)
        chunks = snapshot.chunks([*dict(dense), *dict(keyword)])
        yield [[[chunks[n].document.path, chunks[n].start, score] for n, score in found] for found in (dense, keyword)]


@pytest.mark.parametrize("seed", range(10))
def test_what_labels_hide_leaves_no_trace_anywhere(tmp_path, seed):
    chance = random.Random(seed)
    steps = some_steps(chance)
    present = {version.path: version for step in steps for version in step}
    labels = chance.sample((*LABELS, "nobody"), k=chance.randint(1, 2))
    hidden = [version.own for version in present.values() if not is_seen(version, labels)]
    whole, alone = index_of(tmp_path / "whole", steps), index_of(tmp_path / "alone", steps, chance, labels)
    limits = [{}] + [{"where": chance.choice(WHERES), "collection": chance.choice(COLLECTIONS)} for _ in range(3)]
    limits += [{"where": "colour = red"}, {"collection": f"private {chance.choice(hidden or ['x'])}"}]
    with a_kit(whole) as kit, a_kit(whole, labels=labels) as labelled, a_kit(alone) as other:
        assert labelled.info().documents == other.info().documents
        for limit in limits:
            expected = all_that_is_told(other, present, **limit)
            assert all_that_is_told(kit, present, labels=labels, **limit) == expected
            assert all_that_is_told(labelled, present, labels=[*LABELS, "nobody"], **limit) == expected
            told = json.dumps(expected)
            assert not [own for own in hidden if own in told and own not in str(limit)]


@pytest.mark.parametrize("seed", range(4))
def test_what_collections_and_conditions_leave_out_changes_no_score(tmp_path, seed):
    chance = random.Random(seed)
    versions = [a_version(chance, number) for number in range(7)]
    versions[0] = replace(versions[0], facts=(Fact("tag", "peace"),), filing=Filing("letters"))
    kept = [v for v in versions if v.filing.collection == "letters" and Fact("tag", "war") not in v.facts]
    paths = [version.path for version in versions]
    whole, alone = index_of(tmp_path / "whole", [versions]), index_of(tmp_path / "alone", [kept], chance)
    with a_kit(whole) as kit, a_kit(alone) as other:
        expected = all_that_is_told(other, paths)
        assert all_that_is_told(kit, paths, where="collection = letters and tag != war") == expected
        assert all_that_is_told(kit, paths, where="tag != war", collection="letters") == expected


# how files are filed


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with two documents in `docs`."""
    monkeypatch.chdir(tmp_path)
    write("docs/a.md", "---\ntitle: On Apples\nauthor: Ann Lee\ndate: 2026-03-05\ntags: [fruit, red]\n---\n\nApples.\n")
    write("docs/old/b.txt", "Bananas are yellow.\n")
    return tmp_path


def write(path, text, day=1_600_000_000):
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (day, day))


def run(*paths, embedder=None, **options):
    options = {"chunk_tokens": 60, "min_chunk_tokens": 4, **options}
    return index_paths(paths or ["docs"], "index", embedder or WordEmbedder(), IngestOptions(**options))


def seen(**within):
    with Index.open("index") as index, index.snapshot(Scope.of(within)) as snapshot:
        return [ref.path for ref in snapshot.documents()]


@pytest.mark.usefixtures("place")
def test_asked_without_labels_all_is_seen_and_with_labels_only_what_carries_one_of_them():
    write("more/c.txt", "Cherries are dark.\n")
    run("docs")
    run("more", labels=("board", "staff"))
    assert seen() == ["docs/a.md", "docs/old/b.txt", "more/c.txt"]
    assert seen(labels=["board"]) == seen(labels=["press", "staff"]) == seen(labels="board") == ["more/c.txt"]
    assert seen(labels=["press"]) == seen(labels=[]) == []


@pytest.mark.usefixtures("place")
def test_labels_may_come_in_any_order_and_several_times():
    run(labels=("staff", "board", "staff"))
    with Index.open("index") as index:
        assert {file.origin.filing.labels for file in known_files(index)} == {("board", "staff")}
        index.check_all()
    assert run(labels=("board", "staff")).unchanged == 2


def known_files(index):
    with index.snapshot() as snapshot:
        return snapshot.known_files()


@pytest.mark.usefixtures("place")
def test_labels_are_changed_without_embedding_or_reading_the_rest():
    run(labels=("board",))
    embedder = WordEmbedder()
    assert run("docs/a.md", labels=("staff",), embedder=embedder).updated == 1
    assert run("docs/a.md", collection="letters", embedder=embedder).updated == 1
    assert embedder.embedded == 0
    assert seen(labels=["staff"]) == seen(collection="letters", labels=["staff"]) == ["docs/a.md"]
    assert seen(labels=["board"]) == ["docs/old/b.txt"]
    assert run("docs/a.md", labels=(), embedder=embedder).updated == 1
    assert seen(labels=["staff"]) == []
    assert seen(collection="letters") == ["docs/a.md"]
    assert embedder.embedded == 0


@pytest.mark.usefixtures("place")
def test_a_file_keeps_its_filing_when_it_changes_and_a_new_one_takes_that_of_its_folder():
    run(labels=("board",), collection="letters")
    write("docs/old/b.txt", "Bananas are brown.\n", day=1_600_000_001)
    write("docs/new.txt", "Figs are sweet.\n")
    assert (run().added, run().unchanged) == (1, 3)
    assert seen(labels=["board"], collection="letters") == ["docs/a.md", "docs/new.txt", "docs/old/b.txt"]


@pytest.mark.usefixtures("place")
def test_a_new_file_is_filed_as_the_innermost_folder_that_was_named_with_labels():
    run(labels=("board",))
    run("docs/a.md", labels=("staff",))
    run("docs/old", labels=("press",))
    write("docs/new.txt", "Figs are sweet.\n")
    write("docs/old/new.txt", "Dates are sweet.\n")
    run()
    assert seen(labels=["board"]) == ["docs/new.txt"]
    assert seen(labels=["press"]) == ["docs/old/b.txt", "docs/old/new.txt"]
    run(labels=("staff",), collection="letters")
    write("docs/old/newer.txt", "Limes are sour.\n")
    run("docs/old")
    assert "docs/old/newer.txt" in seen(labels=["staff"], collection="letters")
    run(labels=())
    write("docs/newest.txt", "Pears are soft.\n")
    run()
    assert seen(labels=["board", "press", "staff"]) == []


@pytest.mark.usefixtures("place")
def test_no_file_gets_a_label_because_others_have_it(tmp_path, monkeypatch):
    run("docs/old", "docs/a.md", labels=("board",))
    write("docs/private.txt", "Salaries are secret.\n")
    run()
    assert "docs/private.txt" in seen()
    assert "docs/private.txt" not in seen(labels=["board"])
    run(labels=("board",))
    write("elsewhere/docs/other.txt", "Wages are secret.\n")
    monkeypatch.chdir(tmp_path / "elsewhere")
    index_paths(["docs"], tmp_path / "index", WordEmbedder(), IngestOptions(60, 4))
    monkeypatch.chdir(tmp_path)
    assert "docs/other.txt" in seen()
    assert "docs/other.txt" not in seen(labels=["board"])


@pytest.mark.usefixtures("place")
def test_how_a_folder_is_filed_moves_with_index_and_documents(tmp_path, monkeypatch):
    run(labels=("board",))
    Path("moved").mkdir()
    for name in ("docs", "index"):
        Path(name).rename(f"moved/{name}")
    monkeypatch.chdir(tmp_path / "moved")
    write("docs/new.txt", "Figs are sweet.\n")
    run()
    assert seen(labels=["board"]) == ["docs/a.md", "docs/new.txt", "docs/old/b.txt"]


@pytest.mark.usefixtures("place")
def test_a_document_that_says_where_it_is_filed_is_not_believed():
    write("docs/c.md", "---\ncollection: letters\nfolder: docs/old\nmodified: 2026-01-01\n---\n\nCherries.\n")
    run()
    run("docs/old", collection="letters")
    for where in ("collection = letters", "folder = docs/old", "modified > 2026 or collection = letters"):
        assert seen(where=where) == ["docs/old/b.txt"]


def damage_rows(query):
    """Changes rows as a damaged page might: the header of the file, which SQLite would change too, stays as it was."""
    database = Path("index", DATABASE)
    header = database.read_bytes()[:100]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(query)
    with database.open("r+b") as opened:
        opened.write(header)


@pytest.mark.usefixtures("place")
def test_a_label_that_was_damaged_is_noticed_where_the_file_is_too_large_to_hash(monkeypatch):
    run(labels=("board",))
    run("docs/old", labels=("press",))
    monkeypatch.setattr("ragkit.index.folder.HASHED_BYTES", 0)
    of_a = "(SELECT id FROM documents WHERE is_live AND path = 'docs/a.md')"
    damage_rows(f"UPDATE labels SET label = 'press' WHERE document = {of_a}")
    with pytest.raises(IndexCorruptError, match="labels of document"):
        seen(labels=["press"])


@pytest.mark.parametrize(
    ("damage", "within"),
    [
        ("UPDATE facts SET value = 'letters' WHERE name = 'collection'", {"where": "collection = letters"}),
        ("UPDATE documents SET collection = 'letters'", {"collection": "letters"}),
        ("UPDATE facts SET value = 'ann' WHERE name = 'author'", {"where": "author = ann"}),
    ],
)
@pytest.mark.usefixtures("place")
def test_a_fact_that_was_damaged_shows_no_document(monkeypatch, damage, within):
    run()
    run("docs/old", collection="letters")
    monkeypatch.setattr("ragkit.index.folder.HASHED_BYTES", 0)
    damage_rows(damage)
    with a_kit("index") as kit, pytest.raises(IndexCorruptError, match=r"docs/a\.md"):
        kit.search("apples", **within)
    with Index.open("index") as index, pytest.raises(IndexCorruptError):
        index.check_all()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("type = md", ["docs/a.md"]),
        ("name = 'b.txt'", ["docs/old/b.txt"]),
        ("folder = docs/old", ["docs/old/b.txt"]),
        ("path ~ docs/", ["docs/a.md", "docs/old/b.txt"]),
        ("collection = letters", ["docs/old/b.txt"]),
        ("modified = 2020-09", ["docs/a.md", "docs/old/b.txt"]),
        ("modified > 2020-09-13", []),
        ("title ~ apples and author = 'ann lee'", ["docs/a.md"]),
        ("date >= 2026-03-01 and date < 2026-04", ["docs/a.md"]),
        ("tag = red and tag = fruit", ["docs/a.md"]),
        ("tag != red", ["docs/old/b.txt"]),
        ("not has author", ["docs/old/b.txt"]),
    ],
)
@pytest.mark.usefixtures("place")
def test_conditions_ask_about_path_file_and_front_matter(where, expected):
    run()
    run("docs/old", collection="letters")
    assert seen(where=where) == expected


@pytest.mark.parametrize(
    ("within", "message"),
    [
        pytest.param({"where": "autor = x"}, "did you mean 'author'", id="misspelt"),
        pytest.param({"where": "tag ="}, "a value was expected", id="half"),
        pytest.param({"collection": "leters"}, "There are: default, letters", id="no-such-collection"),
        pytest.param({"collection": ""}, "no name for a collection", id="empty-collection"),
        pytest.param({"labels": ["a,b"]}, "'a,b' is no name for a label", id="no-label"),
    ],
)
@pytest.mark.usefixtures("place")
def test_what_cannot_be_meant_is_told(within, message):
    run()
    run("docs/old", collection="letters")
    with pytest.raises(InputError, match=message):
        seen(**within)


@pytest.mark.parametrize("filing", [{"labels": ("a\nb",)}, {"collection": "x" * 65}, {"labels": ("",)}])
@pytest.mark.usefixtures("place")
def test_files_cannot_be_filed_under_what_is_no_name(filing):
    with pytest.raises(InputError, match="is no name for a"):
        run(**filing)
    assert not Path("index").exists()


MODELS = {"embedder": EMBEDDER, "reader": WordReader(), "verifier": WordVerifier(), "decider": ScriptedDecider({})}


@pytest.mark.usefixtures("place")
def test_a_kit_with_labels_sees_no_more_whatever_it_is_asked():
    build = {"index": "index", "min_confidence": 0.0, "generator": ScriptedGenerator(lambda prompt: ""), **MODELS}
    ragkit.build("docs/old", labels="board", **build).close()
    ragkit.build("docs/a.md", labels=["staff"], collection="letters", **build).close()
    with ragkit.open(labels="board", **build) as kit:
        assert kit.info().documents == 1
        assert kit.info().bytes is None
        for labels in (None, ["board"], ["board", "staff"], "board"):
            assert [hit.paragraph.document.path for hit in kit.search("apples", labels=labels)] == ["docs/old/b.txt"]
        for labels in ("staff", ["staff"], []):
            assert kit.search("apples", labels=labels) == []
            assert kit.ask("Which apples?", labels=labels).reason == "nothing-retrieved"
        with pytest.raises(InputError, match=r"There is no collection 'letters'\. There are: default$"):
            kit.ask("Which apples?", collection="letters")
        conversation = kit.chat(labels=["board", "staff"])
        assert [hit.paragraph.document.path for hit in conversation.ask("Which apples?").nearest] == ["docs/old/b.txt"]


@pytest.mark.usefixtures("place")
def test_the_same_bytes_read_in_two_ways_are_not_taken_for_each_other():
    text = "Apples are red:\n\n- apples from the market and the garden\n- pears from there\n"
    write("hidden/notes.txt", text)
    write("shown/notes.md", text)
    run("hidden")
    run("shown", labels=("board",))
    with ragkit.open("index", **MODELS) as kit:
        fresh = [hit.to_dict() for hit in kit.search("apples from the garden", labels="board")]
    with ragkit.open("index", **MODELS) as kit:
        kit.search("apples from the garden")
        assert [hit.to_dict() for hit in kit.search("apples from the garden", labels="board")] == fresh


@pytest.mark.usefixtures("place")
def test_a_limit_that_can_be_read_once_holds_for_every_question():
    run()
    run("docs/old", collection="letters")
    with a_kit("index") as kit:
        answers = kit.ask_many(["bananas yellow", "apples"], collection=iter(["letters"]))
        conversation = kit.chat(collection=iter(["letters"]))
        answers += [conversation.ask("bananas yellow"), conversation.ask("apples")]
        paths = {hit.paragraph.document.path for answer in answers for hit in answer.nearest}
        assert paths == {"docs/old/b.txt"}
        assert kit.search("apples", collection=[]) == kit.search("apples", labels=[]) == []


@pytest.mark.usefixtures("place")
def test_whoever_has_some_labels_is_not_told_the_others():
    run(labels=("board", "staff"))
    with Index.open("index") as index, index.snapshot(Scope.of({"labels": ["staff"]})) as snapshot:
        assert {file.origin.filing.labels for file in snapshot.known_files()} == {("staff",)}


@pytest.mark.usefixtures("place")
def test_there_may_be_very_many_labels():
    run(labels=("board",))
    assert seen(labels=["board", *(f"label{number}" for number in range(300_000))]) == ["docs/a.md", "docs/old/b.txt"]


@pytest.mark.usefixtures("place")
def test_a_repair_that_loses_a_document_forgets_no_label(tmp_path):
    run(labels=("board",))
    with sqlite3.connect(f"index/{DATABASE}") as connection:
        connection.execute("UPDATE documents SET text = 'Apples?' WHERE path = 'docs/a.md'")
    assert repair_index(tmp_path / "index").lost == ("docs/a.md",)
    write("docs/new.txt", "Figs are sweet.\n")
    run()
    assert seen(labels=["board"]) == ["docs/a.md", "docs/new.txt", "docs/old/b.txt"]
