import re
from dataclasses import replace

import pytest

from evals.breaks import BREAKS, Case, Stock
from evals.sensitivity import (
    AIMS,
    DESCRIBING,
    choose_cases,
    fall_table,
    has_fallen,
    measure_falls,
    prose_of,
    text_reader,
    verdict_on,
    verdict_table,
)
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.measures.metrics import METRIC_NAMES
from ragkit.evaluation.suite import Suite
from ragkit.prompts import REFUSAL
from ragkit.records import Answer, Citation, DocumentRef, Paragraph, Sentence

NUMBERS = range(10)
SAID = [f"Ann{n} sold {20 + n} apples in Rome{n}." for n in NUMBERS]
TEXTS = {f"docs/{n}.txt": f"{SAID[n]} It rained." for n in NUMBERS}
PLACES = {path: Paragraph(DocumentRef(path, "sha256:0"), 1, 0, len(text), text) for path, text in TEXTS.items()}


def has_all_words(sentence, text):
    """A judge for which a text supports what uses only its words."""
    return set(re.findall(r"\w+", sentence)) <= set(re.findall(r"\w+", text))


def answered(n):
    """A question for two things, and the sentence that has both."""
    path = f"docs/{n}.txt"
    gold = GoldQuestion(
        f"a{n}", f"Who {n}?", must_include=((f"Ann{n}",), (f"Rome{n}",)), evidence=(GoldEvidence(path, 1),)
    )
    citation = Citation(1, PLACES[path], 0, len(SAID[n]), SAID[n], 1.0)
    sentence = Sentence(SAID[n], (1,), "supported", 1.0, quoted=True)
    return Case(gold, Answer(gold.question, f"{SAID[n]} [1]", False, None, 0.9, (sentence,), (citation,), "none"))


def refused(n):
    gold = GoldQuestion(f"r{n}", f"Who else {n}?", answerable=False)
    return Case(gold, Answer(gold.question, REFUSAL, True, "no-evidence", 0.1, (), (), "none"))


CASES = [answered(n) for n in NUMBERS] + [refused(n) for n in NUMBERS]
STOCK = Stock(tuple(PLACES.values()), ("Bees make honey.", "The sea is deep."), tuple(c.answer for c in CASES[:10]))


def falls_with(judge=has_all_words, cases=CASES):
    return measure_falls(cases, STOCK, TEXTS.get, judge, seed=1)


@pytest.fixture(scope="module")
def falls():
    return falls_with()


def test_every_metric_but_those_that_only_describe_has_its_breaks():
    assert {*AIMS, *DESCRIBING} == set(METRIC_NAMES)
    assert all(aim.must and aim.must | aim.may <= set(BREAKS) and not aim.must & aim.may for aim in AIMS.values())


@pytest.mark.parametrize("metric", AIMS)
def test_a_metric_falls_when_and_only_when_what_it_measures_is_broken(metric, falls):
    assert verdict_on(metric, falls) == "when, and only when, it should"


@pytest.mark.parametrize(
    ("name", "metric", "mean", "n"),
    [
        # "Ann0 sold" of "Ann0 sold 20 apples in Rome0." has one of two entries
        pytest.param("cut in half", "item_recall", 0.5, 10, id="one of two entries is lost"),
        pytest.param("a refusal", "answers_right", 1.0, 10, id="refusals are left out where they cannot be broken"),
        pytest.param("a refusal", "refused_wrongly", 1.0, 10, id="less is better, so more is a fall"),
        pytest.param("an answer for a refusal", "refused_rightly", 1.0, 10, id="only refusals"),
        pytest.param("a citation too many", "citation_precision", 0.5, 10, id="one of two paragraphs is gold"),
        # 6 words of 6 and of 6 before; 5 of them are left after: 1 - 2 * 5 / (6 + 6)
        pytest.param("a number changed", "unigram_f1", 1 / 6, 10, id="one word of six"),
        pytest.param("a quote moved", "grounded", 0.0, 10, id="another metric stays"),
    ],
)
def test_falls_are_means_over_the_answers_that_a_break_fits(name, metric, mean, n, falls):
    fall = falls[name][metric]
    assert (fall.mean, fall.n) == (pytest.approx(mean), n)
    assert has_fallen(fall) is (mean > 0)


def test_what_a_break_leaves_nothing_of_is_not_judged(falls):
    assert "citation_precision" not in falls["a citation dropped"]
    assert "words" not in falls["cut in half"]


def test_a_metric_that_is_blind_is_found_out():
    assert verdict_on("not_supported", falls_with(lambda sentence, text: True)) == (
        "not with another citation, a sentence of another document, a number changed"
    )


def test_a_metric_that_falls_with_the_fault_of_another_is_found_out():
    def reads_one_paragraph(sentence, text):
        return "\n\n" not in text and has_all_words(sentence, text)

    verdict = verdict_on("citations_support", falls_with(reads_one_paragraph))
    assert verdict == "wrongly with a citation too many"


def test_a_metric_that_few_answers_put_to_the_test_has_not_stood_it():
    verdict = verdict_on("first_citation_right_all", falls_with(cases=CASES[:4]))
    assert verdict == "too few answers with another citation, a refusal"


def test_the_same_seed_breaks_alike(falls):
    assert falls_with() == falls


def test_the_tables_have_a_row_for_each_metric(falls):
    header, rows = fall_table(falls)
    assert [row[0] for row in rows] == list(AIMS)
    column = header.index("a citation dropped (10)")
    cells = {row[0]: row[column] for row in rows}
    assert (cells["not_cited"], cells["citation_precision"], cells["rouge_l"]) == ("**1.00**", "–", "0")
    header, rows = verdict_table(falls)
    assert rows[list(AIMS).index("quotes_exact")] == [
        "quotes_exact",
        "a quote moved",
        "",
        "when, and only when, it should",
    ]


def test_a_fall_that_is_not_sure_is_shown_but_not_bold():
    falls = {"cut in half": {"grounded": Estimate(0.1, 10, 0.0, 0.3), "not_cited": Estimate(-0.2, 10, -0.4, -0.1)}}
    _, rows = fall_table(falls)
    cells = dict(rows)
    assert (cells["grounded"], cells["not_cited"]) == ("0.10", "-0.20")


def test_only_right_and_supported_answers_and_right_refusals_are_broken():
    good, wrong, doubted, made_up, right_refusal = answered(1), answered(2), answered(3), answered(4), refused(5)
    sentence = replace(doubted.answer.sentences[0], verdict="unsupported")
    pairs = [
        (good.gold, good.answer),
        (wrong.gold, good.answer),
        (doubted.gold, replace(doubted.answer, sentences=(sentence,))),
        (made_up.gold, replace(made_up.answer, citations=good.answer.citations)),
        (right_refusal.gold, right_refusal.answer),
        (good.gold, right_refusal.answer),
    ]
    assert choose_cases(pairs, has_all_words) == [good, right_refusal]


def test_paragraphs_and_texts_are_those_of_the_suites_documents(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Heading\n\nAnn sold apples.\n", encoding="utf-8")
    suite = Suite("tiny", (tmp_path / "docs",), ())
    assert [paragraph.text for paragraph in prose_of(suite)] == ["Ann sold apples."]
    assert "Ann sold" in text_reader(suite)("docs/a.md")
    assert text_reader(suite)("gone.md") is None
