"""Height: how darker colors rise from the color wheel, as on a cone or a dome."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._numerics import dot, length, missing, ordinary, unit
from latent_anchors._sites import At
from latent_anchors.colorspace import HUES, hsv_grid
from latent_anchors.evaluation import latents
from latent_anchors.testbed._colors._wheel import wheel

VALUES = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
"""HSV values of the rings whose heights are compared; darker ones hardly have a hue."""


def height(
    model: nn.Module, plane: tuple[int, int] = (0, 1), at: At = "latent"
) -> Float[Tensor, " runs"]:
    """How high the dark colors lie above the color wheel, in units of its radius.

    The distance, outside of the plane of hue, between the centers of two rings of the twelve named
    hues, one of value 1 and one of value 0.2, over the mean radius of the first in the plane. 0
    where value leads nowhere out of the plane; 0.8 on a cone as high as it is wide. NaN where the
    wheel has no radius.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.

    Returns:
        ``(runs,)``, at least 0.

    Raises:
        ValueError: If the latent space has no dimension outside of the plane.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> height(SphericalAutoencoder()) >= 0
        tensor([True])
    """
    rings = _rings(model, plane, at)
    radii, _ = wheel(model, plane, at)
    return missing(length(_rise(rings) / radii.mean(-1, keepdim=True)))


def height_order(
    model: nn.Module, plane: tuple[int, int] = (0, 1), at: At = "latent"
) -> Float[Tensor, " runs"]:
    r"""Rank correlation between the height of colors and their value.

    .. math:: D = \frac{1}{|P|} \sum_{(i, j) \in P} \mathrm{sign}(h_i - h_j)

    over all pairs :math:`P` of colors of which :math:`i` has the higher value. Colors are the
    twelve named hues at the values 0.2, 0.3 and so on to 1; :math:`h` is their height on the axis
    that leads, outside of the ``plane``, from the center of the darkest ring to that of the
    brightest. 1 where each color lies beyond all darker ones, whatever their hue; the shape, cone
    or dome, does not matter. NaN where a latent is.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.

    Returns:
        ``(runs,)``, from -1 to 1.

    Raises:
        ValueError: If the latent space has no dimension outside of the plane.

    References:
        Somers, 1962, "A new asymmetric measure of association for ordinal variables".

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> height_order(SphericalAutoencoder()).abs() <= 1
        tensor([True])
    """
    rings = _rings(model, plane, at)
    heights = dot(rings, unit(ordinary(_rise(rings)))[:, None, None])
    higher = heights[:, 1:, None, :, None] - heights[:, None, :-1, None, :]
    pairs = torch.ones(higher.shape[1:3], dtype=torch.bool, device=higher.device).tril()
    order = higher[:, pairs].sign().flatten(1).mean(-1)
    # the sign of NaN is 0
    return order.masked_fill(~heights.isfinite().flatten(1).all(-1), torch.nan)


def _rings(
    model: nn.Module, plane: tuple[int, int], at: At
) -> Float[Tensor, "runs values hues others"]:
    """Latents outside of the plane, the darkest ring first."""
    z = latents(model, hsv_grid(len(HUES), [1.0], VALUES).rgb, at)
    hues = {dim % z.shape[-1] for dim in plane}
    others = [dim for dim in range(z.shape[-1]) if dim not in hues]
    if not others:
        raise ValueError(
            f"The latents have {z.shape[-1]} dimensions, and {plane!r} is the plane of hue; "
            "expected at least one more, along which there can be a height."
        )
    return z[..., others].reshape(len(z), len(HUES), len(VALUES), -1).transpose(1, 2)


def _rise(rings: Float[Tensor, "runs values hues others"]) -> Float[Tensor, "runs others"]:
    """From the center of the darkest ring to that of the brightest."""
    return (rings[:, -1] - rings[:, 0]).mean(1)
