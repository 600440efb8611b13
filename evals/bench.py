"""How long things take, as ratios to a named baseline in the same run, since machines differ and are noisy.

    make bench

Baselines: importing torch, transformers and sentence-transformers in a fresh process (nothing that uses them can start
faster); searching without answering; hashing the same files.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ragkit
from ragkit.evaluation.report.tables import markdown_table
from ragkit.index.folder import sha256_of

QUESTIONS = (
    "Where did Putin suggest meeting?",
    "Who is Putin's spokesman?",
    "Why does the letter matter for Europe?",
    "Which countries could host the talks?",
    "What kind of prisoner exchange is proposed?",
    "How many drones did Russia launch last night?",
)
RUNS = 3
IMPORTS = "import torch, transformers, sentence_transformers"


def main() -> None:
    """Measures and prints one Markdown table."""
    with tempfile.TemporaryDirectory() as folder:
        index = str(Path(folder) / "index")
        documents = sorted(Path("seeds").glob("*.txt"))
        kit = ragkit.build(documents, index)
        kit.ask(QUESTIONS[0])
        warm = statistics.median(_seconds(lambda q=q: kit.ask(q)) for _ in range(RUNS) for q in QUESTIONS)
        search = statistics.median(_seconds(lambda q=q: kit.search(q)) for _ in range(RUNS) for q in QUESTIONS)
        imports = _process(sys.executable, "-c", IMPORTS)
        fresh = _process(sys.executable, "-m", "ragkit", "ask", QUESTIONS[0], "--index", index)
        help_text = _process(sys.executable, "-m", "ragkit", "--help")
        unchanged = _seconds(lambda: kit.update(*documents))
        hashing = _seconds(lambda: [sha256_of(file) for file in documents])
    rows = [
        ("one question, warm (median)", warm, "searching for it, warm (median)", search),
        ("one question, fresh process", fresh, "importing the three libraries", imports),
        ("`ragkit --help`", help_text, "importing the three libraries", imports),
        ("indexing again, nothing changed", unchanged, "hashing the files", hashing),
    ]
    cells = [(name, f"{s:.3f}", baseline, f"{b:.4f}", f"{s / b:.2f}") for name, s, baseline, b in rows]
    print(markdown_table(("what", "seconds", "baseline", "seconds", "ratio"), cells))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _process(*command: str) -> float:
    """Median wall-clock seconds of a whole process."""
    return statistics.median(
        _seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(RUNS)
    )


if __name__ == "__main__":
    main()
