from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from ragkit.citations import DraftSentence
from ragkit.drafting import Draft
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.running.blame import STEPS, find_blame, right_if_answered
from ragkit.evidence import Candidate
from ragkit.models.embedding import TokenVectors
from ragkit.prompts import REFUSAL
from ragkit.records import Answer, Citation, DocumentRef, Paragraph, Sentence
from ragkit.retrieval import Retrieved
from ragkit.trace import Trace

NOTHING = np.zeros(1, dtype=np.float32)
TOKENS = TokenVectors(np.zeros((1, 1), dtype=np.float32), np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64))


def paragraph(number, text):
    return Paragraph(DocumentRef("docs/a.txt", "sha256:0"), number, 0, len(text), text)


WINNER = paragraph(1, "The match was long. Denver won it.")
LOSER = paragraph(2, "Carolina went home without a point.")
NAMED = (GoldEvidence("docs/a.txt", 1),)
GOLD = GoldQuestion("q", "Who won?", ("Denver",), evidence=NAMED)


def says(text, cited=None, confidence=0.9):
    """An answer of one sentence; a refusal if it says nothing."""
    if not text:
        return Answer("Who won?", REFUSAL, True, "no-evidence", confidence, (), (), "none")
    citations = (Citation(1, cited, 0, 1, cited.text[:1], 1.0),) if cited else ()
    sentence = Sentence(text, (1,) if cited else (), "supported", 1.0)
    return Answer("Who won?", text, False, None, confidence, (sentence,), citations, "none")


def trace(answer, chosen=(), read=(), written=""):
    """How an answer came about: (paragraph, sentence) pairs that were chosen, and others that were read."""
    pairs = [(*pair, "") for pair in chosen] + [(*pair, "3 were chosen already") for pair in read]
    weighed = [
        (Candidate(p, 0, len(text), text, NOTHING, NOTHING, NOTHING, 0.0, None), objection)
        for p, text, objection in pairs
    ]
    statements = ((DraftSentence(written, (1,)),),) if written else ()
    draft = Draft("", written, statements)
    return Trace(Retrieved("Who won?", (), TOKENS, (), ()), tuple(weighed), {}, 0.2, answer, draft, ())


WRONG = says("Carolina went home.", LOSER)
RIGHT = trace(says("Denver won it.", WINNER), [(WINNER, "Denver won it.")])
STILL_WRONG = trace(WRONG, [(LOSER, LOSER.text)])
ON_LOSER = (LOSER, LOSER.text)
ON_WINNER = (WINNER, "Denver won it.")
BESIDE = (WINNER, "The match was long.")


@dataclass
class ScriptedOracle:
    """Whatever is put right, the answer stays wrong, except where a test says otherwise."""

    paragraphs: list = field(default_factory=lambda: [WINNER])
    unbarred: Trace = STILL_WRONG
    quoted: Trace = STILL_WRONG
    paragraphs_in: Trace = STILL_WRONG
    sentences_in: Trace = STILL_WRONG
    sentences_quoted: Trace = STILL_WRONG
    asked: list = field(default_factory=list)
    given: list = field(default_factory=list)

    def gold_paragraphs(self):
        return self.paragraphs

    def without_threshold(self):
        self.asked.append("without threshold")
        return self.unbarred

    def quoting(self):
        self.asked.append("quoting")
        return self.quoted

    def with_paragraphs(self, paragraphs):
        self.asked.append("paragraphs")
        self.given += paragraphs
        return self.paragraphs_in

    def with_sentences(self, paragraphs, *, quoted=False):
        self.asked.append("sentences quoted" if quoted else "sentences")
        return self.sentences_quoted if quoted else self.sentences_in


UNSURE = trace(says("", confidence=0.1), [ON_WINNER])
QUOTED_BOTH = trace(WRONG, [ON_LOSER, ON_WINNER])


@pytest.mark.parametrize(
    ("given", "oracle", "step", "asked"),
    [
        pytest.param(None, ScriptedOracle(), "error", [], id="an-error"),
        pytest.param(RIGHT, ScriptedOracle(), None, [], id="a-right-answer"),
        pytest.param(UNSURE, ScriptedOracle(unbarred=RIGHT), "refused", ["without threshold"], id="right-but-unsure"),
        pytest.param(STILL_WRONG, ScriptedOracle([None]), "not-indexed", [], id="the-index-lacks-the-paragraph"),
        pytest.param(
            STILL_WRONG,
            ScriptedOracle(paragraphs_in=RIGHT),
            "not-retrieved",
            ["paragraphs"],
            id="right-with-the-paragraph-put-in",
        ),
        pytest.param(
            STILL_WRONG,
            ScriptedOracle(paragraphs_in=QUOTED_BOTH),
            "not-retrieved",
            ["paragraphs"],
            id="at-least-chosen-with-the-paragraph-put-in",
        ),
        pytest.param(
            STILL_WRONG,
            ScriptedOracle(paragraphs_in=trace(WRONG, [ON_LOSER], [ON_WINNER]), sentences_in=RIGHT),
            "not-chosen",
            ["paragraphs", "sentences"],
            id="retrieving-it-would-not-have-been-enough",
        ),
        pytest.param(
            trace(WRONG, [ON_LOSER], [ON_WINNER]),
            ScriptedOracle(sentences_in=RIGHT),
            "not-chosen",
            ["sentences"],
            id="read-but-another-paragraph-chosen",
        ),
        pytest.param(
            trace(WRONG, [BESIDE], [ON_WINNER]),
            ScriptedOracle(sentences_in=RIGHT),
            "not-chosen",
            ["sentences"],
            id="another-sentence-of-the-paragraph-chosen",
        ),
        pytest.param(
            trace(WRONG, [ON_WINNER], written="Someone won it."),
            ScriptedOracle(quoted=RIGHT),
            "not-written",
            ["quoting"],
            id="the-wording-leaves-it-out",
        ),
        pytest.param(
            trace(WRONG, [ON_LOSER], [ON_WINNER]),
            ScriptedOracle(sentences_in=trace(WRONG, written="Someone won."), sentences_quoted=RIGHT),
            "not-written",
            ["sentences", "sentences quoted"],
            id="choosing-it-would-not-have-been-enough",
        ),
        pytest.param(
            trace(WRONG, [ON_WINNER], written="Denver [1] won it."),
            ScriptedOracle(quoted=RIGHT),
            "dropped",
            ["quoting"],
            id="written-and-taken-out",
        ),
        pytest.param(
            trace(WRONG, [ON_WINNER], written="Someone won it."),
            ScriptedOracle(),
            "dropped",
            ["quoting"],
            id="not-even-quoted-though-it-was-evidence",
        ),
        pytest.param(
            trace(WRONG, [ON_LOSER], [ON_WINNER]),
            ScriptedOracle(),
            "gold-doubtful",
            ["sentences", "sentences quoted"],
            id="not-right-even-when-the-gold-sentence-is-quoted",
        ),
        pytest.param(
            STILL_WRONG, ScriptedOracle([LOSER]), "gold-doubtful", [], id="no-gold-paragraph-holds-an-accepted-answer"
        ),
    ],
)
def test_the_first_step_that_lost_the_answer_is_blamed_and_no_more_is_asked_than_that_takes(given, oracle, step, asked):
    oracle = replace(oracle, asked=[], given=[])
    assert find_blame(GOLD, given, oracle) == step
    assert oracle.asked == asked


def test_a_refusal_that_would_have_been_wrong_too_is_blamed_on_what_the_answer_shows():
    oracle = ScriptedOracle(unbarred=trace(WRONG, [ON_LOSER], [ON_WINNER]), sentences_in=RIGHT)
    assert find_blame(GOLD, UNSURE, oracle) == "not-chosen"
    assert oracle.asked == ["without threshold", "sentences"]


def test_a_model_that_refuses_is_not_asked_again_without_the_threshold():
    given = trace(says("", confidence=0.9), [ON_WINNER], written="The documents do not say.")
    oracle = ScriptedOracle(quoted=RIGHT)
    assert find_blame(GOLD, given, oracle) == "not-written"
    assert oracle.asked == ["quoting"]


def test_an_unanswerable_question_must_be_refused():
    gold = GoldQuestion("q", "Who sang?", answerable=False)
    assert find_blame(gold, STILL_WRONG, ScriptedOracle()) == "should-refuse"
    assert find_blame(gold, trace(says("")), ScriptedOracle()) is None


PLAYED = trace(says("Denver and Carolina played."))
BOTH = GoldQuestion("q", "Who played?", must_include=(("Denver",), ("Carolina", "Carolinas")), evidence=NAMED * 2)


@pytest.mark.parametrize(
    ("chosen", "read", "oracle", "step"),
    [
        pytest.param(
            [ON_LOSER],
            [],
            ScriptedOracle([WINNER, LOSER], paragraphs_in=RIGHT),
            "gold-doubtful",
            id="neither-step-helps",
        ),
        pytest.param(
            [ON_LOSER],
            [],
            ScriptedOracle([WINNER, LOSER], paragraphs_in=QUOTED_BOTH),
            "not-retrieved",
            id="one-is-not-read",
        ),
        pytest.param(
            [ON_LOSER],
            [ON_WINNER],
            ScriptedOracle([WINNER, LOSER], sentences_in=PLAYED),
            "not-chosen",
            id="one-is-not-chosen",
        ),
        pytest.param([ON_LOSER], [], ScriptedOracle([None, LOSER]), "not-indexed", id="one-is-missing"),
        pytest.param([ON_LOSER, ON_WINNER], [], ScriptedOracle([WINNER, LOSER]), "dropped", id="evidence-holds-both"),
    ],
)
def test_where_several_things_are_needed_one_of_them_is_not_enough(chosen, read, oracle, step):
    assert find_blame(BOTH, trace(WRONG, chosen, read), oracle) == step


def test_a_paragraph_that_is_named_twice_is_put_in_once():
    oracle = ScriptedOracle([WINNER, WINNER], paragraphs_in=RIGHT)
    assert find_blame(GOLD, STILL_WRONG, oracle) == "not-retrieved"
    assert oracle.given == [WINNER]


LONG = replace(GOLD, answers=("A whole text that nobody repeats.",), evidence_sentences=("Denver won it.",))


@pytest.mark.parametrize(
    ("given", "oracle", "step"),
    [
        pytest.param(trace(says("Denver won.", WINNER), [ON_WINNER]), ScriptedOracle(), None, id="right"),
        pytest.param(QUOTED_BOTH, ScriptedOracle(sentences_in=RIGHT), "not-chosen", id="another-one-ranked-first"),
        pytest.param(STILL_WRONG, ScriptedOracle(paragraphs_in=RIGHT), "not-retrieved", id="not-read"),
        pytest.param(trace(WRONG, [ON_WINNER]), ScriptedOracle(quoted=RIGHT), "not-written", id="nothing-written"),
        pytest.param(trace(WRONG, [ON_WINNER], written="Denver."), ScriptedOracle(), "dropped", id="cited-elsewhere"),
    ],
)
@pytest.mark.parametrize("gold", [LONG, replace(GOLD, answers=())], ids=["long-gold", "paragraphs-only"])
def test_where_words_cannot_tell_the_first_citation_does(gold, given, oracle, step):
    assert find_blame(gold, given, oracle) == step


YES = replace(GOLD, question="Did Denver win?", answers=("Yes",))


@pytest.mark.parametrize(
    ("given", "oracle", "step"),
    [
        pytest.param(trace(says("Yes: Denver won."), [ON_WINNER]), ScriptedOracle(), None, id="right"),
        pytest.param(trace(says("No: Denver won."), [ON_WINNER]), ScriptedOracle(), "not-written", id="the-other-word"),
        pytest.param(
            trace(WRONG, [BESIDE], [ON_WINNER]),
            ScriptedOracle(sentences_in=trace(says("Yes: Denver won."))),
            "not-chosen",
            id="another-sentence",
        ),
        pytest.param(
            STILL_WRONG, ScriptedOracle(paragraphs_in=trace(WRONG, [ON_WINNER])), "not-retrieved", id="not-read"
        ),
    ],
)
def test_yes_and_no_need_not_stand_in_the_paragraph(given, oracle, step):
    assert find_blame(YES, given, oracle) == step


@pytest.mark.parametrize(
    ("gold", "stand_ins", "step"),
    [
        pytest.param(replace(GOLD, evidence=()), [WINNER], "not-retrieved", id="another-paragraph-holds-it"),
        pytest.param(replace(GOLD, evidence=()), [], "gold-doubtful", id="no-paragraph-holds-it"),
        pytest.param(replace(YES, evidence=()), [], None, id="cannot-be-told"),
    ],
)
def test_where_the_gold_names_no_paragraph_those_that_hold_the_answer_stand_for_it(gold, stand_ins, step):
    assert find_blame(gold, STILL_WRONG, ScriptedOracle(stand_ins, paragraphs_in=RIGHT)) == step


@pytest.mark.parametrize(
    ("gold", "given", "unbarred", "value"),
    [
        pytest.param(GOLD, UNSURE, RIGHT, 1.0, id="refused-though-right"),
        pytest.param(GOLD, UNSURE, STILL_WRONG, 0.0, id="refused-and-wrong"),
        pytest.param(GOLD, trace(says("")), RIGHT, 0.0, id="refused-by-the-model"),
        pytest.param(GOLD, STILL_WRONG, RIGHT, None, id="answered"),
        pytest.param(GoldQuestion("q", "Who sang?", answerable=False), UNSURE, RIGHT, None, id="unanswerable"),
        pytest.param(replace(GOLD, answers=(), evidence=()), UNSURE, RIGHT, None, id="nobody-can-tell"),
    ],
)
def test_a_refused_answer_would_have_been_right_or_not(gold, given, unbarred, value):
    assert right_if_answered(gold, given, ScriptedOracle(unbarred=unbarred)) == value


def test_the_steps_are_told_in_their_order():
    wanted = "not-indexed not-retrieved not-chosen not-written dropped refused should-refuse gold-doubtful error"
    assert list(STEPS) == wanted.split()
