"""Steering: add a vector to latents."""

from collections.abc import Sequence

from torch import Tensor
from typing_extensions import override

from latent_anchors._numerics import cosine, in_full_precision, moved, ordinary
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction, as_vector, check_width
from latent_anchors.interventions._edits import EditModule
from latent_anchors.interventions._falloffs import Falloff, constant_falloff, named


def steer(
    z: Latents,
    vector: Direction,
    falloff: Falloff = constant_falloff,
    strength: float | Tensor = 1.0,
) -> Latents:
    r"""Add a steering vector, to all latents alike or scaled by a falloff.

    .. math:: z' = z + b \, g(\alpha) \, c, \qquad \alpha = \cos(z, c)

    with the ``vector`` :math:`c` (its length matters), the ``strength`` :math:`b` and the
    ``falloff`` :math:`g`.

    Args:
        z: Latents ``(..., dim)``.
        vector: The vector to add, ``(dim,)``; its negative steers away.
        falloff: Maps alignment with the vector to the fraction of it that is added.
        strength: From 0 to 1; a number, or a tensor of a shape that broadcasts with ``(...)``.

    Returns:
        ``(..., dim)``.

    References:
        Turner et al., "Activation addition: steering language models without optimization", 2023,
        section 3.

    Examples:
        >>> import torch
        >>> steer(torch.tensor([3.0, 4.0]), torch.tensor([0.0, -2.0]), strength=0.5)
        tensor([3., 3.])
    """
    full = in_full_precision(z)
    gain = strength * falloff(cosine(full, ordinary(vector)))
    return moved(full, gain, vector.to(full)).to(z.dtype)


class Steering(EditModule):
    """:func:`steer` as a module that holds its vector and strength.

    Args:
        vector: The vector to add, ``(dim,)``; not normalized.
        falloff: Maps alignment with the vector to the fraction of it that is added.
        strength: From 0 to 1.

    Raises:
        ValueError: If the vector is zero or not finite, or the strength is out of its range.

    Examples:
        >>> import torch
        >>> Steering([0, 2])(torch.tensor([[3.0, 4.0], [3.0, -4.0]]))
        tensor([[ 3.,  6.],
                [ 3., -2.]])
    """

    vector: Direction

    def __init__(
        self,
        vector: Sequence[float] | Tensor,
        falloff: Falloff = constant_falloff,
        strength: float = 1.0,
    ) -> None:
        super().__init__(strength)
        as_direction(vector)  # refuses the zero vector
        self.register_buffer("vector", as_vector("vector", vector))
        self.falloff: Falloff = falloff

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("Steering", z, len(self.vector))
        return steer(z, self.vector, self.falloff, strength)

    @override
    def _settings(self) -> list[str]:
        return [f"falloff={named(self.falloff)}"]
