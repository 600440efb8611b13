import math
from dataclasses import replace

import pytest

from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.measures import metrics
from ragkit.evaluation.measures.estimates import Observation, estimate_mean, estimate_proportion, mcnemar_p
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
    ("question", "given", "right"),
    [
        pytest.param(gold("Denver"), answer("Denver won."), 1.0, id="answered"),
        pytest.param(gold("Denver"), REFUSAL, 0.0, id="refused wrongly"),
        pytest.param(UNANSWERABLE, REFUSAL, 1.0, id="refused rightly"),
        pytest.param(UNANSWERABLE, answer("Denver won."), 0.0, id="made up"),
        pytest.param(LONG, answer("Denver won."), None, id="long gold"),
        pytest.param(gold(), answer("Denver won."), None, id="gold paragraphs but no gold answers"),
    ],
)
def test_right_answers_and_refusals(question, given, right):
    assert metrics.answer_right(question, given) == right


COLOURS = gold(must_include=(("red",), ("blue", "azure"), ("dark green",), ("grey",)))


@pytest.mark.parametrize(
    ("given", "recall", "precision"),
    [
        pytest.param(answer("Red.", "Azure, dark green."), 0.75, 1.0, id="3 of 4 entries in 2 of 2 sentences"),
        pytest.param(answer("Red.", "Green.", "Purple."), 0.25, 1 / 3, id="1 of 4 entries in 1 of 3 sentences"),
        pytest.param(answer("Red.", "Blue.", "Azure."), 0.5, 1.0, id="an entry said twice is said once"),
        pytest.param(answer("- red\n- purple\n\n- blue\n- grey"), 0.75, 0.75, id="3 of 4 lines of one sentence"),
        pytest.param(answer("Purple."), 0.0, 0.0, id="none"),
        pytest.param(REFUSAL, 0.0, None, id="refused"),
    ],
)
def test_lists_are_judged_by_their_entries(given, recall, precision):
    assert metrics.item_recall(COLOURS, given) == recall
    assert metrics.item_precision(COLOURS, given) == precision


def test_only_lists_have_entries():
    for question in (gold("red"), UNANSWERABLE, LONG):
        assert metrics.item_recall(question, answer("Red.")) is None
        assert metrics.item_precision(question, answer("Red.")) is None


def test_an_answer_without_sentences_is_judged_by_its_lines():
    bare = Answer("q", "Red [1].\nPurple.", False, None, 0.5, (), (), "none")
    assert metrics.item_precision(COLOURS, bare) == 0.5


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


def test_words_are_counted_without_labels():
    assert metrics.words(answer("Denver won 24 to 10.", "Carolina lost.")) == 7.0  # 5 + 2
    assert metrics.words(REFUSAL) is None


def test_long_answers_are_compared_by_their_longest_common_subsequence():
    question = gold("The bridge, opened in 1998, is 40 m long.", evidence_sentences=("The bridge is long.",))
    # common: the bridge is 40 m long = 6 of 7 and of 9 words
    assert metrics.rouge_l(question, answer("The bridge is some 40 m long!")) == pytest.approx(2 * 6 / (7 + 9))
    assert metrics.rouge_l(question, answer("Nothing else")) == 0.0


def test_long_answers_are_compared_by_their_words_in_any_order():
    question = gold("The bridge, opened in 1998, is 40 m long.", evidence_sentences=("The bridge is long.",))
    # shared: 40 m long is the bridge = 6 of 6 and of 9 words, of which in one order: 40 m long
    turned = answer("40 m long is the bridge")
    assert metrics.unigram_f1(question, turned) == pytest.approx(2 * 6 / (6 + 9))
    assert metrics.rouge_l(question, turned) == pytest.approx(2 * 3 / (6 + 9))
    # the best of several: 2 * 1 / (1 + 2)
    several = gold("something else", "the bridge", evidence_sentences=("The bridge is long.",))
    assert metrics.unigram_f1(several, answer("bridge")) == pytest.approx(2 / 3)


@pytest.mark.parametrize("metric", [metrics.rouge_l, metrics.unigram_f1], ids=["rouge_l", "unigram_f1"])
def test_only_long_answers_are_compared_so(metric):
    assert metric(LONG, REFUSAL) is None
    assert metric(gold("won"), answer("won")) is None
    assert metric(gold(evidence_sentences=("Denver won.",)), answer("won")) is None  # no gold answer
    assert metric(LONG, answer("!")) == 0.0


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
    # of "The A" normalising leaves nothing, as of a refusal
    assert (metrics.exact_match(gold("The A"), REFUSAL), metrics.token_f1(gold("The A"), REFUSAL)) == (0.0, 0.0)
    assert (metrics.exact_match(gold("The A"), answer("A")), metrics.token_f1(gold("The A"), answer("A"))) == (1.0, 1.0)


@pytest.fixture
def doubles():
    """torch counts in 64 bits, as a reference must that has to agree to 1e-9."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


SAID = (
    "The Denver Broncos won.",
    "Denver Broncos",
    "It cost $1,000, i.e. a thousand; the U.S. paid!",
    "An apple a day",
    "Carolina lost by 14 points, 24-10, in the Super Bowl (number 50).",
    "the",
    "Nothing of the kind",
)
ACCEPTED = (
    ("the Denver Broncos", "Broncos"),
    ("Carolina Panthers", "Carolina", "the Carolina Panthers, who lost 24-10"),
    ("1,000 $", "US"),
    ("An",),
    ("apple day apple day",),
)
PAIRS = [(said, accepted) for said in SAID for accepted in ACCEPTED]


@pytest.mark.usefixtures("doubles")
def test_exact_match_and_token_f1_agree_with_torchmetrics():
    from torchmetrics.functional.text.squad import squad

    for said, accepted in PAIRS:
        target = {"id": "q", "answers": {"text": list(accepted), "answer_start": [0] * len(accepted)}}
        reference = squad([{"id": "q", "prediction_text": said}], [target])
        found = (metrics.exact_match(gold(*accepted), answer(said)), metrics.token_f1(gold(*accepted), answer(said)))
        wanted = (reference["exact_match"].item() / 100, reference["f1"].item() / 100)
        assert found == pytest.approx(wanted, abs=1e-9, rel=0), (said, accepted)


def test_overlap_with_long_answers_agrees_with_rouge_score():
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=False)
    for said, accepted in [*PAIRS, (" ".join(SAID), (" ".join(SAID[::-1]), "Zürich’s naïve café — 24–10"))]:
        question = gold(*accepted, evidence_sentences=("some sentence",))
        reference = scorer.score_multi(list(accepted), said)
        assert metrics.unigram_f1(question, answer(said)) == pytest.approx(reference["rouge1"].fmeasure, abs=1e-9)
        assert metrics.rouge_l(question, answer(said)) == pytest.approx(reference["rougeL"].fmeasure, abs=1e-9)


def test_all_metrics_come_under_their_stable_names_in_order():
    values = metrics.judge_answer(gold("Denver"), answer("Denver won.", citations=[cite()]), lambda path: TEXT)
    assert tuple(values) == metrics.METRIC_NAMES
    assert values["answers_right"] == values["quotes_exact"] == 1.0
    assert values["seconds"] == 1.75  # 0.5 + 1 + 0.25
    assert values["refused_rightly"] is None
    assert values["grounded"] is None  # nobody was asked


WEIGHED = ("citations_support", "citations_needed", "grounded", "not_supported")


@pytest.mark.parametrize(
    ("supports", "values"), [(True, (1.0, 1.0, 1.0, 0.0)), (False, (0.0, 0.0, 0.0, 1.0))], ids=["yes", "no"]
)
def test_a_judge_is_asked_once_for_each_sentence_and_text(supports, values):
    asked = []

    def judge(sentence, text):
        asked.append((sentence, text))
        return supports

    judged = metrics.judge_answer(gold("Denver"), answer("Denver won.", citations=[cite()]), lambda path: TEXT, judge)
    assert tuple(judged[name] for name in WEIGHED) == values
    assert asked == [("Denver won.", TEXT)]
    assert tuple(judged) == metrics.METRIC_NAMES


@pytest.mark.parametrize(
    ("question", "zeros"),
    [
        pytest.param(gold("x"), {"answers_right", "contains_gold", "first_citation_right_all"}, id="answerable"),
        pytest.param(UNANSWERABLE, {"answers_right", "refused_rightly"}, id="unanswerable"),
        pytest.param(LONG, {"first_citation_right_all"}, id="long gold"),
        pytest.param(gold(), {"first_citation_right_all"}, id="gold paragraphs but no gold answers"),
        pytest.param(
            COLOURS, {"answers_right", "contains_gold", "item_recall", "first_citation_right_all"}, id="a list"
        ),
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
