import json
import threading
import time

import pytest
from fakes import WordEmbedder

from ragkit.evaluation.running.cache import (
    AnswerCache,
    hash_code,
    hash_folder,
    identify_index,
    identify_models,
    pack_answer,
    unpack_answer,
)
from ragkit.index.index import Index
from ragkit.ingest import index_paths
from ragkit.ingest_records import IngestOptions
from ragkit.records import Answer, Chunk, Citation, DocumentRef, Hit, Paragraph, Seconds, Sentence

REF = DocumentRef("docs/a.txt", "sha256:0")
PARAGRAPH = Paragraph(REF, 1, 0, 20, "Denver won 24 to 10.", headings=("Cup", "Final"), page=3)
ANSWER = Answer(
    "Who won?",
    "Denver won [1]",
    False,
    None,
    0.91234567,
    (Sentence("Denver won", (1,), "supported", 0.98765432, quoted=True),),
    (Citation(1, PARAGRAPH, 0, 10, "Denver won", 1.25),),
    "a model",
    Seconds(0.1, 0.2, 0.3),
    nearest=(Hit(PARAGRAPH, Chunk(REF, 0, 20, PARAGRAPH.text, (PARAGRAPH,), 5), 0.5, 1),),
    unresolved_labels=(7,),
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "cache" / "answers.sqlite"


def test_what_was_kept_is_found_by_the_same_words_also_later(file):
    with AnswerCache.open(file) as cache:
        cache.keep({"a": [1, None]}, "answer", "Who won?")
    with AnswerCache.open(file) as cache:
        assert cache.find("answer", "Who won?") == {"a": [1, None]}
        assert cache.find("answer", "who won?") is None
        assert cache.find("answer Who won?") is None
        cache.keep("other", "answer", "Who won?")
        assert cache.find("answer", "Who won?") == "other"


def test_a_fresh_cache_finds_nothing_and_keeps_all(file):
    with AnswerCache.open(file) as cache:
        cache.keep("old", "q")
    with AnswerCache.open(file, is_fresh=True) as cache:
        assert cache.find("q") is None
        cache.keep("new", "q")
        assert cache.find("q") is None
    with AnswerCache.open(file) as cache:
        assert cache.find("q") == "new"


def test_beyond_the_most_entries_the_oldest_go(file):
    with AnswerCache.open(file, most=3) as cache:
        for number in range(5):
            cache.keep(number, str(number))
        assert [cache.find(str(number)) for number in range(5)] == [None, None, 2, 3, 4]


@pytest.mark.parametrize("content", [b"no database at all " * 99, b""], ids=["damaged", "empty"])
def test_a_damaged_cache_is_made_anew(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    with AnswerCache.open(file) as cache:
        cache.keep(1, "q")
        assert cache.find("q") == 1


def test_a_place_where_no_cache_can_be_only_costs_time(tmp_path):
    (tmp_path / "file").write_text("")
    with AnswerCache.open(tmp_path / "file" / "answers.sqlite") as cache:
        cache.keep(1, "q")
        assert cache.find("q") is None


def test_a_cache_that_breaks_while_it_is_used_only_costs_time(file):
    cache = AnswerCache.open(file)
    cache.close()
    cache.keep(1, "q")
    assert cache.find("q") is None


def test_several_threads_share_a_cache(file):
    with AnswerCache.open(file) as cache:
        threads = [threading.Thread(target=cache.keep, args=(n, str(n))) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [cache.find(str(n)) for n in range(8)] == list(range(8))


def test_a_judge_is_asked_for_each_verdict_once(file):
    asked = []

    def judge(sentence, source):
        asked.append((sentence, source))
        return sentence in source

    with AnswerCache.open(file) as cache:
        judged = cache.remembering(judge, "judged", "settings")
        assert [judged("a", "abc"), judged("x", "abc"), judged("x", "abc"), judged("a", "abc")] == [
            True,
            False,
            False,
            True,
        ]
    assert asked == [("a", "abc"), ("x", "abc")]


def test_an_answer_is_unpacked_as_it_was_packed_but_for_what_came_near():
    unpacked = unpack_answer(json.loads(json.dumps(pack_answer(ANSWER))))
    assert unpacked.nearest == ()
    assert unpacked.citations[0].paragraph.title == PARAGRAPH.title
    assert (unpacked.sentences, unpacked.citations, unpacked.seconds) == (
        ANSWER.sentences,
        ANSWER.citations,
        ANSWER.seconds,
    )
    assert pack_answer(unpacked) == pack_answer(ANSWER)


def test_an_index_is_another_when_its_documents_change(tmp_path):
    def identity(text):
        (tmp_path / "a.txt").write_text(text)
        index_paths([tmp_path / "a.txt"], tmp_path / "index", WordEmbedder(), IngestOptions(60, 4))
        with Index.open(tmp_path / "index") as index:
            return identify_index(index)

    first = identity("Denver won.")
    assert identity("Denver won.") == first
    assert identity("Carolina won.") != first


def test_models_are_others_when_their_files_change(tmp_path):
    (tmp_path / "model").mkdir()
    file = tmp_path / "model" / "weights.bin"
    file.write_bytes(b"1")
    settings = {"model": str(tmp_path / "model"), "embedder": None, "verifier": "some/hub-id", "top_k": 5}
    before = identify_models(settings)
    assert [stamp[:2] for stamp in before] == [[str(file), 1]]
    file.write_bytes(b"22")
    assert identify_models(settings) != before
    assert identify_models({}) == []


def test_the_code_has_a_hash_with_or_without_some_folders():
    hashes = {hash_code(), hash_code("cli"), hash_code("cli", "evaluation")}
    assert [len(text) for text in hashes] == [64] * 3


def test_code_is_other_code_when_a_file_changes_and_its_hash_is_like_no_other_if_that_was_after_loading(tmp_path):
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "a.py").write_text("1")
    (tmp_path / "a.py").write_text("1")
    now = time.time_ns() + 10**9
    before = hash_folder(tmp_path, ["cli"], now)
    (tmp_path / "cli" / "a.py").write_text("2")
    (tmp_path / "note.txt").write_text("2")
    assert hash_folder(tmp_path, ["cli"], now) == before
    assert hash_folder(tmp_path, [], now) != before
    assert hash_folder(tmp_path, ["cli"], 1) != hash_folder(tmp_path, ["cli"], 2)
    (tmp_path / "a.py").write_text("1 + 1")
    assert hash_folder(tmp_path, ["cli"], now) != before
