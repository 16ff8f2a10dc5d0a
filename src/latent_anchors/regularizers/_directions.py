"""Directions drawn beforehand, at right angles to each other."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_count


def orthonormal_directions(n: int, dim: int, generator: torch.Generator) -> Float[Tensor, "n dim"]:
    """Random unit vectors at right angles to each other, uniformly oriented.

    The Q factor of a Gaussian matrix, its signs fixed by R's diagonal, which makes it uniform.

    Args:
        n: How many.
        dim: Of the latent space; at least ``n``.
        generator: Where the numbers come from; the same state gives the same directions.

    Returns:
        Rows ``(n, dim)`` of length 1.

    Raises:
        ValueError: If more directions are asked for than there are dimensions.
        TypeError: If a size is not a whole number.

    References:
        Mezzadri, "How to generate random matrices from the classical compact groups", 2007,
        section 5.

    Examples:
        >>> import torch
        >>> rows = orthonormal_directions(2, 4, torch.Generator().manual_seed(0))
        >>> (rows @ rows.mT).round(decimals=4).abs().tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    check_count("n", n)
    check_count("dim", dim)
    if n > dim:
        raise ValueError(
            f"{n} directions at right angles were asked for in {dim} dimensions; expected at most "
            f"{dim}. Use a wider latent space or fewer directions."
        )
    gaussian = torch.randn(dim, n, generator=generator, dtype=torch.float64)
    q, r = cast("tuple[Tensor, Tensor]", torch.linalg.qr(gaussian))
    return (q * r.diagonal().sign()).mT.to(torch.get_default_dtype()).contiguous()
