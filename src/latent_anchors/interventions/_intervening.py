"""Edits in force at a site: for the length of a block, or until a handle is removed."""

from collections.abc import Generator
from contextlib import contextmanager

from torch import nn

from latent_anchors._hooks import Edit, Handle, attach_edit
from latent_anchors._sites import At


def attach(model: nn.Module, edit: Edit, at: At = "latent") -> Handle:
    """Put an edit in force at a site, until ``remove()`` is called on the handle.

    The handle is also a context manager. Several edits act in the order in which they were
    attached; removing one leaves the others alone.

    Args:
        model: Any module, or a population.
        edit: Latents ``(..., dim)`` to latents of the same shape.
        at: The site.

    Raises:
        ValueError: If the site does not exist.
        RuntimeError: If the model is compiled already.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Identity())
        >>> handle = attach(model, torch.neg, at="0")
        >>> model(torch.ones(2))
        tensor([-1., -1.])
        >>> handle.remove()
        >>> model(torch.ones(2))
        tensor([1., 1.])
    """
    return attach_edit(model, at, edit)


@contextmanager
def intervene(model: nn.Module, edit: Edit, at: At = "latent") -> Generator[Handle]:
    """Put an edit in force at a site for the length of a block.

    It ends with the block, also when the block fails. What is recorded meanwhile is edited.

    Args:
        model: Any module, or a population.
        edit: Latents ``(..., dim)`` to latents of the same shape.
        at: The site.

    Raises:
        ValueError: If the site does not exist.
        RuntimeError: If the model is compiled already, or the site never ran within the block.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Identity())
        >>> with intervene(model, torch.neg, at="0"):
        ...     model(torch.ones(2))
        tensor([-1., -1.])
    """
    with attach(model, edit, at) as handle:
        yield handle
    if not handle.acted:
        raise RuntimeError(
            f"The edit at {at!r} never acted within the block; expected the model to run. Call "
            "this very model (not a copy, nor a function compiled before) in the block, on a path "
            "that passes the site."
        )
