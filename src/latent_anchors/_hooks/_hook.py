"""The hooks: edits of a layer's latents, and recorders of the edited latents.

A hook is in force while it is in its layer's table. Putting it there and
taking it out are single operations, so that no interrupt and no thread finds one half in force.
"""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from sys import getrefcount
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from typing_extensions import Protocol, override, runtime_checkable

from latent_anchors._hooks._apply_edit import Edit, edited, state_of
from latent_anchors._hooks._blocks import End
from latent_anchors._hooks._checkpointing import recomputed_segment, running_segments
from latent_anchors._hooks._outputs import latents_of, with_latents
from latent_anchors._hooks._readings import Reading
from latent_anchors._sites import Site

Table: TypeAlias = OrderedDict[int, Any]
"""Hooks by key, in the order in which they run; other libraries' hooks among them."""


def forward_pre_hooks(module: nn.Module) -> Table:
    """A module's forward pre-hooks."""
    return cast("Table", module._forward_pre_hooks)  # pyright: ignore[reportPrivateUsage] -- a single operation, where registering is several


def forward_hooks(module: nn.Module) -> Table:
    """A module's forward hooks."""
    return cast("Table", module._forward_hooks)  # pyright: ignore[reportPrivateUsage] -- as above


class Hook:
    """One edit or recorder at one site."""

    __name__ = "latent_anchors"  # torch.jit asks hooks for their names

    def __init__(self, site: Site, owner: nn.Module, table: Table) -> None:
        self.site = site
        self.table = table
        self.key: int = RemovableHandle(table).id
        self.acted: bool = False  # a count would compile anew each time
        self.on: bool = True  # compiled code looks here
        self._owner = weakref.ref(owner)
        self._thread: int | None = None
        self._until: End | None = None

    def begin(self, end: End | None = None) -> None:
        """Put it in force: in every thread, or in this one until an end dies."""
        if end is not None:
            self.tie(end)
        self.table[self.key] = self

    def tie(self, end: End) -> None:
        """Let it end with an object, and act in this thread only."""
        self._thread = threading.get_ident()
        self._until = weakref.ref(end(), partial(self.table.pop, self.key))

    def remove(self) -> None:
        """End it, and nothing else."""
        self.on = False
        self.table.pop(self.key, None)

    def acts_in(self, owner: nn.Module) -> bool:
        """Whether to act in this pass: of this module, in this thread, and no recomputation."""
        if torch.compiler.is_compiling():
            return self.on
        if self._owner() is not owner:
            _refuse_replica(owner, self.site)
            return False
        here = self._thread is None or self._thread == threading.get_ident()
        return here and recomputed_segment() is None

    def __deepcopy__(self, memo: dict[int, Any]) -> object:
        return _Copied(memo, self)

    def __reduce__(self) -> tuple[Any, ...]:
        # it does nothing, and can be loaded where this library is not installed
        return getattr, (nullcontext(), "__exit__")


@runtime_checkable
class Chooses(Protocol):
    """Which latents of a pass an edit acts on, and the hooks that this takes."""

    begins: Sequence[Hook]
    ends: Sequence[Hook]

    def chosen(self, z: Tensor, run: Tensor | None = None) -> Tensor | bool:
        """All, none, or those of a mask."""
        ...


class EditHook(Hook):
    """An edit in force at a site, or at some of its positions."""

    def __init__(
        self,
        edit: Edit,
        site: Site,
        owner: nn.Module,
        table: Table,
        positions: Chooses | None = None,
    ) -> None:
        super().__init__(site, owner, table)
        self.edit: Edit = edit
        self._positions = positions
        self._chosen: Tensor | bool = True
        self._running: int | None = None
        self._repeated: weakref.WeakSet[Any] = weakref.WeakSet()

    @override
    def begin(self, end: End | None = None) -> None:
        for watch in self._begins:
            watch.begin(end)
        super().begin(end)
        for watch in self._ends:
            watch.begin(end)
        for hook in list(self.table.values()):  # another thread may attach meanwhile
            if isinstance(hook, RecorderHook):
                with suppress(KeyError):
                    self.table.move_to_end(hook.key)  # recorders see what all edits leave

    def __call__(self, layer: nn.Module, _inputs: object, output: object) -> object:
        if not self.acts_in(layer):
            return None
        z = latents_of(output, self.site)
        new = self.edited(z)
        if torch.compiler.is_compiling():
            return None if new is z else with_latents(output, self.site, new)
        self._act_again(layer)
        if new is z:
            return None
        # a tensor that the edit caches must not be written to by later layers
        kept = getrefcount(new) > 2 or new._is_view()
        return with_latents(output, self.site, new.clone() if kept else new)

    @override
    def tie(self, end: End) -> None:
        for hook in (*self._begins, *self._ends):
            hook.tie(end)
        super().tie(end)

    @override
    def remove(self) -> None:
        super().remove()
        for hook in (*self._begins, *self._ends):
            hook.remove()

    @property
    def _begins(self) -> Sequence[Hook]:
        return () if self._positions is None else self._positions.begins

    @property
    def _ends(self) -> Sequence[Hook]:
        return () if self._positions is None else self._positions.ends

    def edited(self, z: Tensor, edit: Edit | None = None, run: Tensor | None = None) -> Tensor:
        """The latents under this edit, or under one run's form of it."""
        if self._positions is None:
            return self._edited(z, edit or self.edit)
        self._chosen = chosen = self._positions.chosen(z, run)
        if isinstance(chosen, bool):
            return self._edited(z, edit or self.edit) if chosen else z
        return torch.where(chosen.unsqueeze(-1), self._edited(z, edit or self.edit), z)

    def _edited(self, z: Tensor, edit: Edit) -> Tensor:
        self.acted = True
        if torch.compiler.is_compiling():
            return edited(z, edit)
        if self._running == threading.get_ident():
            raise RuntimeError(
                f"The edit {self.edit!r} runs the layer {self.site.name!r}, where it is in force; "
                "expected latents made of latents. Call the model before the block."
            )
        self._running = threading.get_ident()
        try:
            return edited(z, edit)
        finally:
            self._running = None

    def _act_again(self, layer: nn.Module) -> None:
        """Make the edit act again when a checkpointed segment is recomputed."""
        for segment in running_segments():
            if segment not in self._repeated:
                self._repeated.add(segment)
                _RecomputeHook(self, layer, segment).begin()


class Repeated:
    """The positions that were chosen in a pass, for its recomputation."""

    begins: Sequence[Hook] = ()
    ends: Sequence[Hook] = ()

    def __init__(self, chosen: Tensor | bool) -> None:
        self._chosen = chosen

    def chosen(self, z: Tensor, run: Tensor | None = None) -> Tensor | bool:
        """The same again."""
        del z, run
        return self._chosen


class _RecomputeHook(EditHook):
    """An edit that acted in a checkpointed segment, for the recomputation of that segment."""

    def __init__(self, hook: EditHook, layer: nn.Module, segment: object) -> None:
        chosen = None if hook._positions is None else Repeated(hook._chosen)
        super().__init__(hook.edit, hook.site, layer, forward_hooks(layer), chosen)
        self._segment: weakref.ref[Any] = weakref.ref(segment, partial(self.table.pop, self.key))
        self._repeated = hook._repeated
        self._state = state_of(hook.edit)

    @override
    def acts_in(self, owner: nn.Module) -> bool:
        if torch.compiler.is_compiling() or self._owner() is not owner:
            return False
        segment = recomputed_segment()
        if segment is None or segment is not self._segment():
            return False
        if self._state != state_of(self.edit):
            raise RuntimeError(
                f"The edit {self.edit!r} at {self.site.name!r} was changed between the forward "
                "pass and backward(), which recomputes the checkpointed segment under the edit; "
                "expected it unchanged. Call backward() first."
            )
        return True


class RecorderHook(Hook):
    """A recorder in force at a site."""

    def __init__(
        self, recorder: Callable[[Reading], None], site: Site, owner: nn.Module, table: Table
    ) -> None:
        super().__init__(site, owner, table)
        self._recorder = recorder

    def __call__(self, layer: nn.Module, _inputs: object, output: object) -> object:
        if not self.acts_in(layer):
            return None
        reading = Reading(latents_of(output, self.site), self.site, layer)
        self.show(reading)
        if reading.passed_on is reading.z:
            return None
        return with_latents(output, self.site, reading.passed_on)

    def show(self, reading: Reading) -> None:
        """Give the recorder the latents of this pass."""
        self.acted = True
        self._recorder(reading)


class PassHook(Hook):
    """A function called when a model begins, or ends, a forward pass."""

    def __init__(self, act: Callable[[], None], owner: nn.Module, table: Table) -> None:
        super().__init__(Site(""), owner, table)
        self._act = act

    def __call__(self, owner: nn.Module, *_: object) -> None:
        if self.acts_in(owner):
            self._act()


class _Copied:
    """A placeholder for a hook while a deep copy is made; it removes itself afterwards."""

    def __init__(self, memo: dict[int, Any], hook: Hook) -> None:
        table = memo.get(id(hook.table))
        if table is not None:
            done = partial(table.pop, hook.key)
            memo[id(done)] = done  # lives as long as the copying
            self._until = weakref.ref(done, partial(table.pop, hook.key))

    def __call__(self, *_: object) -> None:
        """Do nothing."""


def _refuse_replica(layer: nn.Module, site: Site) -> None:
    if "_is_replica" in vars(layer):
        raise RuntimeError(
            f"Site {site.name!r} ran in a replica of nn.DataParallel, which sees only part of the "
            "batch; expected the model itself. Use DistributedDataParallel, or one GPU."
        )
