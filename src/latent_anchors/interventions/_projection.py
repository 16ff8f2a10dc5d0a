"""Projection: remove the component within a subspace, whatever its sign."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from latent_anchors._numerics import in_full_precision, inverse_length, length, without_autocast
from latent_anchors._typing import Latents
from latent_anchors._vectors import as_basis, as_numbers, check_width, orthonormal_again
from latent_anchors.interventions._edits import EditModule, check_strength
from latent_anchors.interventions._falloffs import Falloff, constant_falloff, named


def project_out(
    z: Latents,
    basis: Float[Tensor, "n dim"],
    falloff: Falloff = constant_falloff,
    strength: float | Tensor = 1.0,
) -> Latents:
    r"""Shrink the component of latents within a subspace; the orthogonal part is unchanged.

    .. math::
        z' = z - b \, g(\alpha) \, B^\top B z, \qquad
        \alpha = \lVert B z \rVert / \lVert z \rVert

    with :math:`B` the ``basis``, :math:`b` the ``strength`` and :math:`g` the ``falloff``. With one
    row and the default falloff this is directional ablation.

    Args:
        z: Latents ``(..., dim)``.
        basis: Orthonormal rows ``(n, dim)``; one row is a direction.
        falloff: Maps alignment with the subspace, from 0 to 1, to the fraction removed.
        strength: From 0 to 1; a number, or a tensor of a shape that broadcasts with ``(...)``.

    Returns:
        ``(..., dim)``.

    Raises:
        ValueError: If the strength is a number out of its range, or the latents have another width.
        TypeError: If the latents are integers.

    References:
        Arditi et al., "Refusal in language models is mediated by a single direction", 2024,
        section 2.4, for one row.

    Examples:
        >>> import torch
        >>> z, red = torch.tensor([[3.0, 4.0], [-3.0, 4.0]]), torch.tensor([[1.0, 0.0]])
        >>> project_out(z, red)
        tensor([[0., 4.],
                [0., 4.]])
    """
    check_strength(strength)
    check_width("project_out", z, basis.shape[-1])
    full = in_full_precision(z)
    b = basis.to(full)
    with without_autocast(full):
        inside = full @ b.mT
        gain = strength * falloff(length(inside) * inverse_length(full))
        rest = full + (inside * -gain.unsqueeze(-1)) @ b
    return rest.to(z.dtype)


class Projection(EditModule):
    """:func:`project_out` as a module that holds its basis and strength.

    It removes what lies within the span of the basis, and keeps the rest. Of one direction it is
    what the literature calls directional ablation.

    Args:
        basis: Linearly independent rows ``(n, dim)`` that span the subspace, orthonormalized; or
            one direction ``(dim,)``.
        falloff: Maps alignment with the subspace, from 0 to 1, to the fraction removed.
        strength: From 0 to 1.

    Raises:
        ValueError: If rows are linearly dependent or not finite, or the strength is out of range.

    Examples:
        >>> import torch
        >>> Projection([1, 0, 0])(torch.tensor([3.0, 4.0, 2.0]))
        tensor([0., 4., 2.])
        >>> Projection([[1, 0, 0], [1, 1, 0]])(torch.tensor([3.0, 4.0, 2.0])).round().abs()
        tensor([0., 0., 2.])
    """

    basis: Float[Tensor, "n dim"]

    def __init__(
        self,
        basis: Sequence[float] | Sequence[Sequence[float]] | Sequence[Tensor] | Tensor,
        falloff: Falloff = constant_falloff,
        strength: float = 1.0,
    ) -> None:
        super().__init__(strength)
        rows = as_numbers(basis)
        alone = rows.ndim == 1 and rows.numel() > 0
        self.register_buffer("basis", as_basis(rows.unsqueeze(0) if alone else rows))
        self.falloff: Falloff = falloff

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("Projection", z, self.basis.shape[-1])
        return project_out(z, orthonormal_again(self.basis), self.falloff, strength)

    @override
    def _settings(self) -> list[str]:
        return [f"falloff={named(self.falloff)}"]
