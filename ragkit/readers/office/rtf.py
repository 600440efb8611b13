"""An RTF file enters, its paragraphs leave: headings, lists, tables and footnotes, without what is hidden or deleted.

The file is taken apart here: the usual converter gives back one text in which these cannot be told apart, shows what is
hidden, drops footnotes and halves characters outside the first plane. Text is collected as bytes, as one character may
be spread over several escapes, and decoded where the code page changes. Called through `ragkit.readers`.
"""

import re
from dataclasses import dataclass, field, replace

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.office.blocks import Block, Notes, write_blocks
from ragkit.readers.office.facts import TAG_SEPARATOR
from ragkit.readers.office.rtf_story import ParagraphFormat, Story
from ragkit.readers.office.rtf_words import (
    AROUND_BOXES,
    CHARACTERS,
    CHARSETS,
    DATES,
    FACTS,
    PARAGRAPH_ENDS,
    PASSED_OVER,
    SYSTEMS,
    TABLES,
    code_page,
)

MAX_DEPTH = 1_000
"""Groups in documents are nested some twenty deep."""

_TOKEN = re.compile(r"\\(?:([a-zA-Z]{1,32})(-?\d{1,9})? ?|'([0-9a-fA-F]{2})|(.))|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.S)
_HEADING_NAME = re.compile(r"heading ([1-9])")


def read_rtf(source: Source) -> Extracted:
    """The paragraphs of an RTF file, each footnote after the paragraph that refers to it.

    Raises:
        DocumentError: It is no RTF file, or nested too deeply.
    """
    data = source.data.lstrip()
    if not data.startswith(b"{\\rtf"):
        raise DocumentError(f"{source.name} is no RTF file. Open it in the program it came from and save it as .rtf.")
    reader = _Reader(source.name)
    reader.read(data.decode("latin-1"))
    builder = Builder()
    said = {name: "".join(parts) for name, parts in reader.facts.items()}
    builder.fact("title", said.get("title"))
    builder.fact("author", said.get("author"))
    builder.fact("date", reader.dates.get("revtim") or reader.dates.get("creatim"))
    for tag in TAG_SEPARATOR.split(said.get("keywords", "")):
        builder.fact("tag", tag)
    write_blocks(builder, reader.stories[0].blocks, reader.notes)
    return builder.extracted()


def _level(outline: int | None) -> int | None:
    """The level of heading that an outline level means; None for text."""
    return outline + 1 if outline is not None and 0 <= outline <= 8 else None


@dataclass(slots=True)
class _Group:
    """What holds within a group, and in the groups in it unless they say otherwise.

    Attributes:
        target: Where text goes: `text`, `fonts`, `styles`, `info`, the name of a fact or date; empty for nowhere.
        replaced: How many characters after a Unicode one stand for it in old programs.
        ends_story: Whether a footnote or a text box ends with the group.
    """

    target: str = "text"
    code_page: str = "cp1252"
    replaced: int = 1
    is_hidden: bool = False
    is_deleted: bool = False
    paragraph: ParagraphFormat = field(default_factory=ParagraphFormat)
    ends_story: bool = False


class _Reader:
    """One pass over the file; of the stories that are open the document itself is the first."""

    def __init__(self, name: str) -> None:
        self.stories = [Story()]
        self.notes: Notes = {}
        self.facts: dict[str, list[str]] = {}
        self.dates: dict[str, str] = {}
        self._name = name
        self._groups: list[_Group] = []
        self._group = _Group()
        self._bytes = bytearray()
        self._ansi = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0  # that the font table speaks of
        self._default_font = 0
        self._levels: dict[int, int | None] = {}  # of headings, by style
        self._style = 0  # that the style sheet speaks of
        self._style_name: list[str] = []
        self._is_optional = False  # whether the next word begins what old programs pass over
        self._to_skip = 0
        self._date = {"yr": 0, "mo": 0, "dy": 0}

    def read(self, text: str) -> None:
        """Takes in the whole file, of which each character is one byte."""
        position = 0
        while token := _TOKEN.match(text, position):
            position = token.end()
            word, number, code, symbol, brace, words = token.groups()
            if words or code:
                self._add_bytes(words.encode("latin-1") if words else bytes.fromhex(code))
                continue
            self._decode()
            if word == "bin":
                position += max(int(number or 0), 0)
            elif word is not None:
                self._take_word(word, int(number) if number else None)
            elif symbol is not None:
                self._take_symbol(symbol)
            elif brace == "{":
                self._open()
            elif brace == "}":
                self._close()
                if not self._groups:
                    return
        self._decode()
        while self._groups:
            self._close()

    def _open(self) -> None:
        if len(self._groups) >= MAX_DEPTH:
            raise DocumentError(f"{self._name} is damaged: its groups are nested {MAX_DEPTH:,} deep. Leave it out.")
        self._groups.append(self._group)
        self._to_skip = self._style = 0

    def _own(self) -> _Group:
        """The present group, which is to be changed: only then is it made another than the one around it."""
        if self._groups and self._group is self._groups[-1]:
            self._group = replace(self._group, ends_story=False)
        return self._group

    def _close(self) -> None:
        group = self._group
        if group.target == "styles":
            self._name_style("".join(self._style_name).strip(" ;").lower())
        elif group.target in DATES:
            year, month, day = self._date.values()
            if 1900 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= 31:
                self.dates[group.target] = f"{year}-{month:02}-{day:02}"
        if group.ends_story and group is not self._groups[-1]:
            self.stories.pop().end(group.paragraph)
        elif len(self._groups) == 1:
            self.stories[0].end(group.paragraph)
        self._group = self._groups.pop()
        self._to_skip = 0

    def _name_style(self, name: str) -> None:
        heading = _HEADING_NAME.fullmatch(name)
        if heading or name == "title":
            self._levels.setdefault(self._style, int(heading[1]) if heading else 0)
        self._style_name.clear()

    def _take_symbol(self, symbol: str) -> None:
        self._is_optional = symbol == "*"
        if symbol in PARAGRAPH_ENDS:
            self._end_paragraph()
        elif symbol in CHARACTERS:
            self._add(CHARACTERS[symbol])

    def _take_word(self, word: str, number: int | None) -> None:
        is_optional, self._is_optional, self._to_skip = self._is_optional, False, 0
        target = self._group.target
        if word in ("pntext", "listtext") and target == "text":
            self.stories[-1].text.kind = "list"
        if word in PASSED_OVER or (is_optional and word not in AROUND_BOXES):
            self._own().target = ""
        elif target and word in TABLES:
            self._own().target = TABLES[word]
        elif word == "uc":
            self._own().replaced = min(max(number or 0, 0), 9)
        elif word == "u" and number is not None:
            self._add(chr(number % 0x10000 if number < 0x10000 else min(number, 0x10FFFF)))
            self._to_skip = self._group.replaced
        elif target == "text":
            self._take_word_of_text(word, number)
        elif target == "info":
            self._own().target = word if word in FACTS | DATES else "info"
        elif target:
            self._take_word_of_table(target, word, number or 0)

    def _take_word_of_table(self, target: str, word: str, number: int) -> None:
        """A word in the font table, in the style sheet or in what the file says of itself."""
        if word == "f":
            self._font = number
        elif target == "fonts" and word in ("fcharset", "cpg"):
            self._fonts[self._font] = CHARSETS.get(number, self._ansi) if word == "fcharset" else code_page(number)
        elif word == "s":
            self._style = number
        elif target == "styles" and word == "outlinelevel":
            self._levels[self._style] = _level(number)
        elif target in DATES and word in self._date:
            self._date[word] = number

    def _take_word_of_text(self, word: str, number: int | None) -> None:
        if word in CHARACTERS:
            self._add(CHARACTERS[word])
        elif word in PARAGRAPH_ENDS:
            self._end_paragraph()
        elif word in ("cell", "row", "trhdr"):
            self._take_word_of_row(word)
        elif word in ("shptxt", "dptxbxtext"):
            self._begin_story(self.stories[-1].text.boxes)
        elif word == "footnote":
            key = (word, str(len(self.notes)))
            self.stories[-1].text.notes.append(key)
            self._begin_story(self.notes.setdefault(key, []))
        elif word == "ftnalt" and len(self.stories) > 1 and self.stories[-2].text.notes:
            key = self.stories[-2].text.notes.pop()
            self.stories[-2].text.notes.append(("endnote", key[1]))
            self.notes["endnote", key[1]] = self.notes.pop(key, [])
        else:
            self._format(word, number)

    def _format(self, word: str, number: int | None) -> None:
        """A word that says how the text after it is to be taken."""
        group = self._own()
        match word:
            case "v":
                group.is_hidden = number != 0
            case "deleted":
                group.is_deleted = number != 0
            case "plain":
                group.is_hidden = group.is_deleted = False
                group.code_page = self._fonts.get(self._default_font, self._ansi)
            case "f":
                group.code_page = self._fonts.get(number or 0, self._ansi)
            case "deff":
                self._default_font = number or 0
            case "ansicpg" | "mac" | "pc" | "pca":
                self._ansi = group.code_page = SYSTEMS.get(word) or code_page(number or 0)
            case "pard":
                group.paragraph = ParagraphFormat()
            case "s":
                group.paragraph = replace(group.paragraph, level=self._levels.get(number or 0))
            case "outlinelevel":
                group.paragraph = replace(group.paragraph, level=_level(number))
            case "ls":
                group.paragraph = replace(group.paragraph, is_list=bool(number))
            case "intbl":
                group.paragraph = replace(group.paragraph, is_in_table=number != 0)

    def _take_word_of_row(self, word: str) -> None:
        story = self.stories[-1]
        if word == "trhdr":
            story.has_names = True
        elif word == "row":
            story.end_row()
        else:
            story.end_paragraph(replace(self._group.paragraph, is_in_table=True))
            story.end_cell()

    def _begin_story(self, blocks: list[Block]) -> None:
        self.stories.append(Story(blocks))
        group = self._own()
        group.ends_story, group.paragraph = True, ParagraphFormat()

    def _end_paragraph(self) -> None:
        if self._group.target == "text":
            self.stories[-1].end_paragraph(self._group.paragraph)

    def _add_bytes(self, data: bytes) -> None:
        skipped = min(self._to_skip, len(data))
        self._to_skip -= skipped
        self._is_optional = False
        if self._group.target:
            self._bytes += data[skipped:]

    def _decode(self) -> None:
        """Adds the text that was collected, of which all has the code page of the present group."""
        if self._bytes:
            self._add(self._bytes.decode(self._group.code_page, "replace"))
            self._bytes.clear()

    def _add(self, text: str) -> None:
        group = self._group
        if group.target == "text":
            if not (group.is_hidden or group.is_deleted):
                self.stories[-1].text.parts.append(text)
        elif group.target == "styles":
            self._style_name.append(text)
        elif group.target in FACTS:
            self.facts.setdefault(group.target, []).append(text)
