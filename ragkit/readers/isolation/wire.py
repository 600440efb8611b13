"""Messages between the process that reads files and the one that asked it to: objects enter, bytes leave, and back.

A message is a head of JSON lines and a body of bytes, each of a length that is said before. A request holds the bytes
of a file, a reply its text. Replies come from a process that has read a document nobody vouches for, so whoever takes
one apart believes nothing of it: each line is checked before the next is looked at, and the lengths are bounded. A
span is said as its distance from the one before and its length, so that spans in disorder cannot be said at all.
"""

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import IO, Any, get_args

from ragkit.errors import DocumentError
from ragkit.readers.extraction import MAX_TEXT_CHARS, Extracted
from ragkit.readers.opening import ReadOptions, printable
from ragkit.readers.spans import Span
from ragkit.records import Fact, ParagraphKind

MAX_BODY_BYTES = 4 * MAX_TEXT_CHARS
"""The longest text in its widest characters."""

MAX_HEAD_BYTES = 128 * 1024 * 1024
"""Room for some four million paragraphs."""

MAX_LINE_BYTES = 4 * 1024 * 1024
"""A line becomes up to twenty times as large when it is taken apart, so lines are bounded before."""

MAX_STRING_CHARS = 4_000
"""No heading, place, fact or warning that a reader makes is nearly as long; the rest of longer ones is cut off."""

MAX_HEADINGS = 64
"""Six levels of headings in each of the files that lie inside one another, and some to spare."""

MAX_PAGE = 10_000_000
"""No file of an allowed size has as many."""

_LENGTHS = struct.Struct(">QQ")
_KINDS: dict[str, ParagraphKind] = {kind: kind for kind in get_args(ParagraphKind)}
_CONTROL = re.compile("[\x00-\x08\x0b\x0d-\x1f]")  # what decoding removes, too
_SURROGATE = re.compile("[\ud800-\udfff]")
_parse = json.JSONDecoder().raw_decode
_write = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process that reads may use.

    Attributes:
        memory_bytes: Address space, on top of what it has when it starts.
        timeout_s: For each file.
        may_write: Whether temporary files are needed, as for OCR.
    """

    memory_bytes: int
    timeout_s: float
    may_write: bool

    def to_argument(self) -> str:
        """The limits on a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_argument(cls, argument: str) -> "Limits":
        """The limits that a command line says."""
        return cls(**json.loads(argument))


@dataclass(frozen=True, slots=True)
class Message:
    """What goes through a pipe."""

    head: bytes
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Request:
    """A file that is to be read.

    Attributes:
        name: By which it is called in messages; its last suffix says the format.
        data: All its bytes.
    """

    name: str
    data: bytes
    options: ReadOptions


def send(pipe: IO[bytes], message: Message) -> None:
    """Writes a whole message."""
    pipe.write(_LENGTHS.pack(len(message.head), len(message.body)))
    pipe.write(message.head)
    pipe.write(message.body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Message:
    """The next message.

    Raises:
        EOFError: The pipe ends before the message does.
        ValueError: The message says that it is longer than any may be.
    """
    head_bytes, body_bytes = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    if head_bytes > MAX_HEAD_BYTES or body_bytes > MAX_BODY_BYTES:
        raise ValueError(f"a message of {head_bytes} + {body_bytes} bytes")
    return Message(_exactly(pipe, head_bytes), _exactly(pipe, body_bytes))


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def encode_request(request: Request) -> Message:
    """The message that asks for a file to be read."""
    options = request.options
    fields = {"name": request.name, "max_bytes": options.max_bytes, "use_ocr": options.use_ocr}
    return Message(_write(fields).encode(), request.data)


def decode_request(message: Message) -> Request:
    """What was asked; by a process that is trusted."""
    fields = json.loads(message.head)
    return Request(fields["name"], message.body, ReadOptions(fields["max_bytes"], fields["use_ocr"]))


def encode_failure(reason: str) -> Message:
    """The reply that a file could not be read."""
    return Message(_line("failure", reason[:MAX_STRING_CHARS]))


def encode_extracted(extracted: Extracted, name: str) -> Message:
    """The reply that holds what was found.

    Raises:
        DocumentError: It is more than a reply may hold.
    """
    body = _SURROGATE.sub("\ufffd", extracted.text).encode()
    head = b"".join(_lines(extracted))
    if len(body) > MAX_BODY_BYTES or len(head) > MAX_HEAD_BYTES:
        amount = f"{len(extracted.text):,} characters in {len(extracted.spans):,} paragraphs"
        raise DocumentError(f"{name} holds too much: {amount}. Split it into parts or leave it out.")
    return Message(head, body)


def _lines(extracted: Extracted) -> Iterator[bytes]:
    for fact in extracted.facts:
        yield _line("fact", fact.name[:MAX_STRING_CHARS], fact.value[:MAX_STRING_CHARS])
    for warning in extracted.warnings:
        yield _line("warning", warning[:MAX_STRING_CHARS])
    position = 0
    headings: tuple[str, ...] = ()
    for span in extracted.spans:
        if span.headings != headings:
            headings = span.headings
            yield _line("headings", *(heading[:MAX_STRING_CHARS] for heading in headings[:MAX_HEADINGS]))
        place = span.place[:MAX_STRING_CHARS]
        yield _line(span.start - position, span.end - span.start, span.kind, span.page, place)
        position = span.end


def _line(*fields: object) -> bytes:
    return _write(fields).encode() + b"\n"


def decode_reply(reply: Message) -> Extracted:
    """What was found in a file, from a reply that may hold anything.

    Raises:
        DocumentError: The reply says, in these words, that the file could not be read.
        ValueError: It is not a reply.
    """
    text = _CONTROL.sub(" ", reply.body.decode())
    found = _Found(text)
    for line in _parsed_lines(reply.head):
        match line:
            case [int(gap), int(length), str(kind), int() | None as page, str(place)] if kind in _KINDS:
                found.add(gap, length, _KINDS[kind], page, place)
            case ["headings", *headings] if len(headings) <= MAX_HEADINGS:
                found.headings = tuple(map(_checked, headings))
            case ["fact", str(name), str(value)]:
                found.facts.append(Fact(_checked(name), _checked(value)))
            case ["warning", str(warning)]:
                found.warnings.append(printable(_checked(warning)))
            case ["failure", str(reason)]:
                raise DocumentError(printable(reason[:MAX_STRING_CHARS]))
            case _:
                raise ValueError("a line that says nothing")
    return Extracted(text, found.spans, tuple(found.facts), tuple(found.warnings))


def _parsed_lines(head: bytes) -> Iterator[Any]:
    lines = BytesIO(head)
    while line := lines.readline(MAX_LINE_BYTES):
        try:
            parsed, end = _parse(line.decode("ascii"))
        except RecursionError as exc:
            raise ValueError("a line that is nested too deep") from exc
        if line[end:] != b"\n":
            raise ValueError("a line that is too long or says more than one thing")
        yield parsed


def _checked(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_STRING_CHARS:
        raise ValueError("no string, or too long a one")
    if value.isprintable():
        return value
    return _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", value))


class _Found:
    """What the lines of a reply have said so far."""

    def __init__(self, text: str) -> None:
        self.spans: list[Span] = []
        self.facts: list[Fact] = []
        self.warnings: list[str] = []
        self.headings: tuple[str, ...] = ()
        self._text = text
        self._position = 0

    def add(self, gap: int, length: int, kind: ParagraphKind, page: int | None, place: str) -> None:
        start = self._position + gap
        end = start + length
        if gap < 0 or length < 1 or end > len(self._text) or self._text[start:end].isspace():
            raise ValueError("a paragraph where there is none")
        if page is not None and not 1 <= page <= MAX_PAGE:
            raise ValueError("a page that cannot be")
        page = None if page is None else int(page)  # JSON's `true` is an int, too
        self.spans.append(Span(start, end, kind, self.headings, page, _checked(place)))
        self._position = end
