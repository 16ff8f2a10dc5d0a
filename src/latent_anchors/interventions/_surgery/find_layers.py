"""Which linear layers write and read the latents of a site, found by running an example.

A layer writes the latents if silencing one of its channels silences that channel at the site and
leaves the others in proportion; it reads them if the same holds from the site to what enters it.
Identity, dropout, activations that keep zero and normalizations of length may lie between.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._numerics import unit
from latent_anchors._runs import architecture, one_run
from latent_anchors._sites import At, as_site, layers_of
from latent_anchors.interventions._surgery.compare_outputs import agree, rounding
from latent_anchors.interventions._surgery.plain_layers import oddity
from latent_anchors.interventions._surgery.probe import Bench, Pass
from latent_anchors.interventions._surgery.random_copy import Example, noise
from latent_anchors.interventions._surgery.site_layers import (
    Side,
    SiteLayers,
    check_layers,
    on_side,
)

DRAWS = 4
"""How often a leak is looked for: an output that is clamped may hide it a few times."""

_Reading = Callable[[Pass], Tensor | None]


def find_layers(model: nn.Module, at: At = "latent", example: Example | None = None) -> SiteLayers:
    """The linear layer that writes the latents of a site, and the one that reads them.

    Found by what flows in a forward pass, whatever the order of definition. Between may lie
    identity, dropout, activations that keep zero, and normalizations of length.

    Args:
        model: A model, or a population.
        at: The site.
        example: What the model takes ``(...)``, or a tuple of arguments; needed unless it runs on
            inputs ``(batch, width)`` of one width only.

    Returns:
        The names of one producer and one consumer.

    Raises:
        ValueError: If there is not exactly one of each, if the latents go another way too, or if
            weights are tied.

    Examples:
        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 3))
        >>> find_layers(model, at="1")
        SiteLayers(producer='0', consumers=('2',))
    """
    return located(model, at, example, "both")[0]


def located(
    model: nn.Module,
    at: At | SiteLayers,
    example: Example | None,
    side: Side,
    straight: bool = False,
) -> tuple[SiteLayers, int]:
    """The layers of one side or both, named or traced, and the width of the latents.

    ``straight`` where directions must last, not only channels.
    """
    if not isinstance(at, SiteLayers):
        bench = Bench(one_run(model), at, example)
        producer = None if side == "reading" else find_producer(bench, straight)
        consumers = () if side == "writing" else (find_consumer(bench, straight),)
        at = SiteLayers(producer, consumers)
    return check_layers(architecture(model), on_side(at, side))


def find_producer(bench: Bench, straight: bool) -> str:
    """The one linear layer whose channels become the latents'."""
    base = bench.base
    width = base.z.shape[-1]
    fitting = [name for name, h in base.outputs.items() if h.shape[-1] == width]
    names = [name for name in fitting if _keeps_channels(bench, name, _latents, width)]
    name = _only(names, "writes", bench)
    if straight and not _keeps_directions(bench, name, _latents):
        raise ValueError(_bent(name, bench.at))
    if _leaks(bench, name, past=bench.at):
        raise ValueError(_leak(f"what {name!r} writes", f"the site {bench.at!r}", bench.at))
    return name


def find_consumer(bench: Bench, straight: bool) -> str:
    """The one linear layer into whose channels the latents go."""
    base = bench.base
    width = base.z.shape[-1]
    fitting = [name for name, c in base.inputs.items() if c.shape[-1] == width]
    names = [x for x in fitting if _keeps_channels(bench, bench.at, _entering(x), width)]
    name = _only(names, "reads", bench)
    if straight and not _keeps_directions(bench, bench.at, _entering(name)):
        raise ValueError(_bent(name, bench.at))
    if _leaks(bench, bench.at, past=name):
        raise ValueError(_leak(f"the latents at {bench.at!r}", repr(name), bench.at))
    return name


def _only(names: list[str], does: str, bench: Bench) -> str:
    if len(names) == 1:
        return names[0]
    found = f"{_some(names)} each" if names else "none"
    shared = [name for name in bench.linear if name not in bench.base.outputs]
    raise ValueError(
        f"Of the {len(bench.linear)} linear layers, {found} {does} the latents at {bench.at!r} "
        f"channel by channel (tied, unused or used more than once: {_some(shared)}; not plain: "
        f"{_some(_odd(bench))}); expected one, with nothing on the way that mixes or adds. Choose "
        "a site next to a linear layer, or name the layers: at=SiteLayers(producer, consumers)."
    )


def _some(names: list[str], at_most: int = 6) -> str:
    rest = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return f"{listed(names[:at_most])}{rest}"


def _odd(bench: Bench) -> list[str]:
    """Linear layers that are not plainly linear, those inside of the site's layer first."""
    layers = layers_of(bench.trial.model)
    odd = [name for name in bench.linear if oddity(layers, name, nn.Linear) is not None]
    return sorted(odd, key=lambda name: not name.startswith(as_site(bench.at).name))


def _bent(name: str, at: At) -> str:
    return (
        f"Between {name!r} and the site {at!r} each channel is changed in its own way, so that "
        "a direction off the axes does not last; expected nothing but a change of length. Choose "
        "a site on the other side of the activation."
    )


def _leak(what: str, way: str, at: At) -> str:
    return (
        f"The output depends on {what} not only through {way}; expected no other way, as surgery "
        f"would otherwise not equal an edit at {at!r}. Choose another site, or name the layers: "
        "at=SiteLayers(producer, consumers)."
    )


def _keeps_channels(bench: Bench, source: At, read: _Reading, width: int) -> bool:
    """Whether a silent channel stays silent on the way, and the others stay in proportion."""
    whole = read(bench.run((source, _Noise(0))))
    for silent in _masks(width):
        part = read(bench.run((source, _Noise(0, silent))))
        if whole is None or part is None or bool(part[..., silent].any()):
            return False
        if not _same_directions(whole[..., ~silent], part[..., ~silent]):
            return False
    return True


def _keeps_directions(bench: Bench, source: At, read: _Reading) -> bool:
    """Whether nothing but the length changes on the way."""
    noisy = _Noise(0)
    shown = read(bench.run((source, noisy)))
    return shown is not None and _same_directions(shown, noisy(shown))


def _leaks(bench: Bench, source: At, past: At) -> bool:
    """Whether the source still reaches the output when the place that it must pass is held."""
    for draw in range(DRAWS):
        held = (past, _Noise(-1 - draw))
        one, other = (bench.run((source, _Noise(2 * draw + k)), held).said for k in (0, 1))
        if not agree(one, other, digits=0.75):  # nothing was computed in another order
            return True
    return False


def _same_directions(one: Tensor, other: Tensor) -> bool:
    rough = rounding(one)
    return torch.allclose(unit(one), unit(other), rtol=rough, atol=rough)


def _masks(width: int) -> Iterator[Tensor]:
    """Sets of channels such that of any two, one contains the first and not the second."""
    channels = torch.arange(width)
    for bit in range(max(1, (width - 1).bit_length())):
        silent = (channels >> bit) % 2 == 1
        yield from (silent, ~silent)


class _Noise:
    """An edit that puts the same random numbers every time, some channels silent."""

    def __init__(self, draw: int, silent: Tensor | None = None) -> None:
        self.draw, self.silent = draw, silent

    def __call__(self, z: Tensor) -> Tensor:
        new = noise(z, torch.Generator().manual_seed(self.draw))
        return new if self.silent is None else new.masked_fill(self.silent.to(new.device), 0.0)


def _latents(shown: Pass) -> Tensor | None:
    return shown.z


def _entering(name: str) -> _Reading:
    return lambda shown: shown.inputs.get(name)
