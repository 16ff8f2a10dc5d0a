"""Suppression: take out what points along a direction, as far as a falloff says."""

from collections.abc import Sequence

from torch import Tensor
from typing_extensions import override

from latent_anchors._numerics import cosine, dot, in_full_precision, unit
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction, check_width
from latent_anchors.interventions._edits import EditModule
from latent_anchors.interventions._falloffs import bounded_falloff, check_falloff


def suppress(
    z: Latents,
    direction: Direction,
    threshold: float = 0.0,
    strength: float | Tensor = 1.0,
    power: float = 0.0,
) -> Latents:
    r"""Shorten what points along a direction; what is at a right angle to it stays.

    .. math:: z' = z - b \, g(\alpha) \, (z \cdot v) \, v, \qquad \alpha = \cos(z, v)

    with :math:`v` the unit vector of the ``direction``, :math:`b` the ``strength`` and :math:`g`
    the bounded falloff. The result is not put back onto the sphere. At strength 1 and power 0 the
    part along the direction is gone, whatever it was; with a threshold of 0 or more, latents that
    point away are untouched.

    Args:
        z: Latents ``(..., dim)``.
        direction: The concept's ``(dim,)``, of any length but 0.
        threshold: Cosine above which it acts, from -1 to below 1.
        strength: Share taken out at full alignment, from 0 to 1; as a tensor ``()``.
        power: How steeply it grows from the threshold on.

    Returns:
        ``(..., dim)``.

    References:
        The suppression of the color experiment 2.1 of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> z = torch.tensor([[0.8, 0.6], [-0.8, 0.6]])
        >>> suppress(z, torch.tensor([1.0, 0.0]))
        tensor([[ 0.0000,  0.6000],
                [-0.8000,  0.6000]])
    """
    full = in_full_precision(z)
    v = unit(direction.to(full))
    gain = strength * bounded_falloff(cosine(full, v), threshold, power)
    return (full - (gain * dot(full, v)).unsqueeze(-1) * v).to(z.dtype)


class Suppression(EditModule):
    """:func:`suppress`, carrying its direction and strength.

    ``strength`` is a tensor that can be written in place, also while the edit is in force.

    Args:
        direction: The concept's ``(dim,)``; made a unit vector.
        threshold: Cosine above which it acts, from -1 to below 1.
        strength: Share taken out at full alignment, from 0 to 1.
        power: How steeply it grows from the threshold on.

    Raises:
        ValueError: If the direction is zero or not finite, or a number is out of its range.

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
        threshold: float = 0.0,
        strength: float = 1.0,
        power: float = 0.0,
    ) -> None:
        super().__init__(strength)
        check_falloff(threshold, power)
        self.register_buffer("direction", as_direction(direction))
        self.threshold: float = threshold
        self.power: float = power

    @override
    def forward(self, z: Latents) -> Latents:
        """Latents with less of the concept.

        Args:
            z: Latents ``(..., dim)``.

        Returns:
            ``(..., dim)``.

        Raises:
            ValueError: If the latents have another width.
            TypeError: If they are integers.

        Examples:
            >>> import torch
            >>> Suppression([0, 1])(torch.tensor([3.0, 4.0]))
            tensor([3., 0.])
        """
        check_width("Suppression", z, len(self.direction))
        return suppress(z, self.direction, self.threshold, self.strength, self.power)

    @override
    def extra_repr(self) -> str:
        return (
            f"threshold={self.threshold:g}, strength={float(self.strength):g}, power={self.power:g}"
        )
