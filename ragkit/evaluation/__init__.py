"""Gold questions to metrics with intervals: load a suite, run it, report it, gate on it, compare two runs."""

from ragkit.evaluation.compare import Comparison, compare_results
from ragkit.evaluation.datasets import load_suite
from ragkit.evaluation.gate import find_misses, parse_thresholds
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, load_questions
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.results import EvalResult, Row, load_result
from ragkit.evaluation.running.run import Asker, run_suite
from ragkit.evaluation.suite import Suite

__all__ = [
    "Asker",
    "Comparison",
    "Estimate",
    "EvalResult",
    "GoldEvidence",
    "GoldQuestion",
    "Row",
    "Suite",
    "compare_results",
    "find_misses",
    "load_questions",
    "load_result",
    "load_suite",
    "parse_thresholds",
    "run_suite",
]
