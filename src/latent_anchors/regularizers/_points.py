"""Points: a concept ought to lie at a place, length and all."""

from collections.abc import Sequence

from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._numerics import in_full_precision
from latent_anchors._typing import Direction, Latents, PerSample
from latent_anchors._vectors import as_vector, check_width, listed_numbers


def euclidean_anchor(z: Latents, point: Direction) -> PerSample:
    r"""Squared distance to a point.

    .. math:: \Omega(z) = \lVert z - a \rVert_2^2

    with :math:`a` the ``point``. For latents of free length; on a sphere, :func:`anchor` does not
    pull neighbors inward.

    Args:
        z: Latents ``(..., dim)``.
        point: Where the concept ought to lie ``(dim,)``.

    Returns:
        ``(...)``, at least 0.

    References:
        The point anchor of the color experiments 1.7 to 2.7 of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> euclidean_anchor(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([1.0, 0.0]))
        tensor([0., 2.])
    """
    z = in_full_precision(z)
    return (z - point.to(z)).square().sum(-1)


class EuclideanAnchor(nn.Module):
    """:func:`euclidean_anchor`, carrying its point.

    Args:
        point: Where the concept ought to lie ``(dim,)``; kept as given.

    Raises:
        ValueError: If the point is not finite or not a vector.

    Examples:
        >>> import torch
        >>> EuclideanAnchor([1, 0])(torch.tensor([0.0, 0.0]))
        tensor(1.)
    """

    point: Direction

    def __init__(self, point: Sequence[float] | Tensor) -> None:
        super().__init__()
        self.register_buffer("point", as_vector("point", point))

    @override
    def forward(self, z: Latents) -> PerSample:
        """Squared distance to the point.

        Args:
            z: Latents ``(..., dim)``.

        Returns:
            ``(...)``, at least 0.

        Raises:
            ValueError: If the latents have another width.
            TypeError: If they are integers.

        Examples:
            >>> import torch
            >>> EuclideanAnchor([3, 4])(torch.zeros(2))
            tensor(25.)
        """
        check_width("EuclideanAnchor", z, len(self.point))
        return euclidean_anchor(z, self.point)

    @override
    def extra_repr(self) -> str:
        return listed_numbers(self.point)
