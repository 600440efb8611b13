"""The number in a cell and the format of the cell enter, what the sheet shows leaves: `12 %`, `3.50 €`, `2026-06-01`.

Dates come out as ISO writes them and thousands without separators, whatever the format says, since what a spreadsheet
shows of these depends on the country of whoever looks. Called by the readers of Excel and PowerPoint files.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import inf, isfinite

LAST_DAY = 2_958_465
"""The number of 9999-12-31, the last day that a spreadsheet knows."""

DAYS_TO_1904 = 1462
"""Workbooks may count from then on."""

MAX_DECIMALS = 15
"""More digits are not stored."""

MAX_CODE_CHARS = 1_000
"""A spreadsheet program allows a quarter of this."""

_DAY_S = 86_400
_EXACT = 1e15  # larger numbers are stored rounded
_NUMBER = re.compile(r"[-+]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][-+]?\d{1,3})?")
_TOKEN = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|[_*].|\[[^\]]*\]|(.)', re.S)
_CONDITION = re.compile(r"\[[<>=]")
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.I)
_GENERAL = re.compile("general", re.I)
_BUILT_IN = {
    **{1: "0", 2: "0.00", 3: "0", 4: "0.00", 9: "0%", 10: "0.00%", 37: "0", 38: "0", 39: "0.00", 40: "0.00"},
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 59)), "y"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 47), "h"),
    **{22: "y h", 46: "[h]"},
}
"""The formats that files name by number alone, in the simplest form that shows the same here."""


@dataclass(frozen=True, slots=True)
class CellFormat:
    """What a format says.

    Attributes:
        has_date: Whether it shows the day.
        has_time: Whether it shows the time.
        is_elapsed: Whether it shows hours beyond a day.
        before: Text in front of the number.
        after: Text behind the number.
        digits: At least so many before the point; 0 for a number as it is, with all its digits.
        decimals: So many behind the point.
        optional_decimals: So many of them only if they are not zero.
        factor: A hundred for percentages; less than one for thousands and millions.
    """

    has_date: bool = False
    has_time: bool = False
    is_elapsed: bool = False
    before: str = ""
    after: str = ""
    digits: int = 0
    decimals: int = 0
    optional_decimals: int = 0
    factor: Decimal = Decimal(1)


AS_IT_IS = CellFormat()


def built_in_format(number: int) -> CellFormat:
    """The format that a file names by number."""
    return parse_format(_BUILT_IN.get(number, ""))


def parse_format(code: str) -> CellFormat:
    """What a format code says of numbers that are not negative; `AS_IT_IS` for what is too clever."""
    if len(code) > MAX_CODE_CHARS or _CONDITION.search(code):
        return AS_IT_IS
    literals: list[str] = [""]  # what is shown as it stands, before and after each run of digits
    runs: list[str] = []
    letters = ""
    for token in _TOKEN.finditer(_GENERAL.sub("0.##########", code)):
        quoted, escaped, currency, sign = token.groups()
        if sign == ";":
            break
        if sign and sign in "0#?.,":
            if not runs or literals[-1]:
                runs.append("")
                literals.append("")
            runs[-1] += sign
        else:
            literals[-1] += quoted or escaped or currency or sign or ""
            letters += sign or ""
    return _of_moments(letters.lower(), code) or _of_numbers(literals, runs, letters)


def _of_moments(letters: str, code: str) -> CellFormat | None:
    """A format of dates and times; None if it is of numbers."""
    is_elapsed = bool(_ELAPSED.search(code))
    has_time = is_elapsed or "h" in letters or "s" in letters
    has_date = "y" in letters or "d" in letters or ("m" in letters and not has_time)
    return CellFormat(has_date, has_time, is_elapsed) if has_date or has_time else None


def _of_numbers(literals: list[str], runs: list[str], letters: str) -> CellFormat:
    if len(runs) != 1 or "E" in letters:
        return AS_IT_IS
    run = runs[0].rstrip(",")
    thousands = len(runs[0]) - len(run)
    whole, _, decimals = run.partition(".")
    factor = Decimal(100 if "%" in letters else 1) / 1000**thousands
    required = decimals.count("0")
    optional = sum(decimals.count(sign) for sign in "#?")
    before, after = (text.replace("(", "").replace(")", "") for text in literals)
    return CellFormat(
        before=before.lstrip(),
        after=after.rstrip(),
        digits=max(whole.count("0"), 1),
        decimals=min(required + optional, MAX_DECIMALS),
        optional_decimals=optional,
        factor=factor,
    )


def plain_number(text: str) -> str:
    """A number without exponents and digits that are only noise; other text as it is."""
    number = _number(text)
    if number is None:
        return text
    if number == 0 or not 1e-9 <= abs(number) < 1e21:
        return "0" if number == 0 else f"{number:.15g}"
    return _without_zeros(format(Decimal(f"{number:.15g}"), "f"))


def _number(text: str) -> float | None:
    number = float(text) if _NUMBER.fullmatch(text) else inf
    return number if isfinite(number) else None


def _without_zeros(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def shown(text: str, cell: CellFormat, *, is_1904: bool = False) -> str:
    """What a cell shows for a number; other text as it is.

    Args:
        text: The number as it is stored.
        cell: The format.
        is_1904: Whether days are counted from 1904 rather than from 1900.
    """
    number = _number(text)
    if number is None:
        return text
    if cell.has_date or cell.has_time:
        return _moment(number, cell, is_1904) or plain_number(text)
    if cell.digits == 0 or abs(number) >= _EXACT:
        return plain_number(text)
    scaled = abs(Decimal(f"{number:.15g}")) * cell.factor
    rounded = scaled.quantize(Decimal(1).scaleb(-cell.decimals), ROUND_HALF_UP)
    whole, _, decimals = format(rounded, "f").partition(".")
    required = cell.decimals - cell.optional_decimals
    while len(decimals) > required and decimals.endswith("0"):
        decimals = decimals[:-1]
    sign = "-" if number < 0 and rounded else ""
    digits = whole.zfill(cell.digits) + ("." if decimals else "") + decimals
    return f"{sign}{cell.before}{digits}{cell.after}"


def _moment(number: float, cell: CellFormat, is_1904: bool) -> str:
    """The date, the time or both; empty if there is no such day."""
    if not 0 <= number <= LAST_DAY:
        return ""
    seconds = round(number * _DAY_S)
    if cell.is_elapsed:
        return _clock(seconds)
    clock = _clock(seconds % _DAY_S)
    days = seconds // _DAY_S
    if not cell.has_date or days == 0:
        return clock
    # A spreadsheet believes that there was a 29 February 1900, which was day 60.
    start = datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30 if days >= 60 else 31)
    if start.year == 1904 and days > LAST_DAY - DAYS_TO_1904:
        return ""
    date = (start + timedelta(days=days)).date().isoformat()
    return f"{date} {clock}" if cell.has_time else date


def _clock(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")
