"""The bytes of a mail enter, its headers as text and its parts leave; called by `mail`.

A part is a stretch of the mail, never a copy of it, and each is looked through once a level, so that neither deep
nesting nor thousands of parts take long. Whatever is malformed is read as well as it can be.
"""

import binascii
import codecs
import re
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote_to_bytes

from ragkit.readers.decoding import MAX_CONTROL_SHARE, decode

MAX_HEAD_BYTES = 64 * 1024
"""Headers beyond are not read; long chains of servers fill a quarter of it."""

MAX_HEADER_CHARS = 4_000
"""A header is cut here; only lists of recipients get longer."""

MAX_PARTS = 1_000
"""Of so many parts directly inside one; digests of mailing lists hold a hundred."""

MAX_FILENAME_CHARS = 150
"""The end of a longer name is kept, which says the kind."""

_SUPERSETS = {
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# By these names mails often call an encoding that has further characters.

_NOT_FOR_TEXT = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_CHARSET = re.compile(r"[A-Za-z0-9._:-]{1,40}")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_FIELD = re.compile(r"^([!-9;-~]+)[ \t]*:((?:.*(?:\n[ \t])?)*+)", re.M)
_ENCODED_WORDS = re.compile(r"(?:=\?[^?\s]{1,60}\?[bBqQ]\?[^?\n]*\?=(?:\s+(?==\?))?)+")
_ENCODED_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?\n]*)\?=")
_PARAMETER = re.compile(r';\s*([\w.-]+)(?:\*(\d{1,3}))?(\*)?\s*=\s*("(?:[^"\\]|\\.)*+"?|[^;]*)', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_NOT_BASE_64 = re.compile(rb"[^A-Za-z0-9+/]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A mail or a part of one.

    Attributes:
        data: What it lies in.
        start: Of what follows its headers: the line end before the first line.
        end: Of all of it.
        headers: The first of each name, in lower case, as it was written.
        kind: Such as `text/plain`, in lower case.
    """

    data: bytes
    start: int
    end: int
    headers: dict[str, str] = field(repr=False)
    kind: str

    def header(self, name: str) -> str:
        """A header as text on one line; empty if there is none."""
        return one_line(_without_encoded_words(self.headers.get(name, "")))

    def parameter(self, header: str, name: str) -> str:
        """What a header says after its value, as `charset` in `text/plain; charset=utf-8`; empty if it does not."""
        sections = []
        for key, number, is_encoded, value in _PARAMETER.findall(self.headers.get(header, "")):
            if key.lower() == name:
                sections.append((int(number or 0), bool(is_encoded), _unquoted(value)))
        sections.sort(key=lambda section: section[0])
        if not any(is_encoded for _, is_encoded, _ in sections):
            return one_line(_without_encoded_words("".join(value for *_, value in sections)))
        charset, _, rest = sections[0][2].partition("'")
        values = [rest.partition("'")[2] if rest else charset, *(value for *_, value in sections[1:])]
        return one_line(_in_charset(unquote_to_bytes("".join(values)), charset))

    @property
    def filename(self) -> str:
        """The name it is to be saved under, without folders; empty if it has none."""
        name = self.parameter("content-disposition", "filename") or self.parameter("content-type", "name")
        return re.split(r"[/\\]", name)[-1].strip(" .")[-MAX_FILENAME_CHARS:]

    @property
    def is_attachment(self) -> bool:
        """Whether it says that it is no part of the text."""
        return self.headers.get("content-disposition", "").strip().lower().startswith("attachment")

    def content(self) -> bytes:
        """Its bytes without the encoding for transport."""
        body = self.data[min(self.start + 1, self.end) : self.end]
        encoding = self.header("content-transfer-encoding").lower()
        if encoding == "base64":
            return _from_base_64(body)
        return binascii.a2b_qp(body) if encoding == "quoted-printable" else body

    def text(self, name: str) -> str:
        """Its content as text, in the encoding that it names or else in the likeliest one.

        Raises:
            DocumentError: It is no text.
        """
        content = self.content()
        codec = _codec(self.parameter("content-type", "charset"))
        # What says that it is in Latin-1 and yet is UTF-8 was never in Latin-1.
        for trial in ("utf-8", codec) if codec == "cp1252" else (codec or "utf-8",):
            with suppress(UnicodeError):
                text, controls = _CONTROL.subn(" ", content.decode(trial, "replace" if content.isascii() else "strict"))
                if controls <= MAX_CONTROL_SHARE * len(text):
                    return _normal(text)
        return _normal(decode(content, name))

    def inner_mail(self) -> "Part":
        """The mail that its content is."""
        if self.header("content-transfer-encoding").lower() in ("base64", "quoted-printable"):
            return parse(self.content())
        return _parsed(self.data, self.start, self.end, "text/plain")

    def children(self) -> "list[Part]":
        """The parts of a part that has several; none if it has not."""
        boundary = self.parameter("content-type", "boundary")
        if not boundary or not self.kind.startswith("multipart/"):
            return []
        pattern = re.compile(rb"\n--" + re.escape(boundary.encode("latin-1", "replace")) + rb"(--)?[ \t]*\r?(?=\n|\Z)")
        marks = list(islice(pattern.finditer(self.data, self.start, self.end), MAX_PARTS + 1))
        default = "message/rfc822" if self.kind == "multipart/digest" else "text/plain"
        parts = []
        for number, mark in enumerate(marks):
            if mark.group(1):
                break
            end = marks[number + 1].start() if number + 1 < len(marks) else self.end
            end -= self.data[end - 1 : end] == b"\r"  # of the line end that belongs to the mark
            if number < MAX_PARTS and mark.end() < end:
                parts.append(_parsed(self.data, mark.end(), end, default))
        return parts


def parse(data: bytes) -> Part:
    """A whole mail."""
    return _parsed(b"\n" + data, 0, len(data) + 1, "text/plain")


def one_line(text: str) -> str:
    """The text on one line, without what cannot be seen."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def _parsed(data: bytes, start: int, end: int, default: str) -> Part:
    """The part between two offsets, the first of them that of the line end before it."""
    blank = _BLANK_LINE.search(data, start, end)
    body = blank.end() - 1 if blank else end
    head = data[start : min(blank.start() if blank else end, start + MAX_HEAD_BYTES)].replace(b"\r", b"")
    headers: dict[str, str] = {}
    for name, value in _FIELD.findall(_in_charset(head, "utf-8")):
        headers.setdefault(name.lower(), value.strip()[:MAX_HEADER_CHARS])
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Part(data, body, end, headers, kind if kind.count("/") == 1 else default)


def _normal(text: str) -> str:
    """The text with one kind of line end and of space, and without pages."""
    for written, meant in (("\r\n", "\n"), ("\r", "\n"), ("\f", "\n\n"), ("\xa0", " "), ("\xad", "")):
        text = text.replace(written, meant)
    return text.lstrip("\ufeff")


def _unquoted(value: str) -> str:
    value = value.strip()
    if not value.startswith('"'):
        return value
    return _ESCAPED.sub(r"\1", value[1:].removesuffix('"'))


def _without_encoded_words(text: str) -> str:
    """The text with words like `=?utf-8?q?caf=C3=A9?=` as they are meant."""
    return _ENCODED_WORDS.sub(lambda words: _decoded_words(words.group()), text)


def _decoded_words(words: str) -> str:
    """Encoded words in a row; some writers cut a character in two between them."""
    runs: list[tuple[str, bytes]] = []
    for charset, encoding, content in _ENCODED_WORD.findall(words):
        raw = content.encode("utf-8", "replace")
        data = _from_base_64(raw) if encoding in "bB" else binascii.a2b_qp(raw, header=True)
        if runs and runs[-1][0] == charset.lower():
            data = runs.pop()[1] + data
        runs.append((charset.lower(), data))
    return "".join(_in_charset(data, charset) for charset, data in runs) + (" " if words[-1:].isspace() else "")


def _codec(charset: str) -> str:
    """Python's name for an encoding of text; empty if there is none of that name."""
    if not _CHARSET.fullmatch(charset):
        return ""
    try:
        name = codecs.lookup(charset).name
        if name not in _NOT_FOR_TEXT:
            b"a".decode(name)  # no codec for text if the name is not found now
    except LookupError:
        return ""
    except UnicodeError:
        pass  # wider characters than one byte
    return "" if name in _NOT_FOR_TEXT else _SUPERSETS.get(name, name)


def _in_charset(data: bytes, charset: str) -> str:
    """The few words of a header as text, whatever they are in."""
    for codec in (_codec(charset), "utf-8"):
        try:
            return data.decode(codec or "utf-8")
        except UnicodeError:
            continue
    return data.decode("cp1252", "replace")


def _from_base_64(data: bytes) -> bytes:
    """As much as can be read of it."""
    try:
        return binascii.a2b_base64(data + b"==")
    except binascii.Error:
        digits = _NOT_BASE_64.sub(b"", data)
        return binascii.a2b_base64(digits[: len(digits) // 4 * 4])
