"""Mean nearness by angle, from one tensor of pairs instead of ten, or from a few of its rows."""

import math
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from latent_anchors._numerics import TINY_SQUARE, without_autocast
from latent_anchors.regularizers._pairwise.chunks import check_once, chunks, mean_over_others

_Set = Float[Tensor, "*batch n dim"]
# members stand in columns: products with few rows are several times as fast as with few columns
_Columns = Float[Tensor, "*batch row n"]


class MeanCosineNearness(Function):
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

    generate_vmap_rule = True

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
    def setup_context(
        ctx: Any,
        inputs: tuple[Tensor, float, int, Tensor | None],
        output: tuple[Tensor | None, ...],
    ) -> None:
        """Keep all but the values; by the scale a second derivative is noticed."""
        _, ctx.exponent, ctx.at_once, counted = inputs
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*(kept for kept in output[2:] if kept is not None))
        ctx.save_for_backward(*output[1:], counted)

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
            share = ctx.exponent if counted is not None else ctx.exponent / max(w.shape[-1] - 1, 1)
            g = (g if counted is None else mean_over_others(g, counted)).unsqueeze(-2)
            v = g * w
            pulled = _pulled(v, w, ctx.exponent, ctx.at_once) if t is None else v @ t
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
