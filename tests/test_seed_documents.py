"""The documents in seeds/ are written for this project: the same facts as their models, in words of their own."""

import re
from pathlib import Path

import pytest

from ragkit.readers import read_document

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"
ORIGINALS = sorted(ROOT.parent.glob("shared/seeds/*.txt"))
PARAGRAPHS = {"zelenskyy-letter-report.txt": 8, "zelenskyy-letter-analysis.txt": 15}
RUN_WORDS = 8

needs_originals = pytest.mark.skipif(not ORIGINALS, reason="the texts that the seeds were modelled on are not here")


def runs(text: str) -> set[tuple[str, ...]]:
    """Every run of so many words outside quotation marks."""
    found: set[tuple[str, ...]] = set()
    for stretch in re.split(r"[“\"]+[^“”\"]+[”\"]+", text):
        words = re.findall(r"[^\W_]+", stretch.casefold())
        found |= {tuple(words[n : n + RUN_WORDS]) for n in range(len(words) - RUN_WORDS + 1)}
    return found


@pytest.mark.parametrize(("name", "count"), PARAGRAPHS.items())
def test_a_seed_document_has_one_paragraph_a_line(name, count):
    document = read_document(SEEDS / name, name)
    assert len(document.paragraphs) == count
    assert [p.text for p in document.paragraphs] == document.text.strip().splitlines()


@needs_originals
def test_the_originals_are_read_into_as_many_paragraphs():
    counts = [len(read_document(file, file.name).paragraphs) for file in ORIGINALS]
    assert counts == list(PARAGRAPHS.values())


@needs_originals
@pytest.mark.parametrize("name", PARAGRAPHS)
def test_the_seeds_share_no_run_of_words_with_the_originals(name):
    shared = runs((SEEDS / name).read_text(encoding="utf-8"))
    for file in ORIGINALS:
        assert not shared & runs(file.read_text(encoding="utf-8"))
