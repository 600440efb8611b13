import json
import random
import re

import pytest
from rapidfuzz.distance import OSA

from ragkit.errors import QuestionError, SettingsError
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.robustness.perturb import (
    Change,
    Variant,
    load_robustness,
    measure_effect,
    parse_changes,
    perturb,
    plan_variants,
    run_perturbed,
)
from ragkit.evaluation.running.run import run_suite
from ragkit.evaluation.suite import Suite
from ragkit.records import Answer

QUESTION = "Which Broncos quarterback scored 12345 points for Denver in 2016?"
EVIDENCE = (GoldEvidence("docs/a.txt", 1, "Denver"),)
QUESTIONS = (
    GoldQuestion("won", "Who won the Cup?", ("Denver",), evidence=EVIDENCE),
    GoldQuestion("lost", "Who lost the Cup?", ("Carolina",), evidence=EVIDENCE),
    GoldQuestion("sang", "WHO SANG", answerable=False),
    GoldQuestion("said", "He said?", ("no",), evidence=EVIDENCE),
)


@pytest.fixture
def suite(tmp_path):
    for name in "abcdefgh":
        file = tmp_path / "docs" / f"{name}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"Denver won, {name}.\n")
        (tmp_path / "noise").mkdir(exist_ok=True)
        (tmp_path / "noise" / f"noise-{name}.txt").write_text(f"Whales swim, {name}.\n")
    return Suite("tiny", (tmp_path / "docs",), QUESTIONS)


class CarefulKit:
    """Knows who won and who lost, if the question is written as it should be, and refuses everything else."""

    def __init__(self):
        self.times = 0

    def ask(self, question):
        known = {"Who won the Cup?": "Denver", "Who lost the Cup?": "Carolina", "who won the cup": "Dallas"}
        if question == "WHO LOST THE CUP?":
            raise QuestionError("Do not shout.")
        said = known.get(question, "")
        return Answer(question, said or "Not known.", not said, None if said else "no-evidence", 0.5, (), (), "none")


@pytest.mark.parametrize("seed", range(20))
def test_a_typo_is_one_slip_in_one_or_two_long_words_and_spares_numbers_and_first_letters(seed):
    changed = perturb(QUESTION, "typos", random.Random(seed))
    pairs = [(old, new) for old, new in zip(QUESTION.split(), changed.split(), strict=True) if old != new]
    assert 1 <= len(pairs) <= 2
    for old, new in pairs:
        assert old in {"Broncos", "quarterback", "scored", "points", "Denver"}
        assert old[0] == new[0]
        assert OSA.distance(old, new) == 1
    assert re.findall(r"\d+", changed) == ["12345", "2016"]


def test_over_many_seeds_letters_are_swapped_doubled_and_left_out():
    lengths = {len(perturb("quarterback", "typos", random.Random(seed))) for seed in range(30)}
    assert lengths == {10, 11, 12}  # of 11 letters


def test_case_makes_a_question_small_or_loud():
    assert {perturb("Who won?", "case", random.Random(seed)) for seed in range(9)} == {"who won", "WHO WON?"}
    assert perturb("who won", "case", random.Random(0)) == "WHO WON"


def test_a_paraphrase_is_one_of_several_and_the_same_for_one_seed():
    drawn = [perturb("Who won?", "paraphrase", random.Random(seed)) for seed in (1, 1, 2, 3, 4, 5, 6)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


@pytest.mark.parametrize(
    ("kind", "question"),
    [("typos", "Who won in 2016?"), ("paraphrase", "He won?"), ("shuffle", "Who?"), ("case", "1 + 1")],
)
def test_where_there_is_nothing_to_change_the_question_stays(kind, question):
    assert perturb(question, kind, random.Random(0)) == question


def test_changes_are_read_from_the_command_line():
    assert parse_changes(["typos, case", "distractors:0.5,typos"]) == (
        Change("typos"),
        Change("case"),
        Change("distractors", 0.5),
    )
    assert [str(change) for change in parse_changes(["repeat:3,distractors"])] == ["repeat:3", "distractors"]


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("tipos", "known: typos, case"),
        ("", "known: typos"),
        ("distractors:many", r"distractors:2"),
        ("distractors:0", r"Write distractors:0\.5"),
        ("repeat:1.5", "repeat:3"),
        ("typos:2", "or typos"),
        ("distractors:nan", r"Write distractors:0\.5"),
    ],
)
def test_a_change_that_is_none_is_refused_with_the_cure(text, cure):
    with pytest.raises(SettingsError, match=cure):
        parse_changes([text])


def test_questions_that_a_change_leaves_alone_are_not_asked_again(suite):
    (variant,) = plan_variants(suite, Change("paraphrase"))
    assert [gold.id for gold in variant.suite.questions] == ["won", "lost", "sang"]
    assert variant.documents is None
    (again,) = plan_variants(suite, Change("paraphrase"))
    assert again == variant
    unchanged = Suite("none", suite.documents, QUESTIONS[3:])
    assert plan_variants(unchanged, Change("paraphrase")) == []


def test_a_sample_is_changed_as_the_whole_is(suite):
    (whole,) = plan_variants(suite, Change("case"), seed=5)
    (part,) = plan_variants(Suite("part", suite.documents, QUESTIONS[1:2]), Change("case"), seed=5)
    assert part.suite.questions[0] in whole.suite.questions


def test_shuffled_documents_are_the_same_in_another_order(suite):
    (variant,) = plan_variants(suite, Change("shuffle"), seed=1)
    names = [file.name for file in variant.documents]
    assert sorted(names) == [f"{name}.txt" for name in "abcdefgh"]
    assert names != sorted(names)
    assert variant.suite == suite


def test_distractors_come_in_the_ratio_asked_for(suite, tmp_path):
    (variant,) = plan_variants(suite, Change("distractors", 0.3), places=[tmp_path / "noise"])
    assert (len(variant.documents), variant.added) == (11, 3)  # 8 and 0.3 * 8 = 2.4, rounded up
    assert len(variant.suite.list_files()) == 11


def test_a_repetition_is_asked_anew(suite):
    assert plan_variants(suite, Change("repeat", 2)) == [Variant(Change("repeat", 2), suite, is_fresh=True)] * 2


def test_an_effect_tells_how_far_metrics_fall_and_which_questions_fell(suite):
    plain = run_suite(suite, CarefulKit(), settings={})
    variants = [Variant(Change("case"), Suite("tiny", suite.documents, asked)) for asked in [loud(QUESTIONS[:3])]]
    effect = measure_effect(Change("case"), plain, [run_suite(v.suite, CarefulKit(), settings={}) for v in variants])
    assert effect.n == 3
    assert effect.differences["answers_right"].mean == pytest.approx(-2 / 3)  # won and lost are gone, sang stays
    assert effect.differences["refused_wrongly"].mean == 1.0  # won was not refused before; lost ended in an error
    assert effect.differences["refused_wrongly"].n == 1
    assert effect.fell == ("won", "lost")
    assert effect.rose == ()
    assert effect.otherwise == ("won", "lost")
    assert effect.questions == {"won": "WHO WON THE CUP?", "lost": "WHO LOST THE CUP?"}


def loud(questions):
    return tuple(GoldQuestion(**{**fields(q), "question": q.question.upper()}) for q in questions)


def fields(question):
    return {name: getattr(question, name) for name in question.__slots__}


def test_each_change_is_asked_and_the_whole_is_read_back_from_json(suite, tmp_path):
    kit, asked = CarefulKit(), []

    def ask(variant):
        asked.append(variant)
        return run_suite(variant.suite, kit, settings={})

    plain = run_suite(suite, kit, settings={}, sample=3, seed=1)
    changes = parse_changes(["paraphrase,distractors,shuffle,repeat:2"])
    found = run_perturbed(suite, plain, changes, ask, seed=7, places=[tmp_path / "noise"])
    assert [str(variant.change) for variant in asked] == ["paraphrase", "distractors", "shuffle", *["repeat:2"] * 2]
    assert all({gold.id for gold in v.suite.questions} <= {row.id for row in plain.rows} for v in asked)
    assert [effect.change for effect in found.effects] == ["paraphrase", "distractors", "shuffle", "repeat:2"]
    assert (found.effects[1].documents, found.effects[1].n) == (8, 3)
    assert all(effect.fell == () for effect in found.effects[1:])
    assert load_robustness(json.loads(found.to_json())) == found


def test_repetitions_tell_the_variance_of_each_metric(suite):
    class ForgetfulKit(CarefulKit):
        def ask(self, question):
            self.times += 1
            return super().ask(question if self.times <= 8 else "?")

    kit = ForgetfulKit()
    plain = run_suite(suite, kit, settings={})
    results = [run_suite(suite, kit, settings={}) for _ in range(2)]
    effect = measure_effect(Change("repeat", 2), plain, results)
    # right of 4 are 3 (won, lost, sang), 3, and 1 (sang): variance of 0.75, 0.75, 0.25 is (2 * (1/6)^2 + (1/3)^2) / 2
    assert effect.variances["answers_right"] == pytest.approx((2 / 36 + 1 / 9) / 2)
    assert "seconds" not in effect.variances
    # for won and lost the mean of both repetitions is 0.5 lower: (-0.5 - 0.5 + 0 + 0) / 4
    assert effect.differences["answers_right"].mean == pytest.approx(-0.25)
    assert effect.fell == ("won", "lost")
    steady = measure_effect(Change("repeat"), plain, [plain])
    assert set(steady.variances.values()) == {0.0}
