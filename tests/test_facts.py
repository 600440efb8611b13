import pytest

from ragkit.facts import exchanged_facts, missing_facts

BRIDGE = "Between 1995 and 1998, 48 workers from Sweden built the bridge near Lund for $2.6 billion."
REPORT = "In May, Keller's partner Anna Voss told the United Nations that half of the Russian ships had sunk."


@pytest.mark.parametrize(
    ("sentence", "source", "named"),
    [
        pytest.param("It was built by 84 workers.", BRIDGE, "the number 84", id="number"),
        pytest.param("It was built by fifty-one workers.", BRIDGE, "the number 51", id="number-in-words"),
        pytest.param("It was finished in 1999.", BRIDGE, "the number 1999", id="year"),
        pytest.param("The bridge cost $2.6 million.", BRIDGE, "the number 2600000", id="scale"),
        pytest.param("Of the ships, 70 percent had sunk.", REPORT, "the number 70 %", id="share"),
        pytest.param("The workers were nearly 60.", BRIDGE, "the number 60", id="rounded-too-far"),
        pytest.param("The workers were exactly 50.", BRIDGE, "the number 50", id="not-hedged"),
        pytest.param("June saw the ships sink.", REPORT, "the month June", id="month"),
        pytest.param("The bridge cost €2.6 billion.", BRIDGE, "the currency euro", id="currency"),
        pytest.param("The bridge is near Malmö.", BRIDGE, "the name Malmö", id="name"),
        pytest.param("The bridge was built by Norwegian workers.", BRIDGE, "the name Norwegian", id="nation"),
        pytest.param("It was told to the EU.", REPORT, "the name EU", id="initials-of-something-else"),
    ],
)
def test_what_the_source_does_not_have_is_named(sentence, source, named):
    assert missing_facts(sentence, source) == (f"{named} is not in the source",)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        pytest.param("Forty-eight men built it for 2,600 million dollars.", BRIDGE, id="other-form"),
        pytest.param("It was one of them, and built in 3 years.", BRIDGE, id="small-numbers"),
        pytest.param("The workers were nearly 50.", BRIDGE, id="rounded-and-hedged"),
        pytest.param("The bridge was built in the 1990s.", BRIDGE, id="decade"),
        pytest.param("Of the ships, 50 percent had sunk.", REPORT, id="half"),
        pytest.param("The bridge was built by Swedish workers.", BRIDGE, id="nation-of-the-country"),
        pytest.param("The ships came from Russia.", REPORT, id="country-of-the-nation"),
        pytest.param("It was told by Ms Voss, a friend of Dr. Keller.", REPORT, id="titles"),
        pytest.param("It was told to the UN.", REPORT, id="initials"),
        pytest.param("The ships had sunk. Everybody said “Hurrah”.", REPORT, id="begins-a-sentence-or-quotation"),
        pytest.param("The bridge cost 2.6 billion euros.", "It cost 2.6 billion.", id="no-currency-there"),
        pytest.param("They sank it on purpose.", REPORT, id="other-words"),
        pytest.param("The workers were close to 50.", BRIDGE, id="hedged-before-another-word"),
        pytest.param("The workers were 50 or so.", BRIDGE, id="hedged-afterwards"),
        pytest.param("In Zurich, Zelensky spoke.", "Zelenskyy spoke in Zürich on the Somme.", id="spelt-otherwise"),
        pytest.param("He spoke for the European Union.", "On 4 May he spoke for the EU.", id="written-out"),
        pytest.param("Its GDP grew.", "The gross domestic product grew.", id="initials-of-common-words"),
        pytest.param("In Wales a Dane won.", "The Welsh race was won by a man from Denmark.", id="irregular-peoples"),
        pytest.param("It was in World War Two.", "It was in the Second World War.", id="counted"),
        pytest.param("", BRIDGE, id="nothing"),
    ],
)
def test_what_may_be_there_in_another_form_is_left_to_the_model(sentence, source):
    assert missing_facts(sentence, source) == ()


SURVEY = "Of 1,126 people, 842 entered the study. I was one of three members of the board who read it."


@pytest.mark.parametrize(
    ("sentence", "source", "told"),
    [
        pytest.param("842 people were asked.", SURVEY, "the source does not say 842 people", id="another-count"),
        pytest.param("Four old members read it.", SURVEY, "the source does not say 4 members", id="word-between"),
        pytest.param("Dr Voss has read it.", SURVEY, "the source speaks of itself", id="speaker"),
    ],
)
def test_what_the_source_says_of_something_else_is_told(sentence, source, told):
    assert told in exchanged_facts(sentence, source)


@pytest.mark.parametrize("sentence", ["I read it with three members of the board.", "My study had 1126 people."])
def test_nothing_is_told_of_what_the_source_says_so(sentence):
    assert exchanged_facts(sentence, SURVEY) == ()
