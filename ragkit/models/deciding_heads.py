"""States at the end of a question to scores of yes, no, and that the text does not tell.

Called by `deciding`, and by `evals.deciding`, which trains the weights.
"""

import torch
from torch import Tensor, nn

INNER_WIDTH = 128
ANSWERS = ("Yes", "No", "Unclear")


class DecidingHead(nn.Module):
    """The trained layers on top of a language model's states."""

    def __init__(self, width: int, taps: int) -> None:
        """Fresh weights for states of that width, from so many layers."""
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(taps))
        self.inner = nn.Linear(width * taps, INNER_WIDTH)
        self.answer = nn.Linear(INNER_WIDTH, len(ANSWERS))
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def forward(self, ends: list[Tensor]) -> Tensor:
        """Scores in the order of `ANSWERS`, shape (questions, 3), by the states at each tap, (questions, width)."""
        normed = [norm(tapped) for norm, tapped in zip(self.norms, ends, strict=True)]
        scores: Tensor = self.answer(nn.functional.gelu(self.inner(torch.cat(normed, 1))))
        return scores
