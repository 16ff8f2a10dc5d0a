"""Suppression: remove the component along a direction, weighted by a falloff."""

from collections.abc import Sequence

from torch import Tensor
from typing_extensions import override

from latent_anchors._numerics import dot, in_full_precision, inverse_length, moved, ordinary, unit
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction, check_width
from latent_anchors.interventions._edits import EditModule, check_strength
from latent_anchors.interventions._falloffs import BoundedFalloff, Falloff, named

HALF_SPACE = BoundedFalloff()
"""Full strength for every latent within 90 degrees of the direction."""


def suppress(
    z: Latents,
    direction: Direction,
    falloff: Falloff = HALF_SPACE,
    strength: float | Tensor = 1.0,
) -> Latents:
    r"""Shrink the component of latents along a direction; the orthogonal part is unchanged.

    .. math:: z' = z - b \, g(\alpha) \, (z \cdot v) \, v, \qquad \alpha = \cos(z, v)

    with :math:`v` the unit vector of the ``direction``, :math:`b` the ``strength`` and :math:`g`
    the ``falloff``. The result is not normalized again. By default the component along the
    direction is removed where it is positive, and latents that point away are unchanged; with
    :func:`constant_falloff` this is directional ablation.

    Args:
        z: Latents ``(..., dim)``.
        direction: The concept's direction ``(dim,)``, not zero.
        falloff: Maps alignment with the direction to the fraction removed.
        strength: Fraction removed at full alignment, from 0 to 1; a number, or a tensor of a shape
            that broadcasts with ``(...)``.

    Returns:
        ``(..., dim)``.

    Raises:
        ValueError: If the strength is a number out of its range, or the latents have another width.
        TypeError: If the latents are integers.

    References:
        The suppression of the color experiment 2.1 of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> z = torch.tensor([[0.8, 0.6], [-0.8, 0.6]])
        >>> suppress(z, torch.tensor([1.0, 0.0]))
        tensor([[ 0.0000,  0.6000],
                [-0.8000,  0.6000]])
    """
    check_strength(strength)
    check_width("suppress", z, len(direction))
    full = in_full_precision(z)
    v = unit(ordinary(direction).to(full))
    along = dot(full, v)
    gain = strength * falloff(along * inverse_length(full))
    return moved(full, -gain * along, v).to(z.dtype)


class Suppression(EditModule):
    """:func:`suppress` as a module that holds its direction and strength.

    By default it acts on latents within 90 degrees of the direction. What the literature calls
    directional ablation acts on all of them: ``Suppression(v, constant_falloff)``, which is
    :class:`Projection` of one direction.

    Args:
        direction: The concept's direction ``(dim,)``; normalized.
        falloff: Maps alignment with the direction to the fraction removed.
        strength: Fraction removed at full alignment, from 0 to 1.

    Raises:
        ValueError: If the direction is zero or not finite, or the strength is out of its range.

    Examples:
        >>> import torch
        >>> mute = Suppression([1, 0])
        >>> mute(torch.tensor([3.0, 4.0]))
        tensor([0., 4.])
        >>> mute.at(0.5)(torch.tensor([3.0, 4.0]))
        tensor([1.5000, 4.0000])
    """

    direction: Direction

    def __init__(
        self,
        direction: Sequence[float] | Tensor,
        falloff: Falloff = HALF_SPACE,
        strength: float = 1.0,
    ) -> None:
        super().__init__(strength)
        self.register_buffer("direction", as_direction(direction))
        self.falloff: Falloff = falloff

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("Suppression", z, len(self.direction))
        return suppress(z, self.direction, self.falloff, strength)

    @override
    def _settings(self) -> list[str]:
        return [f"falloff={named(self.falloff)}"]
