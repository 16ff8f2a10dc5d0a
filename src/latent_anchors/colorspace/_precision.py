"""Half precision: computed in float32, and rounded once, at the end."""

from collections.abc import Callable
from functools import reduce, wraps
from typing import Any, ParamSpec, cast

import torch
from torch import Tensor
from torch.autograd import Function

from latent_anchors.colorspace._planes import turns

P = ParamSpec("P")

Home = Callable[[Tensor], Tensor]
"""What brings hues that were rounded back into their range."""

HALF = (torch.float16, torch.bfloat16)


def unmoved(x: Tensor) -> Tensor:
    """For what has no range that rounding could leave."""
    return x


def circular(channel: int) -> Home:
    """For colors of which one channel is a hue in [0, 1)."""

    def home(colors: Tensor) -> Tensor:
        channels = list(colors.unbind(-1))
        channels[channel] = turns(channels[channel])
        return torch.stack(channels, dim=-1)

    return home


def in_single(home: Home = unmoved) -> Callable[[Callable[P, Tensor]], Callable[P, Tensor]]:
    """For functions of colors or hues: compute in float32 what is given in half precision.

    Rounding may move a hue onto a whole turn; ``home`` brings it back. Slopes that half precision
    cannot hold become the largest that it can, since an infinite one would end a training.
    """

    def decorated(of: Callable[P, Tensor]) -> Callable[P, Tensor]:
        @wraps(of)
        def computed(*args: P.args, **kwargs: P.kwargs) -> Tensor:
            given = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]
            if not any(x.dtype in HALF for x in given):
                return of(*args, **kwargs)
            wide, named = map(widened, args), {name: widened(x) for name, x in kwargs.items()}
            return _narrowed(cast("Callable[..., Tensor]", of)(*wide, **named), given, home)

        return computed

    return decorated


def _narrowed(result: Tensor, given: list[Tensor], home: Home) -> Tensor:
    if not result.is_floating_point():
        return result
    return home(result.to(reduce(torch.promote_types, (x.dtype for x in given))))


def widened(x: Any) -> Any:
    """Half precision as float32; all else as it is."""
    if not isinstance(x, Tensor) or x.dtype not in HALF:
        return x
    if torch.compiler.is_compiling():  # a compiler writes gradients out itself
        return x.float()
    return cast(Tensor, _Widened.apply(x))


class _Widened(Function):
    """To float32; back, a slope beyond the range of half precision becomes its largest number."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.float()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:  # noqa: ARG004 -- as torch calls it
        ctx.dtype = inputs[0].dtype

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        largest = torch.finfo(ctx.dtype).max
        return gradients[0].clamp(-largest, largest).to(ctx.dtype)

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:  # noqa: ARG004 -- as torch calls it
        return tangents[0].float()
