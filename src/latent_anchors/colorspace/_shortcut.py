"""Conversions worked out by hand, forward and backward, for ordinary tensors on a processor.

Recorded operation by operation, a formula allocates and passes through memory several times as
often as its arithmetic needs, and `torch.where` alone takes as long as a power. A shortcut does
the same arithmetic in place, in blocks that stay in the cache, with a gradient in closed form.
Wherever something else watches, such as `torch.func` or `torch.compile`, the formula runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import forward_ad

from latent_anchors._typing import Colors
from latent_anchors.colorspace._planes import Rows, check_colors

Block = Float[Tensor, "n 3"]
"""Some colors, channels last."""

Channels = Float[Tensor, "3 n"]
"""The same, channels first: arithmetic on planes needs no small inner axis."""

Kept = tuple[Tensor, ...]
"""What the way back needs of the way there."""

BLOCK = 32_768
"""Colors at a time. Fewer cost more calls; of more, the intermediate results leave the cache."""

# Without this function of torch's, which has no public name, formulas run throughout.
_transforming = cast(
    "Callable[[], bool]", getattr(torch._C, "_are_functorch_transforms_active", lambda: True)
)


@dataclass(frozen=True)
class Shortcut:
    """A conversion by hand: both ways write their result into a tensor given for it."""

    forward: Callable[[Block, Block], Kept]
    """Colors to colors."""
    backward: Callable[[Kept, Block, Block], None]
    """Gradient to gradient, from what was kept; called more than once if the graph is retained."""


def convert(colors: Colors, formula: Callable[[Colors], Colors], shortcut: Shortcut) -> Colors:
    """What the formula says, by the shortcut where that may be taken."""
    check_colors(colors)
    if not _is_ordinary(colors):
        return formula(colors)
    if colors.requires_grad and torch.is_grad_enabled():
        return cast(Colors, _ByHand.apply(colors, formula, shortcut))
    return _forward(colors, shortcut)[0]


def _is_ordinary(colors: Tensor) -> bool:
    """Whether nothing watches but reverse-mode autograd, and matrix products keep all digits."""
    return (
        type(colors) in (Tensor, nn.Parameter)
        and colors.is_cpu
        and colors.dtype in (torch.float32, torch.float64)
        and not torch.compiler.is_compiling()
        and not _transforming()
        and not torch.is_autocast_enabled("cpu")
        and torch.get_float32_matmul_precision() == "highest"
        and forward_ad.unpack_dual(colors).tangent is None
    )


class _ByHand(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, colors: Tensor, formula: Callable[[Colors], Colors], shortcut: Shortcut
    ) -> Tensor:
        converted, ctx.kept = _forward(colors, shortcut)
        ctx.formula, ctx.shortcut = formula, shortcut
        ctx.save_for_backward(colors)
        return converted

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        # Asked for even if not needed: torch then tells who changed the colors in between.
        (colors,) = ctx.saved_tensors
        if torch.is_grad_enabled() or _transforming():
            # Somebody wants second derivatives or many gradients at once, which the formula has.
            return torch.func.vjp(ctx.formula, colors)[1](gradient)[0], None, None
        return _backward(ctx.kept, gradient, ctx.shortcut), None, None


def _forward(colors: Tensor, shortcut: Shortcut) -> tuple[Tensor, list[Kept]]:
    converted = torch.empty(colors.shape, dtype=colors.dtype)
    with torch.inference_mode():  # Spares torch its bookkeeping, a fifth of the time of few colors.
        return converted, [shortcut.forward(*pair) for pair in _blocks(colors, converted)]


def _backward(kept: list[Kept], gradient: Tensor, shortcut: Shortcut) -> Tensor:
    passed = torch.empty(gradient.shape, dtype=gradient.dtype)
    with torch.inference_mode():
        for part, pair in zip(kept, _blocks(gradient, passed), strict=True):
            shortcut.backward(part, *pair)
    return passed


def _blocks(source: Tensor, target: Tensor) -> list[tuple[Block, Block]]:
    pair = source.reshape(-1, 3), target.view(-1, 3)
    if pair[0].shape[0] <= BLOCK:
        return [pair]
    return list(zip(pair[0].split(BLOCK), pair[1].split(BLOCK), strict=True))


def apart(block: Block) -> Channels:
    """Channels first, as a copy."""
    channels = block.new_empty(3, block.shape[0])
    channels.t().copy_(block)  # Several times as fast as `block.t().contiguous()`.
    return channels


def together(channels: Channels, out: Block) -> None:
    """Channels last again."""
    out.t().copy_(channels)


@dataclass(frozen=True)
class Constant:
    """Numbers as a tensor of either precision, made once."""

    single: Tensor
    double: Tensor

    def to(self, like: Tensor) -> Tensor:
        """In the precision of this tensor."""
        return self.single if like.dtype is torch.float32 else self.double


def constant(rows: Rows, times: float = 1.0) -> Constant:
    """These rows, perhaps scaled."""
    exact = times * torch.tensor(rows, dtype=torch.float64)
    return Constant(exact.float(), exact)


def turned(rows: Rows) -> Rows:
    """The transposed matrix, which takes gradients back."""
    return [list(column) for column in zip(*rows, strict=True)]
