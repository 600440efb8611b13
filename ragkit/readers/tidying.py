"""Text as a format holds it enters, text as it is shown leaves. Called by readers that make a text of their own."""

import re

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"), "")
_LINE_ENDS = dict.fromkeys(map(ord, "\r\x0b\x0c\x85\u2028\u2029"), "\n")
_CONTROLS = {code: " " for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}
_SPACES = dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))), " ")
_TIDIED = {**_CONTROLS, **_SPACES, **_LINE_ENDS, **_INVISIBLE}
_BLANKS = re.compile(r"[ \t]{2,}")


def tidy(text: str) -> str:
    """The text without invisible characters, blank lines and runs of spaces; tabs and line breaks stay."""
    lines = (_BLANKS.sub(_one_blank, line.strip()) for line in text.translate(_TIDIED).split("\n"))
    return "\n".join(line for line in lines if line)


def _one_blank(run: re.Match[str]) -> str:
    return "\t" if "\t" in run.group() else " "


def flat(text: str) -> str:
    """The text tidied and on one line."""
    return " ".join(tidy(text).split())


def whole_number(text: str, default: int = 0) -> int:
    """The number that an attribute says, or the default; anything beyond what is of use is the default, too."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,12}", text) else default
