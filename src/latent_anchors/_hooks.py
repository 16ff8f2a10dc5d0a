"""The only hooks: the latents of a site pass through a tap, and handles undo themselves.

A tap first applies the edits in force, in the order in which they were attached, and then shows
what leaves to the recorders. A model that runs many runs at once keeps its own taps.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable
from weakref import WeakKeyDictionary

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from latent_anchors._sites import At, Site, as_site, latents_of, resolve, with_latents

Edit: TypeAlias = Callable[[Tensor], Tensor]
"""Latents in, latents out, of the same shape."""

Recorder: TypeAlias = Callable[[Tensor], None]


class Tap:
    """What happens to the latents of one site, in order: edits, then recorders."""

    def __init__(self) -> None:
        self.edits: list[Handle] = []
        self.recorders: list[Handle] = []
        self.hook: RemovableHandle | None = None

    def __call__(self, z: Tensor) -> Tensor:
        for handle in self.edits:
            z = handle.edited(z)
        for handle in self.recorders:
            handle.show(z)
        return z


class Handle:
    """One edit or recorder in force at a site until ``remove()``, or the end of its ``with`` block.

    Removing it twice is harmless, and it never removes anything else.
    """

    def __init__(self, tap: Tap, edit: Edit | None = None, recorder: Recorder | None = None):
        self.tap: Tap = tap
        self.edit: Edit | None = edit
        self.recorder: Recorder | None = recorder
        self.calls: int = 0

    def edited(self, z: Tensor, edit: Edit | None = None) -> Tensor:
        """The latents under this edit (or one run's own form of it); the shape must not change."""
        self.calls += 1
        act = edit or self.edit
        new = z if act is None else act(z)
        if new.shape != z.shape:
            raise ValueError(
                f"The edit {self.edit!r} turned latents of shape {tuple(z.shape)} into "
                f"{tuple(new.shape)}; expected the same shape. To drop dimensions, use surgery."
            )
        return new

    def show(self, z: Tensor) -> None:
        """Let the recorder see the latents."""
        self.calls += 1
        if self.recorder is not None:
            self.recorder(z)

    def remove(self) -> None:
        """End what was attached, and nothing else."""
        for listeners in (self.tap.edits, self.tap.recorders):
            listeners[:] = [handle for handle in listeners if handle is not self]
        if self.tap.hook is not None and not (self.tap.edits or self.tap.recorders):
            self.tap.hook.remove()
            self.tap.hook = None

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


@runtime_checkable
class Tapped(Protocol):
    """A model that passes its latents through taps of its own."""

    def tap(self, site: Site) -> Tap:
        """The tap of a site that exists."""
        ...


_taps: WeakKeyDictionary[nn.Module, dict[Site, Tap]] = WeakKeyDictionary()


def attach_edit(model: nn.Module, at: At, edit: Edit) -> Handle:
    """Put an edit in force at a site."""
    tap = tap_of(model, as_site(at))
    handle = Handle(tap, edit=edit)
    tap.edits.append(handle)
    return handle


def attach_recorder(model: nn.Module, at: At, recorder: Recorder) -> Handle:
    """Show what leaves a site, edits included, at every forward pass."""
    tap = tap_of(model, as_site(at))
    handle = Handle(tap, recorder=recorder)
    tap.recorders.append(handle)
    return handle


def tap_of(model: nn.Module, site: Site) -> Tap:
    """The tap of a site, hooked onto its layer when first asked for."""
    if isinstance(model, Tapped):
        return model.tap(site)
    layer = resolve(model, site)
    tap = _taps.setdefault(layer, {}).setdefault(site, Tap())
    if tap.hook is None:
        tap.hook = layer.register_forward_hook(_hook(tap, site))
    return tap


def _hook(tap: Tap, site: Site) -> Callable[[nn.Module, object, object], object]:
    def through_the_tap(_layer: nn.Module, _inputs: object, output: object) -> object:
        z = latents_of(output, site)
        new = tap(z)
        return None if new is z else with_latents(output, site, new)

    return through_the_tap
