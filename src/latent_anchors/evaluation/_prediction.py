"""Collateral foretold: what geometry says before an edit, and how well it agrees with damage."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import in_full_precision, missing
from latent_anchors._typing import Latents, PerSample
from latent_anchors.evaluation._correlation import squared_correlation
from latent_anchors.interventions import Edit


def displacement(z: Latents, edit: Edit) -> PerSample:
    r"""How far an edit will move each latent: the damage to expect, up to a factor.

    .. math:: d = \lVert h(z) - z \rVert_2^2

    with the ``edit`` :math:`h`. A decoder that is smooth near the latents answers a small move with
    an error in proportion to it, so colors of no displacement are safe, and no decoder is asked.

    Args:
        z: Latents before the edit, ``(..., dim)``, of one run or of all.
        edit: Latents ``(..., dim)`` to latents of the same shape.

    Returns:
        ``(...)``, at least 0.

    Raises:
        ValueError: If the edit changes the shape, as a population of edits does.

    References:
        Ours: the first term of the decoder's Taylor series, its slope taken to be the same
        everywhere and in every direction.

    Examples:
        >>> import torch
        >>> from latent_anchors.interventions import Suppression
        >>> displacement(torch.tensor([[0.8, 0.6], [-1.0, 0.0]]), Suppression([1, 0]))
        tensor([0.6400, 0.0000])
    """
    edited = edit(z)
    if edited.shape != z.shape:
        raise ValueError(
            f"The edit made latents of shape {tuple(edited.shape)} out of {tuple(z.shape)}; "
            "expected the same shape. Give each run's latents to its own edit."
        )
    return (edited - z).square().sum(-1)


@dataclass(frozen=True)
class Agreement:
    """How well damage was foretold, run by run.

    Attributes:
        r2: Share of the variance of what was observed that the prediction explains, from 0 to 1.
        slope: What was observed for each unit of what was predicted; NaN where nothing was.

    Examples:
        >>> import torch
        >>> agreement(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 1.0])).slope
        tensor(0.5000)
    """

    r2: Float[Tensor, "..."]
    slope: Float[Tensor, "..."]


def agreement(
    predicted: Float[Tensor, "*batch n"], observed: Float[Tensor, "*batch n"]
) -> Agreement:
    r"""How well a prediction agrees with what was observed, up to a factor.

    .. math:: r^2 = \mathrm{corr}(p, o)^2, \qquad b = \frac{\sum p \, o}{\sum p^2}

    with what was ``predicted`` :math:`p` and ``observed`` :math:`o`; :math:`b` is the slope of the
    best line through the origin. :math:`r^2` is 0 where the correlation is negative. NaN where a
    value is not finite.

    Args:
        predicted: For each color ``(..., n)``, such as the :func:`displacement`.
        observed: In the same shape ``(..., n)``, such as the errors with the edit in force.

    Returns:
        One value of each for each run, ``(...)``.

    References:
        Eisenhauer, 2003, "Regression through the origin".

    Examples:
        >>> import torch
        >>> found = agreement(torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.0, 3.0, 6.0]))
        >>> round(found.r2.item(), 4), found.slope.item()
        (1.0, 3.0)
    """
    # in units of the largest prediction, of which no square over- or underflows
    largest = in_full_precision(predicted).abs().amax(-1, keepdim=True)
    p, o = predicted / largest, observed / largest
    return Agreement(
        squared_correlation(observed, predicted), missing((p * o).sum(-1) / p.square().sum(-1))
    )
