"""A conversation: each follow-up question is made whole from what was said before, then answered like any other.

Made by `Kit.chat`. No answer is evidence for a later one: every answer rests on the documents alone.
"""

from collections.abc import Callable

from ragkit.followups import complete
from ragkit.models.generation import Generator
from ragkit.prompts import Turn
from ragkit.records import Answer


class Chat:
    """What was asked and answered so far, and the next question."""

    def __init__(self, check: Callable[[str], str], ask: Callable[[str], Answer], writer: Callable[[], Generator]):
        self._check = check
        self._ask = ask
        self._writer = writer
        self.turns: list[Turn] = []

    def ask(self, question: str) -> Answer:
        """The checked answer; its `question` is the whole one that was asked in place of a follow-up.

        Raises:
            QuestionError: The question is empty or too long; the conversation goes on without it.
            ModelError: A model failed.
        """
        answer = self._ask(complete(self._check(question), self.turns, self._writer))
        said = "" if answer.abstained else " ".join(sentence.text for sentence in answer.sentences)
        self.turns.append(Turn(answer.question, said))
        return answer
