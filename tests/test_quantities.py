import pytest

from ragkit.quantities import currencies, months, unify_quantities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1,000 and 1,234,567 but 1,5", "1000 and 1234567 but 1,5", id="separators"),
        pytest.param("twenty-one, two hundred and five, a thousand", "21, 205, 1000", id="words"),
        pytest.param("three thousand five hundred of twelve", "3500 of 12", id="long-words"),
        pytest.param(
            "between five and ten, one of them, no one", "between 5 and 10, one of them, no one", id="no-sums"
        ),
        pytest.param("one man, one hundred men", "1 man, 100 men", id="one"),
        pytest.param("2.6 billion, two million, 1.5bn", "2600000000, 2000000, 1500000000", id="scales"),
        pytest.param("5%, 5 percent, five per cent", "5percent, 5percent, 5percent", id="percent"),
        pytest.param("$5, € 7, 5 dollars", "5, 7, 5", id="money"),
        pytest.param("-5 or −6, 10-20, 2016–17", "minus5 or minus6, 10-20, 2016–2017", id="signs-and-ranges"),
        pytest.param("the 3rd of May, 3 May, May 3rd", "the May 3, May 3, May 3", id="dates"),
        pytest.param("4 Sept. 2026, Jan. 5; mar 5", "September 4 2026, January 5; mar 5", id="short-months"),
        pytest.param("£2.5m, US$50, 25km, 10:30am, 9 p.m.", "2500000, 50, 25 km, 10:30 am, 9 pm", id="glued"),
        pytest.param("1 000 000 and 25\u202f000", "1000000 and 25000", id="groups-of-three"),
        pytest.param("half a million, two and a half years, 3½", "500000, 2.5 years, 3.5", id="halves"),
        pytest.param("the U.S. and the U.S.A.", "the US and the USA", id="initials"),
        pytest.param("hundreds, a man, someone, tent", "hundreds, a man, someone, tent", id="no-quantities"),
    ],
)
def test_quantities_get_one_form(text, expected):
    assert unify_quantities(text) == expected


def test_currencies_and_months_are_told_apart_from_other_words():
    assert currencies("It cost $2.6 billion, then 5 million euros; the pound fell") == {"dollar", "euro"}
    assert months("In May he may march; March came") == {"May", "March"}
