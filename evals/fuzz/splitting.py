"""A file made of parts enters, its parts and the way to put them together again leave.

What is packed, encoded or counted over cannot be changed byte by byte: nothing but the checksum would be tested. Called
by `mutating` and by `probing`.
"""

import base64
import binascii
import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

ZIPPED = frozenset(
    ".docx .docm .dotx .dotm .pptx .pptm .ppsx .ppsm .potx .potm .xlsx .xlsm .xltx .xltm .odt .ott .odp .otp .ods .ots "
    ".epub .zip".split()
)

MAX_PARTS = 200
MAX_PART_BYTES = 1024 * 1024

_OBJECT = re.compile(rb"(\d{1,6}) (\d{1,5}) obj\b(.*?)\bendobj", re.S)
_STREAM = re.compile(rb"\A(.*?)\bstream\r?\n(.*?)\r?\n?endstream(.*)\Z", re.S)
_LENGTH = re.compile(rb"/Length \d+")
_TRAILER = re.compile(rb"trailer\s*(<<.*?>>)\s*startxref", re.S)
_BOUNDARY = re.compile(rb"(?m)^--")
_MAIL = re.compile(rb"(?m)^(?=From )")
_BASE_64 = re.compile(rb"\A(.*?base64.*?\r?\n\r?\n)([A-Za-z0-9+/=\s]+)\Z", re.S | re.I)


@dataclass(frozen=True, slots=True)
class Part:
    """A part; its name says how it is to be taken apart itself."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Whole:
    """The parts of a file."""

    parts: tuple[Part, ...]
    join: Callable[[tuple[Part, ...]], bytes]

    def with_part(self, at: int, data: bytes) -> bytes:
        """The file with other bytes in one part."""
        return self.join(changed(self.parts, at, data))


def changed(parts: tuple[Part, ...], at: int, data: bytes) -> tuple[Part, ...]:
    """The parts with other bytes in one of them."""
    return (*parts[:at], replace(parts[at], data=data), *parts[at + 1 :])


def split(name: str, data: bytes) -> Whole | None:
    """The parts of a file whose name says that it has any; None if it has none or cannot be taken apart."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in ZIPPED:
        return _split_zip(data)
    if suffix in (".gz", ".tgz"):
        return _split_gzip(name, data)
    ways: dict[str, Callable[[bytes], Whole | None]] = {
        ".tar": _split_tar,
        ".pdf": _split_pdf,
        ".eml": _split_mail,
        ".mbox": _split_mbox,
        ".base64": _split_base_64,
        ".deflated": _split_deflated,
    }
    return ways[suffix](data) if suffix in ways else None


def _split_zip(data: bytes) -> Whole | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()[:MAX_PARTS]
            parts = tuple(Part(one.filename, _member(archive, one)) for one in infos if one.filename.strip("/"))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
        return None
    return Whole(parts, zipped) if parts else None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as member:
        return member.read(MAX_PART_BYTES)


def zipped(parts: tuple[Part, ...]) -> bytes:
    """The parts as a zip; always the same bytes for the same parts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        seen: set[str] = set()
        for part in parts:
            if part.name not in seen:  # zipfile warns of a second one
                info = zipfile.ZipInfo(part.name[:1000] or "empty")
                archive.writestr(info, part.data, zipfile.ZIP_DEFLATED, compresslevel=1)
            seen.add(part.name)
    return packed.getvalue()


def _split_gzip(name: str, data: bytes) -> Whole | None:
    try:
        inner = zlib.decompressobj(wbits=31).decompress(data, MAX_PART_BYTES)
    except zlib.error:
        return None
    inside = "a.tar" if name.lower().endswith(".tgz") else PurePosixPath(name).stem
    return Whole((Part(inside, inner),), lambda parts: gzip.compress(b"".join(one.data for one in parts), 1, mtime=0))


def _split_tar(data: bytes) -> Whole | None:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            members = [one for one in archive.getmembers()[:MAX_PARTS] if one.isfile()]
            files = [(one.name, archive.extractfile(one)) for one in members]
            parts = tuple(Part(name, file.read()) for name, file in files if file is not None)
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error, OverflowError):
        return None
    return Whole(parts, tarred) if parts else None


def tarred(parts: tuple[Part, ...]) -> bytes:
    """The parts as a tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for part in parts:
            info = tarfile.TarInfo(part.name)
            info.size = len(part.data)
            archive.addfile(info, io.BytesIO(part.data))
    return packed.getvalue()


def _split_pdf(data: bytes) -> Whole | None:
    """The objects of a PDF that has a plain table of them; streams without their compression."""
    trailer = _TRAILER.search(data)
    found = [(b"%b %b" % match.group(1, 2), match[3]) for match in _OBJECT.finditer(data)][:MAX_PARTS]
    if not found or not trailer:
        return None
    head = data[: data.find(b"\n") + 1]
    parts = tuple(
        Part(f"{number.decode()}.{'deflated' if _is_deflated(body) else 'object'}", body) for number, body in found
    )
    return Whole(parts, lambda some: pdf_of(head, some, trailer[1]))


def _is_deflated(body: bytes) -> bool:
    return b"/FlateDecode" in body and _STREAM.search(body) is not None


def pdf_of(head: bytes, parts: tuple[Part, ...], trailer: bytes) -> bytes:
    """The objects as a PDF with a table of where they lie."""
    out = bytearray(head or b"%PDF-1.4\n")
    places: dict[int, int] = {}
    for part in parts:
        number = part.name.rpartition(".")[0]
        if number.partition(" ")[0].isdigit():
            places[int(number.partition(" ")[0])] = len(out)
        out += b"%b obj%bendobj\n" % (number.encode(), part.data)
    size = max(places, default=0) + 1
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for at in range(1, size):
        out += b"%010d 00000 %b \n" % (places.get(at, 0), b"n" if at in places else b"f")
    return bytes(out + b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (trailer, start))


def _split_deflated(data: bytes) -> Whole | None:
    stream = _STREAM.search(data)
    if not stream:
        return None
    try:
        inner = zlib.decompressobj().decompress(stream[2], MAX_PART_BYTES)
    except zlib.error:
        return None

    def join(parts: tuple[Part, ...]) -> bytes:
        packed = zlib.compress(parts[0].data, 1)
        head = _LENGTH.sub(b"/Length %d" % len(packed), stream[1])
        return b"%bstream\n%b\nendstream%b" % (head, packed, stream[3])

    return Whole((Part("inner.content", inner),), join)


def _split_mail(data: bytes) -> Whole | None:
    """The parts between boundaries, of which those in base 64 have parts themselves."""
    pieces = _BOUNDARY.split(data)
    if len(pieces) < 2:
        return _split_base_64(data)
    parts = tuple(Part(f"{at}.base64" if _BASE_64.match(one) else f"{at}.part", one) for at, one in enumerate(pieces))
    return Whole(parts[:MAX_PARTS], lambda some: b"--".join(one.data for one in some))


def _split_mbox(data: bytes) -> Whole | None:
    pieces = _MAIL.split(data)[:MAX_PARTS]
    if len(pieces) < 2:
        return None
    parts = tuple(Part(f"{at}.eml", one) for at, one in enumerate(pieces) if one)
    return Whole(parts, lambda some: b"".join(one.data for one in some))


def _split_base_64(data: bytes) -> Whole | None:
    match = _BASE_64.match(data)
    if not match:
        return None
    try:
        inner = binascii.a2b_base64(match[2])
    except binascii.Error:
        return None
    name = re.search(rb'name="?([\w.-]+)', match[1])
    return Whole(
        (Part(name[1].decode() if name else "inner.txt", inner),),
        lambda parts: match[1] + base64.encodebytes(parts[0].data) + b"\n",
    )


def all_parts(name: str, data: bytes, depth: int = 3) -> Iterator[Part]:
    """A file and the parts in it and in those, innermost last."""
    yield Part(name, data)
    whole = split(name, data) if depth else None
    for part in whole.parts if whole else ():
        yield from all_parts(part.name, part.data, depth - 1)
