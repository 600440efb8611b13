"""Figures to inline SVG. Colours come from the page's style; every chart has a title and a text of what it shows.

Called by `sections`. The small bars beside numbers in tables say nothing that the numbers do not, and are hidden from
screen readers.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ragkit.evaluation.measures.curves import Bin, Curves, Point
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.report.headlines import PERCENT
from ragkit.evaluation.report.markup import Html, join, tag

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 76, 406, 16, 248
MOST_POINTS = 400
BARS = 24
BAR_WIDTH, BAR_HEIGHT = 120, 14
COVERAGES = (0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The area that a chart is drawn in: x from 0 to `right`, y from 0 to `top`."""

    right: float
    top: float

    def x(self, value: float) -> float:
        return LEFT + (RIGHT - LEFT) * min(value / self.right, 1)

    def y(self, value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * min(value / self.top, 1)

    def axes(self, x_label: str, y_label: str, *, are_shares: tuple[bool, bool] = (True, True)) -> Html:
        """Both axes with ticks and names."""
        parts = []
        for value in _ticks(self.right):
            parts.append(_line(self.x(value), BOTTOM, self.x(value), BOTTOM + 5, "axis"))
            parts.append(_text(self.x(value), BOTTOM + 20, _tick(value, are_shares[0]), "middle"))
        for value in _ticks(self.top):
            parts.append(_line(LEFT, self.y(value), RIGHT, self.y(value), "grid"))
            parts.append(_text(LEFT - 8, self.y(value) + 4, _tick(value, are_shares[1]), "end"))
        parts.append(_line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis"))
        parts.append(_text((LEFT + RIGHT) / 2, HEIGHT - 10, x_label, "middle", "name"))
        middle = (TOP + BOTTOM) / 2
        parts.append(_text(16, middle, y_label, "middle", "name", transform=f"rotate(-90 16 {middle:g})"))
        return join(parts)


def draw_coverage(curves: Curves) -> Html:
    """The share of wrong answers by how many of the questions are answered, the surest first."""
    points = _thin(curves.coverage)
    frame = _Frame(1.0, _round_up(max(point.wrong for point in points)))
    places = " ".join(f"{frame.x(p.coverage):.1f},{frame.y(p.wrong):.1f}" for p in points)
    told = "; ".join(
        f"{percent(point.coverage)} answered, {percent(point.wrong)} of the answers wrong"
        for point in pick_points(curves)
    )
    axes = frame.axes("share of the questions answered, the surest first", "share of answers wrong")
    line = tag("polyline", points=places, class_="curve")
    return _figure("coverage", "Wrong answers by how many are given", f"{told}.", axes, line)


def draw_reliability(curves: Curves) -> Html:
    """How many answers are right by what their confidence says."""
    frame = _Frame(1.0, 1.0)
    parts = [frame.axes("confidence (in the bars: how many answers)", "share of answers right")]
    for one in (one for one in curves.bins if one.n):
        left, right, height = frame.x(one.low), frame.x(one.high), frame.y(one.right)
        shape = {"x": left + 1, "y": height, "width": right - left - 2, "height": BOTTOM - height}
        parts.append(tag("rect", tag("title", _tell_bin(one)), class_="bar", **shape))
        parts.append(tag("circle", cx=frame.x(one.confidence), cy=height, r=4, class_="dot"))
        parts.append(_text((left + right) / 2, BOTTOM - 6, str(one.n), "middle", "count"))
    parts.append(_line(LEFT, BOTTOM, RIGHT, TOP, "ideal"))
    told = " ".join(f"{_tell_bin(one)}." for one in curves.bins if one.n)
    return _figure("reliability", "Right answers by confidence", told, *parts)


def draw_seconds(seconds: Sequence[float], marks: dict[str, float]) -> Html:
    """How many questions took how long.

    Args:
        seconds: Of every question; at least one.
        marks: Names and seconds of the lines to draw.
    """
    ordered = sorted(seconds)
    longest = max(ordered[math.ceil(0.99 * len(ordered)) - 1], 0.001)
    width = _round_up(longest) / BARS
    counts = [0] * BARS
    for value in ordered:
        counts[min(int(value / width), BARS - 1)] += 1
    frame = _Frame(width * BARS, float(max(counts)))
    parts = [frame.axes("seconds from question to answer", "questions", are_shares=(False, False))]
    for place, count in enumerate(counts):
        left, height = frame.x(place * width), frame.y(count)
        shape = {"x": left + 0.5, "y": height, "width": frame.x(width) - LEFT - 1, "height": BOTTOM - height}
        parts.append(tag("rect", class_="bar", **shape))
    for name, value in marks.items():
        parts.append(_line(frame.x(value), TOP - 4, frame.x(value), BOTTOM, "mark"))
        end = "end" if value > frame.right * 0.7 else "start"
        parts.append(_text(frame.x(value) + (-4 if end == "end" else 4), TOP + 4, name, end))
    told = ", ".join(f"{name} {value:.2f} s" for name, value in marks.items())
    return _figure("seconds", "Seconds a question", f"{told}.", *parts)


def share_bar(share: float, tone: str) -> Html:
    """A bar for a share in [0, 1], in the colour of `tone` (see page.css)."""
    bar = tag("rect", x=0, y=1, width=share * BAR_WIDTH, height=BAR_HEIGHT - 2, class_=f"share {tone}")
    return _small(bar)


def interval_bar(estimate: Estimate) -> Html:
    """A share in [0, 1] as a dot, its interval as a band."""
    low, high = (min(max(bound, 0.0), 1.0) * BAR_WIDTH for bound in (estimate.low, estimate.high))
    middle = BAR_HEIGHT / 2
    return _small(
        _line(0, middle, BAR_WIDTH, middle, "axis"),
        tag("rect", x=low, y=2, width=max(high - low, 1), height=BAR_HEIGHT - 4, class_="band"),
        tag("circle", cx=min(max(estimate.mean, 0.0), 1.0) * BAR_WIDTH, cy=middle, r=4, class_="dot"),
    )


def difference_bar(estimate: Estimate, reach: float, tone: str) -> Html:
    """A difference as a dot with its interval as a band, zero in the middle and `reach` at both ends."""

    def place(value: float) -> float:
        return BAR_WIDTH * (0.5 + 0.5 * min(max(value / reach, -1.0), 1.0))

    low, high, middle = place(estimate.low), place(estimate.high), BAR_HEIGHT / 2
    return _small(
        _line(0, middle, BAR_WIDTH, middle, "grid"),
        tag("rect", x=low, y=2, width=max(high - low, 1), height=BAR_HEIGHT - 4, class_=f"band {tone}"),
        _line(BAR_WIDTH / 2, 0, BAR_WIDTH / 2, BAR_HEIGHT, "axis"),
        tag("circle", cx=place(estimate.mean), cy=middle, r=4, class_=f"dot {tone}"),
    )


def pick_points(curves: Curves) -> list[Point]:
    """The points of the coverage curve to tell in words: the first that reaches each of `COVERAGES`."""
    found = [next((p for p in curves.coverage if p.coverage >= share - 1e-9), None) for share in COVERAGES]
    return list(dict.fromkeys(point for point in found if point is not None))


def percent(share: float) -> str:
    """A share in percent, with three digits at most."""
    return f"{100 * share:.3g}{PERCENT}"


def _small(*parts: Html) -> Html:
    box = f"0 0 {BAR_WIDTH} {BAR_HEIGHT}"
    return tag("svg", *parts, viewBox=box, width=BAR_WIDTH, height=BAR_HEIGHT, class_="small", aria_hidden="true")


def _figure(name: str, title: str, told: str, *parts: Html) -> Html:
    """A chart with its name and what it shows, as text that is read out instead of it."""
    names = {"role": "img", "aria_labelledby": f"{name}-title", "aria_describedby": f"{name}-text"}
    words = (tag("title", title, id=f"{name}-title"), tag("desc", told, id=f"{name}-text"))
    return tag("svg", *words, *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="chart", **names)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Html:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _text(x: float, y: float, words: str, anchor: str, kind: str = "tick", transform: str | None = None) -> Html:
    return tag("text", words, x=x, y=y, text_anchor=anchor, class_=kind, transform=transform)


def _thin(points: Sequence[Point]) -> list[Point]:
    """So few points that a line through them looks the same; the first and the last are kept."""
    step = max(1, math.ceil(len(points) / MOST_POINTS))
    return [*points[:-1:step], points[-1]]


def _round_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten, but no less than 0.05."""
    value = max(value, 0.05)
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 2.5, 5, 10) if power * step >= value * (1 - 1e-9))


def _ticks(end: float) -> Iterable[float]:
    """Zero, the end and some round numbers between them."""
    step = _round_up(end / 5) if end >= 0.25 else end / 2
    return (step * i for i in range(math.floor(end / step + 1e-9) + 1))


def _tick(value: float, is_share: bool) -> str:
    return percent(value) if is_share else f"{value:.3g}"


def _tell_bin(one: Bin) -> str:
    sure = f"confidence {one.low:.1f} to {one.high:.1f}"
    return f"{sure}: {percent(one.right)} of {one.n} right, {percent(one.confidence)} expected"
