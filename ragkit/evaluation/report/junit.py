"""A result to JUnit's XML, as CI systems read it: a test case for every question. Called by the command line."""

import re
from xml.etree import ElementTree as ET

from ragkit.evaluation.report.headlines import describe_step, is_failure
from ragkit.evaluation.report.tables import Failure, describe_failure
from ragkit.evaluation.results import EvalResult, Row

HEAD = '<?xml version="1.0" encoding="utf-8"?>'
NOT_XML = re.compile("[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that XML 1.0 does not allow, not even as references (section 2.2)."""


def to_junit(result: EvalResult) -> str:
    """The result as one XML document: wrong answers are failures, errors are errors, what cannot be judged is skipped.

    What XML cannot hold stands there as "�".
    """
    cases = [_case(result.suite, row) for row in result.rows]
    totals = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": f"{sum(_seconds(row) for row in result.rows):.3f}",
    }
    name = _clean(result.suite)
    whole = ET.Element("testsuites", {"name": "ragkit eval", **totals})
    suite = ET.SubElement(whole, "testsuite", {"name": name, "timestamp": result.date[:19], **totals})
    suite.extend(cases)
    ET.indent(whole)
    return f"{HEAD}\n{ET.tostring(whole, encoding='unicode')}\n"


def _case(suite: str, row: Row) -> ET.Element:
    names = {"classname": _clean(suite), "name": _clean(f"{row.id}: {row.question}")}
    case = ET.Element("testcase", {**names, "time": f"{_seconds(row):.3f}"})
    failure = describe_failure(row)
    if row.error is not None:
        _add(case, "error", row.error.partition(":")[0], row.error, failure)
    elif is_failure(row):
        _add(case, "failure", failure.step or "", f"said: {failure.answer}", failure)
    elif row.right is None:
        ET.SubElement(case, "skipped", message="neither the answer nor its citation can be judged")
    return case


def _add(case: ET.Element, kind: str, type_: str, message: str, failure: Failure) -> None:
    """Puts in what went wrong: in one line, and with what was looked for and the step to blame."""
    lines = [f"asked: {failure.question}", f"said: {failure.answer}", f"looked for: {failure.gold}"]
    if failure.step:
        lines.append(f"lost at: {failure.step}. {describe_step(failure.step)}")
    found = ET.SubElement(case, kind, type=_clean(type_), message=_clean(" ".join(message.split())))
    found.text = _clean("\n".join(lines))


def _seconds(row: Row) -> float:
    return row.values.get("seconds") or 0.0


def _clean(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
