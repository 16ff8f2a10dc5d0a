"""The linear layers around a site: one writes the latents, others read them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from torch import nn

from latent_anchors._checks import check_count, check_name, listed, unknown
from latent_anchors._sites import layers_of

Side: TypeAlias = Literal["both", "writing", "reading"]
SIDES = ("both", "writing", "reading")


@dataclass(frozen=True)
class Layers:
    """The linear layers around a site, by their dotted names.

    Given in a site's place, they are taken at the user's word: nothing is traced.

    Args:
        producer: The ``nn.Linear`` whose outputs become the latents.
        consumers: Those whose inputs the latents become.

    Examples:
        >>> Layers(producer="encoder.2", consumers=("decoder.0",))
        Layers(producer='encoder.2', consumers=('decoder.0',))
    """

    producer: str | None = None
    consumers: tuple[str, ...] = ()


def on_side(layers: Layers, side: Side) -> Layers:
    """Only the layers that write, or only those that read."""
    check_name("side", side, SIDES)
    producer = None if side == "reading" else layers.producer
    consumers = () if side == "writing" else layers.consumers
    if (side != "reading" and producer is None) or (side != "writing" and not consumers):
        raise ValueError(
            f"{layers} lacks a layer that side {side!r} needs; expected a producer for writing, "
            "consumers for reading. Name it, or choose the other side."
        )
    return Layers(producer, consumers)


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """All linear layers by their dotted names."""
    return {name: x for name, x in layers_of(model).items() if isinstance(x, nn.Linear)}


def check_layers(model: nn.Module, layers: Layers) -> int:
    """The width of the latents; layers that are unknown, of several widths or tied are refused."""
    known, named = linear_layers(model), list(_named(layers))
    for name in named:
        if name not in known:
            raise ValueError(unknown("linear layer", name, known))
        _check_untied(model, name)
    widths = {name: known[name].in_features for name in layers.consumers}
    if layers.producer is not None:
        widths[layers.producer] = known[layers.producer].out_features
    if len(set(widths.values())) != 1 or len(widths) < len(named):
        raise ValueError(
            f"The widths of the latents at these layers are {widths}; expected different layers "
            "and one width, what the producer gives and each consumer takes."
        )
    return next(iter(widths.values()))


def check_dims(dims: Sequence[int], width: int) -> None:
    """Refuse no dimensions, repeated ones, and those that do not exist."""
    for dim in dims:
        check_count("A dimension", dim, least=0)
    if not dims or len(set(dims)) < len(dims) or max(dims) >= width:
        raise ValueError(
            f"dims is {list(dims)}; expected at least one of the latent dimensions 0 to "
            f"{width - 1}, each once."
        )


def _named(layers: Layers) -> Iterator[str]:
    if layers.producer is not None:
        yield layers.producer
    yield from layers.consumers


def _check_untied(model: nn.Module, name: str) -> None:
    """Cutting a weight that something else uses too would cut there as well."""
    own = {f"{name}.weight", f"{name}.bias"}
    places = {n: p.untyped_storage().data_ptr() for n, p in _parameters(model)}
    stored = {place for n, place in places.items() if n in own}
    others = [n for n, place in places.items() if n not in own and place in stored]
    if others or f"{name}.weight" not in places:
        raise ValueError(
            f"The weights of {name!r} are not its own: they are tied to {listed(others)}, or "
            "computed; expected parameters that nothing else uses. Untie them first."
        )


def _parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """By every name that a parameter has, so that tied ones come up more than once."""
    yield from model.named_parameters(remove_duplicate=False)
