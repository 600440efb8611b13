"""Stand-ins for the neural models, so that tests of everything else are exact and take no time."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ragkit.models.deciding import Decision
from ragkit.models.embedding import TokenVectors, Vectors
from ragkit.models.generation import Written
from ragkit.models.pieces import cut_at_stop
from ragkit.models.reading import Reading, SentencedText
from ragkit.models.verifying import Judgement
from ragkit.sentences import split_sentences

WORD = re.compile(r"\w+")


class WordEmbedder:
    """An `Embedder` without a model: a text is the hashed bag of its lower-cased words, a token is a word.

    Texts that share words are near each other, texts that share none are (but for hash collisions) orthogonal. The
    vectors are the same in every process.

    Attributes:
        embedded: How many texts of documents were embedded so far.
    """

    def __init__(self, dimensions: int = 64, name: str = "word-embedder@1", max_tokens: int = 256):
        self.dimensions = dimensions
        self.name = name
        self.max_tokens = max_tokens
        self.embedded = 0

    def count_tokens(self, text: str) -> int:
        return sum(1 for _ in WORD.finditer(text))

    def embed_documents(self, texts: Sequence[str], on_done: Callable[[int], None] | None = None) -> Vectors:
        self.embedded += len(texts)
        if on_done is not None:
            on_done(len(texts))
        return np.stack([self._vector(text) for text in texts]) if texts else self._zeros(0)

    def embed_question(self, question: str) -> Vectors:
        return self._vector(question)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        return [self._token_vectors(text) for text in texts]

    def _vector(self, text: str) -> Vectors:
        vector = np.zeros(self.dimensions, dtype=np.float32)
        for word in WORD.findall(text):
            vector[self._bucket(word)] += 1
        if not vector.any():
            vector[0] = 1  # a text without words still needs a vector of unit length
        return vector / np.linalg.norm(vector)

    def _token_vectors(self, text: str) -> TokenVectors:
        words = list(WORD.finditer(text))
        vectors = self._zeros(len(words))
        for row, word in enumerate(words):
            vectors[row, self._bucket(word.group())] = 1
        starts = np.array([word.start() for word in words], dtype=np.int64)
        ends = np.array([word.end() for word in words], dtype=np.int64)
        return TokenVectors(vectors, starts, ends)

    def _zeros(self, rows: int) -> Vectors:
        return np.zeros((rows, self.dimensions), dtype=np.float32)

    def _bucket(self, word: str) -> int:
        digest = hashlib.sha256(word.lower().encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.dimensions


class ScriptedGenerator:
    """A `Generator` that plays back a script.

    Attributes:
        prompts: Every prompt that `stream` was given, in order.
    """

    is_chat = False

    def __init__(self, replies: list[str] | Callable[[str], str], name: str = "scripted"):
        """Replies in order, or by prompt.

        A list that has run out is an error: the test asked for more than it scripted.
        """
        self.name = name
        self.prompts: list[str] = []
        self._replies = replies if callable(replies) else list(replies)

    def render_chat(self, system: str, user: str) -> str:
        return f"{system}\n\n{user}"

    def stream(
        self, prompt: str, *, max_tokens: int, stop: Sequence[str] = (), words: str | None = None
    ) -> Iterator[str]:
        """The next reply word by word, a token being a word with the space before it."""
        self.prompts.append(prompt)
        reply = self._replies(prompt) if callable(self._replies) else self._replies.pop(0)
        yield from cut_at_stop(re.findall(r"\s*\S+|\s+$", reply)[:max_tokens], stop)

    def write_all(
        self, prompts: Sequence[str], words: Sequence[str], *, max_tokens: int, instead: str
    ) -> list[Written]:
        """The next replies, up to their first line end."""
        replies = ["".join(self.stream(prompt, max_tokens=max_tokens, stop=["\n"])).strip() for prompt in prompts]
        return [Written(reply, -0.1) for reply in replies]

    def score_all(
        self, prompts: Sequence[str], words: Sequence[str], lines: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """The longer a line, the less likely."""
        return [[-0.01 * len(line.split()) for line in given] for given in lines]


class WordReader:
    """A `Reader` that finds a sentence the likelier to answer, the more of the question's words it has.

    Its short answer is the whole sentence.
    """

    def read(self, question: str, texts: Sequence[SentencedText]) -> list[Reading]:
        wanted = set(WORD.findall(question.lower()))
        readings = []
        for text in texts:
            known = [set(WORD.findall(text.text[start:end].lower())) for start, end in text.sentences]
            shares = [len(wanted & words) / max(len(wanted), 1) for words in known]
            readings.append(Reading(np.array([8 * share - 3 for share in shares], dtype=np.float32), text.sentences))
        return readings


class WordVerifier:
    """A `Verifier` for which a source supports what uses only its words, and a sentence that says "obey" is an order.

    Attributes:
        judged: Every (source, claims) that it was given, in order.
    """

    def __init__(self) -> None:
        self.judged: list[tuple[str, tuple[str, ...]]] = []

    def judge(self, source: SentencedText, claims: Sequence[str] = ()) -> Judgement:
        self.judged.append((source.text, tuple(claims)))
        known = set(WORD.findall(source.text.lower()))
        support = (5.0 if set(WORD.findall(claim.lower())) <= known else -5.0 for claim in claims)
        orders = (5.0 if "obey" in source.text[start:end].lower() else -5.0 for start, end in source.sentences)
        return Judgement(tuple(support), tuple(orders))


class ScriptedVerifier:
    """A `Verifier` that has log odds for the ends of claims, and says no to all others."""

    def __init__(self, known: dict[str, float]) -> None:
        self.known = known

    def judge(self, source: SentencedText, claims: Sequence[str] = ()) -> Judgement:
        found = (next((odds for end, odds in self.known.items() if claim.endswith(end)), -5.0) for claim in claims)
        return Judgement(tuple(found), tuple(-5.0 for _ in source.sentences))


class ScriptedDecider:
    """A `Decider` that has a decision for some texts, and says neither of all others."""

    def __init__(self, known: dict[str, Decision]) -> None:
        self.known = known

    def decide(self, source: str, question: str) -> Decision:
        return self.known.get(source, Decision(0.0, 0.0))


def sentenced(text: str) -> SentencedText:
    """A text with the sentences that ragkit finds in it."""
    return SentencedText(text, tuple(split_sentences(text)))


def with_random_weights(heads: Any, seed: int) -> Any:
    """Heads of torch with other weights than their first ones, many of which are zero."""
    import torch

    torch.manual_seed(seed)
    for parameter in heads.parameters():
        torch.nn.init.normal_(parameter)
    return heads.eval()
