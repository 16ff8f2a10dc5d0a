"""Set penalties that keep the latents of a set apart."""

from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_finite
from latent_anchors._numerics import in_full_precision
from latent_anchors._supervision import as_mask
from latent_anchors._typing import Latents, PerSample
from latent_anchors._vectors import check_floating
from latent_anchors.regularizers._cosine_pairs import (
    check_chunk,
    mean_cosine_nearness,
    members_at_once,
)
from latent_anchors.regularizers._distance_pairs import mean_inverse_distance

Members = Bool[Tensor, "*batch"] | Integer[Tensor, "*batch"]


def separation(
    z: Latents, exponent: float = 100.0, chunk: int | None = None, mask: Members | None = None
) -> PerSample:
    r"""Mean nearness, by angle, to the other members of the set.

    .. math::
        \Omega(z)_i = \frac{1}{n-1} \sum_{j \ne i}
        \left( \frac{1 + \cos(z_i, z_j)}{2} \right)^p

    with :math:`p` the ``exponent``: at 100, half of the force is gone 9.5 degrees away. A member is
    never compared with itself; two that have collapsed onto each other count 1, the most there is.
    One member alone gives 0. Members outside of the ``mask`` are none: they give 0, whatever they
    are, and :math:`n` counts the others. It cannot be differentiated twice.

    Args:
        z: A set of latents ``(..., n, dim)``.
        exponent: At least 1; the higher, the shorter the reach.
        chunk: How many members are compared with the others at a time: memory grows with
            ``chunk * n``, forward and backward, and the gradients stay exact. If None, all at once
            up to 1,024 members, and 128 at a time above.
        mask: Which members count ``(..., n)``; all if None.

    Returns:
        ``(..., n)``, from 0 (far apart) to 1 (collapsed).

    Raises:
        ValueError: If the exponent or the chunk is less than 1, or the mask has another shape than
            the set.
        TypeError: If the chunk is not a whole number, the mask is soft, or the latents are
            integers.

    References:
        The angular separation of the color experiments 2.3 and later of ``ex-preppy`` (2025), which
        sums over the batch where this is a mean: its weight 0.01 at batch 64 is 0.63 here.

    Examples:
        >>> import torch
        >>> z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
        >>> separation(z)
        tensor([0.5000, 0.5000, 0.0000])
    """
    _check_exponent("exponent", exponent)
    check_floating("separation", z)
    return _by_angle(z, exponent, chunk, mask)


def _by_angle(z: Latents, exponent: float, chunk: int | None, mask: Members | None) -> PerSample:
    at_once = members_at_once(z.shape[-2], chunk)
    z, counted = _members(z, mask)
    return mean_cosine_nearness(z, exponent, at_once, counted)


def _check_exponent(name: str, exponent: float) -> None:
    check_finite(name, exponent)
    if exponent < 1:
        raise ValueError(
            f"{name} is {exponent}; expected at least 1, below which collapsed latents repel with "
            "unbounded force. 100 keeps neighbors about 10 degrees apart."
        )


def euclidean_separation(
    z: Latents, softening: float = 1e-3, chunk: int | None = None, mask: Members | None = None
) -> PerSample:
    r"""Mean inverse squared distance to the other members of the set.

    .. math:: \Omega(z)_i = \frac{1}{n-1} \sum_{j \ne i} \frac{1}{\lVert z_i - z_j \rVert^2 + s}

    with :math:`s` the ``softening``, which bounds the value where two members coincide. For latents
    of free length: on a sphere it fights the norm. Members outside of the ``mask`` are none, as in
    :func:`separation`. It cannot be differentiated twice.

    Args:
        z: A set of latents ``(..., n, dim)``.
        softening: A squared length above 0.
        chunk: How many members are compared with the others at a time, as in :func:`separation`.
        mask: Which members count ``(..., n)``; all if None.

    Returns:
        ``(..., n)``, from 0 to ``1 / softening``.

    Raises:
        ValueError: If the softening is not above 0 and finite, the chunk is less than 1, or the
            mask has another shape than the set.
        TypeError: If the chunk is not a whole number, the mask is soft, or the latents are
            integers.

    References:
        The Euclidean separation of the color experiments 1.5 and 1.6 of ``ex-preppy`` (2025), where
        each member was compared with itself too.

    Examples:
        >>> import torch
        >>> euclidean_separation(torch.tensor([[0.0], [2.0]]), softening=1.0)
        tensor([0.2000, 0.2000])
    """
    _check_softening(softening)
    check_floating("euclidean_separation", z)
    return _by_distance(z, softening, chunk, mask)


def _by_distance(
    z: Latents, softening: float, chunk: int | None, mask: Members | None
) -> PerSample:
    at_once = members_at_once(z.shape[-2], chunk)
    z, counted = _members(z, mask)
    return mean_inverse_distance(z, softening, at_once, counted)


def _check_softening(softening: float) -> None:
    check_finite("softening", softening)
    if softening <= 0:
        raise ValueError(
            f"softening is {softening}; expected a squared length above 0, such as 0.001: "
            "without it two latents in one place would repel with infinite force."
        )


def _members(z: Latents, mask: Members | None) -> tuple[Latents, Float[Tensor, "*batch"] | None]:
    """The set in full precision, and 1 for each member that counts; the others put anywhere."""
    z = in_full_precision(z)
    if mask is None:
        return z, None
    mask = as_mask("The mask of a set penalty", mask, z.device)
    if mask.shape != z.shape[:-1]:
        raise ValueError(
            f"A set penalty was given a mask of shape {tuple(mask.shape)} and latents of shape "
            f"{tuple(z.shape)}; expected one entry for each member {tuple(z.shape[:-1])}."
        )
    return z.masked_fill(~mask.unsqueeze(-1), 1.0), mask.to(z)


class Separation(nn.Module):
    """:func:`separation` as a module: a set penalty by angle.

    Args:
        power: The exponent; the higher, the shorter the reach.
        chunk: How many members are compared with the others at a time, as in :func:`separation`.

    Raises:
        ValueError: If the power is less than 1 or not finite, or the chunk is less than 1.
        TypeError: If the chunk is not a whole number.

    Examples:
        >>> import torch
        >>> Separation(power=1)(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        tensor([0.5000, 0.5000])
    """

    def __init__(self, power: float = 100.0, chunk: int | None = None) -> None:
        super().__init__()
        check_chunk(chunk)
        _check_exponent("power", power)
        self.power = power
        self.chunk = chunk

    @override
    def forward(self, z: Latents, mask: Members | None = None) -> PerSample:
        """Mean nearness to the others ``(..., n)`` of latents ``(..., n, dim)``."""
        check_floating("Separation", z)
        return _by_angle(z, self.power, self.chunk, mask)

    @override
    def extra_repr(self) -> str:
        return f"power={self.power:g}{_chunk_repr(self.chunk)}"


class EuclideanSeparation(nn.Module):
    """:func:`euclidean_separation` as a module: a set penalty by distance.

    Args:
        softening: A squared length that bounds the value where two members coincide.
        chunk: How many members are compared with the others at a time, as in :func:`separation`.

    Raises:
        ValueError: If the softening is not above 0 and finite, or the chunk is less than 1.
        TypeError: If the chunk is not a whole number.

    Examples:
        >>> import torch
        >>> EuclideanSeparation(softening=1)(torch.tensor([[0.0], [0.0]]))
        tensor([1., 1.])
    """

    def __init__(self, softening: float = 1e-3, chunk: int | None = None) -> None:
        super().__init__()
        check_chunk(chunk)
        _check_softening(softening)
        self.softening = softening
        self.chunk = chunk

    @override
    def forward(self, z: Latents, mask: Members | None = None) -> PerSample:
        """Mean inverse squared distance ``(..., n)`` of latents ``(..., n, dim)``."""
        check_floating("EuclideanSeparation", z)
        return _by_distance(z, self.softening, self.chunk, mask)

    @override
    def extra_repr(self) -> str:
        return f"softening={self.softening:g}{_chunk_repr(self.chunk)}"


def _chunk_repr(chunk: int | None) -> str:
    return "" if chunk is None else f", chunk={chunk}"
