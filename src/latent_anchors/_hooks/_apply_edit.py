"""Apply an edit, and check that it returned new latents of the same shape and type."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn

from latent_anchors._hooks._readings import version_of

Edit: TypeAlias = Callable[[Tensor], Tensor]
"""Latents in, latents out, of the same shape."""


def edited(z: Tensor, edit: Edit) -> Tensor:
    """The latents under an edit, which must return new ones of the same shape and type."""
    counted = not torch.compiler.is_compiling()
    before = version_of(z) if counted else None
    given = (
        z.clone() if counted and before is None else z
    )  # inference tensors have no version counter
    new = edit(given)
    _check(edit, z, new)
    if before is not None and version_of(z) != before:
        raise RuntimeError(
            f"The edit {edit!r} wrote into the latents that it was given; expected new ones. "
            "Begin with z = z.clone(), or use torch.where and the like."
        )
    return new if new.stride() == z.stride() else _laid_out_as(z, new)


def state_of(edit: Edit) -> list[tuple[int, int | None]]:
    """Which tensors an edit holds, and how often each was written to."""
    if not isinstance(edit, nn.Module):
        return []
    return [(id(t), version_of(t)) for t in (*edit.parameters(), *edit.buffers())]


def _laid_out_as(z: Tensor, new: Tensor) -> Tensor:
    """The same values in the memory order of others.

    Later layers choose their arithmetic by that order, so that in another one samples that the
    edit spares would come out differently in their last bits. The first operand of ``where``
    decides the order; a copy in place would not do for runs whose latents have none of their own.
    """
    return torch.where(torch.ones_like(z, dtype=torch.bool), new, z.detach())


def _check(edit: Edit, z: Tensor, new: Tensor) -> None:
    if not isinstance(new, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance] -- users forget to return
        raise TypeError(
            f"The edit {edit!r} returned {type(new).__name__}; expected a tensor of shape "
            f"{tuple(z.shape)}. Return the new latents."
        )
    if new.shape != z.shape:
        raise ValueError(
            f"The edit {edit!r} turned latents of shape {tuple(z.shape)} into "
            f"{tuple(new.shape)}; expected the same shape. To drop dimensions, use surgery."
        )
    if new.dtype != z.dtype:
        raise TypeError(
            f"The edit {edit!r} turned latents of type {z.dtype} into {new.dtype}; expected the "
            "same type. Return new.to(z.dtype)."
        )
