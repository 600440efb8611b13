"""The text of a file of source code or settings enters; what each of its lines is leaves.

No language is parsed: the words that begin a line, its indentation and its comment signs tell what it is. Called by
`code`.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from ragkit.readers.spans import lines_of

MAX_HEADINGS = 6
"""Of the definitions that a line lies in, so many are named, the innermost."""

MAX_HEADING_CHARS = 160
"""So much of the first line of a definition is its name."""

MAX_ABOVE = 30
"""So many lines of comment and decorators above a definition belong to it."""

MAX_PARAMETER_LINES = 8
"""So many lines may the parameters of a function take."""

COMMENT, TEXT = 2, 1
"""Marks of lines that are comment, and of those inside a text of several lines; code has none."""


@dataclass(frozen=True, slots=True)
class _Family:
    """What some languages have in common.

    Attributes:
        suffixes: Of their files.
        signs: What a line that is a comment begins with.
        block: What a comment of several lines begins and ends with.
        is_program: Whether things are defined in it.
    """

    suffixes: str
    signs: tuple[str, ...] = ("#",)
    block: tuple[str, str] | None = None
    is_program: bool = True


_FAMILIES = [
    _Family(".py .pyi .pyx .bzl .jl", block=('"""', '"""')),
    _Family(".sh .bash .zsh .fish .ksh .r .pl .pm .ex .exs .awk .tcl .nim .nix .dockerfile .cmake .mk .make"),
    _Family(".rb .rake .gemspec", block=("=begin", "=end")),
    _Family(".ps1 .psm1 .psd1", block=("<#", "#>")),
    _Family(
        ".js .mjs .cjs .ts .jsx .tsx .java .c .h .cc .cpp .cxx .hh .hpp .hxx .m .mm .cs .go .rs .swift .kt .kts .scala "
        ".sc .dart .proto .groovy .gradle .zig .v .sv .sol .cu .glsl .css .scss .sass .less",
        ("//",),
        ("/*", "*/"),
    ),
    _Family(".php .tf .hcl .graphql .gql", ("#", "//"), ("/*", "*/")),
    _Family(".sql", ("--",), ("/*", "*/")),
    _Family(".lua", ("--",), ("--[[", "]]")),
    _Family(".hs .elm", ("--",), ("{-", "-}")),
    _Family(".ml .mli .fs .fsx .fsi", ("//",), ("(*", "*)")),
    _Family(".clj .cljs .cljc .lisp .el .scm .rkt .asm .s", (";",)),
    _Family(".erl .hrl", ("%",)),
    _Family(".vb .bas", ("'",)),
    _Family(".toml .ini .cfg .conf .properties .env", ("#", ";"), is_program=False),
    _Family(".yaml .yml", is_program=False),
    _Family(".xml .xsd .xsl .xslt .vue .svelte", (), ("<!--", "-->"), is_program=False),
    _Family(".tex .sty .cls .bib", ("%",), is_program=False),
]
_FAMILY_OF = {suffix: family for family in _FAMILIES for suffix in family.suffixes.split()}
_SUFFIX_OF = {
    "makefile": ".mk",
    "gnumakefile": ".mk",
    "cmakelists.txt": ".cmake",
    "dockerfile": ".dockerfile",
    "containerfile": ".dockerfile",
    "jenkinsfile": ".groovy",
    "vagrantfile": ".rb",
    "rakefile": ".rb",
    "gemfile": ".rb",
}

CODE_SUFFIXES = tuple(_FAMILY_OF)
"""What the names of files end in, in lower case."""

CODE_NAMES = tuple(_SUFFIX_OF)
"""Whole names of files, in lower case, that say what they are by themselves."""

_DEFINITION = re.compile(
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|override|virtual|inline|extern|"
    r"pub(?:\([^()]*\))?|unsafe|const|open|sealed|data|case|partial|local|declare|suspend|create|or|replace)\s+)*"
    r"(?:def|defp|defmodule|defmacro|class|func|fun|fn|function|sub|struct|enum|union|interface|trait|impl|module|mod|"
    r"namespace|protocol|extension|object|type|record|procedure|proc|macro|macro_rules!|service|message|rpc|resource|"
    r"view|table|\(defn-?|\(defmacro|\(defun)(?=\s+[\w$(&*\"'~]|\s*<)",
    re.I,
)
_CONTROL = re.compile(
    r"(?:if|for|foreach|while|switch|else|elif|elsif|do|try|catch|finally|with|return|match|when|unless|loop|case|until|"
    r"using|lock|synchronized|defer|go|select|guard|repeat|throw|yield|await)\b|[^\w$@*&~.#\[(\"'%-]"
)
_CLOSER = re.compile(
    r"[}\])]|\{\s*$|(?:end|else|elif|elsif|elseif|except|finally|catch|rescue|ensure|then|done|fi|esac)\b|</"
)
_ANYWHERE = re.compile(r"#\s*(?:if|ifdef|ifndef|else|elif|endif|define|undef|include|pragma|region|endregion)\b|\w+:$")
_SECTION = re.compile(r"\[{1,2}[^\[\]]+\]{1,2}\s*(?:[#;].*)?$")
_WITH_SECTIONS = (".toml", ".ini", ".cfg", ".conf")
_TEX_SECTION = re.compile(r"\\(part|chapter|section|subsection|subsubsection|paragraph)\*?\{([^{}]*)")
_TEX_LEVELS = "part chapter section subsection subsubsection paragraph".split()
_KEY = re.compile(r"(?:- )?[\w.\"'/-]+:$")
_DECORATION = ("@", "#[", "[")


class CodeLines:
    """The lines of one file.

    Attributes:
        lines: As they are.
        words: The same without the spaces around them.
        levels: How far in each stands, in spaces; the headings of sections stand further out than anything.
        marks: `COMMENT`, `TEXT` or nothing.
        begins: Whether each is the first after a blank one and not the end of something.
        defines: Whether each begins a function, a class or another block with a name.
    """

    def __init__(self, text: str, name: str):
        base = PurePosixPath(name).name.lower()
        self.suffix = _SUFFIX_OF.get(base) or PurePosixPath(base).suffix
        self._family = _FAMILY_OF.get(self.suffix, _FAMILIES[0])
        self.lines = lines_of(text)
        self.words = [line.text.strip() for line in self.lines]
        self.levels = self._levels()
        self.marks = list(self._marks())
        numbers = range(len(self.lines))
        self.begins = [self._begins(number) for number in numbers]
        self.defines = [self._defines(number) for number in numbers]

    def top_of(self, number: int, first: int) -> int:
        """The first of the comments and decorators that stand directly above a definition, `first` or after it."""
        top = number
        while top - 1 > first and number - top < MAX_ABOVE and not self.defines[top - 1]:
            if self.marks[top - 1] != COMMENT and not self.words[top - 1].startswith(_DECORATION):
                break
            top -= 1
        return top

    def paths(self, numbers: Collection[int]) -> Iterator[tuple[str, ...]]:
        """For each of some lines, in order, the names of the definitions that it lies in, outermost first."""
        wanted = set(numbers)
        around: list[tuple[int, str]] = []
        for number, words in enumerate(self.words):
            level = self.levels[number]
            if number in wanted:
                inside = [name for other, name in around[-MAX_HEADINGS - MAX_HEADINGS :] if other < level]
                yield tuple(inside[-MAX_HEADINGS:])
            if not words or self.marks[number] or _CLOSER.match(words):
                continue
            while around and around[-1][0] >= level:
                around.pop()
            name = self._name(words) if self.defines[number] else ""
            if name:
                around.append((level, name))

    def _name(self, words: str) -> str:
        section = _TEX_SECTION.match(words)
        name = section[2] if section else words.rstrip(" \t{:(=\\")
        return " ".join(name.split())[:MAX_HEADING_CHARS]

    def _levels(self) -> list[int]:
        """The levels; lines for the preprocessor and labels, which may stand anywhere, have that of what follows."""
        levels = [self._level(line.text, words) for line, words in zip(self.lines, self.words, strict=True)]
        following = 0
        for number in range(len(levels) - 1, -1, -1):
            words = self.words[number]
            is_anywhere = self._family.signs == ("//",) and not words.endswith("\\") and _ANYWHERE.match(words)
            if is_anywhere:
                levels[number] = following
            elif words:
                following = levels[number]
        return levels

    def _level(self, line: str, words: str) -> int:
        if self.suffix in _WITH_SECTIONS and _SECTION.match(words):
            return -1
        section = _TEX_SECTION.match(words) if self.suffix == ".tex" else None
        if section:
            return _TEX_LEVELS.index(section[1]) - len(_TEX_LEVELS)
        return len(line[: len(line) - len(line.lstrip())].expandtabs(4))

    def _marks(self) -> Iterator[int]:
        """The mark of each line; where quotation marks begin a text and not a line, what they hold is text."""
        opening, closing = self._family.block or ("\0", "\0")
        is_open, mark = False, 0
        for words in self.words:
            if is_open:
                yield mark
                is_open = closing not in words
                continue
            after = words.removeprefix("r").removeprefix(opening)
            is_sign = bool(self._family.signs) and words.startswith(self._family.signs)
            if words.removeprefix("r").startswith(opening):
                is_open, mark = closing not in after, COMMENT
            else:
                is_open = opening == closing and not is_sign and words.count(opening) % 2 == 1
                mark = TEXT
            yield COMMENT if mark == COMMENT or is_sign else 0

    def _begins(self, number: int) -> bool:
        words = self.words[number]
        return bool(words) and not (number and self.words[number - 1]) and not _CLOSER.match(words)

    def _defines(self, number: int) -> bool:
        words = self.words[number]
        if self.marks[number] or not words:
            return False
        if not self._family.is_program:
            return bool(_KEY.match(words)) if self.suffix in (".yaml", ".yml") else self.levels[number] < 0
        return bool(_DEFINITION.match(words)) or (self._opens(number) and not _CONTROL.match(words))

    def _opens(self, number: int) -> bool:
        """Whether a brace opens at the end of a line, below it, or after the parameters that follow."""
        for words, following in pairwise([*self.words[number : number + MAX_PARAMETER_LINES], ""]):
            if words.endswith("{"):
                return True
            if not words.endswith((",", "(")):
                return following == "{" and not words.endswith(";")
        return False
