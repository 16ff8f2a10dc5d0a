"""Planarity: how much of the color wheel lies outside of the plane of hue."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._numerics import ordinary
from latent_anchors._sites import At
from latent_anchors.colorspace import HUES, named_colors
from latent_anchors.evaluation._latents import latents


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
