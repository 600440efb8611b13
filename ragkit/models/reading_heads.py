"""States of a text and of questions to scores: does a sentence answer, does the answer begin at this token?

Two views are added. Pointing (Vinyals et al. 2015, "Pointer Networks"): the state at the end of the question looks for
the token where the answer begins, against a score for "not in this text" (Devlin et al. 2019, section 4.3). Matching
(Khattab and Zaharia 2020, "ColBERT"): every token of the question looks for its best match in each sentence. Called by
`reading`, and by `evals.reading`, which trains the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

POINTER_WIDTH, MATCH_WIDTH = 64, 128
_FIRST_NULL, _FIRST_WEIGHT = 8.0, 8.0


@dataclass(frozen=True, slots=True)
class Scores:
    """What is said of one text for several questions.

    Attributes:
        starts: How well the answer begins at a token, shape (questions, tokens).
        ends: How well it ends there.
        sentences: How well a sentence answers, its tokens' starts together, shape (questions, sentences).
        nowhere: How well "not in this text" answers, shape (questions,).
    """

    starts: Tensor
    ends: Tensor
    sentences: Tensor
    nowhere: Tensor


class ReadingHeads(nn.Module):
    """The trained layers on top of a language model's states."""

    def __init__(self, width: int, taps: int) -> None:
        """Fresh weights.

        Args:
            width: Of the states.
            taps: From how many layers of the language model states come; the last are pointed at, all are matched.
        """
        super().__init__()
        self.norm_t, self.norm_q = nn.LayerNorm(width), nn.LayerNorm(width)
        self.key, self.query = nn.Linear(width, POINTER_WIDTH, bias=False), nn.Linear(width, POINTER_WIDTH)
        self.end_key, self.end_query = nn.Linear(width, POINTER_WIDTH, bias=False), nn.Linear(width, POINTER_WIDTH)
        self.null = nn.Linear(width, 1)
        self.match_norm = nn.ModuleList(nn.LayerNorm(width) for _ in range(taps))
        self.match = nn.ModuleList(nn.Linear(width, MATCH_WIDTH, bias=False) for _ in range(taps))
        self.importance = nn.ModuleList(nn.Linear(width, 1) for _ in range(taps))
        self.match_weight = nn.Parameter(torch.full((taps,), _FIRST_WEIGHT))
        for layer in (self.key, self.query, self.end_key, self.end_query):
            nn.init.normal_(layer.weight, std=0.02)
        for layer in (self.null, *self.importance):
            nn.init.zeros_(layer.weight)
        for parameter in self.match.parameters():
            nn.init.orthogonal_(parameter)
        nn.init.constant_(self.null.bias, _FIRST_NULL)

    def forward(
        self, text: Sequence[Tensor], asked: Sequence[Sequence[Tensor]], sentences: Sequence[Sequence[int]]
    ) -> Scores:
        """Scores of one text.

        Args:
            text: Of each tapped layer, the states of the text's tokens, shape (tokens, width).
            asked: For each question the same of its tokens.
            sentences: For each sentence the numbers of its tokens; none is empty.
        """
        matched = torch.stack([self._match(text, question, sentences) for question in asked])
        keys, ends = self.norm_t(text[-1]), self.norm_q(torch.stack([question[-1][-1] for question in asked]))
        scale = POINTER_WIDTH**-0.5
        starts = self.query(ends) @ self.key(keys).T * scale
        stops = self.end_query(ends) @ self.end_key(keys).T * scale
        pointed = torch.stack([starts[:, list(tokens)].logsumexp(1) for tokens in sentences], 1)
        sentence_of = torch.zeros(starts.shape[1], dtype=torch.long, device=starts.device)
        for number, tokens in enumerate(sentences):
            sentence_of[list(tokens)] = number
        return Scores(starts + matched[:, sentence_of], stops, pointed + matched, self.null(ends)[:, 0])

    def _match(self, text: Sequence[Tensor], question: Sequence[Tensor], sentences: Sequence[Sequence[int]]) -> Tensor:
        """For each sentence how well the question's tokens find their like in it, shape (sentences,)."""
        total = torch.zeros(len(sentences), device=text[0].device)
        for tap, norm in enumerate(self.match_norm):
            said, wanted = norm(text[tap]), norm(question[tap])
            importance = self.importance[tap](wanted)[:, 0].softmax(0)
            keys, queries = self.match[tap](said), self.match[tap](wanted)
            middle = keys.mean(0)
            likeness = functional.normalize(queries - middle, dim=1) @ functional.normalize(keys - middle, dim=1).T
            best = torch.stack([likeness[:, list(tokens)].amax(1) for tokens in sentences], 1)
            total = total + self.match_weight[tap] * (importance @ best)
        return total
