"""Penalty that pulls latents to length 1."""

from latent_anchors._numerics import TINY_SQUARE, in_full_precision
from latent_anchors._typing import Latents, PerSample
from latent_anchors._vectors import check_floating


def unit_norm(z: Latents) -> PerSample:
    r"""Squared distance from the unit sphere.

    .. math:: \Omega(z) = (\lVert z \rVert_2 - 1)^2

    At the origin the value is 1 and the gradient 0, since no direction leads outward there.

    Args:
        z: Latents ``(..., dim)``.

    Returns:
        ``(...)``, at least 0; 0 on the sphere.

    Raises:
        TypeError: If they are integers.

    References:
        The norm term of the color experiments 1.3 to 1.8 of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> unit_norm(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
        tensor([ 0., 16.])
    """
    check_floating("unit_norm", z)
    z = in_full_precision(z)
    length = z.square().sum(-1).clamp_min(TINY_SQUARE).sqrt()
    return (length - 1.0).square()
