"""Edits in force at sites: for the length of a block, or until a handle is removed."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import cast

from torch import nn

from latent_anchors._hooks import Edit, Handle, attach_edit
from latent_anchors._sites import At, Site


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
def intervene(
    model: nn.Module, edit: Edit | Mapping[At, Edit], at: At | Sequence[At] = "latent"
) -> Generator[dict[At, Handle]]:
    """Put an edit in force at one site or several, for the length of a block.

    It ends with the block, also when the block fails. What is recorded meanwhile is edited.

    Args:
        model: Any module, or a population.
        edit: Latents ``(..., dim)`` to latents of the same shape; or sites and the edit of each.
        at: The site or sites; left out where the edits are given by site.

    Yields:
        The handles, by site.

    Raises:
        ValueError: If a site does not exist, there is none, one recurs, or edits given by site come
            with other sites besides.
        RuntimeError: If the model is compiled already, or a site never ran within the block.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Identity(), nn.Flatten())
        >>> with intervene(model, torch.neg, at="0"):
        ...     model(torch.ones(1, 2))
        tensor([[-1., -1.]])
        >>> with intervene(model, {"0": torch.neg, "1": torch.exp}):
        ...     model(torch.zeros(1, 2))
        tensor([[1., 1.]])
    """
    with ExitStack() as stack:
        handles = {
            site: stack.enter_context(attach(model, one, site))
            for site, one in _by_site(edit, at).items()
        }
        yield handles
    idle = [site for site, handle in handles.items() if not handle.acted]
    if idle:
        raise RuntimeError(
            f"The edit at {idle[0]!r} never acted within the block; expected the model to run. "
            "Call this very model (not a copy, nor a function compiled before) in the block, on a "
            "path that passes the site."
        )


def _by_site(edit: Edit | Mapping[At, Edit], at: At | Sequence[At]) -> Mapping[At, Edit]:
    if isinstance(edit, Mapping):
        return _checked(cast("Mapping[At, Edit]", edit), at)
    sites: Sequence[At] = (at,) if isinstance(at, str | Site) else at
    if not sites or len(set(sites)) < len(sites):
        raise ValueError(
            f"The sites are {[*sites]}; expected at least one, each once. To apply an edit twice, "
            "use edit.then(edit)."
        )
    return dict.fromkeys(sites, edit)


def _checked(edits: Mapping[At, Edit], at: At | Sequence[At]) -> Mapping[At, Edit]:
    if not edits or at != "latent":
        raise ValueError(
            f"Edits were given for the sites {[*edits]}, and `at` is {at!r}; expected at least one "
            "site, and all in one place. Leave `at` out."
        )
    return edits
