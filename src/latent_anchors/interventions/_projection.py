"""Projection: remove the component within a subspace, whatever its sign."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from latent_anchors._numerics import in_full_precision, inverse_length, length, without_autocast
from latent_anchors._typing import Latents
from latent_anchors._vectors import as_basis, check_width
from latent_anchors.interventions._edits import EditModule
from latent_anchors.interventions._falloffs import Falloff, constant_falloff, named
from latent_anchors.interventions._polar import NOISE


def project_out(
    z: Latents,
    basis: Float[Tensor, "n dim"],
    falloff: Falloff = constant_falloff,
    strength: float | Tensor = 1.0,
    renormalize: bool = False,
) -> Latents:
    r"""Shrink the component of latents within a subspace; the orthogonal part is unchanged.

    .. math::
        z' = z - b \, g(\alpha) \, B^\top B z, \qquad
        \alpha = \lVert B z \rVert / \lVert z \rVert

    with :math:`B` the ``basis``, :math:`b` the ``strength`` and :math:`g` the ``falloff``. With one
    row and the default falloff this is directional ablation. With ``renormalize`` each latent is
    rescaled to the length it had, except where only rounding errors are left of it.

    Args:
        z: Latents ``(..., dim)``.
        basis: Orthonormal rows ``(n, dim)``; one row is a direction.
        falloff: Maps alignment with the subspace, from 0 to 1, to the fraction removed.
        strength: From 0 to 1; a number, or a tensor of a shape that broadcasts with ``(...)``.
        renormalize: Whether to keep the length of each latent instead of its orthogonal part.

    Returns:
        ``(..., dim)``.

    References:
        Arditi et al., "Refusal in language models is mediated by a single direction", 2024,
        section 2.4, for one row.

    Examples:
        >>> import torch
        >>> z, red = torch.tensor([[3.0, 4.0], [-3.0, 4.0]]), torch.tensor([[1.0, 0.0]])
        >>> project_out(z, red)
        tensor([[0., 4.],
                [0., 4.]])
        >>> project_out(z, red, renormalize=True)
        tensor([[0., 5.],
                [0., 5.]])
    """
    full = in_full_precision(z)
    b = basis.to(full)
    with without_autocast(full):
        inside = full @ b.mT
        gain = strength * falloff(length(inside) * inverse_length(full))
        rest = full + (inside * -gain.unsqueeze(-1)) @ b
    return (_as_long_as(full, rest) if renormalize else rest).to(z.dtype)


def _as_long_as(z: Tensor, rest: Tensor) -> Tensor:
    """The rest at the length of z; unchanged where it is as long already, or only rounding."""
    before, left = length(z), length(rest)
    stretched = (left > NOISE * torch.finfo(z.dtype).eps * before) & (left != before)
    stretch = torch.where(stretched, before / torch.where(stretched, left, 1.0), 1.0)
    return rest * stretch.unsqueeze(-1)


class Projection(EditModule):
    """:func:`project_out` as a module that holds its basis and strength.

    Args:
        basis: Linearly independent rows ``(n, dim)`` that span the subspace; orthonormalized.
        falloff: Maps alignment with the subspace, from 0 to 1, to the fraction removed.
        strength: From 0 to 1.
        renormalize: Whether to rescale each latent to the length it had.

    Raises:
        ValueError: If rows are linearly dependent or not finite, or the strength is out of range.

    Examples:
        >>> import torch
        >>> Projection([[1, 0, 0], [1, 1, 0]])(torch.tensor([3.0, 4.0, 2.0])).round().abs()
        tensor([0., 0., 2.])
    """

    basis: Float[Tensor, "n dim"]

    def __init__(
        self,
        basis: Sequence[Sequence[float]] | Tensor,
        falloff: Falloff = constant_falloff,
        strength: float = 1.0,
        renormalize: bool = False,
    ) -> None:
        super().__init__(strength)
        self.register_buffer("basis", as_basis(basis))
        self.falloff: Falloff = falloff
        self.renormalize: bool = renormalize

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("Projection", z, self.basis.shape[-1])
        return project_out(z, self.basis, self.falloff, strength, self.renormalize)

    @override
    def _settings(self) -> list[str]:
        return [f"falloff={named(self.falloff)}", f"renormalize={self.renormalize}"]
