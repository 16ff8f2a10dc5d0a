"""Steering: add a vector to latents, or amplify what they have along a direction."""

from collections.abc import Sequence

from torch import Tensor
from typing_extensions import override

from latent_anchors._checks import check_finite
from latent_anchors._numerics import (
    cosine,
    dot,
    in_full_precision,
    inverse_length,
    moved,
    ordinary,
    unit,
)
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction, as_vector, check_width
from latent_anchors.interventions._edits import EditModule, check_strength
from latent_anchors.interventions._falloffs import Falloff, constant_falloff, named
from latent_anchors.interventions._suppression import HALF_SPACE


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
            To steer farther, give a longer vector.

    Returns:
        ``(..., dim)``.

    Raises:
        ValueError: If the strength is a number out of its range, or the latents have another width.
        TypeError: If the latents are integers.

    References:
        Turner et al., "Activation addition: steering language models without optimization", 2023,
        section 3.

    Examples:
        >>> import torch
        >>> steer(torch.tensor([3.0, 4.0]), torch.tensor([0.0, -2.0]), strength=0.5)
        tensor([3., 3.])
    """
    check_strength(strength)
    check_width("steer", z, len(vector))
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


def amplify(
    z: Latents,
    direction: Direction,
    factor: float = 2.0,
    falloff: Falloff = HALF_SPACE,
    strength: float | Tensor = 1.0,
) -> Latents:
    r"""Scale the component of latents along a direction; the orthogonal part is unchanged.

    .. math:: z' = z + b \, g(\alpha) \, (f - 1) (z \cdot v) \, v, \qquad \alpha = \cos(z, v)

    with :math:`v` the unit vector of the ``direction``, :math:`f` the ``factor``, :math:`b` the
    ``strength`` and :math:`g` the ``falloff``. Above 1 the factor steers a concept up in
    proportion to how much of it there is; 0 removes it, as :func:`suppress` does; below 0 it turns
    it over. By default latents that point away are unchanged. With :func:`constant_falloff` the map
    is linear, and is what :func:`rescale_direction` does to the weights.

    Args:
        z: Latents ``(..., dim)``.
        direction: The concept's direction ``(dim,)``, not zero.
        factor: Of the component, at full alignment and strength 1.
        falloff: Maps alignment with the direction to the fraction of the change.
        strength: Fraction of the change, from 0 to 1; a number, or a tensor of a shape that
            broadcasts with ``(...)``.

    Returns:
        ``(..., dim)``.

    Raises:
        ValueError: If the strength is a number out of its range, or the latents have another width.
        TypeError: If the latents are integers.

    References:
        The scaling of the follow-up experiment 2.9.2 of ``ex-preppy`` (2025), there with -1.

    Examples:
        >>> import torch
        >>> z = torch.tensor([[0.8, 0.6], [-0.8, 0.6]])
        >>> amplify(z, torch.tensor([1.0, 0.0]), factor=3.0)
        tensor([[ 2.4000,  0.6000],
                [-0.8000,  0.6000]])
    """
    check_strength(strength)
    check_width("amplify", z, len(direction))
    full = in_full_precision(z)
    v = unit(ordinary(direction).to(full))
    along = dot(full, v)
    gain = strength * falloff(along * inverse_length(full)) * (factor - 1.0)
    return moved(full, gain * along, v).to(z.dtype)


class Amplification(EditModule):
    """:func:`amplify` as a module that holds its direction and strength.

    Args:
        direction: The concept's direction ``(dim,)``; normalized.
        factor: Of the component along it, at full alignment and strength 1.
        falloff: Maps alignment with the direction to the fraction of the change.
        strength: Fraction of the change, from 0 to 1: at 1/2 and factor 3 the component doubles.

    Raises:
        ValueError: If the direction is zero or not finite, the factor is not finite, or the
            strength is out of its range.

    Examples:
        >>> import torch
        >>> Amplification([1, 0], factor=3.0).at(0.5)(torch.tensor([3.0, 4.0]))
        tensor([6., 4.])
    """

    direction: Direction

    def __init__(
        self,
        direction: Sequence[float] | Tensor,
        factor: float = 2.0,
        falloff: Falloff = HALF_SPACE,
        strength: float = 1.0,
    ) -> None:
        super().__init__(strength)
        check_finite("factor", factor)
        self.register_buffer("direction", as_direction(direction))
        self.factor: float = float(factor)
        self.falloff: Falloff = falloff

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("Amplification", z, len(self.direction))
        return amplify(z, self.direction, self.factor, self.falloff, strength)

    @override
    def _settings(self) -> list[str]:
        return [f"factor={self.factor:g}", f"falloff={named(self.falloff)}"]
