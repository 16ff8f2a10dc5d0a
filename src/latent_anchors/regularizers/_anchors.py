"""Penalties that pull latents to a direction or a point, or away from a direction."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_between, check_count, check_finite
from latent_anchors._numerics import cosine, in_full_precision, ordinary
from latent_anchors._typing import Direction, Latents, PerSample
from latent_anchors._vectors import as_direction, as_vector, check_width, listed_numbers


def anchor(z: Latents, direction: Direction, within: int | float = 0.0) -> PerSample:
    r"""Angular distance to a direction, or to a cone around it.

    .. math:: \Omega(z) = \max(0, \cos\theta - \cos(z, v))

    with :math:`v` the ``direction`` and :math:`\theta` the angle ``within``: with 0, the default,
    :math:`1 - \cos(z, v)`. Only angles count; the origin counts as lying at a right angle. Within
    a wide cone latents have room for what else they hold, and a gate of its width still finds them.

    Args:
        z: Latents ``(..., dim)``.
        direction: The anchor ``(dim,)``, of any length but 0.
        within: Degrees from the direction within which nothing is penalized.

    Returns:
        ``(...)``, from 0 (aligned, or within the cone) to 2 (opposite, without a cone).

    Raises:
        ValueError: If the angle is not from 0 to 180 degrees, or the latents are not as wide as the
            direction.
        TypeError: If the latents are integers.

    References:
        The angular anchor of the color experiments 2.8 and later of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> z = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
        >>> anchor(z, torch.tensor([1.0, 0.0]))
        tensor([0., 1., 2.])
        >>> anchor(z, torch.tensor([1.0, 0.0]), within=60).round(decimals=4)
        tensor([0.0000, 0.5000, 1.5000])
    """
    check_width("anchor", z, len(direction))
    return _away(z, ordinary(direction), _edge("within", within))


def anti_anchor(
    z: Latents, direction: Direction, beyond: int | float = 90.0, power: int | float = 1.0
) -> PerSample:
    r"""Alignment with a direction to keep empty.

    .. math:: \Omega(z) = \max(0, \cos(z, v) - \cos\theta)^p

    with :math:`v` the ``direction``, :math:`\theta` the angle ``beyond`` and :math:`p` the
    ``power``: with 90 degrees, the default, the hemisphere facing away costs nothing. With power 1
    a slight alignment is pushed away as hard as a strong one, with power 2 in proportion. The
    length of latents does not count.

    Args:
        z: Latents ``(..., dim)``.
        direction: The direction to stay away from ``(dim,)``, of any length but 0.
        beyond: Degrees from the direction beyond which nothing is penalized.
        power: At least 1.

    Returns:
        ``(...)``, from 0 (at that angle or beyond) to 1 (aligned) or, beyond 90 degrees, more.

    Raises:
        ValueError: If the angle is not from 0 to 180 degrees, the power is below 1 or not finite,
            or the latents are not as wide as the direction.
        TypeError: If the latents are integers.

    References:
        The anti-anchor of the color experiments 2.8 to 2.9.1 of ``ex-preppy`` (2025), with power 1.

    Examples:
        >>> import torch
        >>> z = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
        >>> anti_anchor(z, torch.tensor([1.0, 0.0]))
        tensor([1., 0., 0.])
    """
    check_width("anti_anchor", z, len(direction))
    _check_power(power)
    return _towards(z, ordinary(direction), _edge("beyond", beyond), power)


def _away(z: Latents, v: Direction, edge: float) -> PerSample:
    # a cosine may exceed 1 by rounding
    return (edge - cosine(in_full_precision(z), v)).relu()


def _towards(z: Latents, v: Direction, edge: float, power: float) -> PerSample:
    return raised(cosine(in_full_precision(z), v) - edge, power)


def raised(excess: PerSample, power: float) -> PerSample:
    """What is positive, to a power of at least 1; 0 for the rest."""
    positive = excess.relu()
    return positive if power == 1.0 else positive.pow(power)


def _check_power(power: int | float) -> None:
    check_finite("power", float(power))
    if power < 1:
        raise ValueError(
            f"power is {power:g}; expected at least 1: below it the pull at the edge is infinite. "
            "1 pushes at every alignment alike, 2 in proportion to it."
        )


def _edge(name: str, degrees: int | float) -> float:
    """The cosine of an angle, exactly 0 at a right one."""
    check_between(name, float(degrees), 0.0, 180.0)
    return 0.0 if degrees == RIGHT else math.cos(math.radians(degrees))


RIGHT = 90.0
"""Degrees of a right angle."""


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
        within: Degrees from the direction within which nothing is penalized.

    Raises:
        ValueError: If the direction is zero, not finite or not a vector, or the angle is not from
            0 to 180 degrees.

    Examples:
        >>> import torch
        >>> Anchor([1, 0])(torch.tensor([0.0, 3.0]))
        tensor(1.)
        >>> Anchor([1, 0], within=45)(torch.tensor([3.0, 2.0]))
        tensor(0.)
    """

    def __init__(self, direction: Sequence[float] | Tensor, within: int | float = 0.0) -> None:
        super().__init__(as_direction(direction))
        self.within = within

    @property
    def within(self) -> int | float:
        """Degrees from the direction within which nothing is penalized; may be set.

        Examples:
            >>> Anchor([1, 0], within=45).within
            45
        """
        return self._within

    @within.setter
    def within(self, degrees: int | float) -> None:
        self._edge: float = _edge("within", degrees)
        self._within: int | float = degrees

    @property
    def has_cone(self) -> bool:
        """Whether there is an angle within which nothing is penalized.

        Examples:
            >>> Anchor([1, 0]).has_cone, Anchor([1, 0], within=45).has_cone
            (False, True)
        """
        return self.within > 0

    @override
    def forward(self, z: Latents) -> PerSample:
        """Angular distance to the direction ``(...)`` of latents ``(..., dim)``."""
        check_width("Anchor", z, len(self.direction))
        return _away(z, self.direction, self._edge)

    @override
    def extra_repr(self) -> str:
        return super().extra_repr() + (f", within={self.within:g}" if self.has_cone else "")


class AntiAnchor(_Pointed):
    """:func:`anti_anchor`, carrying its direction.

    Args:
        direction: What to stay away from ``(dim,)``; made a unit vector.
        beyond: Degrees from the direction beyond which nothing is penalized.
        power: Of what is penalized, at least 1.

    Raises:
        ValueError: If the direction is zero, not finite or not a vector, the angle is not from 0 to
            180 degrees, or the power is below 1 or not finite.

    Examples:
        >>> import torch
        >>> AntiAnchor([-1, 0])(torch.tensor([-2.0, 0.0]))
        tensor(1.)
        >>> AntiAnchor([1, 0], beyond=45)(torch.tensor([2.0, 3.0]))
        tensor(0.)
    """

    def __init__(
        self,
        direction: Sequence[float] | Tensor,
        beyond: int | float = 90.0,
        power: int | float = 1.0,
    ) -> None:
        super().__init__(as_direction(direction))
        _check_power(power)
        self.beyond = beyond
        self.power: float = float(power)

    @property
    def beyond(self) -> int | float:
        """Degrees from the direction beyond which nothing is penalized; may be set.

        Examples:
            >>> AntiAnchor([1, 0]).beyond
            90.0
        """
        return self._beyond

    @beyond.setter
    def beyond(self, degrees: int | float) -> None:
        self._edge: float = _edge("beyond", degrees)
        self._beyond: int | float = degrees

    @property
    def has_cone(self) -> bool:
        """Whether the angle beyond which nothing is penalized is another than a right one.

        Examples:
            >>> AntiAnchor([1, 0]).has_cone, AntiAnchor([1, 0], beyond=45).has_cone
            (False, True)
        """
        return self.beyond != RIGHT

    @override
    def forward(self, z: Latents) -> PerSample:
        """Alignment with the direction, where it counts, ``(...)`` of latents ``(..., dim)``."""
        check_width("AntiAnchor", z, len(self.direction))
        return _towards(z, self.direction, self._edge, self.power)

    @override
    def extra_repr(self) -> str:
        cone = f", beyond={self.beyond:g}" if self.has_cone else ""
        return super().extra_repr() + cone + (f", power={self.power:g}" if self.power != 1 else "")


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

    Raises:
        ValueError: If the latents are not as wide as the point.
        TypeError: If the latents are integers.

    References:
        The point anchor of the color experiments 1.7 to 2.7 of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> euclidean_anchor(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([1.0, 0.0]))
        tensor([0., 2.])
    """
    check_width("euclidean_anchor", z, len(point))
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
