"""Broken files of every format are refused or read, and nothing else happens; files that once did harm are kept."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.fuzz.mutating import Mutator
from evals.fuzz.samples import samples
from evals.fuzz.trying import try_reader
from ragkit.readers.formats import FORMATS, format_of

KEPT = sorted((Path(__file__).parent / "data" / "fuzz").iterdir())
SOUND = samples()
SLOW_S = 20.0
BYTES = 400_000

NESTED = {
    "quotes.md": b"> " * 60 + b"a\n\n",
    "lists.md": b"- a\n  - b\n    - c\n",
    "brackets.md": b"[a](b " + b"[" * 40 + b"\n",
    "signs.md": b"**a __b _c *d `e ~~f\n\n",
    "pipes.md": b"|" * 30 + b"\n|-|-|\n",
    "fences.md": b"```a\n~~~b\n",
    "tags.html": b"<div><p>a<ul><li>b<td>",
    "attributes.html": b"<a b=c d='e f=\"g>",
    "entities.html": b"&amp;&#x41;&bogus;&#",
    "quotes.csv": b'"a,b\n',
    "braces.json": b'{"a": [',
    "lines.jsonl": b'{"a": "b"\n',
    "groups.rtf": b"{\\rtf1 {\\b a",
    "quoted.eml": b"> > a\n\nOn Monday x wrote:\n",
    "heads.mbox": b"From a@b Mon May  4 10:00:00 2026\nSubject: x\n\n",
    "roles.rst": b":a:`b |c| *d `e`_ .. f::\n\n",
    "braces.js": b"function a() {\n",
    "words.txt": b"a. B\n\n",
}


def problems(name, data):
    return [(one.kind, one.what, one.where) for one in try_reader(name, data).problems]


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_a_file_that_once_did_harm_does_none(file):
    assert problems(file.name, file.read_bytes()) == []


def test_there_is_a_sound_file_of_every_format():
    assert SOUND.keys() == {one.name for one in FORMATS.values()}
    for files in SOUND.values():
        for name, data in files.items():
            trial = try_reader(name, data)
            assert (trial.problems, dict(trial.foreign)) == ([], {}), name
            assert trial.extracted is not None, name


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(sorted(SOUND)), number=st.integers(0, 99), seed=st.integers(0, 2**32))
def test_a_file_with_some_things_wrong_is_refused_or_read(kind, number, seed):
    name, data = sorted(SOUND[kind].items())[number % len(SOUND[kind])]
    broken = Mutator("formats", SOUND[kind]).mutated(seed, name, data)
    assert problems(name, broken) == []


@settings(max_examples=150, deadline=None)
@given(suffix=st.sampled_from(sorted(FORMATS)), data=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_under_any_name_are_refused_or_read(suffix, data):
    assert problems(f"a{suffix}", data) == []


@pytest.mark.parametrize("name", NESTED)
def test_time_grows_with_the_size_of_a_file_and_not_with_its_square(name):
    data = NESTED[name] * (BYTES // len(NESTED[name]))
    assert format_of(name) is not None
    started = time.process_time()
    assert [kind for kind, _, _ in problems(name, data) if kind != "slow"] == []
    assert time.process_time() - started < SLOW_S  # with the square of the size it would be minutes
