"""A small sound file or several of each format: what fuzzing starts from. Called by `child` and by the tests.

Those that can be written by hand lie in `sound`, of packed ones the parts. The others are made here.
"""

import gzip
import io
import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from typing import Any

from evals.fuzz.splitting import Part, pdf_of, split, tarred, zipped
from ragkit.readers.formats import format_of

SOUND = Path(__file__).parent / "sound"

_LEFT_OUT = re.compile(
    r"theme|thumbnail|fontTable|webSettings|printerSettings|viewProps|presProps|tableStyles|customXml"
)
_ESCAPED = str.maketrans({"(": "\\(", ")": "\\)"})
_CODE = {
    "a.py": '"""Doc. Second sentence.\n\nMore of it.\n"""\n\nimport os\n\n\n@dec\nclass A:\n    """Doc."""\n\n'
    "    # One. And two.\n    def f(self, x):\n        return {\n            1: x\n        }\n\n\ndef g(): pass\n",
    "a.c": "/* A comment. Two. */\n#include <a.h>\n\nstruct a {\n  int b;\n};\n\nint main(int a,\n  char **b)\n{\n"
    "  if (a) {\n    return 1; // no\n  }\nlabel:\n  return 0;\n}\n",
    "a.tex": "\\section{One}\nProse. It goes on. More.\n\n\\subsection*{Two}\n% comment\n\\begin{a}\n",
    "a.yaml": "# c\na:\n  b: 1\n  - c\n\nd:\n  e: |\n    text\n",
    "a.toml": "# c\n[a]\nb = 1\n\n[[c]]\nd = '''\nx\n'''\n",
    "a.sql": "-- c\nCREATE TABLE a (\n  b int\n);\n\n/* x\n y */\nselect 1;\n",
    "a.lua": "--[[ c\n d ]]\nlocal function f(a)\n  return 1\nend\n",
    "a.xml": "<?xml version='1.0'?>\n<!-- c\n d -->\n<a>\n  <b c='d'>\n    e\n  </b>\n</a>\n",
    "a.ps1": "<# c #>\nfunction F {\n  param(\n    $a\n  )\n}\n",
    "Makefile": "# c\na: b\n\tcc -o a\n\nifdef X\nendif\n",
    "a.hs": "{- c -}\nmodule A where\n-- d\nf :: Int\nf = 1\n",
    "a.clj": "; c\n(defn f [x]\n  (let [y 1]\n    y))\n",
}


@cache
def samples() -> dict[str, dict[str, bytes]]:
    """The bytes of all samples, by the name of their format and by their own."""
    found = {path.name: _packed(path) if path.is_dir() else path.read_bytes() for path in sorted(SOUND.iterdir())}
    found |= {name: text.encode() for name, text in _CODE.items()}
    found |= {
        "notebook.ipynb": found["notebook.json"],
        "latin.log": "Die Straße nach Köln.\nHeute.".encode("latin-1"),
        "wide.text": found["notes.txt"].decode().encode("utf-16"),
        "people.tsv": found["people.csv"].replace(b";", b"\t"),
        "library.pptx": _saved(_slides()),
        "library.xlsx": _saved(_workbook()),
        "pages.pdf": pdf(),
        "long.pdf": long_pdf(),
    }
    found["mail.eml"] = mail(found)
    mails = (found["parts.eml"], found["mail.eml"])
    found["two.mbox"] = b"".join(b"From ann Sat May  2 10:00:00 2026\n%b\n\n" % one for one in mails)
    inside = _inside(found)
    found |= {
        "notes.txt.gz": gzip.compress(found["notes.txt"], mtime=0),
        "packed.tgz": gzip.compress(tarred(inside), mtime=0),
        "packed.tar": tarred(inside),
        "packed.zip": zipped(inside),
    }
    sorted_out: dict[str, dict[str, bytes]] = {}
    for name, data in found.items():
        if kind := format_of(name):
            sorted_out.setdefault(kind.name, {})[name] = data
    return sorted_out


def _packed(folder: Path) -> bytes:
    """The files of a folder as a zip."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return zipped(tuple(Part(file.relative_to(folder).as_posix(), file.read_bytes()) for file in files))


def _saved(document: Any) -> bytes:
    """An office file of a library without what no reader looks at."""
    out = io.BytesIO()
    document.save(out)
    whole = split("a.zip", out.getvalue())
    return zipped(tuple(part for part in whole.parts if not _LEFT_OUT.search(part.name))) if whole else out.getvalue()


def _slides() -> Any:
    from pptx import Presentation
    from pptx.util import Cm

    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "One"
    slide.placeholders[1].text = "item\nmore"
    slide.shapes.add_table(2, 2, Cm(1), Cm(1), Cm(5), Cm(5)).table.cell(0, 0).text = "a"
    slide.notes_slide.notes_text_frame.text = "note"
    return deck


def _workbook() -> Any:
    import openpyxl  # type: ignore[import-untyped]

    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["Name", "Age", "Share"])
    sheet.append(["Ann", 31, 0.25])
    sheet["C2"].number_format = "0.0%"
    sheet.merge_cells("A3:A4")
    sheet["A3"] = "=A2"
    return book


def mail(others: dict[str, bytes]) -> bytes:
    """A mail with text in two versions, files and another mail."""
    message = EmailMessage(policy=SMTP)
    message["From"] = '"Ann Lée" <ann@example.org>'
    message["To"] = "Bob <bob@example.org>, carl@example.org"
    message["Subject"] = "Offer – 5 € and a line that is folded because it is so very long that it has to be folded"
    message["Date"] = "Sat, 02 May 2026 10:00:00 +0200"
    message.set_content("Dear Bob,\n\nit costs 5 €.\n\nOn 4 May 2026 Carl wrote:\n> old\n> > older\n\n-- \nAnn\n")
    message.add_alternative("<p>Dear <b>Bob</b>,</p><p>it costs 5 €.</p>", subtype="html")
    message.add_attachment(others["notes.md"], maintype="text", subtype="markdown", filename="a.md")
    message.add_attachment(others["small.docx"], maintype="application", subtype="x", filename="é b.docx")
    inner = EmailMessage(policy=SMTP)
    inner["Subject"] = "Inner"
    inner.set_content("Inner text.")
    message.add_attachment(inner)
    text = message.as_bytes()
    boundaries = dict.fromkeys(re.findall(rb"={15}\d+==", text))
    for number, boundary in enumerate(boundaries):  # which are random
        text = text.replace(boundary, b"=boundary-%d=" % number)
    return text


def _inside(others: dict[str, bytes]) -> tuple[Part, ...]:
    """Files for archives."""
    return (
        Part("a/notes.txt", b"One.\n\nTwo.\fThree."),
        Part("a/notes.md", b"# One\n\nTwo."),
        Part("b.csv", others["sep.csv"]),
        Part(".hidden", b"x"),
        Part("d.bin", b"\0\1"),
        Part("e.txt.gz", gzip.compress(b"Packed text.", mtime=0)),
        Part("f.zip", zipped((Part("g.txt", b"Deep inside."),))),
    )


def pdf() -> bytes:
    """A PDF with two pages: a heading, prose in two columns, tables, code, a note and an outline."""
    prose = [
        *("Lines of the left one are cut in the mid-", "dle of words and at http://a.b/", "c/d, and (it is no list)"),
        *("some go on, as the middle-", "of-the-road kind. And 1,", "2. Then", "", "- an item of a list", "- another"),
    ]
    left = "".join(_shown(50, 700 - 12 * number, line.translate(_ESCAPED)) for number, line in enumerate(prose))
    right = "".join(_shown(320, 700 - 12 * line, f"Line {line} of the right one") for line in range(6))
    rules = "".join(f"50 {y} m 300 {y} l S\n" for y in (500, 515, 530)) + "".join(
        f"{x} 500 m {x} 530 l S\n" for x in (50, 170, 300)
    )
    cells = "".join(_shown(x, y, f"c{x}{y}", "C 9") for x in (55, 180) for y in (504, 519))
    first = _shown(50, 750, "One", "B 18") + left + right + rules + cells + _shown(290, 30, "1", "F 8")
    code = "".join(_shown(50 + 12 * (y % 36), y, f"call\\({y},", "C 9") for y in range(600, 648, 12))
    free = "".join(_shown(x, y, f"{x}.{y}") for x in (60, 200, 340) for y in range(300, 360, 12))
    second = (
        "q 1 0 0 1 50 700 cm BT /F 10 Tf 0 Tr 14 TL (Next page.) Tj T* (\\(a\\) \\341 <) ' [(kerned) -250 (text)] TJ "
        f"ET Q\n/I Do\n10 10 50 50 re f\n{code}{free}"
    )
    bodies = [
        "<</Type/Catalog/Pages 2 0 R/Lang(en)/Outlines 11 0 R>>",
        "<</Type/Pages/Kids[7 0 R 9 0 R]/Count 2/MediaBox[0 0 595 842]/Resources<</Font<</F 4 0 R/B 5 0 R/C 6 0 R>>"
        "/XObject<</I 13 0 R>>>>>>",
        "<</Title(Minutes)/Author(Ann)/Keywords(a, b)/CreationDate(D:20260502)>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Courier/Encoding/WinAnsiEncoding>>",
        "<</Type/Page/Parent 2 0 R/Contents 8 0 R/Annots[14 0 R]>>",
        f"<</Length {len(first)}>>stream\n{first}\nendstream",
        "<</Type/Page/Parent 2 0 R/Contents 10 0 R/Rotate 0>>",
        f"<</Length {len(second)}>>stream\n{second}\nendstream",
        "<</Type/Outlines/First 12 0 R/Last 12 0 R/Count 1>>",
        "<</Title(One)/Parent 11 0 R/Dest[7 0 R/XYZ 50 760 0]>>",
        "<</Type/XObject/Subtype/Image/Width 2/Height 2/ColorSpace/DeviceGray/BitsPerComponent 8/Length 4>>"
        "stream\nabcd\nendstream",
        "<</Type/Annot/Subtype/FreeText/Rect[50 600 200 620]/Contents(typed)/DA(/F 10 Tf)>>",
    ]
    return _pdf(bodies)


def long_pdf() -> bytes:
    """A PDF with five pages that have a title above and a number below."""
    kids = " ".join(f"{4 + 2 * page} 0 R" for page in range(5))
    bodies = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count 5/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for page in range(5):
        text = "".join(_shown(50, 700 - 12 * line, f"Line {line} of page {page} goes on.") for line in range(4))
        content = _shown(50, 810, f"Minutes, part {page // 3}") + text + _shown(290, 30, str(page + 1))
        bodies.append(f"<</Type/Page/Parent 2 0 R/Contents {5 + 2 * page} 0 R>>")
        bodies.append(f"<</Length {len(content)}>>stream\n{content}\nendstream")
    return _pdf(bodies)


def _pdf(bodies: Sequence[str]) -> bytes:
    """Objects, of which the first is the catalog and the third what the file says of itself, as a PDF."""
    parts = tuple(Part(f"{number} 0.object", f"\n{body}\n".encode()) for number, body in enumerate(bodies, start=1))
    return pdf_of(b"%PDF-1.4\n", parts, b"<</Size %d/Root 1 0 R/Info 3 0 R>>" % (len(bodies) + 1))


def _shown(x: int, y: int, text: str, font: str = "F 10") -> str:
    """Page content that shows a text at a place."""
    return f"BT /{font} Tf {x} {y} Td ({text}) Tj ET\n"
