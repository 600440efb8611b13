"""A long run that is killed again and again goes on where it was, and says in the end what an unbroken one says."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from ragkit.evaluation.gold import GoldQuestion
from ragkit.evaluation.running.run import RunOptions, run_suite
from ragkit.evaluation.suite import Suite
from ragkit.records import Answer

QUESTIONS = tuple(
    GoldQuestion(f"q{n}", f"What is number {n}?", (str(n),), answerable=n % 5 != 0, tags=("even" if n % 2 else "odd",))
    for n in range(600)
)
KILLED_AFTER = (3, 40, 41, 200, 450, 599)
"""So many questions were asked, in all, when the process was killed."""

PROCESSES = multiprocessing.get_context("fork")


class LoggingKit:
    """Refuses every third question, and writes down what it was asked before it answers."""

    def __init__(self, log: Path):
        self.log = log

    def ask(self, question: str) -> Answer:
        with self.log.open("a", encoding="utf-8") as opened:
            opened.write(f"{question}\n")
        abstains = int(question.rsplit(maxsplit=1)[-1].rstrip("?")) % 3 == 0
        return Answer(question, f"It is {question}", abstains, None, 0.5, (), (), "none")


def asked_in(log):
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def run(folder, name):
    (folder / "docs").mkdir(exist_ok=True)
    suite = Suite("long", (folder / "docs",), QUESTIONS)
    options = RunOptions(journal=folder / f"{name}.journal.jsonl", resume=True)
    return run_suite(suite, LoggingKit(folder / f"{name}.log"), settings={}, options=options)


def figures(result):
    metrics = {name: estimate for name, estimate in result.metrics.items() if name != "seconds"}
    return metrics, [(row.id, row.right, row.answer) for row in result.rows]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_run_of_600_questions_that_is_killed_asks_none_that_has_a_row_again_and_ends_alike(tmp_path):
    log, journal = tmp_path / "broken.log", tmp_path / "broken.journal.jsonl"
    for asked in KILLED_AFTER:
        before = len(asked_in(log))
        kept = {json.loads(line)["question"] for line in journal.read_text().splitlines()[1:]} if before else set()
        process = PROCESSES.Process(target=run, args=(tmp_path, "broken"))
        process.start()
        while process.is_alive() and len(asked_in(log)) < asked:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert not kept & set(asked_in(log)[before:])
    result = run(tmp_path, "broken")
    assert len(asked_in(log)) <= len(QUESTIONS) + len(KILLED_AFTER)  # at most the one under way when it was killed
    assert figures(result) == figures(run(tmp_path, "whole"))
