"""The forward passes recorded at each site since they were last read."""

from collections.abc import Mapping

from torch import nn

from latent_anchors._hooks import Reading
from latent_anchors._sites import At, Place, Site, as_site


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
        self._within: bool = False
        self._read: bool = False

    def keep(self, at: At, reading: Reading) -> None:
        """Add the latents of one pass of a site."""
        if self._read and not self._within:
            self._clear()
        before = self._readings[at] if self.sites[at].every else ()
        self._readings[at] = (*before, reading)
        self.counts[at] += 1

    def read(self, at: At) -> tuple[Reading, ...]:
        """The passes of a site: all of them if ``every`` is set, else the latest."""
        self._read = True
        return self._readings[at]

    def begin(self) -> None:
        """A forward pass begins: drop passes that were read."""
        self._within = True
        if self._read:
            self._clear()

    def end(self) -> None:
        """A forward pass ends."""
        self._within = False

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
            self._readings[at], self.counts[at] = (), 0

    def _same_site(self, key: At, other: Site) -> bool:
        site, readings = self.sites[key], self._readings[key]
        axes = {site.axis, other.axis}
        if len(axes) > 1 and readings:
            axes = {axis % readings[-1].z.ndim for axis in axes}
        same = (site.name, site.item, site.side) == (other.name, other.item, other.side)
        return same and len(axes) == 1
