"""Penalties that keep latents within a subspace, out of it, or on the unit sphere."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import listed
from latent_anchors._numerics import TINY_SQUARE, in_full_precision, unit, without_autocast
from latent_anchors._typing import Latents, PerSample
from latent_anchors._vectors import (
    as_basis,
    as_dims,
    check_floating,
    check_width,
    orthonormal_again,
)


def subspace(z: Latents, basis: Float[Tensor, "n dim"], relative: bool = False) -> PerSample:
    r"""Squared length of what sticks out of a subspace.

    .. math:: \Omega(z) = \lVert z - B^\top B z \rVert_2^2

    with :math:`B` the ``basis``; if ``relative``, by :math:`\lVert z \rVert_2^2`: the squared sine
    of the angle to the subspace, which no change of scale makes smaller. With two rows this is
    planarity.

    Args:
        z: Latents ``(..., dim)``.
        basis: Orthonormal rows ``(n, dim)``.
        relative: As a share of the squared length; 0 at the origin, as before.

    Returns:
        ``(...)``, at least 0; 0 within the subspace. At most 1 if relative.

    Raises:
        ValueError: If the latents are not as wide as the basis.
        TypeError: If the latents are integers.

    References:
        The planarity and subspace terms of the color experiments of ``ex-preppy`` (2025), there
        for axes only.

    Examples:
        >>> import torch
        >>> subspace(torch.tensor([[1.0, 2.0, 3.0]]), torch.eye(3)[:2])
        tensor([9.])
    """
    check_width("subspace", z, basis.shape[-1])
    return _outside(z, basis, relative)


def _outside(z: Latents, basis: Float[Tensor, "n dim"], relative: bool) -> PerSample:
    z = _measured(z, relative)
    b = basis.to(z)
    with without_autocast(z):
        outside = z + (z @ -b.mT) @ b
    return outside.square().sum(-1)


def anti_subspace(z: Latents, basis: Float[Tensor, "n dim"], relative: bool = False) -> PerSample:
    r"""Squared length of the component within a subspace to keep empty.

    .. math:: \Omega(z) = \lVert B z \rVert_2^2

    with :math:`B` the ``basis``; if ``relative``, by :math:`\lVert z \rVert_2^2`: the squared
    cosine of the angle to the subspace, which no change of scale makes smaller.

    Args:
        z: Latents ``(..., dim)``.
        basis: Orthonormal rows ``(n, dim)``.
        relative: As a share of the squared length; 0 at the origin, as before.

    Returns:
        ``(...)``, at least 0; 0 at right angles to the subspace. At most 1 if relative.

    Raises:
        ValueError: If the latents are not as wide as the basis.
        TypeError: If the latents are integers.

    References:
        The anti-subspace term of the color experiments 2.10 and later of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> anti_subspace(torch.tensor([[1.0, 2.0, 3.0]]), torch.eye(3)[:2])
        tensor([5.])
    """
    check_width("anti_subspace", z, basis.shape[-1])
    return _inside(z, basis, relative)


def _inside(z: Latents, basis: Float[Tensor, "n dim"], relative: bool) -> PerSample:
    z = _measured(z, relative)
    with without_autocast(z):
        inside = z @ basis.to(z).mT
    return inside.square().sum(-1)


def _measured(z: Latents, relative: bool) -> Latents:
    z = in_full_precision(z)
    return unit(z) if relative else z


class _Spanned(nn.Module):
    """What the two modules share: a basis, or axes of a space as wide as the latents are."""

    basis: Float[Tensor, "n dim"] | None

    def __init__(
        self,
        dims: Sequence[int] | None = None,
        basis: Sequence[Sequence[float]] | Tensor | None = None,
        relative: bool = False,
    ) -> None:
        super().__init__()
        self.relative: bool = relative
        if (dims is None) == (basis is None):
            raise ValueError(
                f"{type(self).__name__} was given dims={dims!r} and basis={basis!r}; expected "
                "exactly one of them. Use dims=(0, 1) for axes, basis= for other directions."
            )
        self.dims: tuple[int, ...] | None = None if dims is None else _checked_dims(dims)
        self.register_buffer("basis", None if basis is None else as_basis(basis))

    def _rows(self, z: Tensor, basis: Float[Tensor, "n dim"]) -> Float[Tensor, "n dim"]:
        """The basis, if latents are as wide."""
        check_width(type(self).__name__, z, basis.shape[-1])
        return orthonormal_again(basis)

    def _axes(self, z: Tensor) -> Float[Tensor, " dim"]:
        """1 for the axes that span the subspace and 0 for the others, for latents of this width."""
        dims = self.dims or ()
        check_width(type(self).__name__, z, max(z.shape[-1], max(dims) + 1))
        z = in_full_precision(z)
        return torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)[list(dims)].sum(0)

    @override
    def extra_repr(self) -> str:
        spanned = f"dims={self.dims}" if self.basis is None else f"basis={tuple(self.basis.shape)}"
        return spanned + (", relative=True" if self.relative else "")


def _checked_dims(dims: Sequence[int]) -> tuple[int, ...]:
    chosen = as_dims(dims)
    if not chosen or len(set(chosen)) < len(chosen) or min(chosen) < 0:
        raise ValueError(
            f"dims is {listed(dims)}; expected distinct axes counted from 0, such as dims=(0, 1)."
        )
    return chosen


class Subspace(_Spanned):
    """:func:`subspace`, carrying its basis: it keeps latents within the subspace.

    Args:
        dims: Axes that span the subspace, as a shorthand.
        basis: Rows ``(n, dim)`` that span it, in any directions; made orthonormal.
        relative: As a share of the squared length, from 0 to 1.

    Raises:
        ValueError: If not exactly one is given, axes are not distinct, or rows are dependent.

    Examples:
        >>> import torch
        >>> Subspace(dims=(0, 1))(torch.tensor([3.0, 4.0, 2.0]))
        tensor(4.)
        >>> Subspace(basis=[[2, 0, 0], [1, 1, 0]])(torch.tensor([3.0, 4.0, 2.0])).round()
        tensor(4.)
    """

    @override
    def forward(self, z: Latents) -> PerSample:
        """Squared length outside of the subspace ``(...)`` of latents ``(..., dim)``."""
        if self.basis is None:  # one product is cheaper than two of matrices
            outside = 1.0 - self._axes(z)
            return (_measured(z, self.relative) * outside).square().sum(-1)
        return _outside(z, self._rows(z, self.basis), self.relative)


class AntiSubspace(_Spanned):
    """:func:`anti_subspace`, carrying its basis: it keeps latents out of the subspace.

    Args:
        dims: Axes that span the subspace, as a shorthand.
        basis: Rows ``(n, dim)`` that span it, in any directions; made orthonormal.
        relative: As a share of the squared length, from 0 to 1.

    Raises:
        ValueError: If not exactly one is given, axes are not distinct, or rows are dependent.

    Examples:
        >>> import torch
        >>> AntiSubspace(dims=[0])(torch.tensor([3.0, 4.0, 2.0]))
        tensor(9.)
    """

    @override
    def forward(self, z: Latents) -> PerSample:
        """Squared length within the subspace ``(...)`` of latents ``(..., dim)``."""
        if self.basis is None:
            inside = self._axes(z)
            return (_measured(z, self.relative) * inside).square().sum(-1)
        return _inside(z, self._rows(z, self.basis), self.relative)


def unit_norm(z: Latents) -> PerSample:
    r"""Squared distance from the unit sphere.

    .. math:: \Omega(z) = (\lVert z \rVert_2 - 1)^2

    At the origin the value is 1 and the gradient 0, since no direction leads outward there.

    Args:
        z: Latents ``(..., dim)``.

    Returns:
        ``(...)``, at least 0; 0 on the sphere.

    Raises:
        TypeError: If they are integers.

    References:
        The norm term of the color experiments 1.3 to 1.8 of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> unit_norm(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
        tensor([ 0., 16.])
    """
    check_floating("unit_norm", z)
    z = in_full_precision(z)
    length = z.square().sum(-1).clamp_min(TINY_SQUARE).sqrt()
    return (length - 1.0).square()
