"""The bytes of a file enter, its text leaves: decoded, with one kind of line end and no stray control characters.

Offsets count code points of what leaves here. Called by `ragkit.readers`.
"""

import codecs
import re
import unicodedata

from ragkit.errors import DocumentError

_BOMS = (  # UTF-32 before UTF-16, whose little-endian mark begins the same way
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = (
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP or Office"),
    (b"\xd0\xcf\x11\xe0", "old Office"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\x1f\x8b", "gzip"),
    (b"\x7fELF", "ELF"),
    (b"SQLite format 3\x00", "SQLite"),
)
# What text files without a Unicode encoding are written in, the likelier first: detection often ends in a tie.
_DETECTED = [
    *("cp1252", "cp1251", "koi8_r", "shift_jis", "euc_jp", "gb18030", "big5", "cp949", "cp1250", "cp1253"),
    *("cp1254", "cp1255", "cp1256", "mac_roman", "utf_16_le", "utf_16_be"),
]

SAMPLE_BYTES = 32_768
"""Detection decodes its sample some twenty times; more text than this never changed its mind."""

MAX_CONTROL_SHARE = 0.05
"""Random bytes read as a one-byte encoding hold 10 % control characters, text next to none."""

MAX_BROKEN_SHARE = 0.1
"""UTF-8 with fewer broken places than this per multi-byte character is damaged UTF-8 rather than another encoding."""

_CONTROL_BYTES = bytes(byte for byte in range(32) if byte not in b"\t\n\x0b\f\r\x1b\b")
_CONTROLS = {code: " " for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\f"}
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_LINE_END = re.compile(r"\r\n?")


def decode(data: bytes, path: str) -> str:
    """The normalised text of a file.

    A byte order mark is honoured and removed; then UTF-8 is tried, then what is likeliest. CR LF and CR become LF,
    control characters other than tab, LF and form feed become spaces.

    Raises:
        DocumentError: The bytes are not text.
    """
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            raise DocumentError(_binary(path, f"it begins like a {kind} file"))
    text = _decoded(data, path)
    if _garbage_share(text) > MAX_CONTROL_SHARE:
        raise DocumentError(_binary(path, "too many of its characters are no text"))
    return _LINE_END.sub("\n", text).translate(_CONTROLS)


def _binary(path: str, reason: str) -> str:
    return f"{path} looks binary: {reason}. Convert it to plain text or Markdown, or leave it out."


def _decoded(data: bytes, path: str) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, errors="replace")
    wide = _utf_16_by_zeros(data)
    if wide:
        return data.decode(wide, errors="replace")
    text = data.decode("utf-8", errors="replace")
    is_utf_8 = "\ufffd" not in text or _is_damaged_utf_8(text)
    # Short Cyrillic in UTF-16 is valid UTF-8, too, if one counts the control characters between its letters.
    return text if is_utf_8 and _garbage_share(text) <= MAX_CONTROL_SHARE else _legacy(data, path)


def _utf_16_by_zeros(data: bytes) -> str | None:
    """UTF-16 without a mark, if every second byte is mostly zero as in Latin text."""
    sample = data[: SAMPLE_BYTES & ~1]
    half = len(sample) // 2
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if half and odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if half and even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _is_damaged_utf_8(text: str) -> bool:
    broken = text.count("\ufffd")
    multi_byte = sum(1 for character in text if character > "\x7f") - broken
    return broken < MAX_BROKEN_SHARE * multi_byte


def _legacy(data: bytes, path: str) -> str:
    """Text in an encoding that only statistics can tell."""
    from charset_normalizer import from_bytes

    sample = _sample(data)
    matches = from_bytes(sample, cp_isolation=_DETECTED, preemptive_behaviour=False)
    ranked = sorted(
        (round(match.chaos, 2), -round(match.coherence, 1), _DETECTED.index(encoding), encoding)
        for match in matches
        for encoding in match.could_be_from_charset
        if encoding in _DETECTED
    )
    for *_, encoding in ranked:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue  # the sample fits, the rest of the file does not
    if len(sample.translate(None, _CONTROL_BYTES)) < (1 - MAX_CONTROL_SHARE) * len(sample):
        raise DocumentError(_binary(path, "its bytes are in no known text encoding"))
    return data.decode("cp1252", errors="replace")


def _sample(data: bytes) -> bytes:
    """The part of a file from its first line that is not ASCII on, cut at a line end or space."""
    found = _NOT_ASCII.search(data)
    first = found.start() if found else 0
    start = data.rfind(b"\n", 0, first) + 1 if first < SAMPLE_BYTES else 0
    start = start if first - start < SAMPLE_BYTES // 2 else first
    sample = data[start : start + SAMPLE_BYTES]
    if start + SAMPLE_BYTES >= len(data):
        return sample
    cut = max(sample.rfind(b"\n"), sample.rfind(b" "))
    return sample[: cut + 1] if cut > SAMPLE_BYTES // 2 else sample


def _garbage_share(text: str) -> float:
    """Share of control, unassigned, private and replacement characters, in samples spread over the text."""
    step = max(4096, len(text) // 8)
    sample = "".join(text[start : start + 4096] for start in range(0, len(text), step)) if text else " "
    garbage = sum(1 for character in sample if character not in "\t\n\x0b\f\r\x1b\b" and _is_garbage(character))
    return garbage / len(sample)


def _is_garbage(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")
