"""Fused CPU kernels of conversions, forward and backward; the formula runs everywhere else.

Recorded operation by operation, a formula allocates and passes through memory several times as
often as its arithmetic needs, and `torch.where` alone takes as long as a power. A kernel does
the same arithmetic in place, in blocks that stay in the cache, with a gradient in closed form.
Wherever something else watches, such as `torch.func` or `torch.compile`, the formula runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from latent_anchors._typing import Colors
from latent_anchors.colorspace._channels import Block

Kept = tuple[Tensor, ...]
"""What the way back needs of the way there."""

BLOCK = 32_768
"""Colors at a time. Fewer cost more calls; of more, the intermediate results leave the cache."""

_ORDINARY, _PRECISE = (Tensor, nn.Parameter), (torch.float32, torch.float64)

# Torch has no public name for it; should it lose this one, formulas run throughout.
_transforming: Callable[[], bool] = getattr(
    torch._C,  # pyright: ignore[reportPrivateUsage] - as torch asks before any such function.
    "_are_functorch_transforms_active",
    lambda: True,
)


@dataclass(frozen=True)
class FusedKernel:
    """A fused conversion: forward and backward write into a tensor given for the result."""

    forward: Callable[[Block, Block], Kept]
    """Colors to colors."""
    backward: Callable[[Kept, Block, Block], None]
    """Gradient to gradient, from what was kept; called more than once if the graph is retained."""


def convert(colors: Colors, formula: Callable[[Colors], Colors], kernel: FusedKernel) -> Colors:
    """Apply the kernel to ordinary CPU tensors, the formula to all others, alike in result."""
    if not _is_ordinary(colors):
        return formula(colors)  # Which also says what is wrong with the colors.
    if colors.requires_grad and torch.is_grad_enabled():
        return cast(Colors, _Fused.apply(colors, formula, kernel))
    return _forward(colors, kernel)[0]


def _is_ordinary(colors: Tensor) -> bool:
    """Whether nothing watches but reverse-mode autograd, and matrix products keep all digits."""
    return (
        type(colors) in _ORDINARY
        and colors.shape[-1:] == (3,)
        and colors.is_cpu
        and colors.dtype in _PRECISE
        and not torch.compiler.is_compiling()
        and not _transforming()
        and not torch.is_autocast_enabled("cpu")
        and _exact_products()
        and forward_ad.unpack_dual(colors).tangent is None
    )


def _exact_products() -> bool:
    """Whether matrix products keep all digits, as far as torch says."""
    try:
        return torch.get_float32_matmul_precision() == "highest"
    except RuntimeError:  # its older and its newer settings are mixed
        return False


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, colors: Tensor, formula: Callable[[Colors], Colors], kernel: FusedKernel
    ) -> Tensor:
        converted, ctx.kept = _forward(colors, kernel)
        ctx.formula, ctx.kernel = formula, kernel
        ctx.save_for_backward(colors)
        return converted

    @staticmethod
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - one result, one gradient.
        ctx: Any, gradient: Tensor
    ) -> tuple[Tensor, None, None]:
        # Asked for even if not needed: torch then tells who changed the colors in between.
        (colors,) = ctx.saved_tensors
        if torch.is_grad_enabled() or _transforming() or not _has_memory(gradient):
            # Somebody wants second derivatives or many gradients at once, which the formula has.
            return torch.func.vjp(ctx.formula, colors)[1](gradient)[0], None, None
        return _backward(ctx.kept, gradient, ctx.kernel), None, None


def _has_memory(gradient: Tensor) -> bool:
    """Whether it is a tensor of its own; not so what ``is_grads_batched`` passes."""
    try:
        gradient.data_ptr()
    except RuntimeError:
        return False
    return True


def _forward(colors: Tensor, kernel: FusedKernel) -> tuple[Tensor, list[Kept]]:
    converted = torch.empty_like(colors, memory_format=torch.contiguous_format)
    with torch.inference_mode():  # Spares torch its bookkeeping, a fifth of the time of few colors.
        return converted, [kernel.forward(*pair) for pair in _blocks(colors, converted)]


def _backward(kept: list[Kept], gradient: Tensor, kernel: FusedKernel) -> Tensor:
    passed = torch.empty_like(gradient, memory_format=torch.contiguous_format)
    with torch.inference_mode():
        for part, pair in zip(kept, _blocks(gradient, passed), strict=True):
            kernel.backward(part, *pair)
    return passed


def _blocks(source: Tensor, target: Tensor) -> list[tuple[Block, Block]]:
    if source.dim() == 2 and source.shape[0] <= BLOCK:
        return [(source, target)]
    source, target = source.reshape(-1, 3), target.view(-1, 3)
    starts = range(0, source.shape[0], BLOCK)
    return [(source[i : i + BLOCK], target[i : i + BLOCK]) for i in starts]
