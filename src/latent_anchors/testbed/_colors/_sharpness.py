"""Sharpness: over how many degrees of hue an effect falls off."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_count
from latent_anchors.colorspace import hsv_grid, hue_of
from latent_anchors.testbed._colors._color_errors import color_errors

DEGREES = 360
MOST, LEAST = 0.9, 0.1
"""Shares of the effect between which it falls."""


def hue_sweep(model: nn.Module, n: int = DEGREES) -> Float[Tensor, "runs n"]:
    """The error of evenly spaced hues at full saturation and value, from red on.

    Args:
        model: A model or a population; edits in force count.
        n: How many hues.

    Returns:
        ``(runs, n)``, from 0 to 1; the hue of column k is k / n turns.

    Raises:
        ValueError: If there are no hues.
        TypeError: If their number is not a whole number.

    Examples:
        >>> hue_sweep(nn.Identity(), n=3)
        tensor([[0., 0., 0.]])
    """
    check_count("n", n)
    return color_errors(model, hsv_grid(n, [1.0], [1.0]).rgb)


def sharpness(model: nn.Module, concept: str) -> Float[Tensor, " runs"]:
    """Degrees of hue over which the effect falls from 90 to 10 % of its value at the concept.

    The effect is the error of 360 hues at full saturation and value. On either side of the
    concept, going outward, the angle counts from where the error first comes down to 90 % to where
    it first comes down to 10 %, linear between whole degrees; the result is the mean of both sides.
    What rises again farther out is not seen: that is collateral, which ``far`` tells. An effect
    that ends within one degree reads 0.8, the least there is. NaN where there is no effect at the
    concept, where a side does not come down to 10 % within half the circle, or where an error is.

    Args:
        model: A model or a population, with the edit in force.
        concept: One of the twelve hues.

    Returns:
        Degrees ``(runs,)``, from 0.8 to 180; smaller is sharper.

    Raises:
        ValueError: If there is no such hue.

    Examples:
        >>> sharpness(nn.Identity(), "red")
        tensor([nan])
    """
    center = round(hue_of(concept) * DEGREES)
    up = hue_sweep(model).roll(-center, -1)
    down = up.flip(-1).roll(1, -1)
    half = DEGREES // 2 + 1
    degrees = (fall(up[:, :half]) + fall(down[:, :half])) / 2
    return degrees.masked_fill(~up.isfinite().all(-1), math.nan)


def fall(profile: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    """Steps from where a profile first has the greater share of its first value to the lesser."""
    return first_under(profile, LEAST) - first_under(profile, MOST)


def first_under(profile: Float[Tensor, "*batch n"], share: float) -> Float[Tensor, "*batch"]:
    """Where a profile first comes down to a share of its first value; NaN if it never does."""
    start, level = profile[..., :1], share * profile[..., :1]
    under = profile <= level
    # past the first value, which lies under a share of itself only where there is no effect
    k = under.int().argmax(-1, keepdim=True).clamp_min(1)
    before, after = profile.gather(-1, k - 1), profile.gather(-1, k)
    at = k - 1 + (before - level) / (before - after)
    found = (start > 0) & under.any(-1, keepdim=True)
    return torch.where(found, at, math.nan).squeeze(-1)
