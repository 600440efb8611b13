from dataclasses import replace

import pytest

from ragkit.evaluation.compare import compare_results
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.report.tables import code_span, failures, robustness_rows, to_pull_request
from ragkit.evaluation.robustness.perturb import Effect, Robustness
from tests.runs import HOSTILE, answer, mixed_rows, result, row


def test_failures_tell_the_step_to_blame():
    listed = failures(result(mixed_rows()))
    assert [(failure.id, failure.step) for failure in listed] == [
        ("wrong", "not-chosen"),
        ("shy", "refused"),
        ("broken", "untold"),
    ]
    assert listed[0].gold == "Denver (games.txt paragraph 1)"


def test_a_comment_has_the_main_figures_where_answers_were_lost_and_which():
    text = to_pull_request(result(mixed_rows()))
    assert text.startswith("### ragkit eval: `tiny`\n\n2 of 5 questions were answered rightly.")
    assert "| Right | 40.0\xa0% | 11.8 to 76.9\xa0% | 5 |" in text  # Wilson's interval of 2 in 5
    assert "Lost at, in the order of the steps: not chosen 1, refused without need 1, not known 1." in text
    assert "<details><summary>Went wrong: 3</summary>\n\n| id |" in text
    assert (
        "| `wrong` | `Who won wrong?` | `Carolina lost [1]` | `Denver (games.txt paragraph 1)` | Not chosen |" in text
    )


def test_a_comment_tells_what_changed_from_a_baseline():
    before = result([row(f"q{i}", 0.0, answer()) for i in range(8)])
    rows = [row(f"q{i}", 1.0, answer()) for i in range(8)]
    comparison = compare_results(before, result(rows, settings={"top_k": 7}))
    text = to_pull_request(comparison.after, comparison)
    assert "**Against 2026-01-01.** Better: answers_right." in text
    assert "Changed: `top_k` from `5` to `7`." in text
    assert "| `answers_right` | 0.0\xa0% | 100.0\xa0% | better: up 100 points |" in text
    assert "<summary>From wrong to right: 8</summary>" in text
    assert "From right to wrong" not in text


def test_a_long_comment_leaves_questions_out_and_says_how_many():
    rows = [row(f"q{i}", 0.0, answer("long " * 100)) for i in range(400)]
    text = to_pull_request(result(rows))
    assert 64_000 < len(text) <= 65_000
    listed = text.count("\n| `q")
    assert f"{400 - listed} more are left out here" in text
    assert text.endswith("</details>\n")
    assert len(to_pull_request(result(rows), most=700)) <= 700


@pytest.mark.parametrize(
    ("text", "span"),
    [
        pytest.param("@team and #12", "`@team and #12`", id="nobody is mentioned"),
        pytest.param("a `b` ``c``", "``` a `b` ``c`` ```", id="backticks"),
        pytest.param("a \\| b \\\\| c", "`a \\ | b \\\\ | c`", id="a bar behind a backslash"),
        pytest.param("two\n\n lines", "`two lines`", id="line ends"),
        pytest.param("\x1b[31m\u202e", "`�[31m�`", id="what cannot be printed"),
        pytest.param("x" * 400, f"`{'x' * 299}…`", id="too long"),
        pytest.param("  ", "", id="nothing"),
    ],
)
def test_words_of_documents_stand_in_code_spans(text, span):
    assert code_span(text) == span


def test_a_row_for_each_change_and_main_metric_tells_what_it_did():
    differences = {"answers_right": Estimate(-0.25, 4, -0.5, 0.0), "contains_gold": Estimate(0.0, 4, 0.0, 0.0)}
    effect = Effect("typos", 4, differences, fell=("a", "b"), rose=("c",), otherwise=("a", "b", "c"))
    assert robustness_rows(Robustness("tiny", "sha256:1", 0, (effect,))) == [
        ("typos", "answers_right", "−0.250", "−0.500 to 0.000", "4", "2", "1", "3"),
    ]


def test_hostile_words_do_not_break_out_of_their_cell():
    hostile = replace(row("odd", 0.0, answer(HOSTILE)), question="a | b")
    line = next(line for line in to_pull_request(result([hostile])).split("\n") if line.startswith("| `odd`"))
    assert "| `a \\| b` | ``</script><img" in line
    assert line.replace("\\|", "").count("|") == 6  # five cells
