"""What the words of RTF mean, as far as a reader needs to know. Called by the reader of RTF files.

A word that stands in none of these tables only says what text looks like.
"""

import codecs

CHARACTERS = {
    **{"tab": "\t", "line": "\n", "lbr": "\n", "page": "\n", "column": "\n", "~": " ", "_": "-"},
    **{"emdash": "—", "endash": "–", "emspace": " ", "enspace": " ", "qmspace": " ", "bullet": "•"},
    **{"lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "{": "{", "}": "}", "\\": "\\"},
}
"""What words and escaped signs stand for."""

PARAGRAPH_ENDS = frozenset({"par", "sect", "\n", "\r", "nestcell"})
"""What ends a paragraph."""

PASSED_OVER = frozenset(
    "aftncn aftnsep aftnsepc colortbl fldinst filetbl footer footerf footerl footerr ftncn ftnsep ftnsepc header "
    "headerf headerl headerr listtext nonesttables nonshppict objdata pict pntext revtbl shprslt sp tc tcn xe".split()
)
"""What begins a group that holds nothing to be read."""

AROUND_BOXES = frozenset({"shpinst", "do"})
"""What old programs, which know no text boxes, pass over."""

TABLES = {"fonttbl": "fonts", "stylesheet": "styles", "info": "info"}
"""What begins a group that says something of the document, and what it is called here."""

FACTS = frozenset({"title", "author", "keywords"})
"""What the file says of itself in words."""

DATES = frozenset({"creatim", "revtim"})
"""What the file says of itself in numbers."""

SYSTEMS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
"""The code pages that have names."""

CHARSETS = {
    **{77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950", 161: "cp1253"},
    **{162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874"},
    **{238: "cp1250", 254: "cp437", 255: "cp850"},
}
"""The code pages of fonts, by the number of their character set."""


def code_page(number: int) -> str:
    """The encoding that a number means; that of Western Europe for what is none."""
    try:
        return codecs.lookup(f"cp{number}").name
    except LookupError:
        return "cp1252"
