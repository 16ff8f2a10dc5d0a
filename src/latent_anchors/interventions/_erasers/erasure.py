"""Erasure: an oblique projection about a center."""

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from latent_anchors._numerics import in_full_precision, without_autocast
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_vector, check_width
from latent_anchors.interventions._edits import EditModule, check_strength


def erase(
    z: Latents,
    left: Float[Tensor, "dim k"],
    right: Float[Tensor, "k dim"],
    center: Direction,
    strength: float | Tensor = 1.0,
) -> Latents:
    r"""Project latents about a center, along one subspace and parallel to another.

    .. math:: z' = z - b \, L R (z - c)

    with :math:`L` ``left``, :math:`R` ``right``, the ``center`` :math:`c` and the ``strength``
    :math:`b`. If :math:`R L` is the identity and :math:`b` is 1, :math:`R z'` is :math:`R c` for
    all latents: nothing can be read along the rows of :math:`R`.

    Args:
        z: Latents ``(..., dim)``.
        left: Directions along which latents move, columns ``(dim, k)``.
        right: Directions whose readings are erased, rows ``(k, dim)``.
        center: A point that does not move, ``(dim,)``; usually the mean of the latents.
        strength: From 0 to 1; a number, or a tensor of a shape that broadcasts with ``(...)``.

    Returns:
        ``(..., dim)``.

    Raises:
        ValueError: If the strength is a number out of its range, or the latents have another width.
        TypeError: If the latents are integers.

    References:
        Belrose et al., "LEACE: perfect linear concept erasure in closed form", 2023, equation 1.

    Examples:
        >>> import torch
        >>> v = torch.tensor([[1.0, 0.0]])
        >>> erase(torch.tensor([3.0, 4.0]), v.mT, v, center=torch.tensor([0.5, 0.5]))
        tensor([0.5000, 4.0000])
    """
    check_strength(strength)
    check_width("erase", z, len(center))
    full = in_full_precision(z)
    with without_autocast(full):
        read = (full - center.to(full)) @ right.to(full).mT
        removed = read @ left.to(full).mT
    return (full - torch.as_tensor(strength).to(full).unsqueeze(-1) * removed).to(z.dtype)


class Erasure(EditModule):
    """:func:`erase` as a module that holds its projection and strength.

    Returned by :func:`fit_mean_difference`, :func:`fit_cav` and :func:`fit_leace`. For one concept,
    ``right[0]`` is the fitted direction, which can be passed to other edits.

    Args:
        left: Directions along which latents move, columns ``(dim, k)``.
        right: Directions whose readings are erased, rows ``(k, dim)``.
        center: A point that does not move, ``(dim,)``.
        strength: From 0 to 1.

    Raises:
        ValueError: If the shapes do not match, a number is not finite, or the strength is out of
            range.

    Examples:
        >>> import torch
        >>> v = torch.tensor([[1.0, 0.0]])
        >>> Erasure(v.mT, v, torch.zeros(2))(torch.tensor([3.0, 4.0]))
        tensor([0., 4.])
    """

    left: Float[Tensor, "dim k"]
    right: Float[Tensor, "k dim"]
    center: Direction

    def __init__(self, left: Tensor, right: Tensor, center: Tensor, strength: float = 1.0) -> None:
        super().__init__(strength)
        if left.ndim != 2 or right.shape != left.mT.shape or center.shape != left.shape[:1]:
            raise ValueError(
                f"left, right and center have shapes {tuple(left.shape)}, {tuple(right.shape)} and "
                f"{tuple(center.shape)}; expected (dim, k), (k, dim) and (dim,)."
            )
        for name, tensor in (("left", left), ("right", right), ("center", center)):
            as_vector(name, tensor.flatten())  # refuses what is empty or not finite
            self.register_buffer(name, tensor.detach().clone())

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("Erasure", z, len(self.center))
        return erase(z, self.left, self.right, self.center, strength)

    @override
    def _settings(self) -> list[str]:
        return [f"dim={self.left.shape[-2]}, k={self.left.shape[-1]}"]
