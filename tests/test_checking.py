import pytest

from ragkit.errors import GoldError
from ragkit.evaluation.checking import Problem, check_suite, describe_broken
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.suite import Suite

TEXT = "Denver won 24 to 10.\n\nCarolina lost, and Gaga sang.\n"
ONE = GoldEvidence("docs/a.txt", 1, "Denver won", "Denver won 24 to 10.")
TWO = GoldEvidence("docs/a.txt", 2, "Carolina")


def ask(question="Who won?", answers=("Denver",), evidence=(ONE,), tags=("factoid",), **more):
    return GoldQuestion(more.pop("id", "q1"), question, tuple(answers), evidence=evidence, tags=tags, **more)


def at(path):
    return (GoldEvidence(f"docs/{path}", 1, "Denver"),)


@pytest.fixture
def check(tmp_path):
    docs = tmp_path / "docs"
    for name in ("a.txt", "notes.txt", ".hidden/h.txt", "old/o.txt", "table.xyz"):
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(TEXT, encoding="utf-8")
    (docs / "empty.txt").write_text("\n", encoding="utf-8")
    (docs / "scan.txt").write_bytes(b"%PDF-1.7")

    def check(*questions):
        return check_suite(Suite("tiny", (docs,), questions, exclude=("notes.*", "old")))

    return check


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(ask(), id="answer in its paragraph"),
        pytest.param(ask(answers=("denver", "the Broncos")), id="one of several wordings"),
        pytest.param(ask(evidence=(ONE, TWO), answers=("Gaga",)), id="one of several paragraphs"),
        pytest.param(ask(answers=("Yes",)), id="yes follows from a paragraph"),
        pytest.param(ask(answers=(), must_include=(("24",), ("ten", "10"))), id="all in the paragraph"),
        pytest.param(ask(answers=("They beat them.",), evidence_sentences=("Denver won 24 to 10.",)), id="long"),
        pytest.param(ask(answers=("Denver did it.",), answers_are_long=True), id="long by itself"),
        pytest.param(ask(answers=()), id="only the paragraph is known"),
        pytest.param(ask(answers=(), answerable=False), id="not answerable"),
        pytest.param(ask(evidence=()), id="only the answer is known"),
    ],
)
def test_a_sound_question_has_no_problem(check, question):
    assert check(question) == []


@pytest.mark.parametrize(
    ("question", "what"),
    [
        pytest.param(ask(answers=(), evidence=()), "neither answers nor must_include", id="nothing to judge by"),
        pytest.param(
            ask(answerable=False), "it has answers but is marked as not answerable", id="refusal with answers"
        ),
        pytest.param(ask(evidence=at("gone.txt")), "there is no document 'docs/gone.txt'", id="no document"),
        pytest.param(ask(evidence=(GoldEvidence("docs/a.txt", 3, "D"),)), "has 2 paragraphs", id="no paragraph"),
        pytest.param(ask(evidence=(GoldEvidence("docs/a.txt", 1, "Car"),)), "paragraph 2 does", id="other words"),
        pytest.param(ask(evidence=(GoldEvidence("docs/a.txt", 1, "D", "No."),)), "no sentence 'No.'", id="sentence"),
        pytest.param(ask(evidence=at("notes.txt")), "never indexed: it is hidden, excluded", id="excluded"),
        pytest.param(ask(evidence=at("old/o.txt")), "never indexed: it is hidden, excluded", id="excluded folder"),
        pytest.param(ask(evidence=at(".hidden/h.txt")), "never indexed: it is hidden, excluded", id="hidden"),
        pytest.param(ask(evidence=at("table.xyz")), "never indexed: ragkit does not read such", id="format"),
        pytest.param(ask(evidence=at("empty.txt")), "docs/empty.txt is empty", id="empty"),
        pytest.param(ask(evidence=at("scan.txt")), "looks binary", id="unreadable"),
    ],
)
def test_what_nobody_could_answer_rightly_is_an_error(check, question, what):
    (problem,) = check(question)
    assert (problem.question_id, problem.severity) == ("q1", "error")
    assert what in problem.what
    assert problem.cure


@pytest.mark.parametrize(
    ("question", "what"),
    [
        pytest.param(ask(answers=("Dallas", "Cowboys")), "'Dallas / Cowboys' stands in none", id="answer"),
        pytest.param(ask(answers=("Gaga",)), "'Gaga' stands in none", id="answer in another paragraph"),
        pytest.param(ask(answers=(), must_include=(("24",), ("11",))), "'11' stands in none", id="item"),
        pytest.param(ask(evidence_sentences=("Dallas lost.",)), "'Dallas lost.' stands in none", id="sentence"),
        pytest.param(ask(tags=(" ",)), "empty tag", id="blank tag"),
    ],
)
def test_what_somebody_should_look_at_is_a_warning(check, question, what):
    (problem,) = check(question)
    assert (problem.question_id, problem.severity) == ("q1", "warning")
    assert what in problem.what


def test_an_id_used_twice_and_a_question_asked_twice_are_told_once(check):
    problems = check(ask(), ask("Who lost?", ("Carolina",), (TWO,)), ask("Who, won?", id="q3"))
    assert [(p.question_id, p.severity, p.what) for p in problems] == [
        ("q1", "error", "its id is used more than once"),
        ("q3", "warning", "it asks the same as 'q1'"),
    ]


def test_a_question_without_tags_is_told_only_where_others_have_some(check):
    assert check(ask(tags=()), ask("Who lost?", id="q2", tags=(), answers=())) == []
    assert [p.question_id for p in check(ask(tags=()), ask("Who lost?", id="q2", answers=()))] == ["q1"]


def test_one_question_does_not_hide_the_next(check):
    problems = check(ask(evidence=(*at("gone.txt"), *at("notes.txt"))), ask("Who?", ("x",), id="q2"))
    assert [(p.question_id, p.severity) for p in problems] == [("q1", "error"), ("q1", "error"), ("q2", "warning")]


def test_a_suite_without_questions_is_a_problem(check):
    assert [str(problem) for problem in check()] == ["error: tiny holds no questions. Add some."]


def test_a_problem_is_one_line_with_the_cure():
    problem = Problem("q1", "warning", "it has an empty tag or none", "Tag it")
    assert str(problem) == "warning: question 'q1': it has an empty tag or none. Tag it."
    broken = describe_broken(GoldError("x.jsonl, line 3: not valid JSON."))
    assert str(broken) == "error: x.jsonl, line 3: not valid JSON. Correct it or take it out."
