import pytest

from ragkit.trimming import trims

BRIDGE = "Work on the bridge took ten years, and Queen Margrethe opened it on 14 June 1998, when it rained."
JURY = "The jury, which had met three times since March, praised the clarity of her drawings on Tuesday evening."


@pytest.mark.parametrize(
    ("text", "answer", "shortest"),
    [
        pytest.param(BRIDGE, "14 June 1998", "Queen Margrethe opened it on 14 June 1998.", id="clauses-around-it"),
        pytest.param(JURY, "clarity", "The jury praised the clarity of her drawings on Tuesday evening.", id="aside"),
        pytest.param(JURY.replace(", which", " (which").replace("March,", "March)"), "clarity", None, id="brackets"),
        pytest.param(
            "The two disagree: one wants a neutral country, whereas the other’s suggestion was Istanbul.",
            "Istanbul",
            "The other’s suggestion was Istanbul.",
            id="joint-words-go",
        ),
    ],
)
def test_what_the_answer_does_not_need_is_left_out(text, answer, shortest):
    found = trims(text, answer)
    assert found[-1] == (shortest or "The jury praised the clarity of her drawings on Tuesday evening.")
    assert all(answer in line and len(line.split()) < len(text.split()) for line in found)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("Queen Margrethe opened it on 14 June 1998.", "14 June", id="no-joints"),
        pytest.param(BRIDGE, "15 June", id="answer-not-there"),
        pytest.param(BRIDGE, "", id="no-answer"),
        pytest.param("a, " * 20 + "b, c and d were there.", "b", id="a-list"),
        pytest.param("If the vote fails, the mayor said, the bridge closes in June.", "June", id="condition"),
        pytest.param(
            "He rejected the claim that the bridge would have to close for a year in June.", "June", id="denial"
        ),
    ],
)
def test_nothing_is_left_out_where_that_could_change_what_is_said(text, answer):
    assert trims(text, answer) == []


DEEDS = "The council cut the fares, and the mayor hired 40 drivers, while nobody was there."


def test_what_is_joined_by_and_stays_where_all_of_it_may_be_asked_for():
    assert "The council cut the fares." in trims(DEEDS, "cut the fares")
    kept = trims(DEEDS, "cut the fares", all_counts=True)
    assert kept == ["The council cut the fares, and the mayor hired 40 drivers."]


@pytest.mark.parametrize(
    ("text", "answer", "never"),
    [
        pytest.param(
            "In 1974 Lennox Marr played him in Captain Ash and the Daughters of Lyme, a play for children.",
            "Lennox Marr",
            "In 1974 Lennox Marr played him in Captain Ash.",
            id="name",
        ),
        pytest.param(
            "His companions were Rose (B. Piper) and Ann (C. Tate) with Jack (J. Bar) recurring as the other.",
            "Rose",
            "His companions were Rose (B. Piper) and Ann (C. Tate) with Jack.",
            id="after-a-bracket",
        ),
        pytest.param(
            "Roe was his first choice, but the studio, claiming that nobody knew him, refused to pay for the film.",
            "the studio",
            "But the studio, claiming that nobody knew him.",
            id="after-an-aside",
        ),
        pytest.param(
            'She said, "We leave in June, when the snow is gone, and we come back in May."',
            "June",
            'She said, "We leave in June.',
            id="within-what-is-said",
        ),
    ],
)
def test_it_is_not_cut_within_a_name_nor_where_the_statement_goes_on(text, answer, never):
    assert all(not line.casefold().endswith(never[4:].casefold()) for line in trims(text, answer))
