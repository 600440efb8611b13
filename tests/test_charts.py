import re
from xml.etree import ElementTree as ET

import pytest

from ragkit.evaluation.measures.curves import Bin, Curves, Point
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.report import charts

POINTS = (Point(0.5, 0.0, 0.9), Point(0.75, 0.1, 0.6), Point(1.0, 0.4, 0.2))
CURVES = Curves(4, 0.9, 0.1, 0.05, (Bin(0.2, 0.3, 1, 0.2, 0.0), Bin(0.9, 1.0, 3, 0.95, 1.0)), POINTS)


def words_of(svg):
    """Title and description of a chart, which must be well-formed."""
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert [root.get("aria-labelledby"), root.get("aria-describedby")] == [root[0].get("id"), root[1].get("id")]
    return root[0].text, root[1].text.replace("\xa0", " ")


def test_the_coverage_curve_is_told_in_words_and_drawn_from_the_surest_on():
    svg = charts.draw_coverage(CURVES)
    title, told = words_of(svg)
    assert title == "Wrong answers by how many are given"
    assert told.startswith("50 % answered, 0 % of the answers wrong; 75 % answered, 10 %")
    # x runs from 76 to 406, y from 248 up to 16 at 50 %: 76 + .5 * 330 = 241; 248 - .4 / .5 * 232 = 62.4
    assert re.search('points="([^"]*)"', svg)[1] == "241.0,248.0 323.5,201.6 406.0,62.4"


def test_the_bins_of_confidence_are_told_in_words():
    title, told = words_of(charts.draw_reliability(CURVES))
    assert title == "Right answers by confidence"
    assert told.endswith("confidence 0.9 to 1.0: 100 % of 3 right, 95 % expected.")


def test_seconds_are_counted_in_bars_and_the_slowest_stand_in_the_last():
    svg = charts.draw_seconds([0.1] * 150 + [1.9] * 49 + [60.0], {"half": 0.1})
    assert words_of(svg) == ("Seconds a question", "half 0.10 s.")
    bars = [float(height) for height in re.findall(r'height="([\d.]+)"', svg)]
    assert len(bars) == charts.BARS
    # 0 to 2 s in 24 bars: .1 s stands in the second, 1.9 and all beyond 2 in the 23rd and 24th; 200 is the axis' end
    assert [place for place, height in enumerate(bars) if height] == [1, 22, 23]
    assert bars[1] == pytest.approx(232)


def test_the_points_to_tell_are_the_first_that_reach_each_share():
    assert charts.pick_points(CURVES) == list(POINTS)
    assert charts.pick_points(Curves(1, None, None, 0.0, (), (Point(1.0, 0.0, 0.5),))) == [Point(1.0, 0.0, 0.5)]


def test_small_bars_are_hidden_from_screen_readers_and_stay_inside():
    for svg in (
        charts.share_bar(0.5, "bad"),
        charts.interval_bar(Estimate(1.0, 3, 0.5, 1.2)),
        charts.difference_bar(Estimate(-3.0, 3, -4.0, 0.0), 2.0, "worse"),
    ):
        root = ET.fromstring(svg)
        assert root.get("aria-hidden") == "true"
        for shape in root.iter("rect"):
            assert 0 <= float(shape.get("x")) <= float(shape.get("x")) + float(shape.get("width")) <= charts.BAR_WIDTH


def test_percentages_have_three_digits_at_most():
    assert [charts.percent(share).replace("\xa0", " ") for share in (0, 0.01234, 0.9731, 1)] == [
        "0 %",
        "1.23 %",
        "97.3 %",
        "100 %",
    ]
