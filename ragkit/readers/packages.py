"""An office file enters, its XML parts leave: a zip that is opened within bounds and unpacked no further than asked.

Nothing of a file is believed: sizes are checked before unpacking and while unpacking, entities are not expanded, and
nothing is fetched. Also what the readers share who call this: tidying text and keeping the path of headings.
"""

import posixpath
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Source

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_MEMBERS = 20_000
"""A presentation with a picture on each of a thousand slides has a quarter of this."""

MAX_RATIO = 400
"""Large XML shrinks to a tenth, sheets of little but zeros to a hundredth; a thousandth is what a bomb shrinks to."""

MIN_RATIO_BYTES = 1024 * 1024
"""Parts that unpack to less than this do no harm at any ratio."""

MAX_NODES = 4_000_000
"""Each node of a tree takes up to 200 bytes; a book of a thousand pages has half a million."""

XML_OPTIONS: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
"""How XML nobody vouches for is parsed; libxml2 itself refuses more than 256 levels and texts of ten million bytes."""

_CHUNK_BYTES = 256 * 1024
_ZIP_ENTRY = b"PK\x01\x02"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_NEW_SUFFIXES = {".doc": ".docx", ".dot": ".docx", ".ppt": ".pptx", ".pps": ".pptx", ".xls": ".xlsx", ".xlt": ".xlsx"}
_DECLARATIONS = tuple("<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
_BROKEN_ZIP = (BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Relation:
    """What one part says of another.

    Attributes:
        kind: `slide`, `footnotes`, ...
        part: The name of the other part; empty if it lies outside the file.
    """

    kind: str
    part: str


class Package:
    """The parts of an office file, which are looked up by name in any letter case."""

    def __init__(self, source: Source, archive: ZipFile) -> None:
        self._source = source
        self._archive = archive
        self._members = {info.filename.replace("\\", "/").lower(): info for info in archive.infolist()}

    @property
    def name(self) -> str:
        """By which the file is called in messages."""
        return self._source.name

    def has(self, part: str) -> bool:
        """Whether there is a part of that name."""
        return part.lower() in self._members

    def _chunks(self, part: str) -> Iterator[bytes]:
        info = self._members.get(part.lower())
        if info is None:
            return
        self._check(info)
        self._source.budget.spend(info.file_size, self.name)
        self._source.budget.files += 1  # a part is not a file that anyone put there
        try:
            with self._archive.open(info) as member:  # which gives no more bytes than the size that was said
                while chunk := member.read(_CHUNK_BYTES):
                    yield chunk
        except _BROKEN_ZIP as exc:
            raise self.damaged(part) from exc

    def read(self, part: str) -> bytes:
        """All bytes of a part; none if there is no such part.

        Raises:
            DocumentError: It is damaged, encrypted or too large.
        """
        return b"".join(self._chunks(part))

    def read_xml(self, part: str) -> bytes:
        """All bytes of a part that declares no entities, as those of office programs never do."""
        data = self.read(part)
        if any(declaration in data for declaration in _DECLARATIONS):
            raise self.damaged(part)
        return data

    def _check(self, info: ZipInfo) -> None:
        if info.flag_bits & 1:
            raise encrypted(self.name)
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # others are unpacked without bounds
            raise self.damaged(info.filename)
        if info.file_size > MIN_RATIO_BYTES and info.file_size > MAX_RATIO * info.compress_size:
            size = f"{info.compress_size:,} bytes that unpack to {info.file_size:,}"
            raise DocumentError(f"{self.name} holds {size}, which no document does. Leave it out.")

    def xml(self, part: str) -> "_Element | None":
        """The root of a part, or None if there is no such part."""
        from lxml import etree

        data = self.read_xml(part)
        if not data:
            return None
        if data.count(b"<") + data.count(b"=") > MAX_NODES:
            raise DocumentError(f"{self.name} is too large: {part} has too many elements. Split it into parts.")
        parser = etree.XMLParser(**XML_OPTIONS, remove_comments=True, remove_pis=True)
        try:
            return etree.fromstring(data, parser)
        except etree.XMLSyntaxError as exc:
            raise self.damaged(part) from exc

    def damaged(self, part: str) -> DocumentError:
        """The error that a part cannot be made out."""
        shown = part if part.isprintable() else ascii(part)
        return DocumentError(
            f"{self.name} is damaged: its part {shown[:80]} cannot be made out. "
            "Open it in the program it came from and save it again."
        )

    def relations(self, part: str = "") -> dict[str, Relation]:
        """What a part, or the file as a whole, says of other parts, by the ids it uses for them."""
        folder, name = posixpath.split(part)
        found: dict[str, Relation] = {}
        for element in children(self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))):
            target, key = attribute(element, "Target"), attribute(element, "Id")
            is_outside = attribute(element, "TargetMode").lower() == "external"
            inner = "" if is_outside else posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[key] = Relation(attribute(element, "Type").rpartition("/")[2], inner)
        return found


def open_package(source: Source, what: str, save_as: str) -> Package:
    """The parts of a file, of which so far only the list has been looked at.

    Args:
        source: The file.
        what: It ought to be, for messages: `Word document`.
        save_as: The suffix of its format, for advice.

    Raises:
        DocumentError: It is encrypted, in an old format, or no such file at all.
    """
    if source.data.startswith(_OLE):
        if _OLE_ENCRYPTED in source.data:
            raise encrypted(source.name)
        suffix = _NEW_SUFFIXES.get(PurePosixPath(source.name).suffix.lower(), save_as)
        raise DocumentError(f"{source.name} is an old binary Office file. Save it as {suffix}.")
    if source.data.count(_ZIP_ENTRY) > MAX_MEMBERS:
        raise DocumentError(f"{source.name} holds more than {MAX_MEMBERS:,} files, which no {what} does. Leave it out.")
    try:
        archive = ZipFile(BytesIO(source.data))
    except _BROKEN_ZIP as exc:
        advice = f"Open it in the program it came from and save it as {save_as}."
        raise DocumentError(f"{source.name} is no {what}, or it is damaged. {advice}") from exc
    return Package(source, archive)


def encrypted(name: str) -> DocumentError:
    """The error that a file opens only with a password."""
    return DocumentError(f"{name} is encrypted. Save it without a password.")


def main_part(package: Package, expected: str, what: str) -> str:
    """The name of the part with the document itself: the one the file names or, if it names none, the expected one.

    Raises:
        DocumentError: There is none.
    """
    named = [relation.part for relation in package.relations().values() if relation.kind == "officeDocument"]
    part = named[0] if named else expected
    if not package.has(part):
        raise DocumentError(f"{package.name} is no {what}: it has no part {expected}. Check what it is.")
    return part


def related(package: Package, part: str, kind: str) -> str:
    """The first other part of a kind that a part names; empty if it names none."""
    return next((relation.part for relation in package.relations(part).values() if relation.kind == kind), "")


def local_name(element: "_Element") -> str:
    """The name of an element without its namespace, of which each format has several; empty for what is no element."""
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: "_Element", name: str) -> str:
    """The attribute of that name in whichever namespace; empty if there is none."""
    plain = element.get(name)
    if plain is not None:
        return plain
    ending = "}" + name
    return next((str(value) for key, value in element.attrib.items() if str(key).endswith(ending)), "")


def relation_id(element: "_Element", name: str = "id") -> str:
    """The id by which an element names another part; an attribute `id` without a namespace is something else."""
    ending = "relationships}" + name
    return next((str(value) for key, value in element.attrib.items() if str(key).endswith(ending)), "")


def children(element: "_Element | None") -> "Iterable[_Element]":
    """What stands directly in an element, if there is one."""
    return () if element is None else element


def child(element: "_Element | None", *names: str) -> "_Element | None":
    """What is reached by going from child to child by these names; None if one is missing."""
    for name in names:
        element = next((inner for inner in children(element) if local_name(inner) == name), None)
    return element
