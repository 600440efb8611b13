import pytest

from ragkit.evaluation.drafting.phrases import COUNTED, PLACE, TIME, Names, find_details, find_entries

TEXT = (
    "When the letters came, Anna Voss said that the bank had failed. Later Voss sold it in Bergen. "
    "Letters are rare. The painter Ida Holm moved to Bergen, and Mrs Pell followed."
)


@pytest.mark.parametrize(
    ("text", "sort", "phrase"),
    [
        pytest.param("opened on 14 June 1998 by her", "day", "on 14 June 1998", id="day"),
        pytest.param("On Monday, 3 May the gate", "day", "On Monday, 3 May", id="weekday and day"),
        pytest.param("closed on January 6, 1990 after", "day", "on January 6, 1990", id="American day"),
        pytest.param("met on Friday evening", "weekday", "on Friday evening", id="weekday"),
        pytest.param("began in early May 1806", "month", "in early May 1806", id="month"),
        pytest.param("In 1998 they left", "year", "In 1998", id="year"),
        pytest.param("starts at half past seven", "hour", None, id="no clock"),
        pytest.param("starts at nine o'clock", "hour", "at nine o'clock", id="hour"),
        pytest.param("bread is sold at 5.10 the kilogram", "hour", None, id="a price is no hour"),
    ],
)
def test_phrases_of_time_are_told_by_their_form(text, sort, phrase):
    match = TIME.search(text)
    assert (match.group() if match else None) == phrase
    assert match is None or match[sort]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        pytest.param("was built in New York by them", "in New York", id="city"),
        pytest.param("stands at Harrow station", "at Harrow station", id="name and kind"),
        pytest.param("met in the old town hall", "in the old town hall", id="kind of place"),
        pytest.param("was written in English by them", None, id="language"),
        pytest.param("fell in March", None, id="month"),
        pytest.param("believed in Anna's plan", None, id="somebody's"),
    ],
)
def test_phrases_of_place_are_told_by_their_form(text, phrase):
    match = PLACE.search(text)
    assert (match.group() if match else None) == phrase


@pytest.mark.parametrize(
    ("text", "before", "count", "noun"),
    [
        pytest.param("about 340 rare species in the reserve", "", "340", "rare species", id="with a hedge"),
        pytest.param("worked for sixteen months", "for ", "sixteen", "months", id="after a preposition"),
        pytest.param("cost 1.38 million euros", "", "1.38 million", "euros", id="million"),
        pytest.param("stay up to five nights", "", "five", "nights", id="up to"),
    ],
)
def test_counted_things_are_found_with_what_they_are(text, before, count, noun):
    match = COUNTED.search(text)
    assert (match["before"], match["count"], match["noun"]) == (before, count, noun)


@pytest.mark.parametrize("text", ["passed by 74 votes to 61", "the three men left", "between 3 and 5 metres"])
def test_numbers_that_belong_to_more_than_what_they_count_are_left_alone(text):
    assert COUNTED.search(text) is None


def test_names_are_told_from_words_by_their_use_elsewhere():
    names = Names([TEXT])
    assert names.is_name("Bergen") is True
    assert names.is_name("Letters") is False
    assert names.is_name("Rare") is False
    assert names.is_name("Zebra") is None


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        pytest.param("Voss", "Who", id="somebody who said something"),
        pytest.param("Ida Holm", "Who", id="somebody with a role"),
        pytest.param("Mrs Pell", "Who", id="a title"),
        pytest.param("the old captain", "Who", id="a role"),
        pytest.param("the University of Bern", "Which university", id="an organisation"),
        pytest.param("the university", None, id="an organisation without a name"),
        pytest.param("Bergen", None, id="a place"),
    ],
)
def test_whoever_bears_a_name_is_asked_for_by_what_it_is(name, asked):
    assert Names([TEXT]).asked_by(name) == asked


def test_details_of_a_sentence_of_any_shape_are_found():
    sentence = "Having lost 340 men, they gave up in Bergen, which on 3 May 1802 had fallen."
    assert find_details(sentence, Names([])) == [("when", "3 May 1802"), ("how many", "340"), ("where", "Bergen")]


@pytest.mark.parametrize(
    ("sentence", "entries"),
    [
        ("He named Switzerland, Turkey or Arab states.", [("Switzerland", "Turkey", "Arab states")]),
        ("The choir sang in Oslo, in Bergen, and in Tromsø, they said.", [("Oslo", "in Bergen", "in Tromsø")]),
        ("He named Oslo and Bergen.", []),
    ],
)
def test_things_listed_behind_one_another_are_entries(sentence, entries):
    assert find_entries(sentence) == entries


def test_names_are_asked_for_wherever_they_stand_but_first():
    names = Names(["Dmitry Peskov said so."])
    details = find_details("Later the letter was read by Dmitry Peskov for Rosneft.", names)
    assert details == [("who", "Dmitry Peskov"), ("what", "Rosneft")]
