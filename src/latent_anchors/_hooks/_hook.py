"""The only hooks: edits of the latents that leave a layer, and recorders of what the edits leave.

A hook is in force as long as it stands in its table, which is its layer's own. Putting it there and
taking it out are single operations, so that no interrupt and no thread finds one half in force.
"""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from sys import getrefcount
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from typing_extensions import override

from latent_anchors._hooks._blocks import End
from latent_anchors._hooks._checkpointing import stretch_repeated, stretches_under_way
from latent_anchors._hooks._edited import Edit, edited, state_of
from latent_anchors._hooks._outputs import latents_of, with_latents
from latent_anchors._hooks._readings import Reading
from latent_anchors._sites import Site

Table: TypeAlias = OrderedDict[int, Any]
"""Hooks by key, in the order in which they run; some are not ours."""


def hooks_before(module: nn.Module) -> Table:
    """The table of what runs before a module's forward pass."""
    return cast("Table", module._forward_pre_hooks)  # pyright: ignore[reportPrivateUsage] -- a single operation, where registering is several


def hooks_behind(module: nn.Module) -> Table:
    """The table of what runs after a module's forward pass."""
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
        """Whether a pass is meant: of this very module, in this thread, for the first time."""
        if torch.compiler.is_compiling():
            return self.on
        if self._owner() is not owner:
            _refuse_replica(owner, self.site)
            return False
        here = self._thread is None or self._thread == threading.get_ident()
        return here and stretch_repeated() is None

    def __deepcopy__(self, memo: dict[int, Any]) -> object:
        return _Copied(memo, self)

    def __reduce__(self) -> tuple[Any, ...]:
        # it does nothing, and can be loaded where this library is not installed
        return getattr, (nullcontext(), "__exit__")


class EditHook(Hook):
    """An edit in force at a site."""

    def __init__(self, edit: Edit, site: Site, owner: nn.Module, table: Table) -> None:
        super().__init__(site, owner, table)
        self.edit: Edit = edit
        self._running: int | None = None
        self._repeated: weakref.WeakSet[Any] = weakref.WeakSet()

    @override
    def begin(self, end: End | None = None) -> None:
        super().begin(end)
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
        # what somebody keeps, as a cache does, must not be written to by operations behind
        kept = getrefcount(new) > 2 or new._is_view()
        return with_latents(output, self.site, new.clone() if kept else new)

    def edited(self, z: Tensor, edit: Edit | None = None) -> Tensor:
        """The latents under this edit (or one run's own form of it)."""
        self.acted = True
        edit = edit or self.edit
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
        """Let the edit act alike when a checkpointed stretch is run again for its gradients."""
        for stretch in stretches_under_way():
            if stretch not in self._repeated:
                self._repeated.add(stretch)
                _Repetition(self, layer, stretch).begin()


class _Repetition(EditHook):
    """An edit that acted in a checkpointed stretch, for when the stretch is run again."""

    def __init__(self, hook: EditHook, layer: nn.Module, stretch: object) -> None:
        super().__init__(hook.edit, hook.site, layer, hooks_behind(layer))
        self._stretch: weakref.ref[Any] = weakref.ref(stretch, partial(self.table.pop, self.key))
        self._repeated = hook._repeated
        self._state = state_of(hook.edit)

    @override
    def acts_in(self, owner: nn.Module) -> bool:
        if torch.compiler.is_compiling() or self._owner() is not owner:
            return False
        stretch = stretch_repeated()
        if stretch is None or stretch is not self._stretch():
            return False
        if self._state != state_of(self.edit):
            raise RuntimeError(
                f"The edit {self.edit!r} at {self.site.name!r} was changed between the forward "
                "pass and backward(), which runs the checkpointed part again under the edit; "
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
        if reading.handed_on is reading.z:
            return None
        return with_latents(output, self.site, reading.handed_on)

    def show(self, reading: Reading) -> None:
        """Let the recorder see what left."""
        self.acted = True
        self._recorder(reading)


class PassHook(Hook):
    """What is done when a model begins, or ends, a forward pass."""

    def __init__(self, act: Callable[[], None], owner: nn.Module, table: Table) -> None:
        super().__init__(Site(""), owner, table)
        self._act = act

    def __call__(self, owner: nn.Module, *_: object) -> None:
        if self.acts_in(owner):
            self._act()


class _Copied:
    """What stands for a hook in a deep copy while it is made; it leaves when that is done."""

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
