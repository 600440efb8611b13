"""A conversation keeps whole questions and answers, and rests on no answer."""

import pytest
from fakes import ScriptedGenerator

from ragkit.chat import Chat
from ragkit.errors import QuestionError
from ragkit.records import Answer, Sentence


def checked(question):
    if not question.strip():
        raise QuestionError("The question is empty")
    return question.strip()


def answered(question):
    sentence = Sentence("Anna wrote the letter.", (1,), "supported", 1.0)
    return Answer(question, "Anna wrote the letter. [1]", False, None, 0.9, (sentence,), (), "fake")


def test_a_follow_up_is_asked_as_a_whole_question():
    chat = Chat(checked, answered, lambda: ScriptedGenerator([" When did Anna write the letter?"]))
    assert chat.ask("Who wrote the letter?").question == "Who wrote the letter?"
    assert chat.ask("And when?").question == "When did Anna write the letter?"
    assert [turn.question for turn in chat.turns] == ["Who wrote the letter?", "When did Anna write the letter?"]
    assert chat.turns[0].answer == "Anna wrote the letter."


def test_a_question_that_cannot_be_asked_leaves_the_conversation_as_it_was():
    chat = Chat(checked, answered, lambda: ScriptedGenerator([]))
    chat.ask("Who wrote the letter?")
    with pytest.raises(QuestionError):
        chat.ask("  ")
    assert len(chat.turns) == 1
