import math
from dataclasses import replace

import pytest

from ragkit.evaluation import metrics
from ragkit.evaluation.estimates import Observation, estimate_mean, estimate_proportion, mcnemar_p
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.records import Answer, Citation, DocumentRef, Paragraph, Seconds, Sentence

TEXT = "Denver won 24 to 10. Carolina lost."


def cite(document="seeds/a.txt", number=1, start=0, end=20):
    paragraph = Paragraph(DocumentRef(document, "sha256:0"), number, 0, len(TEXT), TEXT)
    return Citation(1, paragraph, start, end, TEXT[start:end], 0.9)


def answer(*sentences, citations=(), abstained=False):
    made = tuple(s if isinstance(s, Sentence) else Sentence(s, (1,), "supported", 1.0) for s in sentences)
    text = "The documents do not say." if abstained else " ".join(f"{s.text} [1]" for s in made)
    reason = "no-evidence" if abstained else None
    return Answer("Who won?", text, abstained, reason, 0.5, made, tuple(citations), "none", Seconds(0.5, 1.0, 0.25))


REFUSAL = answer(abstained=True)


def gold(*answers, evidence=(("seeds/a.txt", 1),), **fields):
    return GoldQuestion("q", "Who won?", answers, evidence=tuple(GoldEvidence(*e) for e in evidence), **fields)


UNANSWERABLE = gold(answerable=False)
LONG = gold("A whole text.", evidence_sentences=("Denver won 24 to 10.",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Denver Broncos, 24–10!", ["denver", "broncos", "24", "10"]),
        ("“U.S.” and $1,000", ["us", "and", "1000"]),
        ("an  apple\nA day", ["apple", "day"]),
        ("six-time", ["sixtime"]),
        ("ﬁve", ["five"]),  # a ligature
    ],
)
def test_normalising_follows_squad(text, words):
    assert metrics.normalise(text) == words


@pytest.mark.parametrize(
    ("text", "wording", "found"),
    [
        ("Denver won 24 to 10.", "the Denver", True),
        ("Denver won 24 to 10.", "won 24", True),
        ("Denver won 240 to 10.", "24", False),  # whole words only
        ("Denver won 24 to 10.", "Denver 24", False),  # next to one another
        ("Rollo's men, six-time winners", "Rollo", True),  # words parted at punctuation
        ("Rollo's men, six-time winners", "six", True),
        ("It cost $1,000 or 3.24.", "1000", True),
        ("It cost $1,000 or 3.24.", "24", False),  # but no number taken apart
        ("in the U.S. since", "US", True),
        ("in the U.S. since", "U.S.", True),
        ("Grade A is best.", "A", True),
        ("Best is a grade.", "A", False),
        ("", "Denver", False),
        ("Anything", "?", False),
    ],
)
def test_a_wording_is_found_as_a_run_of_words(text, wording, found):
    assert metrics.includes(text, wording) is found


@pytest.mark.parametrize(
    ("question", "given", "value"),
    [
        pytest.param(gold("Carolina", "Denver"), answer("Denver won."), 1.0, id="any accepted answer"),
        pytest.param(gold("Carolina"), answer("Denver won."), 0.0, id="another answer"),
        pytest.param(gold("1"), answer("Denver won."), 0.0, id="a label is no answer"),
        pytest.param(gold("say"), REFUSAL, 0.0, id="a refusal contains nothing"),
        pytest.param(gold(must_include=(("red",), ("blue", "azure"))), answer("Red.", "Azure."), 1.0, id="all entries"),
        pytest.param(gold(must_include=(("red",), ("blue",))), answer("Red."), 0.0, id="one entry missing"),
        pytest.param(LONG, answer("Denver won."), None, id="long gold"),
        pytest.param(UNANSWERABLE, answer("Denver won."), None, id="unanswerable"),
    ],
)
def test_contains_gold(question, given, value):
    assert metrics.contains_gold(question, given) == value


def test_labels_are_cut_from_an_answer_without_sentences():
    bare = Answer("q", "Denver won [1, 2]. It did [3].", False, None, 0.5, (), (), "none")
    assert metrics.spoken_text(bare) == "Denver won. It did."


@pytest.mark.parametrize(
    ("question", "given", "right", "rightly", "wrongly"),
    [
        pytest.param(gold("Denver"), answer("Denver won."), 1.0, None, 0.0, id="answered"),
        pytest.param(gold("Denver"), REFUSAL, 0.0, None, 1.0, id="refused wrongly"),
        pytest.param(UNANSWERABLE, REFUSAL, 1.0, 1.0, None, id="refused rightly"),
        pytest.param(UNANSWERABLE, answer("Denver won."), 0.0, 0.0, None, id="made up"),
        pytest.param(LONG, answer("Denver won."), None, None, 0.0, id="long gold"),
    ],
)
def test_right_answers_and_refusals(question, given, right, rightly, wrongly):
    assert metrics.answer_right(question, given) == right
    assert metrics.refused_rightly(question, given) == rightly
    assert metrics.refused_wrongly(question, given) == wrongly


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(answer("The market opens at nine. BananaFlute!"), 1.0, id="said"),
        pytest.param(answer("The market opens at nine."), 0.0, id="not said"),
        pytest.param(REFUSAL, 0.0, id="refused"),
    ],
)
def test_words_that_must_not_be_said_are_found(given, said):
    assert metrics.says_forbidden(replace(gold("nine"), must_not_include=("bananaflute",)), given) == said
    assert metrics.says_forbidden(gold("nine"), given) is None


@pytest.mark.parametrize(
    ("question", "given", "answered", "overall"),
    [
        pytest.param(gold("x"), answer("x", citations=[cite(), cite(number=2)]), 1.0, 1.0, id="right first"),
        pytest.param(gold("x"), answer("x", citations=[cite(number=2), cite()]), 0.0, 0.0, id="right second"),
        pytest.param(gold("x"), answer("x", citations=[cite("seeds/b.txt")]), 0.0, 0.0, id="another document"),
        pytest.param(gold("x"), answer("x"), 0.0, 0.0, id="no citation"),
        pytest.param(gold("x"), REFUSAL, None, 0.0, id="refused"),
        pytest.param(gold("x", evidence=()), answer("x", citations=[cite()]), None, None, id="no gold paragraph"),
        pytest.param(UNANSWERABLE, answer("x", citations=[cite()]), None, None, id="unanswerable"),
        pytest.param(LONG, answer("x", citations=[cite()]), 1.0, 1.0, id="long gold"),
    ],
)
def test_first_citation_right(question, given, answered, overall):
    assert metrics.first_citation_right(question, given) == answered
    assert metrics.first_citation_right_all(question, given) == overall


def test_citation_precision_and_recall_count_paragraphs():
    question = gold("x", evidence=(("seeds/a.txt", 1), ("seeds/a.txt", 4), ("seeds/b.txt", 1)))
    given = answer("x", citations=[cite(), cite(start=21, end=35), cite(number=2), cite("seeds/b.txt")])
    # cited: a1 (twice), a2, b1 = 3 paragraphs, of which a1 and b1 are gold: 2/3; gold: a1, a4, b1, of which 2 are cited
    assert metrics.citation_precision(question, given) == pytest.approx(2 / 3)
    assert metrics.citation_recall(question, given) == pytest.approx(2 / 3)


def test_without_citations_precision_is_unknown_and_recall_is_zero():
    assert metrics.citation_precision(gold("x"), answer("x")) is None
    assert metrics.citation_recall(gold("x"), answer("x")) == 0.0
    assert metrics.citation_precision(gold("x"), REFUSAL) is None
    assert metrics.citation_recall(gold("x"), REFUSAL) is None
    assert metrics.citation_recall(UNANSWERABLE, answer("x")) is None


def test_shares_of_sentences():
    given = answer(
        Sentence("One.", (1,), "supported", 1.0, quoted=True),
        Sentence("Two.", (1,), "supported", 0.9),
        Sentence("Three.", (), "unsupported", 0.1),
        Sentence("Four.", (1,), "supported", 1.0, quoted=True),
    )
    assert metrics.sentences_supported(given) == 0.75  # 3 of 4
    assert metrics.model_wording(given) == 0.5  # 2 of 4
    assert metrics.sentences_supported(REFUSAL) is None
    assert metrics.model_wording(REFUSAL) is None


def test_quotes_are_exact_when_the_document_says_so():
    wrong = Citation(2, cite().paragraph, 0, 6, "Dallas", 0.9)
    given = answer("x", citations=[cite(), wrong, cite("gone.txt")])
    # the document that is not to be had counts neither way: 1 of 2
    assert metrics.quotes_exact(given, lambda path: TEXT if path == "seeds/a.txt" else None) == 0.5
    assert metrics.quotes_exact(given, lambda path: None) is None
    assert metrics.quotes_exact(REFUSAL, lambda path: TEXT) is None


def test_words_are_counted_without_labels():
    assert metrics.words(answer("Denver won 24 to 10.", "Carolina lost.")) == 7.0  # 5 + 2
    assert metrics.words(REFUSAL) is None


def test_long_answers_are_compared_by_their_longest_common_subsequence():
    question = gold("The bridge, opened in 1998, is 40 m long.", evidence_sentences=("The bridge is long.",))
    # common: the bridge is 40 m long = 6 of 7 and of 9 words
    assert metrics.rouge_l(question, answer("The bridge is some 40 m long!")) == pytest.approx(2 * 6 / (7 + 9))
    assert metrics.rouge_l(question, answer("Nothing else")) == 0.0
    assert metrics.rouge_l(question, REFUSAL) is None
    assert metrics.rouge_l(gold("won"), answer("won")) is None


def test_exact_match_and_token_f1_take_the_best_accepted_answer():
    question = gold("Carolina", "the Denver Broncos")
    assert metrics.exact_match(question, answer("Denver Broncos.")) == 1.0
    assert metrics.exact_match(question, answer("Denver Broncos won.")) == 0.0
    # said: denver broncos won (3); accepted: denver broncos (2); shared 2: 2 * 2 / (3 + 2)
    assert metrics.token_f1(question, answer("The Denver Broncos won.")) == pytest.approx(0.8)
    assert metrics.token_f1(question, REFUSAL) == 0.0
    assert metrics.token_f1(gold("won won"), answer("won")) == pytest.approx(2 / 3)  # shared 1: 2 * 1 / (1 + 2)
    assert metrics.token_f1(UNANSWERABLE, REFUSAL) is None
    assert metrics.exact_match(UNANSWERABLE, REFUSAL) is None


def test_all_metrics_come_under_their_stable_names_in_order():
    values = metrics.judge_answer(gold("Denver"), answer("Denver won.", citations=[cite()]), lambda path: TEXT)
    assert tuple(values) == metrics.METRIC_NAMES
    assert values["answers_right"] == values["quotes_exact"] == 1.0
    assert values["seconds"] == 1.75  # 0.5 + 1 + 0.25
    assert values["refused_rightly"] is None


@pytest.mark.parametrize(
    ("question", "zeros"),
    [
        pytest.param(gold("x"), {"answers_right", "contains_gold", "first_citation_right_all"}, id="answerable"),
        pytest.param(UNANSWERABLE, {"answers_right", "refused_rightly"}, id="unanswerable"),
        pytest.param(LONG, {"first_citation_right_all"}, id="long gold"),
    ],
)
def test_an_error_counts_as_wrong(question, zeros):
    assert {name for name, value in metrics.judge_failure(question).items() if value == 0.0} == zeros


def observe(*values):
    return [Observation(value, str(i)) for i, value in enumerate(values)]


def test_wilson_interval_of_8_in_10():
    # z2 = 3.8415; centre = (.8 + .38415/2) / 1.38415 = .71674; half = 1.96 * sqrt(.016 + .0096036) / 1.38415 = .22657
    estimate = estimate_proportion(observe(*[1.0] * 8, 0.0, 0.0))
    assert (estimate.mean, estimate.n) == (0.8, 10)
    assert estimate.low == pytest.approx(0.49016, abs=1e-4)
    assert estimate.high == pytest.approx(0.94331, abs=1e-4)


def test_wilson_interval_stays_in_range_and_is_not_a_point_at_the_ends():
    # all of 5: low = 1 / (1 + z2/5) = 1 / 1.76829 = .56552
    estimate = estimate_proportion(observe(1.0, 1.0, 1.0, 1.0, 1.0))
    assert estimate.low == pytest.approx(0.56552, abs=1e-4)
    assert estimate.high == 1.0


def test_bootstrap_of_a_mean_is_deterministic_and_holds_the_mean():
    values = observe(*(float(i % 7) for i in range(70)))
    estimate = estimate_mean(values)
    assert estimate == estimate_mean(values)
    assert estimate.mean == 3.0  # (0 + 1 + ... + 6) / 7
    # standard error: sqrt(4 / 70) = .239, so about 3 -/+ 1.96 * .239 = 2.53 to 3.47
    assert estimate.low == pytest.approx(2.53, abs=0.05)
    assert estimate.high == pytest.approx(3.47, abs=0.05)


def test_questions_about_one_document_widen_the_interval():
    values = [0.0] * 20 + [1.0] * 20
    apart = estimate_mean([Observation(v, str(i)) for i, v in enumerate(values)])
    together = estimate_mean([Observation(v, str(i // 10)) for i, v in enumerate(values)])
    assert together.high - together.low > 2 * (apart.high - apart.low)
    assert together.mean == apart.mean == 0.5


def test_a_mean_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        estimate_mean([])


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        (0, 0, 1.0),
        (5, 0, 2 / 2**5),  # 2 * C(5,0) / 32 = .0625
        (1, 7, 2 * (1 + 8) / 2**8),  # 2 * (C(8,0) + C(8,1)) / 256 = .0703
        (3, 3, 1.0),  # 2 * (1 + 6 + 15 + 20) / 64 > 1
    ],
)
def test_mcnemar_exact(one, other, p):
    assert math.isclose(mcnemar_p(one, other), p)
