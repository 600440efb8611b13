"""The bytes of a tar archive enter, the names of its plain files and where they lie in it leave; called by `archives`.

Links, devices and folders are left out. Only what says where a file is called what is understood: the headers of
Unix, the long names of GNU and those of POSIX.
"""

from collections.abc import Iterator

from ragkit.errors import DocumentError

BLOCK_BYTES = 512
"""Headers and files begin at multiples of this."""

MAX_DIGITS = 12
"""No length of a record in a POSIX header has more."""

_PLAIN = (b"0", b"\0", b"7")


def tar_files(data: bytes, name: str) -> Iterator[tuple[str, slice]]:
    """Name and place of each plain file, in the order of the archive.

    Raises:
        DocumentError: A header does not match its checksum, or the archive is cut off.
    """
    position = 0
    long_name = b""
    while header := data[position : position + BLOCK_BYTES].rstrip(b"\0"):
        header = header.ljust(BLOCK_BYTES, b"\0")
        if _number(header[148:156]) != sum(header[:148]) + sum(header[156:]) + 8 * ord(" "):
            raise DocumentError(f"{name} is no tar file or a broken one. Pack it again or leave it out.")
        kind, start = header[156:157], position + BLOCK_BYTES
        end = start + _number(header[124:136])
        if end > len(data):
            raise DocumentError(f"{name} is cut off. Fetch or pack it again, or leave it out.")
        position = end + -end % BLOCK_BYTES
        if kind == b"L":
            long_name = data[start:end].rstrip(b"\0")
        elif kind == b"x":
            long_name = _posix_path(data[start:end]) or long_name
        else:
            if kind in _PLAIN:
                yield (long_name or _short_name(header)).decode("utf-8", "replace"), slice(start, end)
            long_name = b""


def _short_name(header: bytes) -> bytes:
    name, prefix = header[:100].rstrip(b"\0"), header[345:500].rstrip(b"\0")
    return prefix + b"/" + name if prefix and header[257:263] == b"ustar\0" else name


def _posix_path(records: bytes) -> bytes:
    """The path among records that each say their length, their key and their value: `16 path=a.txt`."""
    position, path = 0, b""
    while (space := records.find(b" ", position, position + MAX_DIGITS)) > position:
        digits = records[position:space]
        end = position + int(digits) if digits.isdigit() else 0
        if end <= space:
            break
        if records.startswith(b"path=", space + 1):
            path = records[space + 6 : end].rstrip(b"\n")
        position = end
    return path


def _number(digits: bytes) -> int:
    """A number in a header; those too large for octal digits are marked by their first bit."""
    if digits[0] & 0x80:
        return int.from_bytes(digits, "big") & ~(0x80 << 8 * (len(digits) - 1))
    cleaned = digits.strip(b" \0")
    return int(cleaned, 8) if cleaned and not cleaned.strip(b"01234567") else 0
