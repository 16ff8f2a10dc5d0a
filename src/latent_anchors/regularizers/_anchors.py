"""Penalties that pull latents to a direction or a point, or away from a direction."""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_count, check_finite
from latent_anchors._numerics import cosine, in_full_precision, ordinary
from latent_anchors._typing import Direction, Latents, PerSample
from latent_anchors._vectors import as_direction, as_vector, check_width, listed_numbers


def anchor(z: Latents, direction: Direction) -> PerSample:
    r"""Angular distance to a direction.

    .. math:: \Omega(z) = 1 - \cos(z, v)

    with :math:`v` the ``direction``. Only angles count; at the origin the value is 1.

    Args:
        z: Latents ``(..., dim)``.
        direction: The anchor ``(dim,)``, of any length but 0.

    Returns:
        ``(...)``, from 0 (aligned) to 2 (opposite).

    References:
        The angular anchor of the color experiments 2.8 and later of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> z = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
        >>> anchor(z, torch.tensor([1.0, 0.0]))
        tensor([0., 1., 2.])
    """
    return _away(z, ordinary(direction))


def anti_anchor(z: Latents, direction: Direction, power: float = 1.0) -> PerSample:
    r"""Alignment with a direction to keep empty.

    .. math:: \Omega(z) = \max(0, \cos(z, v))^p

    with :math:`v` the ``direction`` and :math:`p` the ``power``; the hemisphere facing away costs
    nothing. With power 1 a slight alignment is pushed away as hard as a strong one, with power 2 in
    proportion. The length of latents does not count.

    Args:
        z: Latents ``(..., dim)``.
        direction: The direction to stay away from ``(dim,)``, of any length but 0.
        power: At least 1.

    Returns:
        ``(...)``, from 0 (at a right angle or beyond) to 1 (aligned).

    Raises:
        ValueError: If the power is below 1 or not finite.

    References:
        The anti-anchor of the color experiments 2.8 to 2.9.1 of ``ex-preppy`` (2025), with power 1.

    Examples:
        >>> import torch
        >>> z = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
        >>> anti_anchor(z, torch.tensor([1.0, 0.0]))
        tensor([1., 0., 0.])
    """
    _check_power(power)
    return _towards(z, ordinary(direction), power)


def _away(z: Latents, v: Direction) -> PerSample:
    # a cosine may exceed 1 by rounding
    return (1.0 - cosine(in_full_precision(z), v)).relu()


def _towards(z: Latents, v: Direction, power: float) -> PerSample:
    return raised(cosine(in_full_precision(z), v), power)


def raised(cosines: PerSample, power: float) -> PerSample:
    """Positive cosines to a power of at least 1; 0 for the others."""
    positive = cosines.relu()
    return positive if power == 1.0 else positive.pow(power)


def _check_power(power: float) -> None:
    check_finite("power", power)
    if power < 1:
        raise ValueError(
            f"power is {power:g}; expected at least 1: below it the pull at a right angle is "
            "infinite. 1 pushes at every alignment alike, 2 in proportion to it."
        )


class _Pointed(nn.Module):
    """What the two modules share: a direction, carried across devices and checkpoints."""

    direction: Direction

    def __init__(self, vector: Direction) -> None:
        super().__init__()
        self.register_buffer("direction", vector)

    @override
    def extra_repr(self) -> str:
        return listed_numbers(self.direction)


class Anchor(_Pointed):
    """:func:`anchor`, carrying its direction.

    Args:
        direction: One number per latent dimension ``(dim,)``; made a unit vector.

    Raises:
        ValueError: If the direction is zero, not finite or not a vector.

    Examples:
        >>> import torch
        >>> Anchor([1, 0])(torch.tensor([0.0, 3.0]))
        tensor(1.)
    """

    def __init__(self, direction: Sequence[float] | Tensor) -> None:
        super().__init__(as_direction(direction))

    @override
    def forward(self, z: Latents) -> PerSample:
        """Angular distance to the direction ``(...)`` of latents ``(..., dim)``."""
        check_width("Anchor", z, len(self.direction))
        return _away(z, self.direction)


class AntiAnchor(_Pointed):
    """:func:`anti_anchor`, carrying its direction.

    Args:
        direction: What to stay away from ``(dim,)``; made a unit vector.
        power: Of the alignment, at least 1.

    Raises:
        ValueError: If the direction is zero, not finite or not a vector, or the power is below 1
            or not finite.

    Examples:
        >>> import torch
        >>> AntiAnchor([-1, 0])(torch.tensor([-2.0, 0.0]))
        tensor(1.)
    """

    def __init__(self, direction: Sequence[float] | Tensor, power: float = 1.0) -> None:
        super().__init__(as_direction(direction))
        _check_power(power)
        self.power: float = float(power)

    @override
    def forward(self, z: Latents) -> PerSample:
        """Alignment with the direction, where positive, ``(...)`` of latents ``(..., dim)``."""
        check_width("AntiAnchor", z, len(self.direction))
        return _towards(z, self.direction, self.power)

    @override
    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.power == 1.0 else f", power={self.power:g}")


def euclidean_anchor(z: Latents, point: Direction) -> PerSample:
    r"""Squared distance to a point.

    .. math:: \Omega(z) = \lVert z - a \rVert_2^2

    with :math:`a` the ``point``. For latents of free length; on a sphere, :func:`anchor` does not
    pull neighbors inward.

    Args:
        z: Latents ``(..., dim)``.
        point: Target of the concept ``(dim,)``.

    Returns:
        ``(...)``, at least 0.

    References:
        The point anchor of the color experiments 1.7 to 2.7 of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> euclidean_anchor(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([1.0, 0.0]))
        tensor([0., 2.])
    """
    z = in_full_precision(z)
    return (z - point.to(z)).square().sum(-1)


class EuclideanAnchor(nn.Module):
    """:func:`euclidean_anchor`, carrying its point.

    Args:
        point: Target of the concept ``(dim,)``; kept as given.

    Raises:
        ValueError: If the point is not finite or not a vector.

    Examples:
        >>> import torch
        >>> EuclideanAnchor([1, 0])(torch.tensor([0.0, 0.0]))
        tensor(1.)
    """

    point: Direction

    def __init__(self, point: Sequence[float] | Tensor) -> None:
        super().__init__()
        self.register_buffer("point", as_vector("point", point))

    @override
    def forward(self, z: Latents) -> PerSample:
        """Squared distance to the point ``(...)`` of latents ``(..., dim)``."""
        check_width("EuclideanAnchor", z, len(self.point))
        return euclidean_anchor(z, self.point)

    @override
    def extra_repr(self) -> str:
        return listed_numbers(self.point)


def orthonormal_directions(n: int, dim: int, generator: torch.Generator) -> Float[Tensor, "n dim"]:
    """Random unit vectors at right angles to each other, uniformly oriented.

    The Q factor of a Gaussian matrix, its signs fixed by R's diagonal, which makes it uniform.

    Args:
        n: How many.
        dim: Of the latent space; at least ``n``.
        generator: Where the numbers come from; the same state gives the same directions.

    Returns:
        Rows ``(n, dim)`` of length 1.

    Raises:
        ValueError: If more directions are asked for than there are dimensions.
        TypeError: If a size is not a whole number.

    References:
        Mezzadri, "How to generate random matrices from the classical compact groups", 2007,
        section 5.

    Examples:
        >>> import torch
        >>> rows = orthonormal_directions(2, 4, torch.Generator().manual_seed(0))
        >>> (rows @ rows.mT).round(decimals=4).abs().tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    check_count("n", n)
    check_count("dim", dim)
    if n > dim:
        raise ValueError(
            f"{n} directions at right angles were asked for in {dim} dimensions; expected at most "
            f"{dim}. Use a wider latent space or fewer directions."
        )
    gaussian = torch.randn(dim, n, generator=generator, dtype=torch.float64)
    q, r = cast("tuple[Tensor, Tensor]", torch.linalg.qr(gaussian))
    return (q * r.diagonal().sign()).mT.to(torch.get_default_dtype()).contiguous()
