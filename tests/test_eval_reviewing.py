import json

import pytest

from ragkit.errors import GoldError
from ragkit.evaluation.drafting.review import PROMPT, Reviewed, review_file
from ragkit.evaluation.gold import load_questions

PARAGRAPHS = {
    ("docs/a.txt", 1): "It is red. The bridge was opened in\n1998. It\x1b[31m rusts.",
    ("docs/a.txt", 2): "The bridge has a lamp and a rope. It was painted in 2004.",
}
WHEN = {
    "id": "when",
    "question": "When was the bridge opened?",
    "answers": ["1998"],
    "evidence": [
        {
            "document": "docs/a.txt",
            "paragraph": 1,
            "starts_with": "It is red.",
            "sentence": "The bridge was opened in 1998.",
        }
    ],
    "answerable": True,
    "tags": ["unreviewed", "when"],
}
LIST = {
    "id": "list",
    "question": "What does the bridge have?",
    "must_include": [["lamp", "light"], ["rope"]],
    "evidence": [{"document": "docs/a.txt", "paragraph": 2, "starts_with": "The bridge has"}],
    "tags": ["unreviewed", "list"],
}
ABSENT = {"id": "absent", "question": "Who paid?", "answerable": False, "tags": ["unreviewed", "unanswerable"]}
REVIEWED = b'{"id":"old",  "question": "Who?", "answers": ["A"], "tags": ["seen"]}\n'


class Person:
    """Types what is scripted, and remembers what was shown and asked."""

    def __init__(self, *typed):
        self.typed = list(typed)
        self.shown = []
        self.asked = []

    def ask(self, prompt):
        self.asked.append(prompt)
        return self.typed.pop(0) if self.typed else None

    def review(self, file):
        return review_file(file, self.ask, self.shown.append, lambda path, number: PARAGRAPHS.get((path, number)))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "q.jsonl"
    lines = [json.dumps(entry).encode() + b"\r\n" for entry in (WHEN, LIST, ABSENT)]
    path.write_bytes(b"".join([lines[0], REVIEWED, *lines[1:]]))
    return path


def lines(file):
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def test_a_question_is_shown_with_its_answer_and_the_marked_sentence(file):
    person = Person("q")
    person.review(file)
    assert person.shown == [
        "\nQuestion 1 of 3: when",
        "  When was the bridge opened?",
        "  Answer: 1998",
        "  docs/a.txt, paragraph 1:",
        "    It is red. >>> The bridge was opened in 1998. <<< It [31m rusts.",
    ]
    assert person.asked == [PROMPT]


def test_accepting_takes_the_tag_away_and_touches_no_other_line(file):
    before = file.read_bytes().splitlines(keepends=True)
    result = Person("a", "quit").review(file)
    after = file.read_bytes().splitlines(keepends=True)
    assert result == Reviewed(accepted=1, edited=0, rejected=0, skipped=0, left=2)
    assert lines(file)[0] == WHEN | {"tags": ["when"]}
    assert after[0].endswith(b"\r\n")
    assert after[1:] == before[1:]


def test_a_review_is_taken_up_where_it_was_left(file):
    assert Person("accept", "s").review(file) == Reviewed(1, 0, 0, 1, 2)
    person = Person("r", "a")
    assert person.review(file) == Reviewed(1, 0, 1, 0, 0)
    assert person.shown[0] == "\nQuestion 1 of 2: list"
    assert [entry["id"] for entry in lines(file)] == ["when", "old", "absent"]
    assert Person().review(file) == Reviewed(0, 0, 0, 0, 0)


def test_every_decision_is_written_at_once(file):
    written = []

    def ask(prompt):
        written.append([entry["tags"] for entry in lines(file)])
        return "a"

    review_file(file, ask, lambda line: None, lambda path, number: None)
    assert written[1][0] == ["when"]
    assert written[2][2] == ["list"]


def test_an_edited_question_is_written_shown_again_and_still_to_be_decided(file):
    person = Person("e", "In which year was it?", "1998 | MCMXCVIII", "", "q")
    assert person.review(file) == Reviewed(0, 1, 0, 0, 3)
    changed = {"question": "In which year was it?", "answers": ["1998", "MCMXCVIII"]}
    assert lines(file)[0] == WHEN | changed
    assert person.shown[6:8] == ["  In which year was it?", "  Answer: 1998 | MCMXCVIII"]


def test_the_entries_of_a_list_are_edited_as_such(file):
    Person("s", "e", "", "lamp; rope | cord", "", "a", "q").review(file)
    assert lines(file)[2]["must_include"] == [["lamp"], ["rope", "cord"]]
    assert load_questions(file)[2].must_include == (("lamp",), ("rope", "cord"))


def test_a_question_can_be_found_unanswerable_and_the_other_way_round(file):
    Person("e", "", "-", "", "a", "s", "e", "", "the town", "docs/a.txt:2", "q").review(file)
    when, absent = lines(file)[0], lines(file)[3]
    assert (when["answerable"], when.get("answers"), when["tags"]) == (False, None, ["when", "unanswerable"])
    assert (absent["answerable"], absent["answers"], absent["tags"]) == (True, ["the town"], ["unreviewed"])
    assert absent["evidence"] == [
        {"document": "docs/a.txt", "paragraph": 2, "starts_with": "The bridge has a lamp and a rope."}
    ]
    assert len(load_questions(file)) == 4


def test_a_paragraph_that_is_not_there_is_refused(file):
    person = Person("e", "", "", "docs/a.txt:9", "q")
    person.review(file)
    assert "There is no paragraph docs/a.txt:9; the old one is kept." in person.shown
    assert lines(file)[0] == WHEN


def test_decisions_are_taken_back_one_by_one(file):
    before = file.read_bytes()
    person = Person("r", "e", "What?", "", "", "s", "u", "u", "u", "u", "q")
    assert person.review(file) == Reviewed(0, 0, 0, 0, 3)
    assert file.read_bytes() == before
    assert "There is nothing to undo." in person.shown


def test_answers_that_stand_in_no_paragraph_are_pointed_out(file):
    file.write_text(json.dumps(WHEN | {"answers": ["1989"]}) + "\n")
    person = Person("q")
    person.review(file)
    assert person.shown[-1] == "  Note: none of these answers stands in these paragraphs."
    file.write_text(json.dumps(WHEN | {"evidence": [{"document": "gone.txt", "paragraph": 1}]}) + "\n")
    person = Person("q")
    person.review(file)
    assert "    There is no such paragraph." in person.shown


def test_help_comes_for_anything_else_and_the_end_of_the_input_ends_the_review(file):
    person = Person("", "what?")
    assert person.review(file).left == 3
    assert sum(line.startswith("a: the question is good") for line in person.shown) == 2
    assert Person("e", "A new question?").review(file).edited == 0


def test_lines_that_hold_no_question_are_named_and_stay(file):
    file.write_bytes(b"{broken\n" + REVIEWED)
    person = Person()
    assert person.review(file).left == 0
    assert person.shown == [
        "Line 1 holds no question and stays as it is. Look at it: ragkit eval check",
        "No question is left to review.",
    ]
    assert file.read_bytes() == b"{broken\n" + REVIEWED


def test_a_file_that_is_changed_meanwhile_is_not_overwritten(file):
    def ask(prompt):
        file.write_bytes(REVIEWED)
        return "a"

    with pytest.raises(GoldError, match="Start the review again"):
        review_file(file, ask, lambda line: None, lambda path, number: None)
    assert file.read_bytes() == REVIEWED
