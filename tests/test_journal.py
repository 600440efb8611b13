"""Rows on the disk as they come, and what is left of a run that is killed."""

import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ragkit.errors import InputError, StorageError
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.results import Row
from ragkit.evaluation.running.journal import Journal, journal_beside
from ragkit.evaluation.running.run import RunOptions, run_suite
from ragkit.evaluation.suite import Suite
from ragkit.records import Answer

QUESTIONS = 600
MADE_OF = {"suite": "tiny", "suite_hash": "sha256:1", "settings": {"style": "full", "seed": 0}, "code": "ab"}

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["test_journal"])


def row(id, **known):
    values = {"answers_right": 1.0, "seconds": 0.1 + 0.2, "rouge_l": None}
    return Row(id, "Who | won?", ("a", "b"), {"id": id}, "a.txt#1", {"answer": "é\n😀"}, None, values, **known)


ROWS = [row("q1", retrieved={"dense": ["a.txt#1", "b#2.txt#3"]}), row("q2", blame="refused")]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "results" / "tiny.journal.jsonl"


def write(file, rows=ROWS, made_of=MADE_OF):
    with Journal.open(file, made_of, resume=False) as journal:
        for one in rows:
            journal.add(one)


def read(file, made_of=MADE_OF):
    with Journal.open(file, made_of, resume=True) as journal:
        return list(journal.rows.values())


def test_rows_come_back_as_they_were(file):
    write(file)
    assert read(file) == ROWS


def test_a_journal_that_is_not_resumed_is_begun_anew(file):
    write(file)
    write(file, ROWS[1:])
    assert read(file) == ROWS[1:]


def test_where_there_is_no_journal_there_is_nothing_to_resume(file):
    assert read(file) == []
    assert file.is_file()


def test_a_journal_lies_beside_its_result():
    assert journal_beside(Path("out/seeds-2026.json")) == Path("out/seeds-2026.journal.jsonl")


@pytest.mark.parametrize(
    "tear",
    [
        pytest.param(lambda content: content[:-1], id="line end missing"),
        pytest.param(lambda content: content[:-40], id="half a row"),
        pytest.param(lambda content: content[:-40] + b"\0" * 39 + b"\n", id="zeros after a power cut"),
    ],
)
def test_a_last_line_that_was_torn_is_dropped_and_the_next_row_stands_alone(file, tear):
    write(file)
    file.write_bytes(tear(file.read_bytes()))
    with Journal.open(file, MADE_OF, resume=True) as journal:
        assert list(journal.rows.values()) == ROWS[:1]
        journal.add(ROWS[1])
    assert read(file) == ROWS


def test_a_line_broken_in_the_middle_is_not_passed_over(file):
    write(file)
    header, _, last = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(header + b'{"id": "q1"}\n' + last)
    with pytest.raises(InputError, match=r"journal\.jsonl, line 2 is not a row.*leave out --resume"):
        read(file)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param(
            {"settings": {"style": "short", "seed": 0}}, 'settings.style was "full", now "short"', id="settings"
        ),
        pytest.param({"settings": {"style": "full"}}, "settings.seed was 0, now null", id="a setting gone"),
        pytest.param({"suite_hash": "sha256:2"}, "questions or documents changed", id="suite"),
        pytest.param({"code": "cd"}, "code of ragkit changed", id="code"),
    ],
)
def test_a_journal_of_another_run_is_refused_with_what_differs(file, changed, said):
    write(file)
    with pytest.raises(InputError, match="is of another run") as error:
        read(file, MADE_OF | changed)
    assert said in str(error.value)
    assert "leave out --resume" in str(error.value)
    assert read(file) == ROWS


@pytest.mark.parametrize("content", [b"", b"{}\n", b"a letter\n", b'{"format": 99}\n'])
def test_another_file_is_no_journal(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"not a journal.*leave out --resume"):
        read(file)
    assert file.read_bytes() == content


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file/a\.jsonl cannot be used.*--out"):
        write(tmp_path / "file" / "a.jsonl")


class LoggingKit:
    """Writes down what it is asked and answers rightly every second time; is killed when asked a fatal question."""

    def __init__(self, log, fatal=""):
        self.log, self.fatal = log, fatal

    def ask(self, question):
        if question == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        with self.log.open("a") as log:
            log.write(question + "\n")
        text = "Denver" if int(question.split()[-1]) % 2 else "Dallas"
        return Answer(question, text, False, None, 0.5, (), (), "none")


def ask_all(place, fatal="", count=QUESTIONS):
    evidence = (GoldEvidence("docs/a.txt", 1, "Denver"),)
    asked = (GoldQuestion(f"q{n}", f"Who won {n}", ("Denver",), evidence=evidence) for n in range(count))
    suite = Suite("many", (place / "docs",), tuple(asked))
    options = RunOptions(journal=place / "journal.jsonl", resume=True)
    return run_suite(suite, LoggingKit(place / "log", fatal), settings={}, options=options)


def figures(result):
    """Without dates and the clock."""
    rows = [replace(one, values={**one.values, "seconds": 0.0}) for one in result.rows]
    return rows, {name: value for name, value in result.metrics.items() if name != "seconds"}, result.by_tag


@pytest.fixture
def place(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("Denver won.\n")
    return tmp_path


def test_a_run_of_600_questions_killed_again_and_again_asks_nothing_twice_and_finds_the_same(place):
    for fatal in ("Who won 3", "Who won 250", "Who won 599"):
        process = PROCESSES.Process(target=ask_all, args=(place, fatal))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        assert len((place / "log").read_text().splitlines()) == int(fatal.split()[-1])
    resumed = ask_all(place)
    assert (place / "log").read_text().splitlines() == [f"Who won {n}" for n in range(QUESTIONS)]
    (place / "journal.jsonl").unlink()
    assert figures(resumed) == figures(ask_all(place))
    assert resumed.metrics["answers_right"].mean == 0.5  # every second of 600


def test_a_run_killed_at_any_moment_asks_at_most_one_question_twice(place):
    process = PROCESSES.Process(target=ask_all, args=(place, "", 200))
    process.start()
    while not (place / "log").exists() or len((place / "log").read_text().splitlines()) < 30:
        time.sleep(0.001)
    process.kill()
    process.join()
    assert len((place / "log").read_text().splitlines()) < 200
    assert len(ask_all(place, count=200).rows) == 200
    asked = Counter((place / "log").read_text().splitlines())
    assert len(asked) == 200
    assert asked.total() <= 201


def test_the_journal_of_a_run_says_what_it_is_made_of(place):
    ask_all(place, count=1)
    header = json.loads((place / "journal.jsonl").read_text().splitlines()[0])
    assert {"suite_hash", "settings", "index", "versions", "code", "judge", "look_back"} <= header.keys()
