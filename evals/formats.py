"""Do the formats of one manual give the same paragraphs? Prints a line on each manual and a Markdown table.

    python -m evals.formats --debs debs --keep
    python -m evals.formats --manual debian-faq --missing 20

Debian ships some manuals as plain text and in other formats. Their packages are fetched by `apt-get download` (15 MB)
unless the folder has them; `--keep` keeps there what is unpacked. The paragraphs of the text version are looked for in
those of each other format. Readers may be improved on the manuals that are developed on (`--missing` shows what is not
found); those that are reported on are held back, and no text of them is shown.

- one to one: the other format has such a paragraph (similarity .9), begun and ended at the same places
- found: it has the words, in at most three neighbouring paragraphs or as a part of one
- in order: of those found, the share in the longest series that comes in the same order
- back: of the paragraphs of the other format, the share whose words the text version has; menus, page headers and
  what the text version lacks make it low

Left out on either side: paragraphs of fewer than four words, and those whose lines are each a whole paragraph further
down, as the lines of a table of contents are. What is compared is what `normalise` leaves.
"""

import argparse
import gzip
import json
import re
import subprocess
import tempfile
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rapidfuzz.fuzz import ratio

from ragkit.errors import DocumentError
from ragkit.evaluation.report.tables import markdown_table
from ragkit.models.weights import cache_folder
from ragkit.readers import MAX_FILE_BYTES, extract
from ragkit.readers.opening import ReadOptions

SIMILAR = 90
"""Percent of the characters of two paragraphs that are in both in the same order; with less they are not the same."""

FEWEST_WORDS = 4
"""Shorter paragraphs stand in a manual many times over."""

MOST_NEIGHBOURS = 3
"""So many paragraphs in a row may hold what is one paragraph in the text version."""

WORTH_A_LOOK = 60
"""The same percentage before the best borders are looked for, which may be an eighth of the words off at each end."""

LONGEST_ENTRY = 4
"""Lines of one entry of a table of contents."""

CONTENTS_SHARE = 0.75
"""Of the lines of a table of contents, those that are headings further down; others are its title or a rule."""

MOST_PLACES = 12
"""So many places are compared for each paragraph, those first that share most rare words with it."""

MOST_OCCURRENCES = 1_000
"""The rarest words of a paragraph are looked up until they have occurred so often in the other format."""


_RULE_LINE = re.compile(r"^[ \t]*[-=~^*#+_.|:'\" \t]{3,}$", re.M)
_ADDRESS = re.compile(r"[(\[<]\s*(?:https?|ftp|mailto):[^()\[\]<>]*[)\]>]")
_FOOTNOTE_MARK = re.compile(r"\[#?\d{1,3}\]_?")
_MARKS = re.compile(r"[*`\"“”„«»\u00ad]|(?<!\w)['‘’]|['‘’](?!\w)|(?<!\S)\|(?!\S)")
_HANGING_HYPHEN = re.compile(r"(?<=\w)[-‐‑]\s+(?=\w)")
_DASHES = re.compile(r"[-‐‑‒–—―−]+")
_MARKER = re.compile(
    r"\s*(?:(?:Chapter|Appendix|Part) \w+[.:]|[•◦▪·+o]|\(?(?:\d+|[A-Za-z])(?:\.\d+)*[.)]|\d+(?:\.\d+)+)\s+(?=\S)"
)


def normalise(text: str) -> str:
    """What is compared of a paragraph; case, words and other punctuation stay.

    Taken off: lines of nothing but marks (under headings, around tables), addresses in brackets (some formats print
    them behind a link), footnote marks such as [1], quotation marks, asterisks and backticks (text versions have them
    for emphasis and code), bars between cells, hyphens and dashes (with the space behind a hyphen that ends a line),
    and the bullet or number at the beginning.
    """
    for taken_off in (_RULE_LINE, _ADDRESS, _FOOTNOTE_MARK, _MARKS):
        text = taken_off.sub("", text)
    text = _DASHES.sub("", _HANGING_HYPHEN.sub("", text)).replace("’", "'")
    marker = _MARKER.match(text)
    return " ".join(text[marker.end() if marker else 0 :].split())


@dataclass(slots=True)
class Version:
    """The paragraphs of one format, normalised.

    Attributes:
        all: Every one of them that is not empty.
        counted: Those that are looked for.
        short: How many are left out because they have too few words.
        repeated: How many are left out because they are like a table of contents.
    """

    all: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    short: int = 0
    repeated: int = 0


def sort_out(paragraphs: Sequence[str]) -> Version:
    """The paragraphs normalised, and which of them count."""
    version = Version()
    below: set[str] = set()
    for paragraph in reversed(paragraphs):
        text = normalise(paragraph)
        if not text:
            version.short += 1
            continue
        version.all.append(text)
        if sum(any(map(str.isalnum, word)) for word in text.split()) < FEWEST_WORDS:
            version.short += 1
        elif is_repeated(paragraph, below):
            version.repeated += 1
        else:
            version.counted.append(text)
        below.add(_letters(paragraph))
    version.all.reverse()
    version.counted.reverse()
    return version


def is_repeated(paragraph: str, below: set[str]) -> bool:
    """Whether the lines of a paragraph, or a few of them together, are each a whole one of the paragraphs below."""
    lines = [line for line in paragraph.splitlines() if _letters(line)]
    known = place = 0
    while place < len(lines):
        entries = ("\n".join(lines[place : place + size]) for size in range(1, LONGEST_ENTRY + 1))
        size = next((entry.count("\n") + 1 for entry in entries if _letters(entry) in below), 0)
        known += size
        place += size or 1
    return known >= CONTENTS_SHARE * len(lines)


def _letters(text: str) -> str:
    """Without any space, since lines are broken behind slashes, too."""
    return normalise(text).replace(" ", "")


@dataclass(frozen=True, slots=True)
class Found:
    """Where the words of a paragraph stand: the offset in all the text, and whether they are a paragraph there, too."""

    place: int
    is_whole: bool


class Places:
    """Looks for paragraphs among those of another format."""

    def __init__(self, paragraphs: Sequence[str]) -> None:
        self._paragraphs = paragraphs
        self._first_words: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._occurrences: dict[str, list[int]] = defaultdict(list)
        offset = 0
        self._text = " ".join(paragraphs)
        for paragraph in paragraphs:
            self._first_words.append(len(self._starts))
            for word in paragraph.split():
                self._occurrences[word].append(len(self._starts))
                self._starts.append(offset)
                self._ends.append(offset + len(word))
                offset += len(word) + 1

    def find(self, paragraph: str) -> list[Found]:
        """Every place that has the words, as far as it is among the likeliest."""
        found = (self._compare(paragraph, first) for first in self._likely(paragraph))
        return [place for place in found if place]

    def _likely(self, paragraph: str) -> list[int]:
        """Numbers of the words with which the paragraph may begin, by what its rare words say; may be below 0."""
        places = [(self._occurrences.get(word, []), number) for number, word in enumerate(paragraph.split())]
        votes: Counter[int] = Counter()
        looked_up = 0
        for occurrences, number in sorted(places, key=lambda place: len(place[0])):
            if looked_up and looked_up + len(occurrences) > MOST_OCCURRENCES:
                break
            looked_up += len(occurrences)
            votes.update(place - number for place in occurrences)
        firsts: list[int] = []
        for first, _ in votes.most_common(5 * MOST_PLACES):
            if all(abs(first - other) > _slack(len(places)) / 2 for other in firsts):
                firsts.append(first)
        return firsts[:MOST_PLACES]

    def _compare(self, paragraph: str, first: int) -> Found | None:
        """Whether the paragraph is there: as one paragraph, or else between the best borders near by."""
        words, last = len(paragraph.split()), len(self._starts) - 1
        whole = self._paragraph_of(min(max(first + words // 2, 0), last))
        if ratio(paragraph, self._paragraphs[whole], score_cutoff=SIMILAR):
            return Found(self._starts[self._first_words[whole]], True)
        start, end = (min(max(place, 0), last) for place in (first, first + words - 1))
        if self._ratio(paragraph, start, end) < WORTH_A_LOOK:
            return None
        starts, ends = (
            range(max(place - _slack(words), 0), min(place + _slack(words), last) + 1) for place in (start, end)
        )
        for _ in range(2):
            end = max((e for e in ends if e >= start), key=lambda e: self._ratio(paragraph, start, e), default=end)
            start = max((s for s in starts if s <= end), key=lambda s: self._ratio(paragraph, s, end), default=start)
        is_near = self._paragraph_of(end) - self._paragraph_of(start) < MOST_NEIGHBOURS
        is_there = is_near and self._ratio(paragraph, start, end) >= SIMILAR
        return Found(self._starts[start], False) if is_there else None

    def _paragraph_of(self, word: int) -> int:
        return bisect_right(self._first_words, word) - 1

    def _ratio(self, paragraph: str, start: int, end: int) -> float:
        return ratio(paragraph, self._text[self._starts[start] : self._ends[end]])


def _slack(words: int) -> int:
    """So many words the borders may be off from where rare words say they are."""
    return 2 + words // 8


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many paragraphs were looked for and found, how many of these in order, and which are missing."""

    counted: int
    whole: int
    found: int
    in_order: int
    missing: tuple[str, ...]


def compare(wanted: Sequence[str], others: Sequence[str]) -> Agreement:
    """Looks for paragraphs among the others; both normalised."""
    places = Places(others)
    found = [(paragraph, places.find(paragraph)) for paragraph in wanted]
    return Agreement(
        counted=len(wanted),
        whole=sum(any(place.is_whole for place in there) for _, there in found),
        found=sum(bool(there) for _, there in found),
        in_order=longest_in_order([[place.place for place in there] for _, there in found]),
        missing=tuple(paragraph for paragraph, there in found if not there),
    )


def longest_in_order(choices: Sequence[Sequence[int]]) -> int:
    """How many of the positions can be chosen, at most one of each set, so that they increase (Hunt and Szymanski)."""
    lowest: list[int] = []
    for positions in choices:
        for position in sorted(set(positions), reverse=True):
            place = bisect_left(lowest, position)
            lowest[place : place + 1] = [position]
    return len(lowest)


@dataclass(frozen=True, slots=True)
class Manual:
    """One manual in several formats; where it is many files, the one named has the table of contents."""

    name: str
    role: Literal["developed on", "reported on"]
    packages: tuple[str, ...]
    folder: str
    text: str
    others: dict[str, str]


# fmt: off
MANUALS = (
    Manual("developers-reference", "developed on", ("developers-reference",), "usr/share/developers-reference",
           "developers-reference.txt.gz",
           {"html": "index.html", "html, one page": "developers-reference.html", "epub": "developers-reference.epub",
            "pdf": "developers-reference.pdf", "rst": "_sources/index.rst.txt"}),
    Manual("debian-faq", "developed on", ("debian-faq",), "usr/share/doc/debian/FAQ", "debian-faq.en.txt.gz",
           {"html": "index.en.html", "pdf": "debian-faq.en.pdf.gz"}),
    Manual("debian-policy", "reported on", ("debian-policy",), "usr/share/doc/debian-policy", "policy.txt.gz",
           {"html": "policy.html/index.html", "epub": "policy.epub", "pdf": "policy.pdf.gz",
            "rst": "policy.html/_sources/index.rst.txt"}),
    Manual("debmake-doc", "reported on", ("debmake-doc",), "usr/share/doc/debmake-doc", "debmake-doc.en.txt.gz",
           {"html": "html/index.en.html", "epub": "debmake-doc.en.epub", "pdf": "debmake-doc.en.pdf"}),
    Manual("live-manual", "reported on", tuple(f"live-manual-{kind}" for kind in ("txt", "html", "epub", "odf")),
           "usr/share/doc/live-manual", "txt/live-manual.en.txt.gz",
           {"html": "html/live-manual/toc.en.html", "html, one page": "html/live-manual.en.html",
            "epub": "epub/live-manual.en.epub", "odt": "odt/live-manual.en.odt"}),  # the pages of its PDF are blank
    Manual("maint-guide", "reported on", ("maint-guide",), "usr/share/doc/maint-guide", "maint-guide.en.txt.gz",
           {"html": "html/index.en.html", "pdf": "maint-guide.en.pdf"}),
    Manual("fhs", "reported on", ("debian-policy",), "usr/share/doc/debian-policy/fhs", "fhs-3.0.txt.gz",
           {"html, one page": "fhs-3.0.html", "pdf": "fhs-3.0.pdf.gz"}),
)
# fmt: on

_TOCTREE = re.compile(r"^\.\. toctree::.*\n((?:[ \t]+.*\n?|\n)*)", re.M)


def files_of(first: Path) -> list[Path]:
    """The files of a manual in the order of its table of contents, which stands in the first of them."""
    if first.name.split(".")[0] not in ("index", "toc"):
        return [first]
    if ".rst" in first.suffixes:
        return _rst_files(first, [])
    files = [first]
    while following := [file for file in _links(files[-1], "//*[@rel='next']/@href") if file not in files]:
        files.append(following[0])
    return files if len(files) > 1 else list(dict.fromkeys([first, *_links(first, "//a/@href")]))


def _links(file: Path, path: str) -> list[Path]:
    """The files of the same kind in the same folder to which a file has links."""
    from lxml import html

    links = html.fromstring(file.read_bytes()).xpath(path)
    names = [str(link).split("#")[0] for link in links] if isinstance(links, list) else []
    files = [file.parent / name for name in names if name.endswith(file.suffix) and "/" not in name]
    return [linked for linked in files if linked.is_file()]


def _rst_files(file: Path, before: list[Path]) -> list[Path]:
    """Those before, the file itself and those that its tables of contents name, each once."""
    files = [*before, file]
    for tree in _TOCTREE.findall(file.read_text(encoding="utf-8")):
        for entry in filter(None, map(str.strip, tree.split("\n"))):
            named = file.parent / f"{entry}{''.join(file.suffixes)}"
            if named.is_file() and named not in files:
                files = _rst_files(named, files)
    return files


def read_manual(first: Path) -> list[str]:
    """The paragraphs of a manual, file by file, as its reader gives them."""
    paragraphs = []
    for file in files_of(first):
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        name = file.name.removesuffix(".gz").replace(".rst.txt", ".rst")
        read = extract(name, data, ReadOptions(MAX_FILE_BYTES))
        paragraphs += [read.text[span.start : span.end] for span in read.spans]
    return paragraphs


def fetch(package: str, folder: Path) -> Path:
    """The newest file of a Debian package in a folder; without any, the one of the machine's release is fetched."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (files := list(folder.glob(f"{package}_*.deb"))):
        done = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, text=True, check=False)
        if not (files := list(folder.glob(f"{package}_*.deb"))):
            raise SystemExit(f"{package} cannot be fetched: {done.stderr.strip()}. Put its .deb file into {folder}.")
    return max(files, key=lambda file: file.stat().st_mtime)


def unpack(manual: Manual, debs: Path, folder: Path) -> tuple[str, Path]:
    """Version and folder of a manual, all packages of it unpacked in one tree."""
    files = [fetch(package, debs) for package in manual.packages]
    tree = folder / manual.name
    tree.mkdir(parents=True, exist_ok=True)
    for file in files:
        subprocess.run(["dpkg", "-x", file, tree], check=True)
    return files[0].name.split("_")[1].replace("%3a", ":"), tree / manual.folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.formats")
    parser.add_argument("--debs", type=Path, default=cache_folder() / "debs", help="where the packages lie")
    parser.add_argument("--keep", action="store_true", help="keep what is unpacked, under `unpacked` in that folder")
    parser.add_argument("--manual", action="append", choices=[manual.name for manual in MANUALS], help="only this one")
    parser.add_argument("--format", help="only this one")
    parser.add_argument("--missing", type=int, default=0, metavar="N", help="show the first N that are not found")
    parser.add_argument("--held-back", action="store_true", help="show them of manuals reported on, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all counts into a file")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        unpacked = given.debs / "unpacked" if given.keep else Path(temporary)
        for manual in MANUALS:
            if not given.manual or manual.name in given.manual:
                shown = given.missing if given.held_back or manual.role == "developed on" else 0
                rows += measure(manual, *unpack(manual, given.debs, unpacked), given.format, shown)
    print("\n" + _table(rows))
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def measure(manual: Manual, version: str, folder: Path, only: str | None, shown: int) -> Iterator[dict[str, Any]]:
    """One row of counts for each format; says what the text version is, and shows so many missing paragraphs."""
    text = sort_out(read_manual(folder / manual.text))
    print(
        f"{manual.name} {version} ({manual.role}): {len(text.counted):,} paragraphs of the text version count; left "
        f"out are {text.short:,} short ones and {text.repeated:,} whose lines come again further down."
    )
    for name, file in manual.others.items():
        if only not in (None, name):
            continue
        row: dict[str, Any] = {"manual": manual.name, "version": version, "role": manual.role, "format": name}
        try:
            other = sort_out(read_manual(folder / file))
        except DocumentError as exc:
            yield row | {"error": str(exc)}
            continue
        there, back = compare(text.counted, other.all), compare(other.counted, text.all)
        yield row | {
            "counted": there.counted,
            "one_to_one": there.whole,
            "found": there.found,
            "in_order": there.in_order,
            "back_counted": back.counted,
            "back_found": back.found,
        }
        for missing in there.missing[:shown]:
            print(f"  not in {name}: {missing}")


def _table(rows: Sequence[dict[str, Any]]) -> str:
    shares = (("one_to_one", "counted"), ("found", "counted"), ("in_order", "found"), ("back_found", "back_counted"))
    cells = []
    for row in rows:
        figures = [f"{row[part] / row[of]:.3f}" if row.get(of) else "" for part, of in shares]
        counted = row.get("error") or f"{row['counted']:,}"
        cells.append((row["manual"], row["role"], row["format"], counted, *figures))
    return markdown_table(("manual", "role", "format", "paragraphs", "one to one", "found", "in order", "back"), cells)


if __name__ == "__main__":
    main()
