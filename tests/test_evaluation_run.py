import json
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ragkit.errors import GoldError, QuestionError, SettingsError
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.report import tables as report
from ragkit.evaluation.results import load_result
from ragkit.evaluation.running.cache import AnswerCache
from ragkit.evaluation.running.run import RunOptions, choose_clusters, draw_sample, run_suite
from ragkit.evaluation.suite import Suite
from ragkit.records import Answer, Citation, DocumentRef, Paragraph, Seconds, Sentence

TEXT = "Denver won 24 to 10.\n\nCarolina lost.\n"
EVIDENCE = (GoldEvidence("docs/a.txt", 1, "Denver"),)
QUESTIONS = (
    GoldQuestion("won", "Who won?", ("Denver",), evidence=EVIDENCE, tags=("factoid",)),
    GoldQuestion("score", "How many points?", ("24",), evidence=EVIDENCE, tags=("factoid", "number")),
    GoldQuestion("sang", "Who sang?", answerable=False, tags=("unanswerable",)),
    GoldQuestion("broken", "Who | broke it?", ("Carolina",), evidence=EVIDENCE, tags=("factoid",)),
)


def quoted(question, quote):
    start = TEXT.index(quote)
    paragraph = Paragraph(DocumentRef("docs/a.txt", "sha256:0"), 1, 0, 20, TEXT[:20])
    citation = Citation(1, paragraph, start, start + len(quote), quote, 1.0)
    sentence = Sentence(quote, (1,), "supported", 1.0, quoted=True)
    return Answer(question, f"{quote} [1]", False, None, 0.9, (sentence,), (citation,), "none", Seconds(0.25, 0.0, 0.0))


class ScriptedKit:
    """Answers the first question rightly and the second wrongly, refuses the third and fails at the fourth."""

    def ask(self, question):
        if "broke" in question:
            raise QuestionError("The question is broken.")
        if "sang" in question:
            return Answer(question, "Not known.", True, "no-evidence", 0.1, (), (), "none")
        return quoted(question, "Denver won" if "won" in question else "to 10.")


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text(TEXT, encoding="utf-8")
    return Suite("tiny", (tmp_path / "docs",), QUESTIONS)


@pytest.fixture
def result(suite):
    return run_suite(suite, ScriptedKit(), settings={"top_k": 5})


def test_each_question_is_a_row_and_an_error_does_not_end_the_run(result):
    assert [(row.id, row.right, row.error) for row in result.rows] == [
        ("won", True, None),
        ("score", False, None),
        ("sang", True, None),
        ("broken", False, "QuestionError: The question is broken."),
    ]
    assert result.rows[0].answer["id"] == "won"
    assert result.rows[0].gold["answers"] == ["Denver"]
    assert result.rows[3].answer is None


def test_metrics_are_means_over_the_questions_they_can_judge(result):
    found = {name: (estimate.mean, estimate.n) for name, estimate in result.metrics.items()}
    assert found["answers_right"] == (0.5, 4)  # won and sang of 4
    assert found["contains_gold"] == (pytest.approx(1 / 3), 3)  # won of 3 answerable
    assert found["first_citation_right"] == (1.0, 2)  # won and score were answered
    assert found["first_citation_right_all"] == (pytest.approx(2 / 3), 3)  # and broken counts as wrong
    assert found["refused_rightly"] == (1.0, 1)
    assert found["refused_wrongly"] == (0.0, 2)  # the broken one refused nothing
    assert found["quotes_exact"] == (1.0, 2)
    assert found["model_wording"] == (0.0, 2)
    assert found["words"] == (2.0, 2)  # (2 + 2) / 2
    assert found["seconds"][1] == 3


def test_metrics_come_by_tag_too(result):
    assert list(result.by_tag) == ["factoid", "number", "unanswerable"]
    assert result.by_tag["factoid"]["answers_right"].mean == pytest.approx(1 / 3)
    assert result.by_tag["unanswerable"]["answers_right"].n == 1
    assert "contains_gold" not in result.by_tag["unanswerable"]


def test_a_result_says_how_it_was_made(result, suite):
    assert result.settings == {"top_k": 5, "sample": None, "seed": 0}
    assert result.suite_hash == suite.fingerprint()
    assert {"python", "platform", "ragkit-qa", "numpy"} <= result.versions.keys()
    assert result.date.endswith("+00:00")
    assert (result.performance.questions, result.performance.errors) == (4, 1)
    assert 0 < result.performance.median_s < 1
    assert result.performance.steps_mean_s["retrieve"] == pytest.approx(0.5 / 3)  # (.25 + .25 + 0) / 3 answers


def test_a_quotation_that_is_not_in_the_file_any_more_is_noticed(suite):
    (suite.documents[0] / "a.txt").write_text(TEXT.replace("Denver", "Dallas"), encoding="utf-8")
    result = run_suite(suite, ScriptedKit(), settings={})
    assert result.metrics["quotes_exact"].mean == 0.5  # "Denver won" is gone, "to 10." still stands


def test_progress_is_told_after_each_question(suite):
    told = []
    run_suite(suite, ScriptedKit(), settings={}, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_sample_is_the_same_for_the_same_seed_and_in_order(suite):
    first = run_suite(suite, ScriptedKit(), settings={}, sample=2, seed=3)
    again = run_suite(suite, ScriptedKit(), settings={}, sample=2, seed=3)
    assert [row.id for row in first.rows] == [row.id for row in again.rows]
    assert len(first.rows) == 2
    assert first.suite_hash != suite.fingerprint()
    assert draw_sample(QUESTIONS, 99, 0) == list(QUESTIONS)
    with pytest.raises(SettingsError, match="at least one question"):
        run_suite(suite, ScriptedKit(), settings={}, sample=0)


def test_questions_are_resampled_by_document_or_by_paragraph_where_documents_are_few():
    assert set(choose_clusters(QUESTIONS).values()) == {"docs/a.txt#1", "sang"}
    many = [GoldQuestion(f"q{i}", "?", ("x",), evidence=(GoldEvidence(f"{i // 2}.txt", 1),)) for i in range(40)]
    assert choose_clusters(many)["q3"] == "1.txt"
    assert len(set(choose_clusters(many).values())) == 20


class CountingKit(ScriptedKit):
    """The same, and explains how it came to that; counts how often each question was asked."""

    def __init__(self):
        self.asked = []

    def explain(self, question):
        self.asked.append(question)
        stages = {"dense": ["docs/a.txt#1"], "reranked": ["docs/a.txt#2", "docs/a.txt#1"]}
        return SimpleNamespace(answer=super().ask(question), retrieved=SimpleNamespace(stages=lambda: stages))

    def ask(self, question):
        raise AssertionError("a kit that explains is asked to explain")


def look_back(gold, trace):
    if trace is None:
        return SimpleNamespace(blame="error", right_if_answered=None)
    return SimpleNamespace(blame="not-written", right_if_answered=1.0 if trace.answer.abstained else None)


def run(suite, kit, **options):
    return run_suite(suite, kit, settings={"top_k": 5}, options=RunOptions(**options))


def test_a_kit_that_explains_tells_what_was_found_at_each_stage(suite):
    result = run(suite, CountingKit())
    assert result.rows[0].retrieved["reranked"] == ["docs/a.txt#2", "docs/a.txt#1"]
    assert result.rows[3].retrieved == {}
    assert result.retrieval["dense"]["recall@1"].mean == pytest.approx(2 / 3)  # of won, score and broken, which failed
    assert result.retrieval["reranked"]["MRR"].mean == pytest.approx(1 / 3)  # (1/2 + 1/2 + 0) / 3
    assert result.curves.n >= 2


def test_what_lost_the_right_answer_is_looked_for_where_it_was_lost(suite):
    looked = []

    def noted(gold, trace):
        looked.append(gold.id)
        return look_back(gold, trace)

    result = run(suite, CountingKit(), look_back=noted)
    assert looked == ["score", "broken"]
    assert [row.blame for row in result.rows] == [None, "not-written", None, "error"]


def test_a_refused_question_keeps_whether_its_answer_would_have_been_right(suite):
    sang = replace(QUESTIONS[2], answerable=True, answers=("Beyoncé",))
    result = run(replace(suite, questions=(sang,)), CountingKit(), look_back=look_back)
    assert result.rows[0].values["right_if_answered"] == 1.0
    assert (result.curves.n, result.curves.coverage[0].wrong) == (1, 0.0)


def test_a_kit_that_cannot_explain_has_nothing_to_look_back_on(suite):
    result = run(suite, ScriptedKit(), look_back=look_back)
    assert [row.blame for row in result.rows] == [None] * 4
    assert result.retrieval == {}


def test_a_judge_lets_metrics_judge_that_could_not(suite):
    result = run(suite, ScriptedKit(), judge=lambda sentence, source: "Denver" in sentence)
    assert result.metrics["grounded"].mean == 0.5  # "Denver won" of the two answers
    assert "grounded" not in run(suite, ScriptedKit()).metrics


def test_an_error_that_nobody_foresaw_is_a_row_too(suite):
    class CrashingKit(ScriptedKit):
        def ask(self, question):
            if "points" in question:
                raise ZeroDivisionError("by zero")
            return super().ask(question)

    def crash(gold, trace):
        raise LookupError(gold.id)

    result = run(suite, CrashingKit())
    assert result.rows[1].error == "ZeroDivisionError: by zero"
    assert [row.right for row in result.rows] == [True, False, True, False]
    looked = run(suite, CountingKit(), look_back=crash)
    assert looked.rows[1].error == "looking back: LookupError: score"
    assert looked.rows[1].answer["answer"] == "to 10. [1]"
    assert looked.rows[3].error == "QuestionError: The question is broken."


def test_a_wish_to_stop_is_no_error_of_a_question(suite, tmp_path):
    class InterruptedKit(ScriptedKit):
        def ask(self, question):
            if "sang" in question:
                raise KeyboardInterrupt
            return super().ask(question)

    journal = tmp_path / "journal.jsonl"
    for jobs in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run_suite(suite, InterruptedKit(), settings=SERVER, options=RunOptions(journal=journal, jobs=jobs))
    assert journal.read_text().splitlines()


def test_an_answer_given_before_is_not_asked_for_again(suite, tmp_path):
    with AnswerCache.open(tmp_path / "cache.sqlite") as cache:
        kit = CountingKit()
        first = run(suite, kit, cache=cache, look_back=look_back)
        again = run(suite, kit, cache=cache, look_back=look_back)
    assert kit.asked == [question.question for question in QUESTIONS] + ["Who | broke it?"]  # errors are not kept
    assert [row.is_cached for row in again.rows] == [True, True, True, False]
    assert [row.values for row in again.rows] == [row.values for row in first.rows]
    assert [row.retrieved for row in again.rows] == [row.retrieved for row in first.rows]
    assert [row.blame for row in again.rows] == [row.blame for row in first.rows]
    assert again.metrics == first.metrics


@pytest.mark.parametrize(
    ("settings", "index", "is_fresh"),
    [
        pytest.param({"top_k": 6}, "one", False, id="other settings"),
        pytest.param({"top_k": 5}, "two", False, id="other index"),
        pytest.param({"top_k": 5}, "one", True, id="fresh"),
    ],
)
def test_what_could_come_out_differently_is_asked_again(suite, tmp_path, settings, index, is_fresh):
    file, kit = tmp_path / "cache.sqlite", CountingKit()
    with AnswerCache.open(file) as cache:
        run(suite, kit, cache=cache, index="one")
    with AnswerCache.open(file, is_fresh=is_fresh) as cache:
        result = run_suite(suite, kit, settings=settings, options=RunOptions(cache=cache, index=index))
    assert len(kit.asked) == 8
    assert not any(row.is_cached for row in result.rows)


def test_gold_that_was_corrected_judges_the_answers_given_before(suite, tmp_path):
    kit = CountingKit()
    with AnswerCache.open(tmp_path / "cache.sqlite") as cache:
        run(suite, kit, cache=cache, look_back=look_back)
        corrected = replace(suite, questions=(QUESTIONS[0], replace(QUESTIONS[1], answers=("10",))))
        result = run(corrected, kit, cache=cache, look_back=look_back)
        assert (result.rows[1].right, result.rows[1].blame) == (True, None)
        doubtful = replace(suite, questions=(replace(QUESTIONS[0], answers=("Dallas",)),))
        assert run(doubtful, kit, cache=cache, look_back=look_back).rows[0].blame == "not-written"
    assert len(kit.asked) == 5  # only what is to be looked back on without a trace is asked again


SERVER = {"model": "openai:http://localhost/v1#some"}


def test_a_model_server_is_asked_several_questions_at_once_and_rows_keep_their_order(suite):
    meeting = threading.Barrier(2, timeout=10)

    class ServedKit(ScriptedKit):
        first = True

        def ask(self, question):
            if self.first:
                self.first = False  # nobody else asks until the models are there
                time.sleep(0.01)
            elif "broke" not in question:
                meeting.wait()  # two must be here at once
            return super().ask(question)

    told = []
    served = replace(suite, questions=QUESTIONS[:3])
    options = RunOptions(jobs=2)
    result = run_suite(
        served, ServedKit(), settings=SERVER, options=options, on_progress=lambda *done: told.append(done)
    )
    assert [row.id for row in result.rows] == ["won", "score", "sang"]
    assert [row.error for row in result.rows] == [None] * 3
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_model_on_this_machine_is_asked_one_question_at_a_time(suite):
    class ShyKit(ScriptedKit):
        def ask(self, question):
            assert threading.current_thread() is threading.main_thread()
            return super().ask(question)

    assert [row.error for row in run(suite, ShyKit(), jobs=8).rows[:3]] == [None] * 3
    with pytest.raises(SettingsError, match="at least one job"):
        run(suite, ShyKit(), jobs=0)


def test_progress_of_a_resumed_run_begins_where_it_was(suite, tmp_path):
    journal, told = tmp_path / "journal.jsonl", []
    run(suite, ScriptedKit(), journal=journal)
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:3]))
    options = RunOptions(journal=journal, resume=True)
    run_suite(suite, ScriptedKit(), settings={"top_k": 5}, options=options, on_progress=lambda *d: told.append(d))
    assert told == [(2, 4), (3, 4), (4, 4)]


def test_a_result_is_read_back_as_it_was_written(result, tmp_path):
    (tmp_path / "result.json").write_text(result.to_json(), encoding="utf-8")
    assert load_result(tmp_path / "result.json") == result


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({"format": 1}), json.dumps({"format": 0})])
def test_another_file_is_no_result(tmp_path, text):
    (tmp_path / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(GoldError, match=r"result\.json .*ragkit"):
        load_result(tmp_path / "result.json")


def test_the_summary_has_value_interval_and_n(result):
    rows = {row[0]: row[1:] for row in report.summary_rows(result)}
    assert rows["answers_right"] == ("0.500", "0.150 to 0.850", "4")  # Wilson: (.5 -/+ .35)
    assert rows["words"] == ("2.0", "2.0 to 2.0", "2")


def test_the_table_by_tag_has_a_row_for_each_tag(result):
    assert report.tag_header(result)[:4] == ("tag", "questions", "answers_right", "contains_gold")
    assert report.tag_rows(result)[2] == ("unanswerable", "1", "1.000 (1)", "–", "–", "1.000 (1)", "–")


def test_failures_show_question_answer_and_gold(result):
    wrong = report.failures(result)
    assert [failure.id for failure in wrong] == ["score", "broken"]
    assert wrong[0].answer == "to 10. [1]"
    assert wrong[0].gold == "24 (docs/a.txt paragraph 1)"
    assert wrong[1].answer == "QuestionError: The question is broken."


def test_markdown_holds_both_tables_and_the_time(result):
    text = report.to_markdown(result)
    assert text.startswith("**tiny**: 4 questions, 1 errors, 20")
    assert "| metric | value | 95 % interval | n |\n| --- | --- | --- | --- |\n| answers_right | 0.500 |" in text
    assert "| unanswerable | 1 |" in text
    assert "Seconds a question: median" in text
    assert report.markdown_table(["a|b"], [["c"]]) == "| a\\|b |\n| --- |\n| c |"
