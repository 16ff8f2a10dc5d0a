"""Drift: how far colors have moved between two moments."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._numerics import missing
from latent_anchors._typing import PerSample
from latent_anchors.colorspace import hue_distance

DRIFTED = 15.0
"""Degrees from which on a color is no longer where it was: halfway to the next named hue."""


def drift(
    before: Float[Tensor, "*batch n dim"],
    after: Float[Tensor, "..."],
    plane: tuple[int, int] = (0, 1),
) -> PerSample:
    """Degrees by which that color has moved round the plane of hue which moved most.

    No rotation is taken out first: whoever looks for a concept where it lay finds it or not. How
    far the wheel has turned as a whole is told by the change of :func:`hue_turn`.

    Args:
        before: The colors' latents at one moment, ``(..., n, dim)``, such as :func:`latents` gives.
        after: Those of the same colors at another, ``(..., n, dim)``.
        plane: The two latent dimensions that hold hue.

    Returns:
        From 0 to 180, ``(...)``, one for each run; NaN where a latent is not finite.

    Raises:
        ValueError: If the two differ in shape.

    Examples:
        >>> here, there = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, -3.0]])
        >>> drift(here, there)
        tensor(90.)
    """
    if before.shape != after.shape:
        raise ValueError(
            f"The latents have shapes {tuple(before.shape)} and {tuple(after.shape)}; expected the "
            "same colors of the same runs. Give both moments the same colors."
        )
    x, y = (missing(torch.stack([before, after])[..., dim]) for dim in plane)
    was, now = torch.atan2(y, x) / math.tau
    return 360 * hue_distance(now, was).amax(-1)


def drifted(
    before: Float[Tensor, "*batch n dim"],
    after: Float[Tensor, "..."],
    plane: tuple[int, int] = (0, 1),
) -> Bool[Tensor, "*batch"]:
    """Whether a color has moved more than 15 degrees round the plane of hue.

    Args:
        before: The colors' latents at one moment, ``(..., n, dim)``, such as :func:`latents` gives.
        after: Those of the same colors at another, ``(..., n, dim)``.
        plane: The two latent dimensions that hold hue.

    Returns:
        ``(...)``, one for each run; true where a latent is NaN, of which nobody can say that it
        has not.

    Raises:
        ValueError: If the two differ in shape.

    Examples:
        >>> here, there = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.2]])
        >>> drifted(here, there)
        tensor(False)
    """
    return ~(drift(before, after, plane) <= DRIFTED)
