"""Mean nearness of unit vectors to each other, with one tensor of pairs instead of ten."""

import math
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

_Units = Float[Tensor, "*batch n dim"]


class MeanNearness(Function):
    r"""Mean over the others of ``((1 + cos) / 2) ** p``, in forward and backward from one tensor.

    With :math:`t_{ij} = s_{ij}^{p-1}`, zero on the diagonal, both need only :math:`t u`:

    .. math::
        \Omega_i = \frac{\sum_j t_{ij} + u_i \cdot (t u)_i}{2 (n - 1)}, \qquad
        \frac{\partial}{\partial u_i} \sum_k g_k \Omega_k
        = \frac{p \, [g_i (t u)_i + (t (g u))_i]}{2 (n - 1)}

    Written out because the pairs are what a step costs: autograd would keep ten tensors of them.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(u: Tensor, exponent: float) -> tuple[Tensor, Tensor, Tensor]:
        """Mean nearness, and what the backward pass needs."""
        # powers below exp(-80) would be denormal, which makes each product tens of times slower
        floor = math.exp(-80.0 / max(exponent - 1.0, 1.0))
        t = (u @ u.mT).mul_(0.5).add_(0.5).clamp_min_(floor).log_().mul_(exponent - 1.0).exp_()
        t.diagonal(dim1=-2, dim2=-1).zero_()
        near = t @ u
        total = t.sum(-1) + (u * near).sum(-1)
        return total / (2 * max(u.shape[-2] - 1, 1)), t, near

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: tuple[Tensor, ...]) -> None:
        """Keep the pairs, which nobody differentiates."""
        u, exponent = inputs
        _, t, near = output
        ctx.mark_non_differentiable(t, near)
        ctx.save_for_backward(u, t, near)
        ctx.slope = exponent / (2 * max(u.shape[-2] - 1, 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride] -- once_differentiable is untyped
        """Gradient of the weighted sum of the values."""
        u, t, near = ctx.saved_tensors
        weighted = gradients[0].unsqueeze(-1)
        return ctx.slope * (weighted * near + t @ (weighted * u)), None


def mean_nearness(u: _Units, exponent: float) -> Float[Tensor, "*batch n"]:
    """How near each unit vector ``(..., n, dim)`` is to the others on average ``(..., n)``."""
    value, _, _ = cast("tuple[Tensor, Tensor, Tensor]", MeanNearness.apply(u, exponent))
    return value
