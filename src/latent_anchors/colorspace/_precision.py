"""Half precision, computed in float32 and rounded once; channels taken apart and put together."""

import math
from collections.abc import Callable
from functools import reduce, wraps
from typing import Any, ParamSpec, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import Function

from latent_anchors._typing import Colors, PerSample

P = ParamSpec("P")

Home = Callable[[Tensor], Tensor]
"""What brings hues that were rounded back into their range."""

HALF = frozenset({torch.float16, torch.bfloat16})


def check_floating_type(dtype: torch.dtype | None) -> torch.dtype | None:
    """Refuse a type that has nothing between 0 and 1."""
    if dtype is not None and not dtype.is_floating_point:
        raise TypeError(
            f"dtype is {dtype}; expected a floating type, since colors run from 0 to 1. For whole "
            "numbers write (255 * colors).round().to(torch.uint8)."
        )
    return dtype


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
            if not HALF & {x.dtype for x in given}:
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


Plane = Float[Tensor, "..."]
"""One channel, or one number per color."""

Rows = list[list[float]]
"""A 3 x 3 matrix."""


def check_colors(colors: Colors) -> None:
    """Refuse integers, and channels that are not last."""
    if colors.shape[-1:] != (3,):
        raise ValueError(
            f"Colors have shape {tuple(colors.shape)}; expected three channels last, such as "
            "(512, 3). Move the channels of an image with movedim(-3, -1)."
        )
    if not colors.is_floating_point():
        raise TypeError(
            f"Colors are {colors.dtype}; expected floats from 0 to 1. Divide 8-bit channels by 255."
        )


def planes(colors: Colors) -> tuple[PerSample, PerSample, PerSample]:
    """The three channels apart: arithmetic on planes needs no small inner axis."""
    check_colors(colors)
    first, second, third = colors.unbind(-1)
    return first, second, third


def stack(first: Plane, second: Plane, third: Plane) -> Colors:
    """Three planes as one tensor of colors, channels last."""
    return torch.stack((first, second, third), dim=-1)


def ratio(a: Plane, b: Plane) -> Plane:
    """``a / b``, and 0 with zero gradient where b is as small as a rounding error.

    Dividing by infinity gives both zeros, so that no branch ever holds a NaN.
    """
    return a / torch.where(b.abs() > torch.finfo(b.dtype).eps, b, math.inf)


def root(x: Plane) -> Plane:
    """Square root, and 0 with zero gradient where x is 0 or below; NaN stays NaN."""
    nothing = x <= 0
    return torch.where(nothing, 0.0, torch.where(nothing, 1.0, x).sqrt())


def turns(x: Plane) -> Plane:
    """X on the circle, in [0, 1): whole turns taken off."""
    within = x - x.floor()
    # A tiny negative number rounds up to a whole turn.
    return torch.where(within < 1, within, within - 1)


def angle(y: Plane, x: Plane, missing: Bool[Tensor, "..."]) -> Plane:
    """Direction of (x, y) in turns, in [0, 1); 0 with zero gradient where there is none."""
    around = torch.atan2(torch.where(missing, 0.0, y), torch.where(missing, 1.0, x))
    return turns(around / math.tau)


def mix(rows: Rows, colors: Colors) -> Colors:
    """A 3 x 3 matrix times each color, without a matrix product.

    A product would silently lose digits under autocast and under TF32.
    """
    x, y, z = planes(colors)
    first, second, third = (torch.add(torch.add(a * x, y, alpha=b), z, alpha=c) for a, b, c in rows)
    return stack(first, second, third)


def rows_of(matrix: Float[Tensor, "3 3"]) -> Rows:
    """A matrix as plain numbers, which belong to no device and no precision."""
    return [[float(entry) for entry in row] for row in matrix]
