import pytest
from fakes import WordEmbedder

from ragkit.index.index import Index
from ragkit.ingest import index_paths
from ragkit.ingest_records import IngestOptions
from ragkit.interaction import LateInteraction
from ragkit.records import Chunk, DocumentRef, Hit, Paragraph
from ragkit.retrieval import Retrieved, Retriever, fuse

FRUIT = "Apples are red and sweet.\n\nBananas are yellow and soft.\n\nThe monkey ate a ripe fig at noon.\n"
TALKS = "# Venue\n\nPutin suggested Istanbul.\n\n# Date\n\nThe talks begin on Monday.\n"


class BookishEmbedder(WordEmbedder):
    """Knows a few words whole; others fall into pieces, as those that are rare or misspelt do."""

    def count_tokens(self, text: str) -> int:
        known = {"where", "did", "the", "monkey", "ate", "what", "apples"}
        return sum(1 if word.casefold() in known else 2 for word in text.split())


class LastFirst:
    """A `Reranker` that likes what comes late in the alphabet."""

    name = "last-first"

    def score(self, question, texts):
        return [float(ord(text[0])) for text in texts]


@pytest.fixture
def snapshot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fruit.txt").write_text(FRUIT)
    (tmp_path / "talks.md").write_text(TALKS)
    index_paths(["fruit.txt", "talks.md"], "index", WordEmbedder(), IngestOptions(chunk_tokens=60, min_chunk_tokens=0))
    with Index.open("index") as index, index.snapshot() as opened:
        yield opened


def retriever(embedder=None, **options):
    embedder = embedder or WordEmbedder()
    return Retriever(embedder, LateInteraction(embedder), **{"pool": 10, "rerank": 10, **options})


def test_rankings_are_fused_by_reciprocal_rank():
    # 7: 1/61 + 1/62 = .03252; 5: 1/62 + 1/63 = .03200; 9: 1/61 = .01639; 2: 1/63 = .01587
    assert [chunk_id for chunk_id, _ in fuse([[7, 5, 2], [9, 7, 5]])] == [7, 5, 9, 2]
    assert dict(fuse([[7, 5, 2], [9, 7, 5]]))[7] == pytest.approx(1 / 61 + 1 / 62)


def test_equal_scores_are_ordered_by_id_and_nothing_fuses_to_nothing():
    assert [chunk_id for chunk_id, _ in fuse([[4], [3]])] == [3, 4]
    assert fuse([[], []]) == []


def test_the_paragraph_that_shares_most_words_comes_first(snapshot):
    hits = retriever().retrieve("When did the monkey eat a ripe fig?", snapshot, 3).hits
    assert hits[0].paragraph.text == "The monkey ate a ripe fig at noon."
    assert (hits[0].paragraph.document.path, hits[0].paragraph.number) == ("fruit.txt", 3)
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].dense is not None
    assert hits[0].keyword is not None


def test_every_paragraph_comes_up_once_with_its_similarities(snapshot):
    found = retriever().retrieve("Istanbul talks", snapshot, 50)
    places = [(hit.paragraph.document.path, hit.paragraph.number) for hit in found.hits]
    assert len(places) == len(set(places)) == len(found.matches) == len(found.paragraph_tokens)
    assert all(match.shape == (2,) for match in found.matches)


def test_at_most_k_are_found(snapshot):
    assert len(retriever().retrieve("red apples", snapshot, 1).hits) == 1


def test_a_misspelt_word_is_put_right_by_the_documents(snapshot):
    found = retriever(BookishEmbedder()).retrieve("What did Istnbul", snapshot, 2)
    assert found.question == "What did istanbul"
    assert found.hits[0].paragraph.text == "Putin suggested Istanbul."


def test_a_cross_encoder_decides_the_order_where_there_is_one(snapshot):
    hits = retriever(reranker=LastFirst()).retrieve("apples bananas monkey", snapshot, 3).hits
    assert hits[0].paragraph.text.startswith("The")
    assert hits[0].score == ord("T")


def test_the_order_before_reranking_is_kept_with_its_ranks(snapshot):
    found = retriever(reranker=LastFirst(), rerank=2).retrieve("apples bananas monkey", snapshot, 2)
    assert [hit.rank for hit in found.fused] == list(range(1, len(found.fused) + 1))
    assert [hit.score for hit in found.fused] == sorted((hit.score for hit in found.fused), reverse=True)
    assert found.others == found.fused[2:] != ()
    assert {hit.paragraph for hit in found.hits} == {hit.paragraph for hit in found.fused[:2]}


def hit(number, dense=None, keyword=None):
    ref = DocumentRef("my notes.txt", "sha256:0")
    paragraph = Paragraph(ref, number, 0, 1, "x")
    return Hit(paragraph, Chunk(ref, 0, 1, "x", (paragraph,), 1), 0.0, number, dense, keyword)


def test_each_stage_has_its_own_order_of_paragraphs():
    fused = (hit(1, 0.5, 2.0), hit(2, None, 9.0), hit(3, 0.7, None), hit(4, 0.5, 2.0))
    found = Retrieved("x", fused[1::-1], None, (), (), others=fused[2:], fused=fused)
    assert {stage: [key.removeprefix("my notes.txt#") for key in keys] for stage, keys in found.stages().items()} == {
        "dense": ["3", "1", "4"],  # 1 and 4 are equal, so in fused order; the vectors did not find 2
        "keyword": ["2", "1", "4"],
        "fused": ["1", "2", "3", "4"],
        "reranked": ["2", "1", "3", "4"],  # 3 and 4 were not reranked
    }
    assert list(found.stages()) == ["dense", "keyword", "fused", "reranked"]
    assert Retrieved("x", (), None, (), ()).stages() == {"dense": [], "keyword": [], "fused": [], "reranked": []}


@pytest.mark.parametrize("question", ["会談はどこ?", "أين الاجتماع؟", "the of and", '"apples" OR NEAR(x*'])
def test_any_question_can_be_searched_for(snapshot, question):
    retriever().retrieve(question, snapshot, 3)
