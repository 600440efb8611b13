import random
from dataclasses import replace

import pytest

from evals import breaks
from evals.breaks import BREAKS, Case, Stock
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.prompts import REFUSAL
from ragkit.records import Answer, Citation, DocumentRef, Paragraph, Sentence

TEXT = "Denver won 24 to 10. Carolina lost.\n\nIt rained all day. Nobody left.\n\nAnn sold apples."
PARAGRAPHS = tuple(
    Paragraph(DocumentRef("seeds/a.txt", "sha256:0"), number, start, end, TEXT[start:end])
    for number, start, end in [(1, 0, 35), (2, 37, 67), (3, 69, 85)]
)


def cite(label, number, quote):
    start = TEXT.index(quote)
    return Citation(label, PARAGRAPHS[number - 1], start, start + len(quote), quote, 0.9)


WON, LOST, SOLD = "Denver won 24 to 10.", "Carolina lost.", "Ann sold apples."
GOOD = Answer(
    "Who won?",
    f"{WON} [1] {SOLD} [2][3]",
    False,
    None,
    0.9,
    (Sentence(WON, (1,), "supported", 1.0, quoted=True), Sentence(SOLD, (2, 3), "supported", 1.0)),
    (cite(1, 1, WON), cite(2, 3, SOLD), cite(3, 1, LOST)),
    "none",
)
REFUSED = replace(GOOD, text=REFUSAL, abstained=True, reason="no-evidence", sentences=(), citations=())
CASE = Case(GoldQuestion("q", "Who won?", ("Denver",), evidence=(GoldEvidence("a.txt", 1),)), GOOD)
REFUSAL_CASE = Case(GoldQuestion("r", "Who sang?", answerable=False), REFUSED)
STOCK = Stock(PARAGRAPHS, ("Bees make honey.",), (GOOD,))


def broken(name, case=CASE, stock=STOCK):
    return BREAKS[name](case, stock, random.Random(1))


@pytest.mark.parametrize(
    ("name", "text", "quotes"),
    [
        # paragraph 1 is gold and 3 is cited, so that only 2 is left
        pytest.param("another citation", f"{WON} [1] {SOLD} [2][3]", ["It rained all day.", SOLD, LOST], id="swap"),
        pytest.param("a citation dropped", f"{WON} [1] {SOLD}", [WON], id="drop"),
        pytest.param("a quote moved", GOOD.text, [WON, SOLD, LOST], id="move"),
        pytest.param(
            "a sentence of another document",
            f"{WON} [1] {SOLD} [2][3] Bees make honey. [2][3]",
            [WON, SOLD, LOST],
            id="put in",
        ),
        # 5 and 3 words are 8, of which the first 4 stay
        pytest.param("cut in half", "Denver won 24 to [1]", [WON], id="cut"),
        pytest.param("a refusal", REFUSAL, [], id="refuse"),
        pytest.param("forbidden words", f"{WON} [1] {SOLD} BananaFlute [2][3]", [WON, SOLD, LOST], id="forbidden"),
        pytest.param("a verdict taken back", GOOD.text, [WON, SOLD, LOST], id="verdict"),
    ],
)
def test_a_break_changes_one_thing(name, text, quotes):
    answer = broken(name)
    assert answer.text == text
    assert [citation.quote for citation in answer.citations] == quotes
    assert [citation.label for citation in answer.citations] == list(range(1, len(quotes) + 1))


def test_a_citation_too_many_is_put_beside_the_others():
    answer = broken("a citation too many")
    assert [sentence.text for sentence in answer.sentences] == [WON, SOLD]
    assert sorted(citation.quote for citation in answer.citations) == sorted([WON, SOLD, LOST, "It rained all day."])


def test_the_last_digit_of_one_number_is_changed():
    texts = {BREAKS["a number changed"](CASE, STOCK, random.Random(seed)).sentences[0].text for seed in range(400)}
    assert WON not in texts
    assert texts <= {f"Denver won 2{d} to 10." for d in range(10)} | {f"Denver won 24 to 1{d}." for d in range(10)}
    assert len(texts) == 17  # 8 digits other than 4 and 0, 9 other than 0


def test_quotes_that_are_put_in_are_exact_and_a_moved_one_is_not():
    for name in ("another citation", "a citation too many"):
        assert all(TEXT[c.start : c.end] == c.quote for c in broken(name).citations)
    first, *others = broken("a quote moved").citations
    assert TEXT[first.start : first.end] != first.quote
    assert tuple(others) == GOOD.citations[1:]


def test_verdicts_stay_as_they_were_unless_they_are_taken_back():
    for name in set(BREAKS) - {"a verdict taken back", "an answer for a refusal"}:
        assert {sentence.verdict for sentence in broken(name).sentences} <= {"supported"}
    assert [s.verdict for s in broken("a verdict taken back").sentences] == ["supported", "unsupported"]


def test_a_refusal_can_only_be_answered():
    fitting = [name for name in BREAKS if broken(name, REFUSAL_CASE)]
    assert fitting == ["an answer for a refusal"]
    assert broken(fitting[0], REFUSAL_CASE).text == GOOD.text


@pytest.mark.parametrize(
    ("name", "case", "stock"),
    [
        pytest.param("another citation", CASE, Stock((), (), ()), id="nothing else to cite"),
        pytest.param("a citation too many", CASE, Stock(PARAGRAPHS[:1], (), ()), id="only gold to cite"),
        pytest.param("a sentence of another document", CASE, Stock((), (), ()), id="nothing else to say"),
        pytest.param("an answer for a refusal", REFUSAL_CASE, Stock((), (), ()), id="no other answer"),
        pytest.param("an answer for a refusal", CASE, STOCK, id="no refusal"),
    ],
)
def test_a_break_that_does_not_fit_is_none(name, case, stock):
    assert broken(name, case, stock) is None


def test_answers_without_numbers_or_citations_have_none_to_break():
    bare = replace(GOOD, sentences=(Sentence("Denver.", (), "supported", 1.0),), citations=())
    case = replace(CASE, answer=bare)
    names = ("a number changed", "a citation dropped", "another citation", "a citation too many", "a quote moved")
    assert [broken(name, case) for name in (*names, "cut in half")] == [None] * 6


def test_an_answer_put_together_again_is_the_same():
    assert breaks._rebuild(GOOD, breaks._parts(GOOD)) == GOOD
