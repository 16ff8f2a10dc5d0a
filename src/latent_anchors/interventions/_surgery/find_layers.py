"""Find the linear layers that write and read the latents of a site, by running an example.

A layer writes the latents if zeroing one of its channels zeroes that channel at the site and keeps
the ratios of the others; it reads them if the same holds from the site to the layer's input. There
may be identity, dropout, activations that map 0 to 0, and normalizations of length in between.
"""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._numerics import unit
from latent_anchors._runs import architecture, one_run
from latent_anchors._sites import At, as_site, as_sites, layers_of
from latent_anchors.interventions._surgery.compare_outputs import all_close, rounding
from latent_anchors.interventions._surgery.plain_layers import why_not_plain
from latent_anchors.interventions._surgery.probe import Pass, Probe
from latent_anchors.interventions._surgery.random_copy import Example, noise
from latent_anchors.interventions._surgery.site_layers import (
    Side,
    SiteLayers,
    check_layers,
    on_side,
)

DRAWS = 4
"""How often to look for another path: an output that is clamped may hide it a few times."""

_Read = Callable[[Pass], Tensor | None]


def find_layers(model: nn.Module, at: At = "latent", example: Example | None = None) -> SiteLayers:
    """Find the linear layer that writes the latents of a site, and the one that reads them.

    They are found by running the model, whatever the order in which layers are defined. There may
    be identity, dropout, activations that map 0 to 0, and normalizations of length in between.

    Args:
        model: A model, or a population.
        at: The site.
        example: What the model takes: ``(...)``, a tuple of arguments, or a mapping by name; may be
            left out if the model runs on inputs ``(batch, width)`` of only one width.

    Returns:
        The names of one producer and one consumer.

    Raises:
        ValueError: If there is not exactly one of each, if the latents reach the output on another
            path, or if weights are tied.

    Examples:
        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 3))
        >>> find_layers(model, at="1")
        SiteLayers(producer='0', consumers=('2',))
    """
    return resolve_layers(model, at, example, "both")[0]


def resolve_all(
    model: nn.Module,
    at: At | Iterable[At] | SiteLayers,
    example: Example | None,
    side: Side | None,
    any_direction: bool = False,
) -> list[tuple[SiteLayers, int]]:
    """The layers around each of some sites, on both sides unless one is named."""
    sites = [at] if isinstance(at, SiteLayers) else as_sites(at)
    return [resolve_layers(model, each, example, side or "both", any_direction) for each in sites]


def resolve_layers(
    model: nn.Module,
    at: At | SiteLayers,
    example: Example | None,
    side: Side,
    any_direction: bool = False,
) -> tuple[SiteLayers, int]:
    """The layers of one side or both, as given or found, and the width of the latents.

    With ``any_direction``, all directions must be kept between layer and site, not only the axes.
    """
    if not isinstance(at, SiteLayers):
        probe = Probe(one_run(model), at, example)
        producer = None if side == "reading" else _find_producer(probe, any_direction)
        consumers = () if side == "writing" else (_find_consumer(probe, any_direction),)
        at = SiteLayers(producer, consumers)
    return check_layers(architecture(model), on_side(at, side))


def _find_producer(probe: Probe, any_direction: bool) -> str:
    """The one linear layer whose output channels become those of the latents."""
    base = probe.base
    width = base.z.shape[-1]
    fitting = [name for name, h in base.layer_outputs.items() if h.shape[-1] == width]
    names = [name for name in fitting if _keeps_channels(probe, name, _latents, width)]
    name = _only(names, "writes", probe)
    if any_direction and not _keeps_directions(probe, name, _latents):
        raise ValueError(_changes_directions(name, probe.at))
    if _other_path(probe, name, past=probe.at):
        raise ValueError(_not_only(f"what {name!r} writes", f"the site {probe.at!r}", probe.at))
    return name


def _find_consumer(probe: Probe, any_direction: bool) -> str:
    """The one linear layer whose input channels are those of the latents."""
    base = probe.base
    width = base.z.shape[-1]
    fitting = [name for name, x in base.layer_inputs.items() if x.shape[-1] == width]
    names = [x for x in fitting if _keeps_channels(probe, probe.at, _input_of(x), width)]
    name = _only(names, "reads", probe)
    if any_direction and not _keeps_directions(probe, probe.at, _input_of(name)):
        raise ValueError(_changes_directions(name, probe.at))
    if _other_path(probe, probe.at, past=name):
        raise ValueError(_not_only(f"the latents at {probe.at!r}", repr(name), probe.at))
    return name


def _only(names: list[str], does: str, probe: Probe) -> str:
    if len(names) == 1:
        return names[0]
    found = f"{_some(names)} each" if names else "none"
    shared = [name for name in probe.linear if name not in probe.base.layer_outputs]
    raise ValueError(
        f"Of the {len(probe.linear)} linear layers, {found} {does} the latents at {probe.at!r} "
        f"channel by channel (tied, unused or used more than once: {_some(shared)}; not plain: "
        f"{_some(_not_plain(probe))}); expected one, with nothing in between that mixes channels "
        "or adds to them. Choose a site next to a linear layer, or name the layers: "
        "at=SiteLayers(producer, consumers)."
    )


def _some(names: list[str], at_most: int = 6) -> str:
    rest = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return f"{listed(names[:at_most])}{rest}"


def _not_plain(probe: Probe) -> list[str]:
    """Linear layers that are not plain, those inside the site's layer first."""
    layers = layers_of(probe.copy.model)
    names = [name for name in probe.linear if why_not_plain(layers, name, nn.Linear) is not None]
    return sorted(names, key=lambda name: not name.startswith(as_site(probe.at).name))


def _changes_directions(name: str, at: At) -> str:
    return (
        f"Between {name!r} and the site {at!r} an activation changes each channel by itself, so "
        "that directions off the axes change; expected only a change of length. Choose a site on "
        "the other side of the activation."
    )


def _not_only(what: str, way: str, at: At) -> str:
    return (
        f"The output depends on {what} not only through {way}; expected no other path, as surgery "
        f"would not equal an edit at {at!r}. Choose another site, or name the layers: "
        "at=SiteLayers(producer, consumers)."
    )


def _keeps_channels(probe: Probe, source: At, read: _Read, width: int) -> bool:
    """Whether zeroed channels arrive as zeros, and the others keep their ratios."""
    whole = read(probe.run((source, _Noise(0))))
    for zeroed in _masks(width):
        part = read(probe.run((source, _Noise(0, zeroed))))
        if whole is None or part is None or bool(part[..., zeroed].any()):
            return False
        if not _same_directions(whole[..., ~zeroed], part[..., ~zeroed]):
            return False
    return True


def _keeps_directions(probe: Probe, source: At, read: _Read) -> bool:
    """Whether nothing but the length changes on the way."""
    noisy = _Noise(0)
    arrived = read(probe.run((source, noisy)))
    return arrived is not None and _same_directions(arrived, noisy(arrived))


def _other_path(probe: Probe, source: At, past: At) -> bool:
    """Whether the source reaches the output even if the place it should pass is held fixed."""
    for draw in range(DRAWS):
        held = (past, _Noise(-1 - draw))
        one, other = (probe.run((source, _Noise(2 * draw + k)), held).outputs for k in (0, 1))
        if not all_close(one, other, digits=0.75):  # stricter: the order of operations is the same
            return True
    return False


def _same_directions(one: Tensor, other: Tensor) -> bool:
    tolerance = rounding(one)
    return torch.allclose(unit(one), unit(other), rtol=tolerance, atol=tolerance)


def _masks(width: int) -> Iterator[Tensor]:
    """Sets of channels such that for any two channels, one set has only the first of them."""
    channels = torch.arange(width)
    for bit in range(width.bit_length()):
        chosen = (channels >> bit) % 2 == 1
        yield from (chosen, ~chosen)


class _Noise:
    """An edit that returns the same random numbers every time, with some channels zeroed."""

    def __init__(self, draw: int, zeroed: Tensor | None = None) -> None:
        self.draw, self.zeroed = draw, zeroed

    def __call__(self, z: Tensor) -> Tensor:
        new = noise(z, torch.Generator().manual_seed(self.draw))
        return new if self.zeroed is None else new.masked_fill(self.zeroed.to(new.device), 0.0)


def _latents(shown: Pass) -> Tensor | None:
    return shown.z


def _input_of(name: str) -> _Read:
    return lambda shown: shown.layer_inputs.get(name)
