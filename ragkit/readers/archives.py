"""Packed files enter, the paragraphs of what lies in them leave, each with the name of its file as place.

Nothing is written to disk: names in an archive are only names, links and devices are never followed, and what is
unpacked is counted against the budget of the outermost file. Called through the table of readers.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.opening import printable
from ragkit.readers.tar import tar_files

MAX_MEMBER_BYTES = 64 * 1024 * 1024
"""What is larger unpacked would be refused as a file of its own."""

MAX_LISTED = 50_000
"""More files than this are not even listed; each costs half a kilobyte of memory before its name is known."""

MAX_GZIP_MEMBERS = 10_000
"""Block-wise compressors make one for every 64 KiB, which is a thousand; each costs a copy of up to one piece."""

MAX_WARNINGS = 20
"""So many files that cannot be read are named, the others counted."""

MAX_NAME_CHARS = 250
"""Longer names exist only to do harm; the end is kept, which says the kind."""

PIECE_BYTES = 64 * 1024
"""Packed data is taken in in pieces of this size."""

_CENTRAL_ENTRY = b"PK\x01\x02"
_IS_ENCRYPTED = 0x1
_IS_UTF_8 = 0x800
_HAS_EXTRA, _HAS_NAME = 0x4, 0x8  # in the flags of a gzip header
_ZIP_FAULTS = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError),
)
_DIGITS = re.compile(r"([0-9]+)")
_DRIVE = re.compile("[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class _Member:
    """A file in an archive: its name for people, and how to get its bytes."""

    name: str
    load: Callable[[], bytes]


def read_gzip(source: Source) -> Extracted:
    """What the one file in a `.gz` holds.

    Raises:
        DocumentError: It is broken, too large unpacked, or of a kind that ragkit does not read.
    """
    return source.inside(_unpacked_name(source), _gunzip(source))


def read_zip(source: Source) -> Extracted:
    """What the files of a `.zip` hold, in the order of their names.

    Hidden files and those of kinds that ragkit does not read are passed over.

    Raises:
        DocumentError: It is broken, holds nothing that can be read, or unpacks to too much.
    """
    if source.data.count(_CENTRAL_ENTRY) > MAX_LISTED:
        raise _too_many(source)
    try:
        archive = zipfile.ZipFile(io.BytesIO(source.data))
    except _ZIP_FAULTS as exc:
        raise _broken(source, "zip") from exc
    # Of two files with one name the later is what unpacking would leave.
    latest = {info.filename: info for info in archive.infolist()}
    members = [
        _Member(_zip_name(info), partial(_unzip, archive, info))
        for info in latest.values()
        if not info.filename.endswith("/") and stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
    ]
    return _read_members(source, members)


def read_tar(source: Source) -> Extracted:
    """What the files of a `.tar` hold, in the order of their names; as with `read_zip`.

    Raises:
        DocumentError: It is broken, holds nothing that can be read, or unpacks to too much.
    """
    latest = dict(tar_files(source.data, source.name))
    if len(latest) > MAX_LISTED:
        raise _too_many(source)
    members = [_Member(_shown(name), partial(_slice, source.data, file)) for name, file in latest.items()]
    return _read_members(source, members)


def _read_members(source: Source, members: list[_Member]) -> Extracted:
    builder = Builder()
    failures = []
    for member in sorted(members, key=lambda member: _natural(member.name)):
        if _is_hidden(member.name) or not source.is_readable(member.name):
            continue
        try:
            inner = source.inside(member.name, member.load())
        except DocumentError as exc:
            if source.budget.bytes < 0 or source.budget.files < 0:
                raise
            failures.append(f"holds {member.name}, {_reason(exc, member.name)}")
            continue
        if not inner.text.strip():
            failures.append(f"holds {member.name}, in which there is no text")
        builder.include(inner, place=member.name, name=f"holds {member.name}, which")
    builder.warnings += failures[:MAX_WARNINGS]
    if len(failures) > MAX_WARNINGS:
        builder.warnings.append(f"holds {len(failures) - MAX_WARNINGS} more files that cannot be read")
    if not builder.spans:
        why = failures[0] if failures else "holds no file of a kind that ragkit reads"
        raise DocumentError(f"{source.name} {why.rstrip('.')}. Unpack it and look, or leave it out.")
    return builder.extracted()


def _reason(exc: DocumentError, name: str) -> str:
    """What is wrong with a file, as a clause about it."""
    message = str(exc)
    if message.startswith(f"{name} "):
        return "which" + message.removeprefix(name)
    return f"which cannot be read: {message}"


def _too_many(source: Source) -> DocumentError:
    return DocumentError(f"{source.name} holds more than {MAX_LISTED:,} files. Unpack it and index the folder.")


def _broken(source: Source, kind: str) -> DocumentError:
    return DocumentError(f"{source.name} is no {kind} file or a broken one. Pack it again or leave it out.")


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _natural(name: str) -> list[tuple[int, str]]:
    """Orders names as people do: `a2` before `a10`."""
    parts = _DIGITS.split(name.casefold())
    digits = [part.lstrip("0") if index % 2 else part for index, part in enumerate(parts)]
    return [(len(part) if index % 2 else 0, part) for index, part in enumerate(digits)] + [(0, name)]


def _shown(name: str) -> str:
    """A name as a relative path with forward slashes, whatever it pretends to lead to."""
    parts = [part.strip() for part in printable(name.replace("\\", "/")).split("/")]
    shown = "/".join(part for part in parts if part not in ("", ".", "..") and not _DRIVE.fullmatch(part))
    return shown if len(shown) <= MAX_NAME_CHARS else "…" + shown[1 - MAX_NAME_CHARS :]


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name of a file in a zip; many writers use UTF-8 and do not say so."""
    name = info.filename
    if not info.flag_bits & _IS_UTF_8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return _shown(name)


def _unzip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    name = _zip_name(info)
    if info.flag_bits & _IS_ENCRYPTED:
        raise DocumentError(f"{name} is encrypted. Unpack it with its password and index the folder.")
    # The other methods unpack one piece to any size, past every limit.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DocumentError(f"{name} is packed by an unusual method. Unpack it and index the folder.")
    if info.file_size > MAX_MEMBER_BYTES:
        raise DocumentError(_too_large(name))
    try:
        with archive.open(info) as packed:
            return packed.read(MAX_MEMBER_BYTES + 1)
    except _ZIP_FAULTS as exc:
        raise DocumentError(f"{name} is damaged. Pack it again or leave it out.") from exc


def _slice(data: bytes, part: slice) -> bytes:
    return data[part]


def _too_large(name: str) -> str:
    return f"{name} is too large: it unpacks to more than {MAX_MEMBER_BYTES:,} bytes. Split it or leave it out."


def _unpacked_name(source: Source) -> str:
    """What a packed file is called without `.gz`, or in its header if that is more telling."""
    if source.name.lower().endswith(".tgz"):
        return source.name[:-4] + ".tar"
    name = source.name[:-3] if source.name.lower().endswith(".gz") else source.name
    stored = _stored_name(source.data)
    if PurePosixPath(name).suffix and source.is_readable(name):
        return name
    return stored if PurePosixPath(stored).suffix and source.is_readable(stored) else name


def _stored_name(data: bytes) -> str:
    """The name in a gzip header; empty if there is none."""
    if len(data) < 12 or not data[3] & _HAS_NAME:
        return ""
    start = 12 + int.from_bytes(data[10:12], "little") if data[3] & _HAS_EXTRA else 10
    end = data.find(b"\0", start, start + 256)
    return _shown(data[start : max(start, end)].decode("latin-1")).rpartition("/")[2]


def _gunzip(source: Source) -> bytes:
    """All that is packed, member after member; zeros may follow the last one.

    Raises:
        DocumentError: It is cut off or broken, something else follows, or it is too large unpacked.
    """
    data = source.data
    unpacked = bytearray()
    position = 0
    for _ in range(MAX_GZIP_MEMBERS):
        try:
            position = _gunzip_member(source, position, unpacked)
        except zlib.error as exc:
            raise _broken(source, "gzip") from exc
        if position == len(data) or (data[position] == 0 and not data[position:].strip(b"\0")):
            return bytes(unpacked)
    raise DocumentError(
        f"{source.name} is in more than {MAX_GZIP_MEMBERS:,} pieces. Unpack it and index what it holds."
    )


def _gunzip_member(source: Source, position: int, unpacked: bytearray) -> int:
    """Unpacks one member from `position` on; gives where it ends."""
    limit = min(MAX_MEMBER_BYTES, max(0, source.budget.bytes))
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    while not unpacker.eof:
        piece = unpacker.unconsumed_tail
        if not piece:
            piece = source.data[position : position + PIECE_BYTES]
            position += len(piece)
        if not piece:
            raise DocumentError(f"{source.name} is cut off. Fetch or pack it again, or leave it out.")
        unpacked += unpacker.decompress(piece, PIECE_BYTES)
        if len(unpacked) > limit:
            raise DocumentError(_too_large(source.name))
    return position - len(unpacker.unused_data)
