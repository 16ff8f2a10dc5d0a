"""Zero ablation: set chosen dimensions of latents to zero."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from latent_anchors._checks import listed
from latent_anchors._numerics import in_full_precision
from latent_anchors._typing import Latents
from latent_anchors._vectors import as_dims, check_width
from latent_anchors.interventions._edits import EditModule, check_strength


def zero_dims(z: Latents, dims: Sequence[int], strength: float | Tensor = 1.0) -> Latents:
    """Shrink some dimensions of finite latents, to exact zeros at strength 1.

    The same as :func:`project_out` along axes; the other dimensions stay bit for bit.

    Args:
        z: Latents ``(..., dim)``.
        dims: Dimensions, from 0.
        strength: From 0 to 1; a number, or a tensor of a shape that broadcasts with ``(...)``.

    Returns:
        ``(..., dim)``.

    Raises:
        ValueError: If the latents have no such dimension, or the strength is a number out of its
            range.
        TypeError: If a dimension is not a whole number, as in a mask.

    Examples:
        >>> import torch
        >>> zero_dims(torch.tensor([3.0, 4.0, 5.0]), dims=[0, 2])
        tensor([0., 4., 0.])
    """
    check_strength(strength)
    dims = as_dims(dims)
    if lacking := [k for k in dims if not 0 <= k < z.shape[-1]]:
        raise ValueError(
            f"dims has {listed(lacking)}, and latents have {z.shape[-1]} dimensions; expected some "
            "of these, from 0."
        )
    full = in_full_precision(z)
    chosen = torch.tensor([k in dims for k in range(z.shape[-1])], device=z.device)
    kept = torch.as_tensor(1.0 - strength).to(full).unsqueeze(-1)
    return torch.where(chosen, kept * full, full).to(z.dtype)


class ZeroAblation(EditModule):
    """:func:`zero_dims` as a module that holds its dimensions and strength.

    Args:
        dims: Dimensions, from 0.
        strength: From 0 to 1.

    Raises:
        ValueError: If no dimension is given, one is repeated or negative, or the strength is out of
            range.

    Examples:
        >>> import torch
        >>> ZeroAblation([0])(torch.tensor([3.0, 4.0]))
        tensor([0., 4.])
    """

    def __init__(self, dims: Sequence[int], strength: float = 1.0) -> None:
        super().__init__(strength)
        self.dims: tuple[int, ...] = as_dims(dims)
        if not self.dims or len(set(self.dims)) < len(self.dims) or min(self.dims) < 0:
            raise ValueError(
                f"dims is {listed(dims)}; expected distinct dimensions from 0, such as dims=[0]."
            )

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        check_width("ZeroAblation", z, max(z.shape[-1] if z.ndim else 0, max(self.dims) + 1))
        return zero_dims(z, self.dims, strength)

    @override
    def _settings(self) -> list[str]:
        return [f"dims={self.dims}"]
