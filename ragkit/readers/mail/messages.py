"""Mails enter, their paragraphs leave: the subject as heading, who wrote when to whom, the text, what is attached.

Each paragraph says in its place from which mail it is. Of a text that is there both plain and as HTML the plain one is
read, unless it says next to nothing. Called through the table of readers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.headings import MAX_HEADING_CHARS
from ragkit.readers.mail.mime import MAX_PARTS, Part, parse
from ragkit.readers.mail.text import is_encrypted, stretches
from ragkit.readers.text import text_spans
from ragkit.readers.web.html import html_extracted

MAX_NESTING = 20
"""Parts in parts in parts: a forwarded mail takes three levels."""

MAX_WARNINGS = 20
"""So many things that cannot be read are named, the others counted."""

MAX_NAMES_CHARS = 500
"""Of a list of recipients; the rest would drown what else is known of a mail."""

MAX_SENDER_CHARS = 100
"""The sender is named in the place of each paragraph."""

STUB_LETTERS = 500
"""Plain text with as many letters does more than point to the HTML."""

STUB_SHARE = 0.25
"""Plain text with fewer letters than this share of the HTML's says that there is something to see there."""

_NAMED_IN_HEAD = ("From", "To", "Cc", "Date", "Subject")
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
_SEALED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted", "application/pgp-encrypted")
_MAILS = ("message/rfc822", "message/global")
_CARDS = {"text/calendar": "invitation.ics", "text/vcard": "card.vcf", "text/x-vcard": "card.vcf"}
_DATE_CHARS = 100
_TOO_DEEP = f"has parts in parts, more than {MAX_NESTING} deep, that are not read"
_DECRYPT = "Decrypt it in the mail program and save it again"
_MAIL_BEGINS = re.compile(rb"(?:\A\s*|(?<=\n\n)|(?<=\n\r\n))From ([^\n]*)\n(?=[!-9;-~]+[ \t]*:|>From )")
_WHEN_OR_WHO = re.compile(rb"\d:\d\d|@")
_ESCAPED_FROM = re.compile(rb"^>(>*From )", re.M)


def read_eml(source: Source) -> Extracted:
    """The mail in an `.eml`, and what is attached to it.

    Raises:
        DocumentError: It is no mail.
    """
    mail = parse(source.data.removeprefix(b"\xef\xbb\xbf").lstrip())
    if not any(mail.header(name.lower()) for name in _NAMED_IN_HEAD):
        what = "it says neither who wrote nor when nor about what"
        raise DocumentError(f"{source.name} is no mail: {what}. Save it again from the mail program or leave it out.")
    reading = _Reading(source, Builder())
    reading.add_mail(mail)
    sent = _sent(mail)
    reading.builder.fact("title", mail.header("subject"))
    reading.builder.fact("author", mail.header("from"))
    reading.builder.fact("date", sent.date().isoformat() if sent else "")
    reading.builder.fact("to", _cut(mail.header("to"), MAX_NAMES_CHARS))
    return reading.extracted()


def read_mbox(source: Source) -> Extracted:
    """The mails in a mailbox file, in its order.

    Raises:
        DocumentError: It is no mailbox.
    """
    reading = _Reading(source, Builder())
    number = 0
    for number, data in enumerate(_mails(source.data), start=1):
        mail = parse(_ESCAPED_FROM.sub(rb"\1", data))
        before = len(reading.builder.spans)
        reading.add_mail(mail, f"mail {number}")
        if len(reading.builder.spans) == before:
            reading.failures.append(f"has a mail {number} in which there is no text")
    if not number:
        raise DocumentError(f"{source.name} is no mailbox: no mail begins in it. Export it again or leave it out.")
    return reading.extracted()


def _mails(data: bytes) -> Iterator[bytes]:
    """The mails of a mailbox: each begins after a blank line, with a line that says from whom or when it came."""
    begins = [match for match in _MAIL_BEGINS.finditer(data) if _WHEN_OR_WHO.search(match.group(1))]
    for number, begin in enumerate(begins, start=1):
        yield data[begin.end() : begins[number].start() if number < len(begins) else len(data)]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One mail while it is read.

    Attributes:
        source: The file.
        builder: Takes the paragraphs.
        failures: What could not be read.
        headings: Above the text.
        place: Of the text.
        depth: How many parts the present one lies in.
        is_beside_html: Whether the parts are pictures and the like of a text in HTML.
    """

    source: Source
    builder: Builder
    failures: list[str] = field(default_factory=list)
    headings: tuple[str, ...] = ()
    place: str = ""
    depth: int = 0
    is_beside_html: bool = False

    def extracted(self) -> Extracted:
        """All that was found."""
        self.builder.warnings += self.failures[:MAX_WARNINGS]
        if len(self.failures) > MAX_WARNINGS:
            self.builder.warnings.append(f"has {len(self.failures) - MAX_WARNINGS} more parts that cannot be read")
        return self.builder.extracted()

    def add_mail(self, mail: Part, otherwise: str = "") -> None:
        """Adds a mail; its place is `otherwise` if it has neither date nor sender."""
        words = _place(mail) or otherwise
        place = _joined(self.place, f"attached {words or 'mail'}" if self.place else words)
        subject = _cut(mail.header("subject"), MAX_HEADING_CHARS)
        headings = (*self.headings, subject) if subject else self.headings
        self.builder.add(mail.header("subject"), "heading", headings=self.headings, place=place)
        self.builder.add(_head(mail), headings=headings, place=place)
        replace(self, headings=headings, place=place).add(mail)

    def add(self, part: Part) -> None:
        """Adds a part by its kind."""
        if self.depth > MAX_NESTING:
            self.failures.append(_TOO_DEEP)
        elif part.kind in _SEALED:
            self.failures.append(f"has a part that is encrypted or sealed. {_DECRYPT}")
        elif part.kind == "multipart/alternative":
            self._add_best(part)
        elif part.kind.startswith("multipart/"):
            inner = replace(self, depth=self.depth + 1, is_beside_html=part.kind == "multipart/related")
            for child in self._children(part):
                inner.add(child)
        elif part.kind in _MAILS:
            replace(self, depth=self.depth + 1).add_mail(part.inner_mail())
        else:
            self._add_leaf(part)

    def _add_leaf(self, part: Part) -> None:
        is_media = part.kind.startswith(("image/", "audio/", "video/"))
        if part.kind in _SIGNATURES or (is_media and (self.is_beside_html or not part.is_attachment)):
            return
        if _is_text(part):
            self._add_html(part) if part.kind == "text/html" else self._add_text(part)
            return
        name = part.filename or _CARDS.get(part.kind, "")
        if part.kind.startswith(("text/", "message/")) and not (name and self.source.is_readable(name)):
            self._at(f"attachment {name}" if part.filename else "")._add_text(part)
        else:
            self._add_attachment(part, name or f"unnamed.{''.join(part.kind.partition('/')[2].split())}")

    def _add_best(self, part: Part) -> None:
        """Adds the plain or else the HTML version of a text, and what is neither."""
        leaves = list(self._leaves(part, self.depth))
        plain = [leaf for leaf in leaves if leaf.kind == "text/plain" and _is_text(leaf)]
        html = [leaf for leaf in leaves if leaf.kind == "text/html" and _is_text(leaf)]
        passed_over = "text/html" if plain and not self._is_stub(plain, html) else "text/plain" if html else ""
        beside = replace(self, depth=self.depth + 1, is_beside_html=True)
        for leaf in leaves:
            if leaf.kind != passed_over or not _is_text(leaf):
                beside.add(leaf)

    def _is_stub(self, plain: list[Part], html: list[Part]) -> bool:
        """Whether the plain version says next to nothing beside the one in HTML."""
        name = self.source.name
        try:
            letters = sum(_letters(leaf.text(name)) for leaf in plain)
            if letters >= STUB_LETTERS:
                return False
            return letters < STUB_SHARE * sum(_letters(html_extracted(leaf.text(name), name).text) for leaf in html)
        except DocumentError:
            return False

    def _children(self, part: Part) -> list[Part]:
        children = part.children()
        if not children and part.content().strip():
            self.failures.append("has parts that cannot be told apart. Save it again from the mail program")
        if len(children) == MAX_PARTS:
            self.failures.append(f"has more than {MAX_PARTS:,} parts in one, of which the others are not read")
        return children

    def _leaves(self, part: Part, depth: int) -> Iterator[Part]:
        """The parts inside that have no parts themselves; what is encrypted is one as a whole."""
        if depth > MAX_NESTING:
            self.failures.append(_TOO_DEEP)
            return
        for child in self._children(part):
            if child.kind.startswith("multipart/") and child.kind not in _SEALED:
                yield from self._leaves(child, depth + 1)
            else:
                yield child

    def _add_html(self, part: Part) -> None:
        try:
            inner = html_extracted(part.text(self.source.name), self.source.name)
        except DocumentError as exc:
            self.failures.append(f"has a text {_fault(exc, self.source.name)}")
            return
        self.builder.include(inner, headings=self.headings, place=self.place)

    def _add_text(self, part: Part) -> None:
        try:
            text = part.text(self.source.name)
        except DocumentError as exc:
            self.failures.append(f"has a text {_fault(exc, self.source.name)}")
            return
        if is_encrypted(text):
            self.failures.append(f"has a text that is encrypted. {_DECRYPT}")
        is_flowed = part.parameter("content-type", "format").lower() == "flowed"
        drops_space = part.parameter("content-type", "delsp").lower() == "yes"
        for stretch in stretches(text, is_flowed, drops_space):
            here = self._at("quoted" if stretch.is_quoted else "")
            if stretch.is_signature:
                self.builder.add(stretch.text, headings=self.headings, place=here.place)
            else:
                inner = Extracted(stretch.text, text_spans(stretch.text))
                self.builder.include(inner, headings=self.headings, place=here.place)

    def _add_attachment(self, part: Part, name: str) -> None:
        try:
            inner = self.source.inside(name, part.content())
        except DocumentError as exc:
            self.failures.append(f"has an attachment {name} {_fault(exc, name)}")
            return
        if not inner.text.strip():
            self.failures.append(f"has an attachment {name} in which there is no text")
        place = self._at(f"attachment {name}").place
        self.builder.include(inner, headings=self.headings, place=place, name=f"has an attachment {name} that")

    def _at(self, place: str) -> "_Reading":
        return replace(self, place=_joined(self.place, place))


def _is_text(part: Part) -> bool:
    """Whether a part is text of the mail itself."""
    return part.kind.startswith("text/") and not part.is_attachment and not part.filename and part.kind not in _CARDS


def _fault(exc: DocumentError, name: str) -> str:
    """What is wrong with something, as a clause about it."""
    message = str(exc)
    is_about_it = message.startswith(f"{name} ")
    return f"that{message.removeprefix(name)}" if is_about_it else f"that cannot be read: {message}"


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _sent(mail: Part) -> datetime | None:
    """When it was sent, in the zone of the sender; None if it does not say so in any known way."""
    try:
        return parsedate_to_datetime(mail.header("date")[:_DATE_CHARS])
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _place(mail: Part) -> str:
    """`mail of 2026-05-02 from Ann Lee`, as far as it is known; empty if nothing is."""
    sent = _sent(mail)
    sender = _cut(_names(mail, "from"), MAX_SENDER_CHARS)
    date = f" of {sent.date().isoformat()}" if sent else ""
    return f"mail{date}{f' from {sender}' if sender else ''}" if date or sender else ""


def _names(mail: Part, header: str) -> str:
    return mail.header(header).replace('"', "")


def _head(mail: Part) -> str:
    """Who wrote when to whom about what, in one paragraph."""
    said = {name: _cut(_names(mail, name.lower()), MAX_NAMES_CHARS) for name in _NAMED_IN_HEAD}
    said["Subject"] = mail.header("subject")
    sent = _sent(mail)
    if sent:
        said["Date"] = f"{sent:%Y-%m-%d %H:%M %z}".strip()
    return "; ".join(f"{name}: {value}" for name, value in said.items() if value)
