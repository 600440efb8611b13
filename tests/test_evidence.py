from dataclasses import replace

import numpy as np
import pytest
from fakes import WordEmbedder, WordReader

from ragkit.evidence import (
    Candidate,
    Limits,
    choose_candidates,
    read_sentences,
    score_sentences,
    select_evidence,
    weigh_candidates,
)
from ragkit.index.index import Index
from ragkit.ingest import index_paths
from ragkit.ingest_records import IngestOptions
from ragkit.interaction import LateInteraction
from ragkit.records import DocumentRef, Paragraph
from ragkit.retrieval import Retriever

NOTES = (
    "The monkey lives in a tall tree. It ate a ripe fig at noon on Monday. Nobody saw the monkey leave the garden.\n\n"
    "Bananas are yellow. The market sells 40 of them each day.\n\n"
    "The monkey ate a ripe fig.\n"
)


@pytest.fixture
def find(tmp_path, monkeypatch):
    """The scored sentences for a question, best first."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text(NOTES)
    embedder = WordEmbedder(dimensions=512)
    index_paths(["notes.txt"], "index", embedder, IngestOptions(chunk_tokens=60, min_chunk_tokens=0))
    retriever = Retriever(embedder, LateInteraction(embedder), pool=10, rerank=10)

    def scored(question, paragraphs=5):
        with Index.open("index") as index, index.snapshot() as snapshot:
            return score_sentences(retriever.retrieve(question, snapshot, 10), paragraphs)

    return scored


def select(candidates, count=4, margin=4.0, max_words=1000):
    return select_evidence(candidates, Limits(count, margin, max_words))


def test_the_sentence_with_the_words_of_the_question_is_best(find):
    best = find("How many of them does the market sell each day?")[0]
    assert best.text == "The market sells 40 of them each day."
    assert NOTES[best.start : best.end] == best.text
    assert best.paragraph.number == 2
    assert best.holds_kind is True


def test_sentences_come_best_first_with_finite_scores(find):
    scores = [candidate.score for candidate in find("What did the monkey eat?")]
    assert scores == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()


def test_only_the_best_paragraphs_are_looked_into(find):
    assert len({candidate.paragraph.number for candidate in find("ripe fig", paragraphs=1)}) == 1


def test_reading_adds_what_the_reader_says_and_keeps_every_sentence(find):
    question = "How many of them does the market sell each day?"
    found = find(question)
    read = read_sentences(question, found, WordReader())
    assert {candidate.start for candidate in read} == {candidate.start for candidate in found}
    assert read[0].text == read[0].short_answer == "The market sells 40 of them each day."
    assert read[0].log_odds == max(candidate.log_odds for candidate in read)
    scores = [candidate.score for candidate in read]
    assert scores == sorted(scores, reverse=True)


def test_evidence_is_labelled_from_one_and_its_places_are_exact(find):
    evidence = select(find("When did it eat the ripe fig?"), count=3)
    assert [item.label for item in evidence] == [1, 2, 3]
    assert all(NOTES[item.start : item.end] == item.text for item in evidence)


def test_a_sentence_far_below_the_best_is_no_evidence(find):
    candidates = find("How many of them does the market sell each day?")
    apart = candidates[0].score - candidates[1].score
    assert len(select(candidates, margin=apart / 2)) == 1
    assert len(select(candidates, margin=apart * 1.01)) >= 2


def test_words_are_limited_but_the_best_sentence_is_always_taken(find):
    candidates = find("How many of them does the market sell each day?")
    assert [item.text for item in select(candidates, max_words=1)] == [candidates[0].text]
    assert sum(len(item.text.split()) for item in select(candidates, max_words=20)) <= 20


def test_a_sentence_that_says_nothing_new_is_no_evidence(find):
    candidates = find("What did the monkey eat?")
    full = next(c for c in candidates if "noon" in c.text)
    again = replace(full, text="It ate a ripe fig.", score=full.score - 0.01)
    assert [item.text for item in select([full, again])] == [full.text]


def test_what_is_no_evidence_says_why(find):
    candidates = find("How many of them does the market sell each day?")
    weighed = weigh_candidates(candidates, Limits(1, 1000.0, 1000))
    assert [objection for _, objection in weighed[:2]] == ["", "1 were chosen already"]
    weighed = weigh_candidates(candidates, Limits(4, 0.0, 1000))
    assert weighed[1][1] == "more than 0 below the best"


def test_nothing_found_is_no_evidence():
    assert select([]) == []


def candidate_of(document, odds):
    text = f"The monkey of {document} ate."
    paragraph = Paragraph(DocumentRef(document, f"sha256:{document}"), 1, 0, len(text), text)
    nothing = np.zeros(0, dtype=np.float32)
    return Candidate(paragraph, 0, len(text), text, nothing, nothing, nothing, 0.0, None, score=odds, log_odds=odds)


def test_the_best_sentence_of_another_document_may_lie_further_below_where_it_answers_as_well():
    first, second = (candidate_of(name, odds) for name, odds in (("a.txt", 9.0), ("b.txt", 3.0)))
    narrow = Limits(count=2, margin=1.0, max_words=60)
    assert choose_candidates([first, second], narrow) == [first]
    assert choose_candidates([first, second], replace(narrow, elsewhere=2.0)) == [first, second]
    assert choose_candidates([first, second], replace(narrow, elsewhere=4.0)) == [first]
