"""States of a text and of a claim that follows it to how well the text supports the claim.

Every token of the claim is asked whether something is wrong by then, and the end whether all is right. Every token of
the text is asked whether it belongs to an order: words that would have whoever answers from the text say something.
Called by `verifying`, and by `evals.verifying`, which trains the weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

INNER_WIDTH = 128


@dataclass(frozen=True, slots=True)
class Support:
    """What is said of one claim.

    Attributes:
        log_odds: That it is supported, a scalar.
        doubts: For each of its tokens the log odds that it says something which the text does not.
    """

    log_odds: Tensor
    doubts: Tensor


class VerifyingHeads(nn.Module):
    """The trained layers on top of a language model's states."""

    def __init__(self, width: int, taps: int) -> None:
        """Fresh weights for states of that width, from so many layers."""
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(taps))
        self.inner = nn.Linear(width * taps, INNER_WIDTH)
        self.doubt, self.end, self.order = (nn.Linear(INNER_WIDTH, 1) for _ in range(3))
        self.doubt_weight = nn.Parameter(torch.tensor(0.5))
        for layer in (self.doubt, self.end, self.order):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, claim: list[Tensor]) -> Support:
        """Of one claim, whose states at each tap have shape (tokens, width)."""
        inner = self._look(claim)
        doubts = self.doubt(inner)[:, 0]
        worst = doubts.logsumexp(0)
        return Support(self.end(inner[-1])[0] - self.doubt_weight * worst, doubts)

    def orders(self, text: list[Tensor]) -> Tensor:
        """For each token of a text, by its states at each tap, the log odds that it belongs to an order."""
        ordered: Tensor = self.order(self._look(text))[:, 0]
        return ordered

    def _look(self, states: list[Tensor]) -> Tensor:
        normed = [norm(tapped) for norm, tapped in zip(self.norms, states, strict=True)]
        return nn.functional.gelu(self.inner(torch.cat(normed, 1)))
