import pytest

from ragkit.errors import InputError
from ragkit.evaluation.gold import GoldQuestion
from ragkit.evaluation.robustness.distractors import find_distractors
from ragkit.evaluation.suite import Suite

QUESTIONS = (
    GoldQuestion("won", "Who won?", ("The Denver Broncos",)),
    GoldQuestion("teams", "Which teams played?", must_include=(("Carolina", "the Panthers"),)),
    GoldQuestion("sang", "Who sang at the final?", answerable=False),
)
FILES = {
    "answer.txt": "It rained.\n\nThey say the Denver-Broncos came. The Denver Broncos!\n",
    "entry.txt": "PANTHERS live in forests.\n",
    "topic.txt": "Nobody sang before the final.\n",
    "topics apart.txt": "Nobody sang.\n\nThe final came.\n",
    "a.txt": "A name that is taken.\n",
    "empty.txt": "",
    "picture.png": "not read",
    "whales.md": "# Whales\n\nWhales swim. Denverton is no city.\n",
    "more/stones.txt": "Stones lie.\n",
}


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("Denver won.\n")
    return Suite("tiny", (tmp_path / "docs",), QUESTIONS)


@pytest.fixture
def noise(tmp_path):
    for name, text in FILES.items():
        file = tmp_path / "noise" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "noise"


def test_only_documents_that_answer_no_question_are_taken(suite, noise):
    found = find_distractors(suite, 3, [noise])
    assert {file.name for file in found} == {"topics apart.txt", "whales.md", "stones.txt"}


def test_the_same_seed_draws_the_same_ones(suite, noise):
    drawn = [find_distractors(suite, 1, [noise], seed=seed) for seed in (1, 1, 2, 3, 4, 5)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_the_documents_of_the_suite_itself_are_none(suite, noise, tmp_path):
    assert "a.txt" not in {file.name for file in find_distractors(suite, 3, [noise, tmp_path / "docs"])}


def test_by_default_they_come_from_other_suites(suite, noise, tmp_path, monkeypatch):
    (tmp_path / "evals" / "other").mkdir(parents=True)
    noise.rename(tmp_path / "evals" / "other" / "documents")
    monkeypatch.chdir(tmp_path)
    assert len(find_distractors(suite, 3)) == 3


def test_too_few_are_an_error_that_says_what_to_do(suite, noise):
    with pytest.raises(InputError, match=r"only 3 cannot answer a question of 'tiny', but 4 are needed.*distractors:"):
        find_distractors(suite, 4, [noise])
    with pytest.raises(InputError, match="does not exist"):
        find_distractors(suite, 1, [noise / "nowhere"])
