"""Separation: latents of one set ought to keep apart from each other."""

import torch
from torch import nn
from typing_extensions import override

from latent_anchors._checks import check_finite
from latent_anchors._numerics import in_full_precision, unit, without_autocast
from latent_anchors._typing import Latents, PerSample
from latent_anchors._vectors import check_floating
from latent_anchors.regularizers._nearness import mean_nearness


def separation(z: Latents, exponent: float = 100.0) -> PerSample:
    r"""Mean nearness, by angle, to the other members of the set.

    .. math::
        \Omega(z)_i = \frac{1}{n-1} \sum_{j \ne i}
        \left( \frac{1 + \cos(z_i, z_j)}{2} \right)^p

    with :math:`p` the ``exponent``: at 100, half of the force is gone 9.5 degrees away. A member is
    never compared with itself; two that have collapsed onto each other count 1, the most there is.
    One member alone gives 0.

    Args:
        z: A set of latents ``(..., n, dim)``.
        exponent: At least 1; the higher, the shorter the reach.

    Returns:
        ``(..., n)``, from 0 (far apart) to 1 (collapsed).

    References:
        The angular separation of the color experiments 2.3 and later of ``ex-preppy`` (2025), which
        sums over the batch where this is a mean: its weight 0.01 at batch 64 is 0.63 here.

    Examples:
        >>> import torch
        >>> z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
        >>> separation(z)
        tensor([0.5000, 0.5000, 0.0000])
    """
    z = in_full_precision(z)
    # in bfloat16 the gradients would be 8 to 15 % off
    with without_autocast(z):
        return mean_nearness(unit(z), exponent)


def euclidean_separation(z: Latents, softening: float = 1e-3) -> PerSample:
    r"""Mean inverse squared distance to the other members of the set.

    .. math:: \Omega(z)_i = \frac{1}{n-1} \sum_{j \ne i} \frac{1}{\lVert z_i - z_j \rVert^2 + s}

    with :math:`s` the ``softening``, which bounds the value where two members coincide. For latents
    of free length: on a sphere it fights the norm.

    Args:
        z: A set of latents ``(..., n, dim)``.
        softening: A squared length above 0.

    Returns:
        ``(..., n)``, from 0 to ``1 / softening``.

    References:
        The Euclidean separation of the color experiments 1.5 and 1.6 of ``ex-preppy`` (2025), where
        each member was compared with itself too.

    Examples:
        >>> import torch
        >>> euclidean_separation(torch.tensor([[0.0], [2.0]]), softening=1.0)
        tensor([0.2000, 0.2000])
    """
    z = in_full_precision(z)
    n = z.shape[-2]
    square = (z.unsqueeze(-2) - z.unsqueeze(-3)).square().sum(-1)
    others = 1.0 - torch.eye(n, dtype=z.dtype, device=z.device)
    return (others / (square + softening)).sum(-1) / max(n - 1, 1)


class Separation(nn.Module):
    """:func:`separation` as a module: a coupling by angle.

    Args:
        power: The exponent; the higher, the shorter the reach.

    Raises:
        ValueError: If the power is less than 1 or not finite.

    Examples:
        >>> import torch
        >>> Separation(power=1)(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        tensor([0.5000, 0.5000])
    """

    def __init__(self, power: float = 100.0) -> None:
        super().__init__()
        check_finite("power", power)
        if power < 1:
            raise ValueError(
                f"power is {power}; expected at least 1, below which collapsed latents repel with "
                "unbounded force. 100 keeps neighbors about 10 degrees apart."
            )
        self.power = power

    @override
    def forward(self, z: Latents) -> PerSample:
        """Mean nearness, by angle, to the others.

        Args:
            z: A set of latents ``(..., n, dim)``.

        Returns:
            ``(..., n)``, from 0 to 1.

        Raises:
            TypeError: If they are integers.

        Examples:
            >>> import torch
            >>> Separation()(torch.ones(1, 4))
            tensor([0.])
        """
        check_floating("Separation", z)
        return separation(z, self.power)

    @override
    def extra_repr(self) -> str:
        return f"power={self.power:g}"


class EuclideanSeparation(nn.Module):
    """:func:`euclidean_separation` as a module: a coupling by distance.

    Args:
        softening: A squared length that bounds the value where two members coincide.

    Raises:
        ValueError: If the softening is not above 0 and finite.

    Examples:
        >>> import torch
        >>> EuclideanSeparation(softening=1)(torch.tensor([[0.0], [0.0]]))
        tensor([1., 1.])
    """

    def __init__(self, softening: float = 1e-3) -> None:
        super().__init__()
        check_finite("softening", softening)
        if softening <= 0:
            raise ValueError(
                f"softening is {softening}; expected a squared length above 0, such as 0.001: "
                "without it two latents in one place would repel with infinite force."
            )
        self.softening = softening

    @override
    def forward(self, z: Latents) -> PerSample:
        """Mean inverse squared distance to the others.

        Args:
            z: A set of latents ``(..., n, dim)``.

        Returns:
            ``(..., n)``, at least 0.

        Raises:
            TypeError: If they are integers.

        Examples:
            >>> import torch
            >>> EuclideanSeparation(softening=1)(torch.ones(1, 4))
            tensor([0.])
        """
        check_floating("EuclideanSeparation", z)
        return euclidean_separation(z, self.softening)

    @override
    def extra_repr(self) -> str:
        return f"softening={self.softening:g}"
