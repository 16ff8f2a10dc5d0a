"""Record the latents at sites for the length of a ``with`` block."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import listed
from latent_anchors._hooks import (
    Hook,
    Hooks,
    PassHook,
    Reading,
    Startable,
    as_hooked,
    forward_hooks,
    forward_pre_hooks,
    in_reentrant_segment,
    recorder_hook,
)
from latent_anchors._runs import architecture
from latent_anchors._sites import At, Place, Site, as_site, expanded, path


class RecordedPasses:
    """The latents that left each site, and how often it ran.

    Passes that were read are dropped at the next pass; passes that were not are counted.

    Args:
        sites: The sites, by the name or site that the user gave.
        mapped: Whether latents have a first axis of runs, as those of a population.
        layers: The names of layers that were given themselves.
    """

    def __init__(
        self,
        sites: Mapping[At, Site],
        mapped: bool = False,
        layers: Mapping[nn.Module, At] | None = None,
    ) -> None:
        self.sites: dict[At, Site] = dict(sites)
        self.mapped: bool = mapped
        self._layers: dict[nn.Module, At] = dict(layers or {})
        self.counts: dict[At, int] = dict.fromkeys(sites, 0)
        self._readings: dict[At, tuple[Reading, ...]] = dict.fromkeys(sites, ())
        self._inside: set[At] = set()
        self._earlier: set[At] = set()
        self.begun_with_gradients: bool = False
        self._within: bool = False
        self._read: bool = False

    def keep(self, at: At, reading: Reading) -> None:
        """Add the latents of one pass of a site."""
        if self._read and not self._within:
            self._clear()
        before = self._readings[at] if self.sites[at].every else ()
        self._readings[at] = (*before, reading)
        self.counts[at] += 1
        self._earlier.discard(at)
        if self._within:
            self._inside.add(at)

    def read(self, at: At) -> tuple[Reading, ...]:
        """The passes of a site: all of them if ``every`` is set, else the latest."""
        self._read = True
        return self._readings[at]

    def begin(self) -> None:
        """A forward pass begins: drop passes that were read."""
        self._within = True
        self.begun_with_gradients = torch.is_grad_enabled()
        if self._read:
            self._clear()
        for at in self._earlier:
            self._drop(at)
        passed = {at for at in self._inside if self.counts[at] and not self.sites[at].every}
        self._earlier, self._inside = passed, set()

    def end(self) -> None:
        """A forward pass ends."""
        self._within = False

    def ran(self, at: object) -> bool:
        """Whether there is something to read: of the latest pass, unless all are kept."""
        return bool(self.counts.get(cast("At", at))) and not self.only_earlier(at)

    def only_earlier(self, at: object) -> bool:
        """Whether a site ran in the pass of the model before the latest, and not since.

        What runs outside any pass, as an encoder that ``generate`` calls once, is no pass's.
        """
        return at in self._earlier

    def key_of(self, at: Place) -> Place:
        """The key of a site; the given one if it is not recorded."""
        if isinstance(at, nn.Module):
            return self._layers.get(at, at)
        if at in self.sites:
            return at
        return next((key for key in self.sites if self._same_site(key, as_site(at))), at)

    def _clear(self) -> None:
        self._read = False
        for at in self.sites:
            self._drop(at)

    def _drop(self, at: At) -> None:
        self._readings[at], self.counts[at] = (), 0

    def _same_site(self, key: At, other: Site) -> bool:
        site, readings = self.sites[key], self._readings[key]
        axes = {site.axis, other.axis}
        if len(axes) > 1 and readings:
            axes = {axis % (readings[-1].z.ndim - self.mapped) for axis in axes}
        same = (site.name, site.item, site.side) == (other.name, other.item, other.side)
        return same and len(axes) == 1


class Recording(Mapping[At, Tensor]):
    """The latents of each site in the latest forward pass, by site.

    Latents are not detached. Any spelling of a site finds it. Reading a site makes room for the
    next pass; if there were several passes in between, reading raises.

    Raises:
        KeyError: If a site was not recorded, or did not run in the latest pass.
        RuntimeError: If it ran several times since it was last read, without ``every=True``; or if
            the latents were changed in place after they left the site.

    Examples:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.ReLU())
        >>> with record(model, "0") as latents:
        ...     try:
        ...         latents["0"]
        ...     except KeyError as error:
        ...         print(error)
        ...     output = model(torch.ones(1))
        "Nothing was recorded at site '0' yet; recorded so far: nothing. Call the model first."
    """

    def __init__(self, passes: RecordedPasses) -> None:
        self._passes = passes

    def __getitem__(self, at: Place) -> Tensor:
        key = self._key_of(at)
        site, count = self._passes.sites[key], self._passes.counts[key]
        if site.every:
            return _joined(self.passes(at), site, self._passes.mapped)
        if count > 1:
            raise RuntimeError(_several(site.name, count))
        return self.passes(at)[0]

    def passes(self, at: Place) -> tuple[Tensor, ...]:
        """The latents of each pass of a site, oldest first.

        Args:
            at: A site recorded with ``every=True``; for others, only the latest pass is there.

        Examples:
            >>> import torch
            >>> model = torch.nn.Sequential(torch.nn.ReLU())
            >>> with record(model, "0", every=True) as latents:
            ...     _ = model(torch.ones(1)), model(torch.zeros(3))
            >>> [len(z) for z in latents.passes("0")]
            [1, 3]
        """
        return tuple(reading.latents() for reading in self._passes.read(self._key_of(at)))

    def __contains__(self, at: object) -> bool:
        key = self._passes.key_of(at) if isinstance(at, Place) else at
        return self._passes.ran(key)

    def __iter__(self) -> Iterator[At]:
        return filter(self._passes.ran, self._passes.sites)

    def __len__(self) -> int:
        return sum(map(self._passes.ran, self._passes.sites))

    def _key_of(self, at: Place) -> At:
        key = cast("At", self._passes.key_of(at))
        if self._passes.only_earlier(key):
            raise KeyError(
                f"Site {at!r} ran in an earlier pass of the model, and not in the latest one; "
                "expected it to run in the pass that is read. Read it before the model is called "
                "again; or get every pass: record(..., every=True)."
            )
        if not self._passes.ran(key):
            raise KeyError(
                f"Nothing was recorded at site {at!r} yet; recorded so far: {listed(self)}. "
                "Call the model first."
            )
        return key


class Recorders(Hooks[Recording]):
    """Hooks that record sites for the length of a block."""

    def __init__(
        self, model: nn.Module, sites: Mapping[At, Site], layers: Mapping[nn.Module, At]
    ) -> None:
        self._model, self._sites, self._layers = model, sites, layers

    @override
    def _prepare(self) -> tuple[Sequence[Startable], Recording]:
        passes = RecordedPasses(self._sites, as_hooked(self._model) is not None, self._layers)
        expected = torch.is_grad_enabled() and _is_trained(self._model)
        self._recorders = {
            at: recorder_hook(self._model, site, self._keeper(passes, at, expected))
            for at, site in self._sites.items()
        }
        return [*_around(self._model, passes), *self._recorders.values()], Recording(passes)

    @override
    def _check(self) -> None:
        missed = [at for at, hook in self._recorders.items() if not hook.acted]
        if missed:
            raise RuntimeError(
                f"Nothing was recorded at {listed(missed)} within the block; expected the model to "
                "run. Call this very model (not a copy or a function compiled before) in the "
                "block, in this thread, on a path that passes the site."
            )

    def _keeper(
        self, passes: RecordedPasses, at: At, gradients_expected: bool
    ) -> Callable[[Reading], None]:
        """A function that stores latents of a site, and refuses those without a gradient."""
        model, site = self._model, self._sites[at]

        def without_any() -> bool:
            """Whether the model itself runs a frozen part without gradients."""
            return passes.begun_with_gradients and _is_frozen(architecture(model), site)

        def keep(reading: Reading) -> None:
            lost = gradients_expected and not torch.is_grad_enabled()
            if lost and in_reentrant_segment():
                raise RuntimeError(_no_gradient_in_segment(at))
            if lost and model.training and not without_any():
                raise RuntimeError(_no_gradient(at))
            passes.keep(at, reading)

        return keep


def record(
    model: nn.Module, at: Place | Iterable[Place] = "latent", every: bool = False
) -> AbstractContextManager[Recording]:
    """Record the latents at one or several sites, for the length of a block.

    Latents keep their gradients, so you can add penalties on them to a loss. A later forward pass
    replaces an earlier one that was read. Edits in force are included. A population gives
    ``(runs, ..., dim)``. Only forward passes in the thread of the block are recorded.

    Args:
        model: Any module, or a population.
        at: One site or several: names, patterns such as ``"model.layers.*"``, in which a ``*``
            stands for one part of a name, layers themselves, or :class:`Site`.
        every: Record all passes since they were last read, stacked along a new first axis
            ``(passes, ..., dim)``, or along the second one for a population: for shared layers,
            models that call themselves, several calls of the model, text generation.

    Raises:
        ValueError: If a site does not exist, or a layer is not the model's own.
        RuntimeError: If the model is compiled already or wrapped in ``nn.DataParallel``, if the
            block is within a function that is compiled, if a site never ran within the block, or if
            latents have no gradient during training, unless the model itself runs a frozen part
            without gradients.

    Examples:
        >>> import torch
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> model = SphericalAutoencoder(channels=3, latent_dim=4)
        >>> with record(model) as latents:
        ...     output = model(torch.rand(8, 3))
        >>> latents["latent"].shape
        torch.Size([8, 4])
    """
    places = expanded(architecture(model), at)
    sites = {name: as_site(name) for name, _ in places}
    if every:
        sites = {name: replace(site, every=True) for name, site in sites.items()}
    layers = {place: name for name, place in places if isinstance(place, nn.Module)}
    return Recorders(model, sites, layers)


def _around(model: nn.Module, passes: RecordedPasses) -> list[Hook]:
    return [
        PassHook(passes.begin, model, forward_pre_hooks(model)),
        PassHook(passes.end, model, forward_hooks(model)),
    ]


def _joined(passes: Sequence[Tensor], site: Site, mapped: bool) -> Tensor:
    """All passes as one tensor; those of a population along its second axis."""
    if len({z.shape for z in passes}) > 1:
        raise RuntimeError(
            f"The {len(passes)} passes of site {site.name!r} have shapes "
            f"{[tuple(z.shape) for z in passes]}; expected one shape to stack them. "
            "Read them one by one: latents.passes(site)."
        )
    return torch.cat([*passes], 1) if mapped else torch.stack([*passes])


def _several(name: str, count: int) -> str:
    return (
        f"Site {name!r} ran {count} times since it was last read, because its layer is shared or "
        "the model was called several times; expected one pass, as it is unclear which one you "
        f"mean. To get all of them: Site({name!r}, every=True), or record(..., every=True)."
    )


def _no_gradient(at: At) -> str:
    return (
        f"The latents at {at!r} have no gradient although the model is in training: the site ran "
        "with gradients disabled, as in generate(); expected them enabled. If you want none, "
        "record within torch.no_grad() or after model.eval()."
    )


def _no_gradient_in_segment(at: At) -> str:
    return (
        f"The latents at {at!r} have no gradient: the site ran under reentrant activation "
        "checkpointing, which disables gradients; expected the other kind. Use "
        "checkpoint(..., use_reentrant=False); or, if you want none, record within torch.no_grad()."
    )


def _is_frozen(model: nn.Module, site: Site) -> bool:
    """Whether the innermost part around a site that has parameters trains none of them."""
    around = [layer for layer in path(model, site) if any(True for _ in layer.parameters())]
    return bool(around) and not _is_trained(around[-1])


def _is_trained(model: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in model.parameters())
