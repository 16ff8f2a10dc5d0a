"""The hooks that edit a layer's latents, and edit them again where a segment is recomputed."""

import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from sys import getrefcount
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import Protocol, override, runtime_checkable

from latent_anchors._hooks._apply_edit import Edit, edited, state_of
from latent_anchors._hooks._blocks import End
from latent_anchors._hooks._checkpointing import recomputed_segment, running_segments
from latent_anchors._hooks._hook import Hook, RecorderHook, Table, table_of
from latent_anchors._hooks._outputs import latents_of, with_latents
from latent_anchors._sites import Site


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
        self._see_arguments(owner)
        self.edit: Edit = edit
        self._positions = positions
        self._chosen: Tensor | bool = True
        self._running: int | None = None
        self._repeated: weakref.WeakKeyDictionary[Any, list[Tensor | bool]]
        self._repeated = weakref.WeakKeyDictionary()

    @override
    def begin(self, end: End | None = None) -> None:
        for watch in self._begins:
            watch.begin(end)
        super().begin(end)
        for watch in self._ends:
            watch.begin(end)
        for key, hook in list(self.table.items()):  # another thread may attach meanwhile
            if isinstance(hook, RecorderHook) or _only_watches(hook):
                with suppress(KeyError):
                    self.table.move_to_end(key)  # recorders see what all edits leave

    def __call__(self, layer: nn.Module, inputs: object, other: object) -> object:
        if not self.acts_in(layer):
            return None
        given, keys = self.given(inputs, other)
        z = latents_of(given, self.site, keys)
        new = self.edited(z)
        if torch.compiler.is_compiling():
            return None if new is z else with_latents(given, self.site, new, keys)
        self._act_again(layer)
        if new is z:
            return None
        # a tensor that the edit caches must not be written to by later layers
        kept = getrefcount(new) > 2 or new._is_view()
        return with_latents(given, self.site, new.clone() if kept else new, keys)

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
            if segment in self._repeated:
                self._repeated[segment].append(self._chosen)
                continue
            self._repeated[segment] = [self._chosen]
            again = _RecomputeHook(self, layer, segment)
            again.begin()
            self._followed_by(again)

    def _followed_by(self, other: Hook) -> None:
        """Bring another hook right behind this one, before those that were attached since."""
        keys = list(self.table)
        for key in keys[keys.index(self.key) + 1 :] if self.key in keys else ():
            if key != other.key:
                self.table.move_to_end(key)


class Repeated:
    """The positions that were chosen in a segment, call by call, for its recomputation."""

    begins: Sequence[Hook] = ()
    ends: Sequence[Hook] = ()

    def __init__(self, chosen: Sequence[Tensor | bool]) -> None:
        self._chosen = chosen
        self._task, self._calls = -1, 0

    def chosen(self, z: Tensor, run: Tensor | None = None) -> Tensor | bool:
        """The same again."""
        del z, run
        task = torch._C._current_graph_task_id()  # pyright: ignore[reportPrivateUsage] -- what torch's own checkpointing asks
        self._task, self._calls = task, self._calls + 1 if task == self._task else 0
        return self._chosen[self._calls % len(self._chosen)]


class _RecomputeHook(EditHook):
    """An edit that acted in a checkpointed segment, for the recomputation of that segment."""

    def __init__(self, hook: EditHook, layer: nn.Module, segment: object) -> None:
        chosen = None if hook._positions is None else Repeated(hook._repeated[segment])
        super().__init__(hook.edit, hook.site, layer, table_of(layer, hook.site), chosen)
        self._segment: weakref.ref[Any] = weakref.ref(segment)
        self._until = tuple(
            weakref.ref(segment, partial(table.pop, self.key)) for table in self._tables
        )
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


def _only_watches(hook: object) -> bool:
    """Whether it is what transformers keeps on layers once it was asked for hidden states."""
    return getattr(hook, "__qualname__", "").endswith("output_capturing_hook")
