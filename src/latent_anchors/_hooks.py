"""The only hooks: the latents of a site pass through a tap, and handles undo themselves.

A tap first applies the edits in force, in the order in which they were attached, and then shows
what leaves to the recorders. A model that runs many runs at once keeps its own taps.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from typing_extensions import Protocol, runtime_checkable

from latent_anchors._sites import At, Site, as_site, latents_of, resolve, with_latents

Edit: TypeAlias = Callable[[Tensor], Tensor]
"""Latents in, latents out, of the same shape."""

Recorder: TypeAlias = Callable[[Tensor], None]


class Listener:
    """One edit or recorder at a tap, and whether it acted; a count would recompile each time."""

    def __init__(self, act: Edit | Recorder) -> None:
        self.act: Edit | Recorder = act
        self.acted: bool = False

    def edited(self, z: Tensor, edit: Edit | None = None) -> Tensor:
        """The latents under this edit (or one run's own form of it); the shape must not change."""
        self.acted = True
        new = (edit or cast("Edit", self.act))(z)
        if new.shape != z.shape:
            raise ValueError(
                f"The edit {self.act!r} turned latents of shape {tuple(z.shape)} into "
                f"{tuple(new.shape)}; expected the same shape. To drop dimensions, use surgery."
            )
        return new

    def show(self, z: Tensor) -> None:
        """Let the recorder see the latents."""
        self.acted = True
        self.act(z)


class Tap:
    """What happens to the latents of one site, in order: edits, then recorders."""

    def __init__(self) -> None:
        self.edits: list[Listener] = []
        self.recorders: list[Listener] = []
        self.hook: RemovableHandle | None = None

    def __call__(self, z: Tensor) -> Tensor:
        for listener in self.edits:
            z = listener.edited(z)
        for listener in self.recorders:
            listener.show(z)
        return z

    def drop(self, listener: Listener) -> None:
        """End one listener; the hook goes with the last."""
        for listeners in (self.edits, self.recorders):
            listeners[:] = [other for other in listeners if other is not listener]
        if self.hook is not None and not (self.edits or self.recorders):
            self.hook.remove()
            self.hook = None


class Handle:
    """One edit or recorder in force at a site until ``remove()``, or the end of its ``with`` block.

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

    def __init__(self, tap: Tap, listener: Listener) -> None:
        self._tap, self._listener = tap, listener

    @property
    def acted(self) -> bool:
        """Whether the site has run meanwhile.

        Examples:
            >>> import torch
            >>> attach_edit(nn.Sequential(nn.Identity()), "0", torch.neg).acted
            False
        """
        return self._listener.acted

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
        self._tap.drop(self._listener)

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
    tap, listener = tap_of(model, as_site(at)), Listener(edit)
    tap.edits.append(listener)
    return Handle(tap, listener)


def attach_recorder(model: nn.Module, at: At, recorder: Recorder) -> Handle:
    """Show what leaves a site, edits included, at every forward pass."""
    tap, listener = tap_of(model, as_site(at)), Listener(recorder)
    tap.recorders.append(listener)
    return Handle(tap, listener)


def tap_of(model: nn.Module, site: Site) -> Tap:
    """The tap of a site, hooked onto its layer when first asked for."""
    if isinstance(model, Tapped):
        return model.tap(site)
    layer = resolve(model, site)
    tap = _taps.setdefault(layer, {}).setdefault(site, Tap())
    if tap.hook is None:
        tap.hook = layer.register_forward_hook(_hook(tap, site))
    return tap


_Model = TypeVar("_Model", bound=nn.Module)


def untapped(model: _Model) -> _Model:
    """A copy in which no edit and no recording is in force; the hooks of others come along."""
    copy = deepcopy(model)
    for layer, copied in zip(model.modules(), copy.modules(), strict=True):
        for tap in _taps.get(layer, {}).values():
            if tap.hook is not None:  # a copied hook would still lead to the original's tap
                del copied._forward_hooks[tap.hook.id]  # pyright: ignore[reportPrivateUsage] -- the handle removes it from the original only
    return copy


def _hook(tap: Tap, site: Site) -> Callable[[nn.Module, object, object], object]:
    def through_the_tap(_layer: nn.Module, _inputs: object, output: object) -> object:
        z = latents_of(output, site)
        new = tap(z)
        return None if new is z else with_latents(output, site, new)

    return through_the_tap
