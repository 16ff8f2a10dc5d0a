"""Edits in force at sites: for the length of a block, or until a handle is removed."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

from torch import nn
from typing_extensions import override

from latent_anchors._hooks import (
    Edit,
    Handle,
    Hooks,
    Onwards,
    Startable,
    Where,
    attach_edit,
    check_edit,
    edit_hook,
    parameters_of,
)
from latent_anchors._runs import architecture
from latent_anchors._sites import At, Place, as_site, expanded, resolve, site_in


def attach(
    model: nn.Module, edit: Edit, at: Place = "latent", where: Where | None = None
) -> Handle:
    """Attach an edit to a site, until ``remove()`` is called on the handle.

    The handle is also a context manager. Several edits act in the order in which they were
    attached; removing one leaves the others in place. The edit acts in every thread; in a ``with``
    block, of this handle or of :func:`intervene`, it acts only in the thread of the block.

    Args:
        model: Any module, or a population.
        edit: Maps latents ``(..., dim)`` to latents of the same shape.
        at: The site, or the layer itself.
        where: On which positions it acts; see :func:`intervene`.

    Raises:
        TypeError: If the edit is no function, as where edit and site are swapped.
        ValueError: If the site or the positions do not exist.
        RuntimeError: If the model, or a function that runs it, is compiled already.

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
    check_edit(edit)  # before a site is sought in its place
    return attach_edit(model, site_in(architecture(model), at), edit, where)


def intervene(
    model: nn.Module,
    edit: Edit | Mapping[Any, Edit],
    at: Place | Iterable[Place] = "latent",
    where: Where | None = None,
) -> AbstractContextManager[dict[At, Handle]]:
    """Apply an edit at one site or several, for the length of a block.

    The edit is removed at the end of the block, also when the block fails or is interrupted.
    Latents recorded meanwhile are the edited ones. Only forward passes in the thread of the block
    are edited. Functions that were compiled before run eagerly meanwhile, edits included. Under
    activation checkpointing, ``backward()`` may come after the block: what is recomputed is edited
    again.

    ``where`` restricts the edit to some positions; the others stay as they are, bit for bit. A mask
    speaks of the whole sequence, as an attention mask does: in a pass that continues a cache, of
    the positions in the cache, too. So the mask of a prompt may stay in force while tokens are
    generated, which are not edited then. ``"last"`` is the last column of each pass: the last token
    of lines that are padded on the left. ``"prefill"`` and ``"decode"`` are the passes of a
    generation that begin a cache, and those that add one position to it. Where most of a prompt is
    in a cache that was there before the block, a pass over its last token counts as decoding; give
    a mask of the whole line then.

    Args:
        model: Any module, or a population.
        edit: Maps latents ``(..., dim)`` to latents of the same shape; or an edit for each site.
        at: The site or sites: names, patterns such as ``"model.layers.*"``, in which a ``*`` stands
            for one part of a name, layers themselves, or :class:`~latent_anchors.Site`. Leave it
            out if the edits are given by site.
        where: A mask of the latents' shape without ``dim``, usually ``(batch, position)``, bool or
            0 and 1, for a population also one for each run; or ``"last"``, ``"prefill"`` or
            ``"decode"``, for latents ``(batch, position, dim)``, batch first; or
            :class:`~latent_anchors.interventions.Onwards`, from where a concept shows in a line
            onwards. All if None.

    Yields:
        The handles, by site.

    Raises:
        TypeError: If the edit is no function, as where edit and site are swapped.
        ValueError: If a site does not exist, there is none, one is repeated, or edits are given by
            site and ``at`` is given too. In a pass: if the mask has another shape; with
            ``"last"`` or a gate, if a row holds several lines; with ``"last"``, if a line ends in
            padding: as far as the model's ``position_ids`` and ``attention_mask`` say so.
        RuntimeError: If the model is compiled already, the block is within a function that is, or
            the edit never acted within the block. In a pass: if it cannot be known whether it is
            prefill or decoding, as without a cache; or, of ``"last"``, if it has several positions
            after a cache, as where drafts are verified.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Identity(), nn.Flatten())
        >>> with intervene(model, torch.neg, at="0"):
        ...     model(torch.ones(1, 2))
        tensor([[-1., -1.]])
        >>> with intervene(model, {"0": torch.neg, "1": torch.exp}):
        ...     model(torch.zeros(1, 2))
        tensor([[1., 1.]])
        >>> with intervene(model, torch.neg, at="0", where="last"):
        ...     model(torch.ones(1, 3, 2))
        tensor([[ 1.,  1.,  1.,  1., -1., -1.]])
    """
    return _Intervention(model, edit, at, where)


class _Intervention(Hooks[dict[At, Handle]]):
    """Edits in force for the length of a block."""

    def __init__(
        self,
        model: nn.Module,
        edit: Edit | Mapping[Any, Edit],
        at: Place | Iterable[Place],
        where: Where | None,
    ) -> None:
        self._model, self._edit, self._at = model, edit, at
        self._where: Where | None = where

    @override
    def _prepare(self) -> tuple[Sequence[Startable], dict[At, Handle]]:
        edits = _by_site(architecture(self._model), self._edit, self._at)
        self._made = {site: edit_hook(self._model, site, one, self._where) for site, one in edits}
        return [*self._made.values()], {site: Handle(hook) for site, hook in self._made.items()}

    @override
    def _check(self) -> None:
        idle = [site for site, hook in self._made.items() if not hook.acted]
        if idle:
            part = f" with where={self._where!r}" if isinstance(self._where, str | Onwards) else ""
            raise RuntimeError(
                f"The edit at {idle[0]!r} never acted within the block; expected the model to run"
                f"{part}. Call this very model (not a copy or a function compiled before) in the "
                "block, in this thread, on a path that passes the site."
            )


def _by_site(
    model: nn.Module, edit: Edit | Mapping[Any, Edit], at: Place | Iterable[Place]
) -> list[tuple[At, Edit]]:
    edits = cast("Mapping[Any, Edit] | None", edit if isinstance(edit, Mapping) else None)
    if edits is None:
        check_edit(cast("object", edit))
    else:
        _check_alone(edits, at)
    places = expanded(model, at if edits is None else edits)
    sites = [site for site, _ in places]
    if not sites or len({_place_of(model, site) for site in sites}) < len(sites):
        raise ValueError(
            f"The sites are {sites}; expected at least one, each once, under one of its names. To "
            "apply an edit twice, use edit.then(edit)."
        )
    if edits is None:
        return [(site, cast("Edit", edit)) for site in sites]
    return [(site, edits[place]) for site, place in places]


def _place_of(model: nn.Module, at: At) -> tuple[int, str, tuple[object, ...]]:
    """A layer and what of it, however the site is spelled: a shared layer has several names."""
    site = as_site(at)
    layer, (first, *rest) = resolve(model, site), site.keys
    named = parameters_of(layer.forward) if site.side == "input" else ()
    return id(layer), site.side, (named.index(first) if first in named else first, *rest)


def _check_alone(edits: Mapping[Any, Edit], at: object) -> None:
    if not edits or at != "latent":
        raise ValueError(
            f"Edits were given for the sites {[*edits]}, and at is {at!r}; expected at least one "
            "site, as keys of the edits or as at, not both. Leave at out."
        )
