"""Mean nearness by angle, from one tensor of pairs instead of ten, or from a few of its rows."""

import math
from collections.abc import Iterator
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from latent_anchors._checks import check_count
from latent_anchors._numerics import TINY_SQUARE, without_autocast

_Set = Float[Tensor, "*batch n dim"]
# members stand in columns: products with few rows are several times as fast as with few columns
_Columns = Float[Tensor, "*batch row n"]


class OfPairs(Function):
    """A mean over pairs that is mapped over runs, and differentiated once by a formula."""

    generate_vmap_rule = True

    @staticmethod
    def setup_context(
        ctx: Any,
        inputs: tuple[Tensor, float, int, Tensor | None],
        output: tuple[Tensor | None, ...],
    ) -> None:
        """Keep all but the values; by the second output a second derivative is noticed."""
        _, ctx.setting, ctx.at_once, counted = inputs
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*(kept for kept in output[2:] if kept is not None))
        ctx.save_for_backward(*output[1:], counted)


class MeanCosineNearness(OfPairs):
    r"""Mean over the others of ``((1 + cos) / 2) ** p``.

    With unit vectors :math:`u_i` lifted to :math:`w_i = (u_i, 1) / \sqrt{2}`, nearness is a plain
    product, :math:`s_{ij} = w_i \cdot w_j`. With :math:`t_{ij} = s_{ij}^{p-1}`, zero on the
    diagonal, values and gradients need only products :math:`t w`:

    .. math::
        \Omega_i = \frac{w_i \cdot (t w)_i}{n - 1}, \qquad
        \frac{\partial}{\partial w_i} \sum_k g_k \Omega_k
        = \frac{p \, [g_i (t w)_i + (t (g w))_i]}{n - 1}

    A member that does not count has :math:`w_i = 0`, and :math:`n` is the number of those that do.
    Written out because the pairs are what a step costs. In chunks they are made anew for the
    backward pass, each pair once for both of its members, which costs no more than keeping them.
    """

    @staticmethod
    def forward(
        z: Tensor, exponent: float, at_once: int, counted: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """Mean nearness, and what the backward pass needs."""
        with without_autocast(z):
            w, scale = _lifted(z, counted)
            t = _powers(w, w, exponent) if at_once >= w.shape[-1] else None
            near = _pulled(w, w, exponent, at_once) if t is None else w @ t
        return mean_over_others((w * near).sum(-2), counted), scale, w, near, t

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None, None, None]:
        """Gradient of the weighted sum of the values."""
        g, of_scale, *_ = gradients
        check_once(of_scale)
        if g is None:
            return None, None, None, None
        scale, w, near, t, counted = ctx.saved_tensors
        # functional transforms would keep every chunk
        with torch.no_grad(), without_autocast(w):
            share = ctx.setting if counted is not None else ctx.setting / max(w.shape[-1] - 1, 1)
            g = (g if counted is None else mean_over_others(g, counted)).unsqueeze(-2)
            v = g * w
            pulled = _pulled(v, w, ctx.setting, ctx.at_once) if t is None else v @ t
            slope, u = _without_last(pulled.add_(g * near)), _without_last(w)
            across = slope - u * (u * slope).sum(-2, keepdim=True).mul_(2.0)
        return (scale * share * across).mT, None, None, None


def _lifted(
    z: _Set, counted: Float[Tensor, "*batch n"] | None
) -> tuple[_Columns, Float[Tensor, "*batch 1 n"]]:
    """The lifted unit vectors, and what scaled the latents; 0 at the origin."""
    x = z.mT.contiguous()
    square = x.square().sum(-2, keepdim=True)
    scale = torch.threshold_(square, TINY_SQUARE, math.inf).mul_(2.0).rsqrt_()
    last = torch.full_like(scale, math.sqrt(0.5))
    if counted is not None:
        scale, last = scale * counted.unsqueeze(-2), last * counted.unsqueeze(-2)
    return torch.cat([x * scale, last], -2), scale


def _without_last(lifted: Tensor) -> Tensor:
    return lifted.narrow(-2, 0, lifted.shape[-2] - 1)


def _powers(
    some: _Columns, others: Float[Tensor, "*batch row m"], exponent: float
) -> Float[Tensor, "*batch n m"]:
    """Nearness to the power ``exponent - 1``; the others begin with the members themselves."""
    # powers below exp(-80) would be denormal, which makes each product tens of times slower
    floor = math.exp(-80.0 / max(exponent - 1.0, 1.0))
    t = (some.mT @ others).clamp_min_(floor).log2_().mul_(exponent - 1.0).exp2_()
    t.diagonal(dim1=-2, dim2=-1).zero_()
    return t


def _pulled(v: _Columns, w: _Columns, exponent: float, at_once: int) -> _Columns:
    """The product of ``v`` and all powers, a few rows of them at a time."""
    total = torch.zeros_like(v)
    for first, count, left in chunks(v.shape[-1], at_once):
        some, later = v.narrow(-1, first, count), v.narrow(-1, first + count, left - count)
        t = _powers(w.narrow(-1, first, count), w.narrow(-1, first, left), exponent)
        total.narrow(-1, first, left).add_(some @ t)
        total.narrow(-1, first, count).add_(later @ t.narrow(-1, count, left - count).mT)
    return total


def mean_cosine_nearness(
    z: _Set, exponent: float, at_once: int, counted: Float[Tensor, "*batch n"] | None = None
) -> Float[Tensor, "*batch n"]:
    """How near each latent ``(..., n, dim)`` is to the others on average ``(..., n)``.

    Those that do not count have 0 in ``counted``, the others 1; they must be finite all the same.
    """
    value, *_ = cast("tuple[Tensor, ...]", MeanCosineNearness.apply(z, exponent, at_once, counted))
    return value


WHOLE = 1024
"""Up to so many members all pairs are made at once, and kept for the backward pass."""

CHUNK = 128
"""Beyond, so many members at a time. Measured at 2,048 to 16,384 members of 4 and 64 dimensions:
64 to 256 are alike, fewer cost calls, more leave the processor's cache."""


def check_chunk(chunk: int | None) -> None:
    """Refuse what is neither left open nor a whole number of members."""
    if chunk is not None:
        check_count("chunk", chunk)


def members_at_once(n: int, chunk: int | None) -> int:
    """The chunk, or what is documented where it is left open."""
    check_chunk(chunk)
    return chunk or (n if n <= WHOLE else CHUNK)


def chunks(n: int, at_once: int) -> Iterator[tuple[int, int, int]]:
    """First member, how many, and how many are left from it on: each pair stands in one chunk."""
    for first in range(0, n, at_once):
        yield first, min(at_once, n - first), n - first


def mean_over_others(
    sums: Float[Tensor, "*batch n"], counted: Float[Tensor, "*batch n"] | None
) -> Float[Tensor, "*batch n"]:
    """Each member's sum over the others, divided by how many of them count; alone, as it is."""
    if counted is None:
        return sums / max(sums.shape[-1] - 1, 1)
    return sums / (counted.sum(-1, keepdim=True) - 1).clamp_min(1)


def check_once(gradient: Tensor | None) -> None:
    """Refuse, in a backward pass, a gradient for an output that nobody but that pass has used.

    ``once_differentiable`` would let a second derivative through that lacks a part of it.
    """
    # a compiler fills in zeros, and refuses second derivatives itself
    if gradient is not None and not torch.compiler.is_compiling():
        raise RuntimeError(
            "Separation was differentiated twice; expected once, since its gradient is written "
            "out by hand. Leave the term out of what is differentiated again."
        )
