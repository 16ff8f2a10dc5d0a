"""Repulsion: rotate latents away from a direction, keeping their length."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from latent_anchors._numerics import TINY_SQUARE, dot, in_full_precision, ordinary, unit
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import DEPENDENT, as_direction, check_width
from latent_anchors.interventions._edits import EditModule, check_strength
from latent_anchors.interventions._falloffs import named
from latent_anchors.interventions._mappers import LinearMapper, Mapper
from latent_anchors.interventions._polar import cartesian, default_side, polar, side_of

SIXTY_DEGREES = LinearMapper(threshold=0.0, ceiling=0.5)
"""No latent stays closer to the direction than 60 degrees."""


def repel(
    z: Latents,
    direction: Direction,
    mapper: Mapper = SIXTY_DEGREES,
    strength: float | Tensor = 1.0,
    towards: Direction | None = None,
) -> Latents:
    r"""Rotate latents away from a direction, each in its plane with it; lengths are kept.

    .. math::
        z' = \lVert z \rVert \left( \mu v + \sqrt{1 - \mu^2} \, u \right), \qquad
        \mu = \alpha + b \, (m(\alpha) - \alpha), \quad \alpha = \cos(z, v)

    with :math:`v` the unit vector of the ``direction``, :math:`u` the unit vector of the latent's
    orthogonal part, :math:`m` the ``mapper`` and :math:`b` the ``strength``. Where the mapper does
    not lower the alignment, nothing changes.

    A latent on the direction itself, up to rounding, has no orthogonal part; it is rotated
    ``towards`` a given vector, by default the axis farthest from the direction (the first of
    several). The map cannot be continuous there: latents around it are rotated outward.

    Args:
        z: Latents ``(..., dim)``, in at least two dimensions.
        direction: The concept's direction ``(dim,)``, not zero.
        mapper: Maps alignment before to alignment after.
        strength: Fraction of the change in alignment, from 0 to 1; a number, or a tensor of a shape
            that broadcasts with ``(...)``.
        towards: Where to rotate a fully aligned latent, ``(dim,)``; not parallel to the direction.

    Returns:
        ``(..., dim)``, each of the same length as before.

    Raises:
        ValueError: If the strength is a number out of its range, or the latents have another width.
        TypeError: If the latents are integers.

    References:
        The repulsion of the color experiment 2.1 of ``ex-preppy`` (2025), there on the unit sphere
        and with a random vector for the fully aligned latent.

    Examples:
        >>> import torch
        >>> z = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        >>> repel(z, torch.tensor([1.0, 0.0, 0.0]))
        tensor([[1.0000, 1.7321, 0.0000],
                [0.0000, 0.0000, 1.0000]])
    """
    check_strength(strength)
    check_width("repel", z, len(direction))
    full = in_full_precision(z)
    v = unit(ordinary(direction).to(full))
    fallback = default_side(v) if towards is None else side_of(ordinary(towards).to(full), v)
    seen = polar(full, v, fallback, in_full_precision(direction).dtype)
    wanted = seen.along + strength * (mapper(seen.along) - seen.along)
    square = 1.0 - wanted.square()
    # at full alignment the square root has no finite gradient
    below = square > TINY_SQUARE
    aside = torch.where(below, torch.where(below, square, 1.0).sqrt(), 0.0)
    rotated = cartesian(seen.length, wanted, aside, v, seen.side)
    return torch.where((wanted < seen.along).unsqueeze(-1), rotated, full).to(z.dtype)


class Repulsion(EditModule):
    """:func:`repel` as a module that holds its direction and strength.

    Args:
        direction: The concept's direction ``(dim,)``; normalized.
        mapper: Maps alignment before to alignment after.
        strength: Fraction of the change in alignment, from 0 to 1.
        towards: Where to rotate a fully aligned latent, ``(dim,)``; orthogonalized against the
            direction. By default the axis farthest from it.

    Raises:
        ValueError: If a vector is zero or not finite, ``towards`` is parallel to the direction,
            there is only one dimension, or the strength is out of its range.

    Examples:
        >>> import torch
        >>> away = Repulsion([1, 0, 0], LinearMapper(ceiling=0.6), towards=[0, 0, 1])
        >>> away(torch.tensor([1.0, 0.0, 0.0]))
        tensor([0.6000, 0.0000, 0.8000])
    """

    direction: Direction
    towards: Direction

    def __init__(
        self,
        direction: Sequence[float] | Tensor,
        mapper: Mapper = SIXTY_DEGREES,
        strength: float = 1.0,
        towards: Sequence[float] | Tensor | None = None,
    ) -> None:
        super().__init__(strength)
        v = as_direction(direction)
        self.register_buffer("direction", v)
        self.register_buffer("towards", default_side(v) if towards is None else _side(towards, v))
        self.mapper: Mapper = mapper
        if not bool(self.towards.any()):
            raise ValueError(
                f"No vector is orthogonal to {direction!r} in {len(v)} dimension; expected at "
                "least two dimensions to rotate in. Use Suppression."
            )

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("Repulsion", z, len(self.direction))
        return repel(z, self.direction, self.mapper, strength, self.towards)

    @override
    def _settings(self) -> list[str]:
        return [f"mapper={named(self.mapper)}"]


def _side(towards: Sequence[float] | Tensor, v: Direction) -> Direction:
    given = as_direction(towards).to(v)
    if len(given) != len(v) or 1.0 - float(dot(given, v)) ** 2 < DEPENDENT:
        raise ValueError(
            f"towards is {towards!r}; expected {len(v)} numbers, a vector that is not parallel to "
            "the direction."
        )
    return side_of(given, v)
