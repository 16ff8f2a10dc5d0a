"""Redirection: move latents that are aligned with a concept to a target."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from typing_extensions import override

from latent_anchors._checks import check_name
from latent_anchors._numerics import cosine, in_full_precision, ordinary, unit
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction, as_vector, check_width
from latent_anchors.interventions._edits import EditModule, check_strength
from latent_anchors.interventions._falloffs import Falloff, named
from latent_anchors.interventions._polar import cartesian, default_side, polar
from latent_anchors.interventions._suppression import HALF_SPACE

Path = Literal["line", "arc"]
PATHS = get_args(Path)
"""In a straight line, or along a great circle."""


def redirect(
    z: Latents,
    direction: Direction,
    target: Direction,
    falloff: Falloff = HALF_SPACE,
    strength: float | Tensor = 1.0,
    path: Path = "line",
) -> Latents:
    r"""Move latents that are aligned with a direction towards a target.

    .. math:: z' = z + s \, (t - z), \qquad s = b \, g(\cos(z, v))

    for ``path="line"``, with the ``target`` :math:`t`, the ``direction`` :math:`v`, the
    ``strength`` :math:`b` and the ``falloff`` :math:`g`. For ``path="arc"`` the angle to the target
    shrinks by the fraction :math:`s`, along the great circle, and each latent keeps its length. A
    latent opposite to the target, up to rounding, moves through the axis farthest from it.

    Args:
        z: Latents ``(..., dim)``; for an arc, in at least two dimensions.
        direction: The concept's direction ``(dim,)``, not zero.
        target: Where to move latents, ``(dim,)``; for an arc, only its direction matters.
        falloff: Maps alignment with the direction to the fraction of the way.
        strength: Fraction of the way at full alignment, from 0 to 1; a number, or a tensor of a
            shape that broadcasts with ``(...)``.
        path: ``"line"`` or ``"arc"``.

    Returns:
        ``(..., dim)``.

    Raises:
        ValueError: If there is no such path, the strength is a number out of its range, or the
            latents have another width.
        TypeError: If the latents are integers.

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
    check_strength(strength)
    check_width("redirect", z, len(direction))
    check_name("path", path, PATHS)
    full = in_full_precision(z)
    share = (strength * falloff(cosine(full, ordinary(direction)))).unsqueeze(-1)
    if path == "arc":
        moved = _rotated(full, ordinary(target), share.squeeze(-1))
    else:
        moved = torch.lerp(full, target.to(full), share.to(full))
    return torch.where(share > 0, moved, full).to(z.dtype)


def _rotated(z: Tensor, target: Tensor, share: Tensor) -> Tensor:
    t = unit(target.to(z))
    seen = polar(z, t, default_side(t), target.dtype)
    # the origin has no angle, and its gradient would not be finite
    along = torch.where(seen.length > 0, seen.along, 1.0)
    angle = (1.0 - share) * torch.atan2(seen.aside, along)
    return cartesian(seen.length, angle.cos(), angle.sin(), t, seen.side)


class Redirection(EditModule):
    """:func:`redirect` as a module that holds its direction, target and strength.

    Args:
        direction: The concept's direction ``(dim,)``; normalized.
        target: Where to move latents, ``(dim,)``; for an arc, only its direction matters.
        falloff: Maps alignment with the direction to the fraction of the way.
        strength: Fraction of the way at full alignment, from 0 to 1.
        path: ``"line"``, or ``"arc"`` around the origin, which keeps lengths.

    Raises:
        ValueError: If a vector is not finite or is zero where a direction is needed, the two differ
            in width, the path is unknown, or the strength is out of its range.

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
        check_name("path", path, PATHS)
        if path == "arc":
            as_direction(target)  # refuses the origin, to which there is no arc
        self.register_buffer("direction", as_direction(direction))
        self.register_buffer("target", as_vector("target", target))
        self.falloff: Falloff = falloff
        self.path: Path = path
        if len(self.target) != len(self.direction):
            raise ValueError(
                f"The direction has {len(self.direction)} dimensions and the target has "
                f"{len(self.target)}; expected the same number."
            )

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("Redirection", z, len(self.direction))
        return redirect(z, self.direction, self.target, self.falloff, strength, self.path)

    @override
    def _settings(self) -> list[str]:
        return [f"falloff={named(self.falloff)}", f"path={self.path!r}"]
