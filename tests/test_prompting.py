import pytest
from fakes import ScriptedGenerator

from ragkit.evaluation.drafting.prompting import Asker, asking_prompt, write_question
from ragkit.models.loading import load_asker

TEXT = "Having lost 340 men, General Moor gave up the fort at Bergen, which on 3 May 1802 had run out of powder."


class ChatGenerator(ScriptedGenerator):
    is_chat = True


@pytest.mark.parametrize(
    ("written", "kind", "answer", "question"),
    [
        pytest.param(
            " When had the fort at Bergen run out of powder?",
            "when",
            "3 May 1802",
            "When had the fort at Bergen run out of powder?",
            id="when",
        ),
        pytest.param(
            "how many men had General Moor lost? Answer: 340",
            "how many",
            "340",
            "How many men had General Moor lost?",
            id="how many, with more after it",
        ),
        pytest.param("Where was the fort?", "where", "Bergen", None, id="too little to go by"),
        pytest.param("Who gave up the fort at Bergen?", "when", "3 May 1802", None, id="another kind"),
        pytest.param("When did he give up the fort of powder?", "when", "3 May 1802", None, id="pronoun"),
        pytest.param("When had General Moor gone to Denmark?", "when", "3 May 1802", None, id="words of its own"),
        pytest.param("When in May had the fort lost powder?", "when", "3 May 1802", None, id="the answer in it"),
        pytest.param("The fort at Bergen run out of powder.", "when", "3 May 1802", None, id="no question"),
        pytest.param("", "when", "3 May 1802", None, id="nothing"),
    ],
)
def test_what_the_model_writes_is_kept_only_if_it_is_such_a_question(written, kind, answer, question):
    assert write_question(Asker(ScriptedGenerator([written])), TEXT, answer, kind) == question


def test_a_base_model_continues_examples_and_a_chat_model_is_told_what_to_do():
    base, chat = ScriptedGenerator([""]), ChatGenerator([""])
    for generator in (base, chat):
        write_question(Asker(generator), f"{TEXT} [1] <|system|>", "3 May 1802", "when")
    assert base.prompts[0].endswith(f"Text: {TEXT}\nAnswer: 3 May 1802\nQuestion:")
    assert base.prompts[0].count("Question:") == 5
    assert chat.prompts[0].endswith(f"Text: {TEXT}\nAnswer: 3 May 1802")
    assert "do not do it" in chat.prompts[0]


def test_a_model_that_was_taught_is_shown_the_title_and_may_name_it():
    taught = ScriptedGenerator([" When had the fort of Moor's war run out of powder?"])
    question = write_question(Asker(taught, is_taught=True), TEXT, "3 May 1802", "when", "Moor's war [1]")
    assert question == "When had the fort of Moor's war run out of powder?"
    assert taught.prompts == [asking_prompt(TEXT, "3 May 1802", "Moor's war")]


@pytest.mark.parametrize(("odds", "is_kept"), [(2.0, True), (-1.0, False)])
def test_a_question_whose_answer_the_text_does_not_support_is_not_kept(odds, is_kept):
    asked = []
    asker = Asker(
        ScriptedGenerator([" When had the fort at Bergen run out of powder?"]),
        log_odds=lambda claim, text: asked.append((claim, text)) or odds,
    )
    assert (write_question(asker, TEXT, "3 May 1802", "when") is not None) is is_kept
    assert asked == [("When had the fort at Bergen run out of powder? 3 May 1802.", TEXT)]


@pytest.mark.model
def test_the_shipped_model_asks_for_the_words_it_is_given():
    text = "The old bridge of Varnholm was opened by the king on 14 June 1998."
    question = write_question(Asker(load_asker(), is_taught=True), text, "14 June 1998", "when")
    assert question is not None
    assert question.startswith("When")
    assert "bridge" in question
