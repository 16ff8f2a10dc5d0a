"""The color wheel in the plane of hue: its order, how round it is, how far it is turned."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._numerics import ordinary
from latent_anchors._sites import At
from latent_anchors.colorspace import HUES, hue_difference, hue_mean, hue_of, named_colors
from latent_anchors.evaluation import latents

PLANE = (0, 1)
"""The two latent dimensions that usually hold hue."""

NO_ORDER = 1e-6
"""A rank correlation that is zero but for rounding."""


def hue_order(
    model: nn.Module,
    plane: tuple[int, int] = PLANE,
    at: At = "latent",
    colors: Float[Tensor, "n 3"] | None = None,
) -> Float[Tensor, " runs"]:
    r"""Circular rank correlation between the angles of hues and the true ones.

    .. math:: \frac{4}{n^2} \Big( \sum \cos\beta_i \cos\gamma_i \sum \sin\beta_i \sin\gamma_i
        - \sum \cos\beta_i \sin\gamma_i \sum \sin\beta_i \cos\gamma_i \Big)

    where :math:`\beta` and :math:`\gamma` are the ranks of the latents' angles in the ``plane`` and
    of the true hues, times 2 pi / n. 1 where the wheel is in order and goes round from the first
    dimension of the plane to the second, -1 where it goes round the other way; turning it changes
    nothing. NaN where a latent is.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.
        colors: RGB ``(n, 3)``, in [0, 1], in the order of their hues; the twelve named hues if
            None.

    Returns:
        ``(runs,)``, from -1 to 1.

    Raises:
        ValueError: If the site does not exist.

    References:
        Fisher and Lee, 1982, "Nonparametric measures of angular-angular association".

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> hue_order(SphericalAutoencoder()).abs() <= 1
        tensor([True])
    """
    _, angles = wheel(model, plane, at, colors)
    return rank_correlation(angles)


def noncircularity(
    model: nn.Module,
    plane: tuple[int, int] = PLANE,
    at: At = "latent",
    colors: Float[Tensor, "n 3"] | None = None,
) -> Float[Tensor, " runs"]:
    r"""How unlike the radii of hues are in the plane of hue.

    .. math:: \sqrt{\textstyle\frac{1}{n} \sum (r_i - \bar r)^2} \, / \, \bar r

    with the radii :math:`r` of the latents projected on the ``plane``. 0 on a circle round the
    origin; NaN where all hues lie on the origin.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.
        colors: RGB ``(n, 3)``, in [0, 1]; the twelve named hues if None.

    Returns:
        ``(runs,)``, from 0 to the square root of n - 1.

    Raises:
        ValueError: If the site does not exist.

    References:
        Pearson, 1896, "Regression, heredity, and panmixia", for the coefficient of variation.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> noncircularity(SphericalAutoencoder()) >= 0
        tensor([True])
    """
    radii = ordinary(wheel(model, plane, at, colors)[0])
    return radii.std(-1, correction=0) / radii.mean(-1)


def hue_turn(
    model: nn.Module, concept: str, plane: tuple[int, int] = PLANE, at: At = "latent"
) -> Float[Tensor, " runs"]:
    """How far the wheel as a whole is turned away from one with the concept on the first axis.

    The mean over the twelve named hues of the angle between where a hue lies and where it would
    lie if hues were spread evenly from the concept on, the way round that :func:`hue_order` tells.
    Positive toward the second dimension of the plane; NaN where hues have no order.

    Args:
        model: A model or a population.
        concept: The hue whose anchor is the first dimension of the plane.
        plane: The two latent dimensions that hold hue.
        at: The site.

    Returns:
        Degrees ``(runs,)``, from -180 to below 180.

    Raises:
        ValueError: If there is no such hue or site.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> hue_turn(SphericalAutoencoder(), "red").shape
        torch.Size([1])
    """
    center = hue_of(concept)
    _, angles = wheel(model, plane, at)
    order = rank_correlation(angles).unsqueeze(-1)
    away = angles / math.tau - order.sign() * (true_hues(angles) - center)
    turns = hue_difference(hue_mean(away), 0.0)
    return torch.where(order.squeeze(-1).abs() > NO_ORDER, 360 * turns, math.nan)


def wheel(
    model: nn.Module,
    plane: tuple[int, int],
    at: At,
    colors: Float[Tensor, "n 3"] | None = None,
) -> tuple[Float[Tensor, "runs n"], Float[Tensor, "runs n"]]:
    """Radii and angles in radians of some colors in a plane; of the twelve named hues if None.

    What lies in the center has no angle: NaN.
    """
    z = latents(model, named_colors(*HUES) if colors is None else colors, at)
    x, y = z[..., plane[0]], z[..., plane[1]]
    radii = torch.hypot(x, y)
    return radii, torch.atan2(y, x).masked_fill(radii == 0, math.nan)


def rank_correlation(angles: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    """Of angles with those of evenly spaced hues in their order; NaN where an angle is."""
    ranks = mean_ranks(angles)
    beta, gamma = math.tau * ranks / angles.shape[-1], math.tau * true_hues(angles)
    a, b = (beta.cos() * gamma.cos()).sum(-1), (beta.sin() * gamma.sin()).sum(-1)
    c, d = (beta.cos() * gamma.sin()).sum(-1), (beta.sin() * gamma.cos()).sum(-1)
    r = (a * b - c * d) * 4 / angles.shape[-1] ** 2
    return torch.where(angles.isfinite().all(-1), r.clamp(-1.0, 1.0), math.nan)


def mean_ranks(values: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """From 0 on; equal ones share the mean of theirs, which a sorting would tell apart."""
    one, other = values.unsqueeze(-1), values.unsqueeze(-2)
    lower, equal = (one > other).sum(-1), (one == other).sum(-1)
    return (lower + (equal - 1) / 2).to(values)


def true_hues(angles: Float[Tensor, "*batch n"]) -> Float[Tensor, " n"]:
    """As many evenly spaced hues in turns, like the angles."""
    n = angles.shape[-1]
    return torch.arange(n).to(angles) / n


def hue_gaps(
    model: nn.Module,
    colors: Float[Tensor, "n 3"],
    plane: tuple[int, int] = PLANE,
    at: At = "latent",
) -> Float[Tensor, "runs n"]:
    """The angle in degrees from each color on, round the wheel, up to the next color there is.

    Round the wheel is the way that :func:`hue_order` tells, and the next color is the next on the
    wheel, whatever its hue. The widest gap of a run is ``hue_gaps(...).amax(1)``, and ``argmax(1)``
    is the color after which it opens. NaN in a run one of whose latents is.

    Args:
        model: A model or a population.
        colors: RGB ``(n, 3)``, in [0, 1], in the order of their hues.
        plane: The two latent dimensions that hold hue.
        at: The site.

    Returns:
        ``(runs, n)``, from 0 to 360; each run's add up to 360.

    Raises:
        ValueError: If the site does not exist.

    Examples:
        >>> from latent_anchors.colorspace import named_colors
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> gaps = hue_gaps(SphericalAutoencoder(), named_colors("red", "green", "blue"))
        >>> gaps.shape, round(gaps.sum().item(), 3)
        (torch.Size([1, 3]), 360.0)
    """
    _, angles = wheel(model, plane, at, colors)
    backward = rank_correlation(angles).unsqueeze(-1) < 0
    forward, place = torch.where(backward, -angles, angles).sort(-1)
    following = torch.cat([forward[:, 1:], forward[:, :1] + math.tau], dim=-1)
    gaps = torch.empty_like(forward).scatter(-1, place, following - forward)
    # where one angle is missing, so is what lies next to it
    known = angles.isfinite().all(-1, keepdim=True)
    return torch.where(known, gaps * (360 / math.tau), math.nan)


def nonplanarity(
    model: nn.Module,
    plane: tuple[int, int] = (0, 1),
    at: At = "latent",
    colors: Float[Tensor, "n 3"] | None = None,
) -> Float[Tensor, " runs"]:
    r"""Share of the variance of hues' latents that lies outside of the plane of hue.

    .. math:: \frac{\sum_{d \notin P} \mathrm{var}(z_d)}{\sum_d \mathrm{var}(z_d)}

    with the latents' dimensions :math:`z_d` and the ``plane`` :math:`P`. 0 where the wheel is flat
    and level, at whatever height; a tilted wheel is not, as the plane was chosen beforehand. NaN
    where all lie in one place.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.
        colors: RGB ``(n, 3)``, in [0, 1]; the twelve named hues if None.

    Returns:
        ``(runs,)``, from 0 to 1.

    Raises:
        ValueError: If the site does not exist.

    References:
        Pearson, 1901, "On lines and planes of closest fit", with a plane that is given.

    Examples:
        >>> from latent_anchors.models import PlainAutoencoder
        >>> nonplanarity(PlainAutoencoder(latent_dim=2))
        tensor([0.])
    """
    z = latents(model, named_colors(*HUES) if colors is None else colors, at)
    # each run at an ordinary size, the same for all its latents
    z = ordinary(z.flatten(1)).view_as(z)
    spread = z.var(1, correction=0)
    total = spread.sum(-1)
    within = spread[:, list(plane)].sum(-1)
    return torch.where(total > 0, 1 - within / total, torch.nan)
