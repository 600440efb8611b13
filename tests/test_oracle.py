import pytest
from fakes import ScriptedGenerator, ScriptedVerifier, WordEmbedder, WordReader, WordVerifier

import ragkit
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.running.oracle import Finding, KitOracle, look_back
from ragkit.models.reading import Reading
from ragkit.prompts import REFUSAL

LETTER = (
    "Putin suggested talks about the place of the letter.\n\n"
    "The city named was Istanbul. Many wrote to the newspaper.\n\n"
    "Prisoners would be exchanged in full.\n"
)
NOTE = "The note is short.\n"
QUESTION = "Which place for talks was suggested?"
ISTANBUL = GoldEvidence("docs/letter.txt", 2, "The city named")
GOLD = GoldQuestion("place", QUESTION, ("Istanbul",), evidence=(ISTANBUL,))


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "letter.txt").write_text(LETTER)
    (tmp_path / "docs" / "note.txt").write_text(NOTE)


class ChatGenerator(ScriptedGenerator):
    is_chat = True


class PointingReader(WordReader):
    """Its short answer is the second word of a sentence."""

    def read(self, question, texts):
        readings = super().read(question, texts)
        for text, reading in zip(texts, readings, strict=True):
            starts = [text.text.index(" ", start) + 1 for start, _ in text.sentences]
            yield Reading(reading.log_odds, tuple((start, text.text.index(" ", start)) for start in starts))


def build(written="", **settings):
    chosen = {"min_confidence": 0.0, "min_chunk_tokens": 0, "evidence_margin": 0.5, "draft_tokens": 0, **settings}
    writer = ChatGenerator(lambda prompt: written)
    models = {"embedder": WordEmbedder(), "reader": WordReader(), "verifier": WordVerifier(), "generator": writer}
    return ragkit.build("docs", "index", **models, **chosen)


def gold(question, answer, paragraph=2, **fields):
    return GoldQuestion("q", question, (answer,), evidence=(GoldEvidence("docs/letter.txt", paragraph),), **fields)


CHAT = {"draft_tokens": 48, "written": REFUSAL}


@pytest.mark.parametrize(
    ("asked", "settings", "blame"),
    [
        pytest.param(gold("What city was named?", "Istanbul"), {}, None, id="right"),
        pytest.param(GOLD, {}, "not-chosen", id="other-words-than-the-sentence"),
        pytest.param(
            GOLD,
            {"evidence_paragraphs": 1, "rerank_paragraphs": 1, "retrieve_chunks": 1},
            "not-retrieved",
            id="only-one-paragraph-is-read",
        ),
        pytest.param(
            GoldQuestion("q", QUESTION, ("Ankara",), evidence=(GoldEvidence("docs/gone.txt", 1),)),
            {},
            "not-indexed",
            id="no-such-document",
        ),
        pytest.param(
            GoldQuestion("q", QUESTION, ("Istanbul",), evidence=(GoldEvidence("letter.txt", 2, "Something else"),)),
            {},
            "not-indexed",
            id="the-document-changed",
        ),
        pytest.param(gold(QUESTION, "Ankara"), {}, "gold-doubtful", id="the-paragraph-does-not-say-so"),
        pytest.param(gold("What city was named?", "Istanbul"), CHAT, "not-written", id="the-model-denies-it"),
        pytest.param(gold("What city was named?", "Istanbul"), {"min_confidence": 1.0}, "refused", id="unsure"),
        pytest.param(GoldQuestion("q", QUESTION, answerable=False), {}, "should-refuse", id="unanswerable"),
    ],
)
def test_a_kit_tells_which_step_lost_the_answer(asked, settings, blame):
    with build(**settings) as kit:
        assert look_back(kit, asked, kit.explain(asked.question)).blame == blame


def test_what_checking_takes_out_is_dropped():
    asked = gold("What was named?", "Istanbul")
    written = "The city named was Istanbul of Turkey [1]. The city was named [1]."
    models = {"reader": PointingReader(), "verifier": ScriptedVerifier({"The city was named.": 9.0})}
    with build(written, draft_tokens=48) as made:
        kit = ragkit.open("index", made.settings, embedder=made.embedder, generator=made.generator, **models)
        found = kit.explain(asked.question)
        assert found.answer.text == "The city was named. [1]"
        assert look_back(kit, asked, found).blame == "dropped"


def test_an_error_is_a_step_of_its_own():
    with build() as kit:
        assert look_back(kit, GOLD, None) == Finding("error", None)


def test_a_refused_answer_is_given_to_see_whether_it_was_right():
    asked = gold("What city was named?", "Istanbul")
    with build(min_confidence=1.0) as kit:
        assert look_back(kit, asked, kit.explain(asked.question)) == Finding("refused", 1.0)
        assert look_back(kit, GOLD, kit.explain(QUESTION)) == Finding("not-chosen", 0.0)


def test_a_right_answer_is_not_asked_again():
    with build(draft_tokens=48, written="The city named was Istanbul. [1]") as kit:
        asked = gold("What city was named?", "Istanbul")
        found = kit.explain(asked.question)
        prompts = len(kit.generator.prompts)
        assert look_back(kit, asked, found) == Finding(None, None)
        assert len(kit.generator.prompts) == prompts


def test_paragraphs_are_put_in_before_those_that_were_retrieved():
    with build(evidence_paragraphs=2) as kit:
        found = kit.explain("Which note is short?")
        oracle = KitOracle(kit, GOLD, found)
        (paragraph,) = oracle.gold_paragraphs()
        given = oracle.with_paragraphs([paragraph])
    assert given.retrieved.hits[0].paragraph.number == 2
    assert len(given.retrieved.hits) == len(found.retrieved.hits)  # it stood further down
    read = {(c.paragraph.document.path, c.paragraph.number) for c, _ in given.weighed}
    assert read == {("docs/letter.txt", 2), ("docs/note.txt", 1)}


def test_the_threshold_bars_no_answer_of_the_oracle():
    with build(min_confidence=1.0) as kit:
        oracle = KitOracle(kit, GOLD, kit.explain(QUESTION))
        paragraphs = oracle.gold_paragraphs()
        traces = [oracle.without_threshold(), oracle.quoting(), oracle.with_paragraphs(paragraphs)]
        traces += [oracle.with_sentences(paragraphs), oracle.with_sentences(paragraphs, quoted=True)]
    assert [trace.answer.abstained for trace in traces] == [False] * 5


def sentences_put_in(kit, asked):
    oracle = KitOracle(kit, asked, kit.explain(asked.question))
    given = oracle.with_sentences([p for p in oracle.gold_paragraphs() if p], quoted=True)
    return [citation.quote for citation in given.answer.citations]


@pytest.mark.parametrize(
    ("evidence", "answers", "quotes"),
    [
        pytest.param(
            GoldEvidence("docs/letter.txt", 2, "The city", "Many wrote to the newspaper."),
            ("Istanbul",),
            ["Many wrote to the newspaper."],
            id="the-one-that-is-named",
        ),
        pytest.param(ISTANBUL, ("Istanbul",), ["The city named was Istanbul."], id="those-that-hold-the-answer"),
        pytest.param(
            ISTANBUL,
            ("Istanbul. Many wrote",),
            ["The city named was Istanbul. Many wrote to the newspaper."],
            id="the-paragraph-where-it-goes-over-two",
        ),
        pytest.param(
            ISTANBUL,
            ("No",),
            ["The city named was Istanbul.", "Many wrote to the newspaper."],
            id="the-best-where-words-cannot-tell",
        ),
    ],
)
def test_gold_sentences_are(evidence, answers, quotes):
    with build(style="short") as kit:
        assert sorted(sentences_put_in(kit, GoldQuestion("q", QUESTION, answers, evidence=(evidence,)))) == sorted(
            quotes
        )


def test_every_entry_of_a_list_gets_its_sentences():
    entries = (("Istanbul",), ("exchanged", "swapped"))
    evidence = (ISTANBUL, GoldEvidence("docs/letter.txt", 3))
    with build() as kit:
        quotes = sentences_put_in(kit, GoldQuestion("q", QUESTION, must_include=entries, evidence=evidence))
    assert sorted(quotes) == ["Prisoners would be exchanged in full.", "The city named was Istanbul."]


def test_without_gold_paragraphs_the_index_is_searched_for_the_answer():
    asked = GoldQuestion("q", "Which note is short?", ("Istanbul",))
    with build(evidence_paragraphs=1, rerank_paragraphs=1, retrieve_chunks=1) as kit:
        found = kit.explain(asked.question)
        assert [hit.paragraph.document.path for hit in found.retrieved.hits] == ["docs/note.txt"]
        assert KitOracle(kit, asked, found).gold_paragraphs() == []  # one chunk is looked at, which is the note's
    with build() as kit:
        (stand_in,) = KitOracle(kit, asked, kit.explain(asked.question)).gold_paragraphs()
        assert (stand_in.document.path, stand_in.number) == ("docs/letter.txt", 2)
