"""Cross-entropy of tokens: of the next one at every position, or of one at a given position."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors._numerics import in_full_precision
from latent_anchors._supervision import as_mask
from latent_anchors.data import LabeledBatch
from latent_anchors.regularizers import mean_pool
from latent_anchors.training._losses.forward import Forward


@dataclass(frozen=True)
class TokenCrossEntropy:
    r"""Cross-entropy of a chosen token at one position, whatever the line has there.

    .. math:: \ell = -\ln p(s \mid x_0, \dots, x_{t-1})

    with the token :math:`s` that should stand at position :math:`t`, and :math:`p` the softmax of
    the logits at position :math:`t - 1`. It is the error of an
    :class:`EditedOutputLoss` over lines of tokens.

    Attributes:
        position: Of the chosen token, from 1, or from -1 at the end.

    Raises:
        ValueError: If the position is 0: there is no token before it to predict it from.

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
        """Cross-entropy of the token, line by line.

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
        return cross_entropies(before, token.to(logits.device).expand(len(logits)))


def cross_entropies(
    logits: Float[Tensor, "*batch vocabulary"], tokens: Int[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """Cross-entropy of each token under the logits that predict it, in nats."""
    chances = torch.log_softmax(in_full_precision(logits), -1)
    return -chances.gather(-1, tokens.long().unsqueeze(-1)).squeeze(-1)


def place_before(position: int, n: int) -> int:
    """The index of the logits that predict the token at a position of a line of n tokens."""
    found = position if position > 0 else n + position
    if not 0 < found < n:
        raise ValueError(
            f"Position {position} was given for lines of {n} tokens; expected one from 1 to "
            f"{n - 1}, or from -{n - 1} to -1."
        )
    return found - 1


def next_token(forward: Forward, batch: LabeledBatch) -> Float[Tensor, " batch"]:
    r"""Mean cross-entropy of each token but the first, given those before it, line by line.

    .. math:: \ell(x) = -\frac{1}{n - 1} \sum_{t=1}^{n-1} \ln p(x_t \mid x_0, \dots, x_{t-1})

    with :math:`n` positions and :math:`p` the softmax of the logits that the ``forward`` pass gives
    at position :math:`t - 1`.

    Args:
        forward: A pure forward pass: tokens to logits ``(batch, position, vocabulary)``.
        batch: Its inputs are whole numbers ``(batch, position)``, from 0, and the targets too.

    Returns:
        ``(batch,)``, at least 0, in nats.

    Raises:
        ValueError: If inputs have fewer than two positions, or logits have another shape.
        TypeError: If inputs are not whole numbers.

    References:
        The usual loss of a language model: Bengio et al., "A Neural Probabilistic Language Model",
        JMLR 3, 2003.

    Examples:
        >>> def no_idea(inputs, edits=None, record=()):
        ...     return torch.zeros(*inputs.shape, 8), {}
        >>> next_token(no_idea, LabeledBatch(torch.tensor([[1, 7, 0]])))
        tensor([2.0794])
    """
    logits, _ = forward(batch.inputs)
    return _next_tokens(logits, batch.inputs).mean(-1)


@dataclass(frozen=True)
class NextToken:
    """:func:`next_token` at some positions only, such as that of an answer.

    Attributes:
        positions: Those of the predicted tokens, from 1, or from -1 at the end; all but
            the first if None.
        mask: An extra of the batch ``(batch, position)``: which tokens count, such as those that
            are no padding; bool, or whole numbers 0 and 1. The others have no influence, whatever
            they and the logits before them are. A line without any gives 0.

    Raises:
        ValueError: If the first token is among them, or there are none.

    Examples:
        >>> def no_idea(inputs, edits=None, record=()):
        ...     return torch.zeros(*inputs.shape, 8), {}
        >>> NextToken(positions=[-1])(no_idea, LabeledBatch(torch.tensor([[1, 7, 0]])))
        tensor([2.0794])
    """

    positions: Sequence[int] | None = None
    mask: str | None = None

    def __post_init__(self) -> None:
        if self.positions is not None and (0 in self.positions or not len(self.positions)):
            raise ValueError(
                f"NextToken was given the positions {listed(self.positions)}; expected at least "
                "one, and not 0: a token is predicted from the tokens before it."
            )

    def __call__(self, forward: Forward, batch: LabeledBatch) -> Float[Tensor, " batch"]:
        """Mean cross-entropy of the tokens that count, line by line.

        Args:
            forward: A pure forward pass: tokens to logits ``(batch, position, vocabulary)``.
            batch: Its inputs are whole numbers ``(batch, position)``, from 0.

        Returns:
            ``(batch,)``, at least 0, in nats.

        Raises:
            ValueError: If inputs have too few positions, logits or the extra have another shape, or
                the extra has other whole numbers than 0 and 1.
            TypeError: If inputs are not whole numbers, or the extra is soft.
            KeyError: If the batch lacks the extra.

        Examples:
            >>> def copies(inputs, edits=None, record=()):
            ...     return 100.0 * torch.nn.functional.one_hot(inputs, 8), {}
            >>> bool(NextToken([1])(copies, LabeledBatch(torch.tensor([[5, 5, 0]]))) < 1e-6)
            True
        """
        logits, _ = forward(batch.inputs)
        mask = self._mask(batch)
        surprise = _next_tokens(logits, batch.inputs, mask)
        if self.positions is None:
            return mean_pool(surprise, mask)
        n = batch.inputs.shape[-1]
        chosen = [place_before(position, n) for position in self.positions]
        return mean_pool(_at(surprise, chosen), None if mask is None else _at(mask, chosen))

    def _mask(self, batch: LabeledBatch) -> Tensor | None:
        if self.mask is None:
            return None
        if self.mask not in batch.extras:
            raise KeyError(
                f"NextToken needs extra {self.mask!r}; the batch has {listed(batch.extras)}."
            )
        what = f"Extra {self.mask!r} of NextToken"
        mask = as_mask(what, batch.extras[self.mask], batch.inputs.device)
        if mask.shape != batch.inputs.shape:
            raise ValueError(
                f"{what} has shape {tuple(mask.shape)}, the tokens have "
                f"{tuple(batch.inputs.shape)}; expected the same, one entry for each token."
            )
        return mask[..., 1:]


def _at(values: Tensor, columns: Sequence[int]) -> Tensor:
    return torch.stack([values[:, column] for column in columns], -1)


def _next_tokens(
    logits: Float[Tensor, "batch position vocabulary"],
    tokens: Int[Tensor, "batch position"],
    mask: Bool[Tensor, "batch next"] | None = None,
) -> Float[Tensor, "batch next"]:
    """Cross-entropy of each token but the first, in nats; finite where it does not count."""
    if tokens.is_floating_point():
        raise TypeError(
            f"Tokens of type {tokens.dtype} were given; expected whole numbers. Use tokens.long()."
        )
    if tokens.ndim != 2 or tokens.shape[-1] < 2 or logits.shape[:-1] != tokens.shape:
        raise ValueError(
            f"Tokens of shape {tuple(tokens.shape)} gave logits of shape {tuple(logits.shape)}; "
            "expected (batch, position) with at least two positions, and (batch, position, "
            "vocabulary). Let the model return logits at every position."
        )
    before, tokens = logits[:, :-1], tokens[:, 1:]
    if mask is None:
        return cross_entropies(before, tokens)
    # NaN would come back in gradients, and padding may be no token at all
    before, tokens = before.masked_fill(~mask.unsqueeze(-1), 0.0), tokens.masked_fill(~mask, 0)
    return cross_entropies(before, tokens)
