import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragkit.copying import compare

VENUE = (
    "Where to meet is a point on which the two leaders disagree: Zelenskyy wants a neutral country, whereas Putin's "
    "earlier suggestion was Istanbul [3], [4]."
)
OFFER = "On May 15, Russian President Vladimir Putin offered to hold direct talks with no preconditions attached [4]."
COST = "The bridge cost $2.6 billion, 1,000 workers built it, and twenty-one per cent of the steel came from Turkey."
NOT_ENOUGH = "The Kremlin has not accepted the plan. Peskov reviewed it on Friday."
GUESTS = "Alice Smith painted the hall and Bob Jones repaired the roof of the old mill."
TROOPS = "3 soldiers and 5 tanks crossed the river near Lviv."
LIMITS = "The pilot reached more than 40 villages, and it could reach 90 by 2030 if the money came."


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        pytest.param(VENUE, VENUE, id="verbatim"),
        pytest.param("Zelenskyy wants a neutral country.", VENUE, id="a-clause"),
        pytest.param("Putin's earlier suggestion was Istanbul.", VENUE, id="another-clause"),
        pytest.param("Putin suggested Istanbul.", VENUE, id="another-form-of-the-word"),
        pytest.param("On May 15, Putin offered to hold direct talks.", OFFER, id="compression"),
        pytest.param("Vladimir Putin offered to hold direct talks with no preconditions.", OFFER, id="kept-negation"),
        pytest.param("The bridge cost 2.6 billion.", COST, id="currency-left-out"),
        pytest.param("The bridge cost 2.6 billion dollars.", COST, id="currency-in-words"),
        pytest.param("The bridge cost $2,600 million.", COST, id="another-scale"),
        pytest.param("1000 workers built it.", COST, id="thousands-separator"),
        pytest.param("A thousand workers built it.", COST, id="number-in-words"),
        pytest.param("21% of the steel came from Turkey.", COST, id="percent-sign"),
        pytest.param("The Kremlin has not accepted the plan.", NOT_ENOUGH, id="negation"),
        pytest.param("The Kremlin hasn't accepted the plan.", NOT_ENOUGH, id="negation-contracted"),
        pytest.param("Peskov reviewed it on Friday.", NOT_ENOUGH, id="beside-a-negated-sentence"),
        pytest.param("Bob Jones repaired the roof.", GUESTS, id="second-statement"),
        pytest.param("5 tanks crossed the river.", TROOPS, id="second-of-two"),
        pytest.param("The pilot reached more than 40 villages.", LIMITS, id="bound"),
        pytest.param("Members voted.", "All members voted on Friday.", id="all-left-out"),
        pytest.param("Profits fell in Spain.", "Profits rose in France and fell in Spain.", id="shared-subject"),
        pytest.param("Talks began on 15 May.", "Talks began on May 15th, 2022.", id="date-the-other-way-round"),
        pytest.param("The US monitors it.", "The U.S. monitors it for Europe.", id="initials"),
    ],
)
def test_what_stands_in_the_source_is_a_copy(sentence, source):
    copy = compare(sentence, source)
    assert copy.changes == ()
    assert 0.5 < copy.closeness <= 1


@pytest.mark.parametrize(
    ("sentence", "source", "named"),
    [
        pytest.param("The bridge cost $2.7 billion.", COST, "2700000000", id="number-changed"),
        pytest.param("The bridge cost 2.6 million.", COST, "2600000", id="scale-changed"),
        pytest.param("The bridge cost €2.6 billion.", COST, "euro", id="currency-changed"),
        pytest.param("21 workers built it.", COST, "21", id="percent-to-count"),
        pytest.param("1,000 per cent of the steel came from Turkey.", COST, "1000 %", id="count-to-percent"),
        pytest.param("Twelve workers built it.", COST, "12", id="number-word-changed"),
        pytest.param(
            "5 soldiers crossed the river.", "Two soldiers crossed the river.", "5", id="number-word-in-source"
        ),
        pytest.param("3 tanks crossed the river.", TROOPS, "3 tanks", id="numbers-swapped"),
        pytest.param("The low was 5 degrees.", "The low was -5 degrees.", "5", id="sign-lost"),
        pytest.param("The pilot reached 40 villages.", LIMITS, "more than", id="bound-lost"),
        pytest.param("It reached 90 by 2030.", LIMITS, "could", id="modality-lost"),
        pytest.param("On May 16, Putin offered to hold direct talks.", OFFER, "16", id="day-changed"),
        pytest.param("On June 15, Putin offered to hold direct talks.", OFFER, "June", id="month-changed"),
        pytest.param("In May, Putin offered direct talks.", OFFER.replace("May", "June"), "May", id="month-alone"),
        pytest.param("Zelenskyy offered to hold direct talks.", OFFER, "Zelenskyy", id="name-changed"),
        pytest.param("Alice Jones repaired the roof.", GUESTS, "Alice Jones", id="names-mixed"),
        pytest.param("The US reviewed it.", "Russia reviewed it.", "US", id="name-like-a-function-word"),
        pytest.param("Zelenskyy suggested Istanbul.", VENUE, "clauses", id="role-swapped-across-clauses"),
        pytest.param("Alice Smith repaired the roof.", GUESTS, "statements", id="role-swapped-across-statements"),
        pytest.param("Anna met Bob.", "Bob met Anna in Rome.", "order", id="role-swapped"),
        pytest.param("Bob was met by Anna.", "Bob met Anna in Rome.", "Anna", id="role-swapped-by-the-passive"),
        pytest.param("Peskov accepted the plan.", NOT_ENOUGH, "sentences", id="sentences-mixed"),
        pytest.param("The Kremlin has accepted the plan.", NOT_ENOUGH, "negates", id="negation-removed"),
        pytest.param("Peskov has not reviewed it.", NOT_ENOUGH, "does not negate", id="negation-added"),
        pytest.param("Bob agreed to the deal.", "Bob never agreed to the deal.", "negates", id="never-removed"),
        pytest.param(
            "Bob wrote to visit Rome.", "Bob wrote that he refused to visit Rome.", "refused", id="refusal-lost"
        ),
        pytest.param(
            "They offer peace.", "Not from weakness do they offer peace.", "negates", id="verbatim-but-negated"
        ),
        pytest.param("All members voted.", "Some members voted.", "all members", id="quantifier-changed"),
        pytest.param("Members voted.", "Only two members voted.", "only", id="quantifier-lost"),
        pytest.param("Few members voted.", "A few members voted.", "a few", id="few-and-a-few"),
        pytest.param("The largest city is Lviv.", "The second largest city is Lviv.", "second", id="rank-lost"),
        pytest.param("France won the cup.", "France beat Croatia, who won the cup.", "clauses", id="relative-clause"),
        pytest.param(
            "It was signed by France.", "It was signed by Germany and ratified by France.", "statements", id="two-verbs"
        ),
        pytest.param("Putin offered direct talks in Geneva.", OFFER, "Geneva", id="extra-place"),
        pytest.param(
            "On May 15, Russian President Vladimir Putin offered to hold secret direct talks with no preconditions.",
            OFFER,
            "secret",
            id="one-extra-word-in-a-long-sentence",
        ),
        pytest.param("It is so.", OFFER, "no content", id="nothing-said"),
        pytest.param("Putin offered talks.", "", "Putin", id="empty-source"),
        pytest.param("", OFFER, "no content", id="empty-sentence"),
    ],
)
def test_what_was_changed_is_named(sentence, source, named):
    assert named in "; ".join(compare(sentence, source).changes)


def test_reference_marks_and_quotation_marks_make_no_difference():
    assert compare("Putin's earlier suggestion was “Istanbul”", VENUE).closeness == 1.0


def test_other_scripts_are_compared_as_well():
    assert compare("会談はイスタンブールで行われた。", "会談はイスタンブールで行われた。").closeness == 1.0
    assert compare("会談はパリで行われた。", "会談はイスタンブールで行われた。").changes


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_two_texts_can_be_compared(sentence, source):
    copy = compare(sentence, source)
    assert 0 <= copy.closeness <= 1
