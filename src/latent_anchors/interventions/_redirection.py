"""Redirection: what lies near a concept is sent to a chosen place."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from latent_anchors._checks import check_name
from latent_anchors._numerics import cosine, in_full_precision, ordinary, unit
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction, as_vector, check_width
from latent_anchors.interventions._edits import EditModule
from latent_anchors.interventions._falloffs import Falloff, named
from latent_anchors.interventions._polar import cartesian, default_side, polar
from latent_anchors.interventions._suppression import HALF_SPACE

Path = Literal["line", "arc"]
"""Straight to the target, or around the origin towards it."""


def redirect(
    z: Latents,
    direction: Direction,
    target: Direction,
    falloff: Falloff = HALF_SPACE,
    strength: float | Tensor = 1.0,
    path: Path = "line",
) -> Latents:
    r"""Move what points along a direction to a target, as far as the falloff says.

    .. math:: z' = z + s \, (t - z), \qquad s = b \, g(\cos(z, v))

    on the ``"line"``, with the ``target`` :math:`t`, the ``direction`` :math:`v`, the ``strength``
    :math:`b` and the ``falloff`` :math:`g`. On the ``"arc"`` it is the angle to the target that
    shrinks by the share :math:`s`, along the great circle, and each latent keeps its length. A
    latent opposite to the target, up to rounding, goes by way of the axis farthest from it.

    Args:
        z: Latents ``(..., dim)``; on the arc in at least two dimensions.
        direction: The concept's ``(dim,)``, of any length but 0.
        target: The place ``(dim,)``; on the arc only its direction counts.
        falloff: Alignment with the direction to share of the way.
        strength: Share of the way at full alignment, from 0 to 1; as a tensor ``()``, or of a shape
            that broadcasts with ``(...)``.
        path: ``"line"`` or ``"arc"``.

    Returns:
        ``(..., dim)``.

    References:
        Shoemake, "Animating rotation with quaternion curves", 1985, equation 3.3, for the arc.

    Examples:
        >>> import torch
        >>> z, red, gray = torch.eye(3)[:2], torch.eye(3)[0], torch.eye(3)[2]
        >>> redirect(z, red, gray)
        tensor([[0., 0., 1.],
                [0., 1., 0.]])
        >>> redirect(z, red, gray, strength=0.5, path="arc")
        tensor([[0.7071, 0.0000, 0.7071],
                [0.0000, 1.0000, 0.0000]])
    """
    full = in_full_precision(z)
    share = (strength * falloff(cosine(full, ordinary(direction)))).unsqueeze(-1)
    if path == "arc":
        moved = _turned(full, unit(ordinary(target).to(full)), share.squeeze(-1))
    else:
        t = target.to(full).expand_as(full)
        moved = torch.lerp(full, t, share.to(full).expand_as(full))
    return torch.where(share > 0, moved, full).to(z.dtype)


def _turned(z: Tensor, t: Tensor, share: Tensor) -> Tensor:
    seen = polar(z, t, default_side(t))
    # the origin has no angle, nor would its gradient be finite
    along = torch.where(seen.length > 0, seen.along, 1.0)
    angle = (1.0 - share) * torch.atan2(seen.aside, along)
    return cartesian(seen.length, angle.cos(), angle.sin(), t, seen.side)


class Redirection(EditModule):
    """:func:`redirect`, carrying its direction, target and strength.

    Args:
        direction: The concept's ``(dim,)``; made a unit vector.
        target: The place ``(dim,)`` to move to; on the arc only its direction counts.
        falloff: Alignment with the direction to share of the way.
        strength: Share of the way at full alignment, from 0 to 1.
        path: ``"line"``, or ``"arc"`` around the origin, keeping lengths.

    Raises:
        ValueError: If a vector is not finite or points nowhere, the two differ in width, the path
            is unknown, or the strength is out of its range.

    Examples:
        >>> import torch
        >>> Redirection([1, 0], target=[0, 1])(torch.tensor([[2.0, 0.0], [-2.0, 0.0]]))
        tensor([[ 0.,  1.],
                [-2.,  0.]])
    """

    direction: Direction
    target: Direction

    def __init__(
        self,
        direction: Sequence[float] | Tensor,
        target: Sequence[float] | Tensor,
        falloff: Falloff = HALF_SPACE,
        strength: float = 1.0,
        path: Path = "line",
    ) -> None:
        super().__init__(strength)
        check_name("path", path, ("line", "arc"))
        if path == "arc":
            as_direction(target)  # refuses the origin, which no arc leads to
        self.register_buffer("direction", as_direction(direction))
        self.register_buffer("target", as_vector("target", target))
        self.falloff: Falloff = falloff
        self.path: Path = path
        if len(self.target) != len(self.direction):
            raise ValueError(
                f"The direction has {len(self.direction)} dimensions and the target has "
                f"{len(self.target)}; expected one latent space."
            )

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("Redirection", z, len(self.direction))
        return redirect(z, self.direction, self.target, self.falloff, strength, self.path)

    @override
    def _settings(self) -> list[str]:
        return [f"falloff={named(self.falloff)}", f"path={self.path!r}"]
