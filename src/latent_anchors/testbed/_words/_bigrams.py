"""Bigrams, which say without a training what a model lacks that never read some of the lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

DISCOUNT = 0.75
"""Taken from each count, and given to what was not seen."""


@dataclass(frozen=True, eq=False)
class Bigrams:
    r"""How often each token follows each other one, with absolute discounting.

    .. math::
        P(w \mid v) = \frac{\max(n_{vw} - D, 0) + D\, t_v P(w)}{n_v}, \qquad
        P(w) = \frac{\max(n_w - D, 0) + D\, t / V}{n}

    with counts :math:`n`, the numbers :math:`t` of different tokens behind :math:`v` and of all
    that occur, the discount :math:`D = .75` and :math:`V` tokens; :math:`P(w)` alone where
    :math:`v` never occurred.

    Attributes:
        pairs: How often each pair occurs ``(token, token)``.

    References:
        Ney, Essen & Kneser, "On structuring probabilistic dependences in stochastic language
        modelling", 1994, absolute discounting.

    Examples:
        >>> bigrams = Bigrams.of([torch.tensor([1, 2, 3]), torch.tensor([1, 2])], tokens=4)
        >>> bigrams.loss([torch.tensor([1, 2])])
        tensor(0.1886)
    """

    pairs: Float[Tensor, "token token"]

    @classmethod
    def of(cls, lines: Sequence[Int[Tensor, " _"]], tokens: int) -> "Bigrams":
        """Count.

        Args:
            lines: Numbers of tokens, ``(token,)`` each.
            tokens: How many there are.

        Raises:
            ValueError: If a number is below 0, or as many or more.

        Examples:
            >>> Bigrams.of([torch.tensor([0, 1, 1])], tokens=2).pairs
            tensor([[0., 1.],
                    [0., 1.]])
        """
        before, after = _pairs(lines, tokens)
        counts = torch.bincount(before * tokens + after, minlength=tokens**2)
        return cls(counts.view(tokens, tokens).float())

    def loss(self, lines: Sequence[Int[Tensor, " _"]]) -> Float[Tensor, ""]:
        """Mean over all tokens but the first of each line, in nats ``()``.

        Args:
            lines: Numbers of tokens, ``(token,)`` each.

        Raises:
            ValueError: If a number is that of no token.

        Examples:
            >>> Bigrams.of([torch.tensor([0, 0])], tokens=2).loss([torch.tensor([0, 0])])
            tensor(0.3302)
        """
        before, after = _pairs(lines, len(self.pairs))
        alone = _discounted(self.pairs.sum(0), torch.full_like(self.pairs[0], 1 / len(self.pairs)))
        return -_discounted(self.pairs, alone)[before, after].log().mean()


def _pairs(lines: Sequence[Tensor], tokens: int) -> tuple[Tensor, Tensor]:
    all_of_them = torch.cat([*lines])
    if ((all_of_them < 0) | (all_of_them >= tokens)).any():
        raise ValueError(
            f"Tokens run from {int(all_of_them.min())} to {int(all_of_them.max())}; expected "
            f"numbers from 0 to {tokens - 1}. Leave padding out."
        )
    return torch.cat([line[:-1] for line in lines]), torch.cat([line[1:] for line in lines])


def _discounted(counts: Tensor, lower: Tensor) -> Tensor:
    """Shares of counts, with the discount for a lower order; that order where none occurred."""
    total = counts.sum(-1, keepdim=True)
    freed = DISCOUNT * counts.gt(0).sum(-1, keepdim=True)
    shares = ((counts - DISCOUNT).clamp_min(0) + freed * lower) / total.clamp_min(1)
    return torch.where(total > 0, shares, lower)
