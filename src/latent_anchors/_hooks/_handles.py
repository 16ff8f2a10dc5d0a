"""Attach hooks at a site, list the edits in force, and remove them."""

from collections.abc import Callable, Sequence, Sized
from copy import deepcopy
from types import FunctionType
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from typing_extensions import Protocol, override, runtime_checkable

from latent_anchors._hooks._apply_edit import Edit
from latent_anchors._hooks._blocks import Block, End
from latent_anchors._hooks._compiled import refuse_compiled, refuse_uncalled
from latent_anchors._hooks._edit_hook import EditHook
from latent_anchors._hooks._hook import (
    Hook,
    RecorderHook,
    Table,
    forward_hooks,
    forward_pre_hooks,
    table_of,
)
from latent_anchors._hooks._positions import Positions, Where
from latent_anchors._hooks._readings import Reading
from latent_anchors._sites import At, Site, as_site, layers_of, path


class Handle(Block["Handle"]):
    """One edit in force at a site until ``remove()``, or the end of its ``with`` block.

    Removing it twice is harmless, and it never removes anything else.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Identity())
        >>> with attach_edit(model, "0", torch.neg) as handle:
        ...     model(torch.ones(1))
        tensor([-1.])
        >>> handle.acted
        True
    """

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    @property
    def site(self) -> Site:
        """Where it acts.

        Examples:
            >>> import torch
            >>> attach_edit(nn.Sequential(nn.Identity()), "0", torch.neg).site.name
            '0'
        """
        return self._hook.site

    @property
    def edit(self) -> Edit:
        """What it does.

        Examples:
            >>> import torch
            >>> attach_edit(nn.Sequential(nn.Identity()), "0", torch.neg).edit is torch.neg
            True
        """
        return cast("EditHook", self._hook).edit

    @property
    def acted(self) -> bool:
        """Whether the site has run since.

        Examples:
            >>> import torch
            >>> attach_edit(nn.Sequential(nn.Identity()), "0", torch.neg).acted
            False
        """
        return self._hook.acted

    def remove(self) -> None:
        """End what was attached, and nothing else.

        Examples:
            >>> import torch
            >>> model = nn.Sequential(nn.Identity())
            >>> handle = attach_edit(model, "0", torch.neg)
            >>> handle.remove()
            >>> model(torch.ones(1))
            tensor([1.])
        """
        self._hook.remove()

    @override
    def _begin(self, end: End) -> "Handle":
        """Let it end with the block."""
        self._hook.tie(end)
        return self

    @override
    def _leave(self, failed: bool) -> None:
        """End it."""
        self.remove()


@runtime_checkable
class Hooked(Protocol):
    """A model that keeps a table of hooks itself, as a population does."""

    def hook_table(self, site: Site) -> Table:
        """The table for hooks at a site that exists."""
        ...


def as_hooked(model: nn.Module) -> Hooked | None:
    """The model, if it keeps a table of hooks itself."""
    # isinstance of a protocol costs as much as a small layer, and each site of a block asks
    return cast("Hooked", model) if hasattr(type(model), "hook_table") else None


def attach_edit(model: nn.Module, at: At, edit: Edit, where: Where | None = None) -> Handle:
    """Put an edit in force at a site, in every thread."""
    refuse_compiled(_architecture(model, as_site(at)), as_site(at).name, for_good=True)
    hook = edit_hook(model, at, edit, where)
    try:
        hook.begin()
        return Handle(hook)
    except BaseException:
        hook.remove()
        raise


def check_edit(edit: object) -> None:
    """Refuse what is no function, as where the site stands in the edit's place."""
    if not callable(edit):
        raise TypeError(
            f"The edit is {edit!r}; expected a function of the latents. "
            "Mind the order: model, edit, at."
        )


def edit_hook(model: nn.Module, at: At, edit: Edit, where: Where | None = None) -> EditHook:
    """An edit for a site, not in force yet."""
    check_edit(edit)
    site = as_site(at)
    owner, table = _owner_and_table(model, site)
    if where is None:
        return EditHook(edit, site, owner, table)
    # a population's layers run within one pass of all runs, and are called by no names
    population = as_hooked(model) is not None
    way = () if population else _architecture(model, site)
    runs = len(cast("Sized", model)) if population else None
    return EditHook(edit, site, owner, table, Positions(where, way, site, runs))


def recorder_hook(model: nn.Module, at: At, recorder: Callable[[Reading], None]) -> RecorderHook:
    """A recorder for a site, not in force yet."""
    site = as_site(at)
    return RecorderHook(recorder, site, *_owner_and_table(model, site))


def attach_recorder(model: nn.Module, at: At, recorder: Callable[[Tensor], None]) -> Handle:
    """Call ``recorder`` with the latents at a site, edits included, at every forward pass."""
    hook = recorder_hook(model, at, lambda reading: recorder(reading.z))
    hook.begin()
    return Handle(hook)


def in_force(model: nn.Module) -> list[Handle]:
    """The edits in force in a model, layer by layer, in the order in which they act.

    Each is a handle with its ``site`` and ``edit``, and can be removed even if the handle that
    ``attach`` returned is lost.

    Args:
        model: Any module, or a population.

    Examples:
        >>> import torch
        >>> from latent_anchors.interventions import attach
        >>> model = nn.Sequential(nn.Identity())
        >>> _ = attach(model, torch.neg, at="0")
        >>> [handle.site.name for handle in in_force(model)]
        ['0']
    """
    layers = layers_of(model).values()
    tables = [table(layer) for layer in layers for table in (forward_pre_hooks, forward_hooks)]
    if (hooked := as_hooked(model)) is not None:
        tables.append(hooked.hook_table(Site("")))
    hooks = [hook for table in tables for hook in list(table.values())]
    return [Handle(hook) for hook in hooks if type(hook) is EditHook]


def clear(model: nn.Module) -> None:
    """Remove every edit in force in a model.

    Args:
        model: Any module, or a population.

    Examples:
        >>> import torch
        >>> from latent_anchors.interventions import attach
        >>> model = nn.Sequential(nn.Identity())
        >>> _ = attach(model, torch.neg, at="0")
        >>> clear(model)
        >>> model(torch.ones(1))
        tensor([1.])
    """
    for handle in in_force(model):
        handle.remove()


_Model = TypeVar("_Model", bound=nn.Module)


def copy_without_hooks(model: _Model) -> _Model:
    """A deep copy without our edits and recorders; other hooks are copied.

    Refused if the copy would keep using the original's weights.
    """
    for name, layer in layers_of(model).items():
        # a method is copied, a function is not
        if isinstance(vars(layer).get("forward"), FunctionType):
            raise ValueError(
                f"The forward of {name or 'the model'!r} was replaced by a function, which a copy "
                "would share, with the original weights; expected the forward of its class. "
                "Restore it first, or compile the new model instead."
            )
    with torch.inference_mode(False):  # within it, a copy could never be trained
        return deepcopy(model)


def _owner_and_table(model: nn.Module, site: Site) -> tuple[nn.Module, Table]:
    """The module whose passes trigger a hook, and the table that holds it."""
    way = _architecture(model, site)
    refuse_compiled(way, site.name)
    _refuse_data_parallel(way)
    if (hooked := as_hooked(model)) is not None:
        return model, hooked.hook_table(site)
    return way[-1], table_of(way[-1], site)


def _architecture(model: nn.Module, site: Site) -> Sequence[nn.Module]:
    hooked = as_hooked(model)
    if hooked is not None:
        hooked.hook_table(site)
    way = path(model if hooked is None else cast("nn.Module", model.stacked), site)
    refuse_uncalled(way, site.name)
    return way


def _refuse_data_parallel(way: Sequence[nn.Module]) -> None:
    if any(isinstance(module, nn.DataParallel) for module in way):
        raise RuntimeError(
            "The model is wrapped in nn.DataParallel, whose replicas each see a part of the batch; "
            "expected the model itself. Use DistributedDataParallel, or model.module on one GPU."
        )
