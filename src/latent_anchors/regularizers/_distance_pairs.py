"""Mean inverse squared distance, from differences themselves, a few rows of pairs at a time."""

from collections.abc import Iterator
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors.regularizers._cosine_pairs import OfPairs, check_once, chunks, mean_over_others

WORTH_A_CALL = 2**18
"""Numbers in a tensor of differences; with fewer, calls cost more than their arithmetic."""

_Set = Float[Tensor, "*batch n dim"]
_Columns = Float[Tensor, "*batch dim n"]
_Others = Float[Tensor, "*batch dim m"]
_Pairs = Float[Tensor, "*batch n m"]
_Values = Float[Tensor, "*batch n"]


class MeanInverseDistance(OfPairs):
    r"""Mean over the others of ``1 / (distance ** 2 + s)``.

    With :math:`q_{ij} = 1 / (\lVert z_i - z_j \rVert^2 + s)`, zero on the diagonal:

    .. math::
        \Omega_i = \frac{\sum_j q_{ij}}{n - 1}, \qquad
        \frac{\partial}{\partial z_i} \sum_k g_k \Omega_k
        = - \frac{2}{n - 1} \sum_j (g_i + g_j) \, q_{ij}^2 \, (z_i - z_j)

    A pair with a member that does not count has :math:`q_{ij} = 0`, and :math:`n` is the number of
    those that do. Differences are taken dimension by dimension: products, as in
    :math:`\lVert a \rVert^2 + \lVert b \rVert^2 - 2 a \cdot b`, would be faster, and off by far
    more than rounding where points lie close together and away from the origin.
    """

    @staticmethod
    def forward(
        z: Tensor, softening: float, at_once: int, counted: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """Mean closeness, and what the backward pass needs."""
        x = z.mT.contiguous()
        n = x.shape[-1]
        q = _near(x, softening, counted, 0, n, n) if at_once >= n else None
        total = _sums(x, softening, at_once, counted) if q is None else q.sum(-1)
        factor = total.new_full((), -2 / max(n - 1, 1) if counted is None else -2)
        return mean_over_others(total, counted), factor, x, q

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None, None, None]:
        """Gradient of the weighted sum of the values."""
        g, of_factor, *_ = gradients
        check_once(of_factor)
        if g is None:
            return None, None, None, None
        factor, x, q, counted = ctx.saved_tensors
        with torch.no_grad():  # functional transforms would keep every chunk
            g = g if counted is None else mean_over_others(g, counted)
            if q is None:
                pushed = _pushed(x, g, ctx.setting, ctx.at_once, counted)
            else:
                pushed = _exchanged(x, x, _weights(q, g, g))
        return (factor * pushed).mT, None, None, None


def _differences(some: _Columns, others: _Others) -> Iterator[Tensor]:
    """From members to others, along as many dimensions at once as are worth a call."""
    dims = max(WORTH_A_CALL // max(some.shape[-1] * others.shape[-1], 1), 1)
    for first, count, _ in chunks(some.shape[-2], dims):
        a, b = some.narrow(-2, first, count), others.narrow(-2, first, count)
        yield b.unsqueeze(-2) - a.unsqueeze(-1)


def _inverse(some: _Columns, others: _Others, softening: float) -> _Pairs:
    """Inverse squared distances; the others begin with the members themselves."""
    square: Tensor | float = softening
    for part in _differences(some, others):
        part = part.mul_(part)
        # the sum over a single dimension would be a copy
        part = part.squeeze(-3) if part.shape[-3] == 1 else part.sum(-3)
        square = part.add_(square)
    q = cast("Tensor", square).reciprocal_()
    q.diagonal(dim1=-2, dim2=-1).zero_()
    return q


def _weights(q: _Pairs, g: _Values, of_others: Float[Tensor, "*batch m"]) -> _Pairs:
    return q.square() * (g.unsqueeze(-1) + of_others.unsqueeze(-2))


def _exchanged(some: _Columns, others: _Others, weights: _Pairs) -> _Others:
    """How members push the others, and how those of the others that come later push them."""
    received: list[Tensor] = []
    count, left = some.shape[-1], others.shape[-1]
    for part in _differences(some, others):
        push = part * weights.unsqueeze(-3)
        onto = push.sum(-2)
        if count < left:
            later = push.narrow(-1, count, left - count)
            onto.narrow(-1, 0, count).sub_(later.sum(-1))
        received.append(onto)
    return torch.cat(received, -2)


def _sums(x: _Columns, softening: float, at_once: int, counted: _Values | None) -> _Values:
    """All sums of inverse squared distances, each pair made once for both of its members."""
    total = torch.zeros_like(x.select(-2, 0) if counted is None else x.select(-2, 0) * counted)
    for first, count, left in chunks(x.shape[-1], at_once):
        q = _near(x, softening, counted, first, count, left)
        total.narrow(-1, first, left).add_(q.sum(-2))
        total.narrow(-1, first, count).add_(q.narrow(-1, count, left - count).sum(-1))
    return total


def _near(
    x: _Columns, softening: float, counted: _Values | None, first: int, count: int, left: int
) -> Float[Tensor, "*batch count left"]:
    """How close some members are to themselves and all that come later."""
    q = _inverse(x.narrow(-1, first, count), x.narrow(-1, first, left), softening)
    if counted is None:
        return q
    inside, among = counted.narrow(-1, first, count), counted.narrow(-1, first, left)
    # not in place: mapped over runs, pairs may have no axis of runs where the mask has one
    return q * inside.unsqueeze(-1) * among.unsqueeze(-2)


def _pushed(
    x: _Columns, g: _Values, softening: float, at_once: int, counted: _Values | None
) -> _Columns:
    """How all push each other, the pairs made anew."""
    total = torch.zeros_like(x * g.unsqueeze(-2))
    for first, count, left in chunks(x.shape[-1], at_once):
        some, others = x.narrow(-1, first, count), x.narrow(-1, first, left)
        q = _near(x, softening, counted, first, count, left)
        weights = _weights(q, g.narrow(-1, first, count), g.narrow(-1, first, left))
        total.narrow(-1, first, left).add_(_exchanged(some, others, weights))
    return total


def mean_inverse_distance(
    z: _Set, softening: float, at_once: int, counted: _Values | None = None
) -> _Values:
    """How close each latent ``(..., n, dim)`` is to the others on average ``(..., n)``.

    Those that do not count have 0 in ``counted``, the others 1; they must be finite all the same.
    """
    value, *_ = cast(
        "tuple[Tensor, ...]", MeanInverseDistance.apply(z, softening, at_once, counted)
    )
    return value
