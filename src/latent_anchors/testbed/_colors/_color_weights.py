"""How far into the space of colors the data reach, and how that grows."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_count
from latent_anchors.colorspace import hue_distance
from latent_anchors.data._focus import Number, as_like

Range: TypeAlias = tuple[Number, Number]


def color_extent(
    hsv: Float[Tensor, "n 3"],
    *,
    hues: Sequence[float] | None = None,
    reach: Number = 0.0,
    saturation: Range = (0.0, 1.0),
    value: Range = (0.0, 1.0),
    edges: tuple[float, float, float] = (1 / 12, 0.1, 0.1),
) -> Float[Tensor, "*steps n"]:
    r"""Weights of colors by a part of color space: 1 inside, and less and less beyond its edges.

    .. math::
        w = \prod_c \frac{1 + \cos \left(\pi \min(d_c / e_c, 1)\right)}{2}

    where :math:`d_c` is how far a color lies outside of the part in hue, saturation and value, and
    :math:`e_c` one of ``edges``. In hue the part lies within ``reach`` of some hues, the shorter
    way round. As the part grows smoothly, so do the weights. Ends may be rows' values, so that it
    grows with a timeline; multiply by a grid's own weights, or blacks count too often.

    Args:
        hsv: Colors ``(n, 3)``, hue in turns; the hue of a gray is that of its cell in a grid.
        hues: Where the part begins, in turns; every hue if None.
        reach: How far from the nearest of them it reaches, in turns: one number or ``(steps, 1)``.
        saturation: From and to, from 0 to 1: each one number or ``(steps, 1)``.
        value: From and to, from 0 to 1: each one number or ``(steps, 1)``.
        edges: How far beyond the part there is weight left: in turns of hue, in saturation and in
            value. With the distance between cells, they come in one by one.

    Returns:
        From 0 to 1, ``(n,)`` or ``(steps, n)``.

    Raises:
        ValueError: If there is no hue, an edge is not positive, a reach is negative, or a range
            does not lie within 0 to 1 with its lower end first.

    References:
        The raised cosine; the growing data of experiment 1.3 of ``ex-preppy`` (2025), which had
        hard edges.

    Examples:
        >>> darker = torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 0.75], [0.0, 1.0, 0.5]])
        >>> [color_extent(darker, value=(low, 1), edges=(0.1, 0.1, 0.25)).tolist()
        ...  for low in (1.0, 0.75)]
        [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    hue, s, v = hsv.unbind(-1)
    outside = (
        _beyond_hues(hue, hues, reach),
        _beyond_range("saturation", s, saturation),
        _beyond_range("value", v, value),
    )
    weights = [_edge(d, edge) for d, edge in zip(outside, edges, strict=True)]
    return weights[0] * weights[1] * weights[2]


def _beyond_hues(hue: Tensor, hues: Sequence[float] | None, reach: Number) -> Tensor:
    radius = as_like(hue, reach)
    if not bool((radius >= 0).all()):
        raise ValueError(f"The reach is {float(radius.min()):g}; expected at least 0 turns.")
    if hues is None:
        return torch.zeros_like(hue)
    check_count("The number of hues", len(hues))
    nearest = torch.stack([hue_distance(hue, other) for other in hues]).amin(0)
    return (nearest - radius).clamp(min=0)


def _beyond_range(name: str, x: Tensor, ends: Range) -> Tensor:
    low, high = (as_like(x, end) for end in ends)
    if not bool(((low >= 0) & (low <= high) & (high <= 1)).all()):
        raise ValueError(
            f"The {name} reaches from {float(low.min()):g} to {float(high.max()):g}; expected two "
            "ends from 0 to 1, the lower one first, at every step."
        )
    return torch.maximum(low - x, x - high).clamp(min=0)


def _edge(d: Tensor, width: float) -> Tensor:
    if not width > 0:
        raise ValueError(f"An edge is {width!r} wide; expected more than 0. For a hard one: 1e-6.")
    return (1 + (math.pi * (d / width).clamp(max=1)).cos()) / 2


def hue_focus(hue: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    r"""How near a hue is to one of the six pure ones: red, yellow, green, cyan, blue, magenta.

    .. math::
        \frac{1 + \cos 12 \pi h}{2}

    where h is ``hue``: 1 at a pure hue and 0 halfway between two, smooth all round.

    Args:
        hue: In turns, ``(...)``, any number of them.

    Returns:
        From 0 to 1, ``(...)``.

    References:
        The focus on primary and secondary colors of ``ex-preppy`` (2025).

    Examples:
        >>> [round(weight, 4) for weight in hue_focus(torch.tensor([0.0, 1 / 24, 1 / 12])).tolist()]
        [1.0, 0.5, 0.0]
    """
    return (1 + (12 * math.pi * hue).cos()) / 2
