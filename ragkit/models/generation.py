"""Prompts to text: the `Generator` protocol, and the prompts that may carry special tokens.

`causal` has the models that transformers runs, `server` those behind an address. Called by `drafting`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


class Generator(Protocol):
    """What the rest of ragkit asks of a writing model."""

    @property
    def name(self) -> str:
        """What an answer reports as its model."""

    @property
    def is_chat(self) -> bool:
        """Whether the model expects `render_chat` rather than a text to continue."""

    def render_chat(self, system: str, user: str) -> str:
        """The prompt for one turn of a conversation; special tokens inside `system` and `user` lose their meaning."""

    def stream(
        self, prompt: str, *, max_tokens: int, stop: Sequence[str] = (), words: str | None = None
    ) -> Iterator[str]:
        """Greedy continuation of a prompt, piece by piece; ends before the first stop string or after `max_tokens`.

        Where `words` is given and the model can be held to it, only words of that text and function words are written.
        """

    def write_all(
        self, prompts: Sequence[str], words: Sequence[str], *, max_tokens: int, instead: str
    ) -> list["Written"]:
        """One line after each prompt, greedily and all at once.

        Args:
            prompts: Texts to continue.
            words: For each, what it is held to, as in `stream`.
            max_tokens: Of each line.
            instead: The line that says that there is nothing to write.
        """

    def score_all(
        self, prompts: Sequence[str], words: Sequence[str], lines: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """How likely each of the lines is after its prompt, as `Written.likelihood`; 0 if the model cannot say."""


@dataclass(frozen=True, slots=True)
class Written:
    """One line that a model wrote.

    Attributes:
        likelihood: Mean log probability of its tokens among those allowed; None if the model cannot say.
    """

    text: str
    likelihood: float | None = None


class ChatPrompt(str):
    """What `render_chat` gives: the only text in which special tokens are the model's own.

    Any other string is read as plain text, so a document that holds "<end_of_turn>" cannot end a turn. Joining it to
    another string gives plain text again.
    """

    system: str
    user: str

    def __new__(cls, text: str, system: str, user: str) -> "ChatPrompt":
        """The rendered text with the two messages it came from (a server gets these instead)."""
        prompt = super().__new__(cls, text)
        prompt.system, prompt.user = system, user
        return prompt
