"""The shape of the package: which module may import which, how long things get, and what importing it costs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ragkit

PACKAGE = Path(ragkit.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())

_ORDER = """
errors durable records readers sentences terms quantities odds neutral where chunking models index spelling interaction
questions retrieval evidence prompts profiles followups citations copying alignment omissions facts trimming polarity
verification screening drafting repair disagreement confidence trace settings ingest_records ingest plan maintenance
watching answering chat kit
evaluation
annotations recheck display serving cli __main__
"""
LEVELS = _ORDER.split()
"""Each may import only those before it; a package is one level."""

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50
HEAVY = ("torch", "transformers", "sentence_transformers", "faiss")


def level_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported anywhere in a module, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative imports hide where a name comes from"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_levels(tree: ast.AST) -> set[str]:
    return {name.split(".")[1] for name in imported_modules(tree) if name.startswith("ragkit.")}


def loaded_by(code: str) -> set[str]:
    """Which heavy libraries a fresh interpreter has loaded after some code."""
    report = f"import sys\n{code}\nprint([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


def test_every_module_has_a_level():
    assert {level_of(file) for file in FILES} - {"__init__"} <= set(LEVELS)


@MODULES
def test_a_module_imports_only_what_lies_above_it(file):
    levels = imported_levels(ast.parse(file.read_text(encoding="utf-8")))
    if (own := level_of(file)) != "__init__":
        above = LEVELS[: LEVELS.index(own)]
        assert sorted(levels - {own} - set(above)) == []


@MODULES
def test_a_module_says_what_it_is_for_and_stays_short(file):
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert len(text.splitlines()) <= MAX_FILE_LINES
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [node.name for node in functions if node.end_lineno - node.body[0].lineno + 1 > MAX_FUNCTION_LINES]
    assert long == []


def test_nothing_is_ever_unpickled():
    pickles = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}
    for file in FILES:
        roots = {name.split(".")[0] for name in imported_modules(ast.parse(file.read_text(encoding="utf-8")))}
        assert not roots & pickles, file


def test_the_public_names_are_these():
    expected = ["Answer", "Citation", "Hit", "Kit", "Sentence", "Settings", "Verdict", "build", "open", "verify"]
    assert ragkit.__all__ == sorted(expected)
    assert all(hasattr(ragkit, name) for name in expected)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import ragkit", id="import"),
        pytest.param(
            "sys.argv = ['ragkit', '--help']\nimport ragkit.cli\ntry: ragkit.cli.main()\nexcept SystemExit: pass",
            id="help",
        ),
    ],
)
def test_importing_and_asking_for_help_load_no_heavy_library(code):
    assert loaded_by(code) == set()
