"""The hooks that look: recorders of latents, and the tables that all hooks stand in.

A hook is in force while it is in its layer's table. Putting it there and
taking it out are single operations, so that no interrupt and no thread finds one half in force.
Some stand in a second table as well, such as torch's table of those that take keyword arguments; a
key that is only there means nothing.
"""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from itertools import count
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn

from latent_anchors._hooks._blocks import End
from latent_anchors._hooks._checkpointing import recomputed_segment
from latent_anchors._hooks._outputs import (
    Arguments,
    Keys,
    keys_in,
    latents_of,
    parameters_of,
    with_latents,
)
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


def table_of(layer: nn.Module, site: Site) -> Table:
    """The table for hooks at a layer's output, or at its inputs."""
    return forward_hooks(layer) if site.side == "output" else forward_pre_hooks(layer)


def that_take_names(module: nn.Module) -> Table:
    """Those of a module's forward pre-hooks that are called with keyword arguments, too."""
    return cast("Table", module._forward_pre_hooks_with_kwargs)  # pyright: ignore[reportPrivateUsage] -- as above


def always_called(module: nn.Module) -> Table:
    """Those of a module's forward hooks that are called even if its pass fails."""
    return cast("Table", module._forward_hooks_always_called)  # pyright: ignore[reportPrivateUsage] -- as above


_keys = count(2**40)
"""Far from the keys of others' hooks, which a key left in a pickled copy must never meet."""


class _Entry:
    """What stands in a table under a key, and is in no copy of that table."""

    def __init__(self, table: Table, key: int) -> None:
        self.table = table
        self.key = key

    def __deepcopy__(self, memo: dict[int, Any]) -> object:
        return _Copied(memo, self)

    def __reduce__(self) -> tuple[Any, ...]:
        # it does nothing, and can be loaded where this library is not installed
        return getattr, (nullcontext(), "__exit__")


class Hook(_Entry):
    """One edit or recorder at one site."""

    __name__ = "latent_anchors"  # torch.jit asks hooks for their names

    def __init__(self, site: Site, owner: nn.Module, table: Table, *flags: Table) -> None:
        super().__init__(table, next(_keys))
        self.site = site
        self.acted: bool = False  # a count would compile anew each time
        self.on: bool = True  # compiled code looks here
        self._owner = weakref.ref(owner)
        self._thread: int | None = None
        self._until: tuple[End, ...] = ()
        self._tables: tuple[Table, ...] = (*flags, table)
        self._names: tuple[str, ...] = ()

    def begin(self, end: End | None = None) -> None:
        """Put it in force: in every thread, or in this one until an end dies."""
        if end is not None:
            self.tie(end)
        for table in self._tables[:-1]:
            table[self.key] = _Entry(table, self.key)
        self.table[self.key] = self

    def tie(self, end: End) -> None:
        """Let it end with an object, and act in this thread only."""
        self._thread = threading.get_ident()
        # the last one is called first
        self._until = tuple(
            weakref.ref(end(), partial(table.pop, self.key)) for table in self._tables
        )

    def remove(self) -> None:
        """End it, and nothing else."""
        self.on = False
        for table in reversed(self._tables):
            table.pop(self.key, None)

    def acts_in(self, owner: nn.Module) -> bool:
        """Whether to act in this pass: of this module, in this thread, and no recomputation."""
        if torch.compiler.is_compiling():
            return self.on
        if self._owner() is not owner:
            _refuse_replica(owner, self.site)
            return False
        here = self._thread is None or self._thread == threading.get_ident()
        return here and recomputed_segment() is None

    def _see_arguments(self, owner: nn.Module) -> None:
        """Take keyword arguments, too, at a layer's input; a population's table has no such."""
        if self.site.side == "input" and self.table is forward_pre_hooks(owner):
            self._tables = (that_take_names(owner), self.table)
            self._names = parameters_of(owner.forward)

    def given(self, inputs: object, other: object) -> tuple[object, Keys | None]:
        """What holds the latents, and where: the output, or all arguments."""
        if self.site.side == "output":
            return other, None
        arguments = cast("Arguments", (inputs, other))
        return arguments, keys_in(arguments, self.site, self._names)


class RecorderHook(Hook):
    """A recorder in force at a site."""

    def __init__(
        self, recorder: Callable[[Reading], None], site: Site, owner: nn.Module, table: Table
    ) -> None:
        super().__init__(site, owner, table)
        self._see_arguments(owner)
        self._recorder = recorder

    def __call__(self, layer: nn.Module, inputs: object, other: object) -> object:
        if not self.acts_in(layer):
            return None
        given, keys = self.given(inputs, other)
        z = latents_of(given, self.site, keys)
        reading = Reading(z, self.site, layer)
        self.show(reading)
        if reading.passed_on is z:
            return None
        return with_latents(given, self.site, reading.passed_on, keys)

    def show(self, reading: Reading) -> None:
        """Give the recorder the latents of this pass."""
        self.acted = True
        self._recorder(reading)


_WHOLE = Site("")


class PassHook(Hook):
    """A function called when a model begins, or ends, a forward pass."""

    def __init__(self, act: Callable[[], None], owner: nn.Module, table: Table) -> None:
        super().__init__(_WHOLE, owner, table)
        self._act = act

    def __call__(self, owner: nn.Module, *_: object) -> None:
        if self.acts_in(owner):
            self._act()


class LookHook(Hook):
    """A function called with the latents that leave a layer, where there are any."""

    def __init__(
        self, look: Callable[[Tensor], None], site: Site, owner: nn.Module, table: Table
    ) -> None:
        super().__init__(site, owner, table)
        self._look = look

    def __call__(self, layer: nn.Module, _inputs: object, output: object) -> None:
        if self.acts_in(layer):
            with suppress(TypeError, ValueError):  # what holds no latents is passed over
                self._look(latents_of(output, self.site))


class _Copied:
    """A placeholder for a hook while a deep copy is made; it removes itself afterwards."""

    def __init__(self, memo: dict[int, Any], entry: _Entry) -> None:
        table = memo.get(id(entry.table))
        if table is not None:
            done = partial(table.pop, entry.key)
            memo[id(done)] = done  # lives as long as the copying
            self._until = weakref.ref(done, partial(table.pop, entry.key))

    def __call__(self, *_: object) -> None:
        """Do nothing."""


def _refuse_replica(layer: nn.Module, site: Site) -> None:
    if "_is_replica" in vars(layer):
        what = f"Site {site.name!r}" if site.name else "The model"
        raise RuntimeError(
            f"{what} ran in a replica of nn.DataParallel, which sees only part of the "
            "batch; expected the model itself. Use DistributedDataParallel, or one GPU."
        )
