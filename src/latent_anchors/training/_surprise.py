"""Surprise: how unlikely a token is that should come next."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latent_anchors._numerics import in_full_precision


@dataclass(frozen=True)
class TokenCrossEntropy:
    r"""Cross-entropy of a token at one position, whatever stands there in the line.

    .. math:: \ell = -\ln p(s \mid x_0, \dots, x_{t-1})

    with the token :math:`s` that should stand at position :math:`t`, and :math:`p` the softmax of
    the logits at position :math:`t - 1`. It is the error of an `EditedOutputLoss`
    over lines of tokens.

    Attributes:
        position: Of the token that should be said, from 1, or from -1 at the end.

    Raises:
        ValueError: If the position is 0, before which there is nothing to foretell it from.

    References:
        The usual loss of a language model: Bengio et al., "A Neural Probabilistic Language Model",
        JMLR 3, 2003.

    Examples:
        >>> no_idea, token = torch.zeros(2, 6, 8), torch.tensor(5)
        >>> TokenCrossEntropy(position=4)(no_idea, token)
        tensor([2.0794, 2.0794])
    """

    position: int

    def __post_init__(self) -> None:
        if self.position == 0:
            raise ValueError(
                "TokenCrossEntropy was given position 0; expected at least 1, or at most -1 from "
                "the end: a token is predicted from the tokens before it."
            )

    def __call__(
        self, logits: Float[Tensor, "n position vocabulary"], token: Int[Tensor, "*n"]
    ) -> Float[Tensor, " n"]:
        """Surprise of the token, line by line.

        Args:
            logits: At every position ``(n, position, vocabulary)``.
            token: The same for all lines ``()``, or one for each ``(n,)``.

        Returns:
            ``(n,)``, at least 0, in nats.

        Raises:
            TypeError: If tokens are not whole numbers.
            ValueError: If the lines have no such position.

        Examples:
            >>> logits = torch.tensor([[[0.0, 0.0], [-100.0, 100.0]]])
            >>> TokenCrossEntropy(-1)(logits, torch.tensor(0))
            tensor([0.6931])
        """
        if token.is_floating_point():
            raise TypeError(
                f"A token of type {token.dtype} was given; expected a whole number, such as "
                "torch.tensor(language.token('gray'))."
            )
        before = logits[:, place_before(self.position, logits.shape[1])]
        return surprises(before, token.to(logits.device).expand(len(logits)))


def surprises(
    logits: Float[Tensor, "*batch vocabulary"], tokens: Int[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """How surprising each token is to the logits that foretell it, in nats."""
    chances = torch.log_softmax(in_full_precision(logits), -1)
    return -chances.gather(-1, tokens.long().unsqueeze(-1)).squeeze(-1)


def place_before(position: int, n: int) -> int:
    """Where the logits stand that foretell the token at a position of a line of n tokens."""
    found = position if position > 0 else n + position
    if not 0 < found < n:
        raise ValueError(
            f"Position {position} was given for lines of {n} tokens; expected one from 1 to "
            f"{n - 1}, or from -{n - 1} to -1."
        )
    return found - 1
