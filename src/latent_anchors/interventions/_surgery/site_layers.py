"""The linear layers around a site: one writes the latents, others read them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from torch import Tensor, nn

from latent_anchors._checks import check_count, check_name, listed, unknown
from latent_anchors._sites import layers_of
from latent_anchors.interventions._surgery.plain_layers import (
    absent,
    check_plain,
    full_name,
    plain_layers,
)

Side: TypeAlias = Literal["both", "writing", "reading"]
SIDES = ("both", "writing", "reading")


@dataclass(frozen=True)
class SiteLayers:
    """The linear layers around a site, by their dotted names.

    Given in a site's place, they are taken at the user's word: nothing is traced.

    Args:
        producer: The ``nn.Linear`` whose outputs become the latents.
        consumers: Those whose inputs the latents become.

    Examples:
        >>> SiteLayers(producer="encoder.2", consumers=("decoder.0",))
        SiteLayers(producer='encoder.2', consumers=('decoder.0',))
    """

    producer: str | None = None
    consumers: tuple[str, ...] = ()


def on_side(layers: SiteLayers, side: Side) -> SiteLayers:
    """Only the layers that write, or only those that read."""
    check_name("side", side, SIDES)
    producer = None if side == "reading" else layers.producer
    consumers = () if side == "writing" else layers.consumers
    if (side != "reading" and producer is None) or (side != "writing" and not consumers):
        raise ValueError(
            f"{layers} lacks a layer that side {side!r} needs; expected a producer for writing, "
            "consumers for reading. Name it, or choose the other side."
        )
    return SiteLayers(producer, consumers)


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """All linear layers by their dotted names, plain or not."""
    return {name: x for name, x in layers_of(model).items() if isinstance(x, nn.Linear)}


def check_layers(model: nn.Module, layers: SiteLayers) -> tuple[SiteLayers, int]:
    """The layers by their full names, and the width of the latents.

    Layers that are unknown, not plainly linear, tied or of several widths are refused.
    """
    producer = None if layers.producer is None else own_layer(model, layers.producer, nn.Linear)
    consumers = tuple(own_layer(model, name, nn.Linear) for name in layers.consumers)
    known = linear_layers(model)
    widths = {name: known[name].in_features for name in consumers}
    if producer is not None:
        widths[producer] = known[producer].out_features
    named = len(consumers) + (producer is not None)
    if len(set(widths.values())) != 1 or len(widths) < named:
        raise ValueError(
            f"The widths of the latents at these layers are {widths}; expected different layers "
            "and one width, what the producer gives and each consumer takes."
        )
    return SiteLayers(producer, consumers), next(iter(widths.values()))


def own_layer(model: nn.Module, name: str, kind: type[nn.Module]) -> str:
    """The full name of a layer that is plainly of a kind and whose weights are its own."""
    full = full_name(model, name)
    if full is None:
        raise ValueError(unknown(f"{kind.__name__} layer", name, plain_layers(model, kind)))
    check_plain(model, full, kind)
    _check_untied(model, full)
    return full


def check_dims(dims: Sequence[int], width: int) -> None:
    """Refuse no dimensions, repeated ones, and those that do not exist."""
    for dim in dims:
        check_count("A dimension", dim, least=0)
    if not dims or len(set(dims)) < len(dims) or max(dims) >= width:
        raise ValueError(
            f"dims is {list(dims)}; expected at least one of the latent dimensions 0 to "
            f"{width - 1}, each once."
        )


def _check_untied(model: nn.Module, name: str) -> None:
    """Cutting a weight that something else uses too would cut there as well."""
    every = dict(_tensors(model))
    own = {n: every.pop(n) for n in (f"{name}.weight", f"{name}.bias") if n in every}
    tied = [n for n, tensor in every.items() if any(_overlap(tensor, x) for x in own.values())]
    if tied:
        raise ValueError(
            f"The weights of {name!r} are tied to {listed(tied)}; expected parameters that nothing "
            "else uses. Untie them first, or write the rule yourself with apply_surgery."
        )


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """By every name that a tensor has, so that tied ones come up more than once."""
    yield from model.named_parameters(remove_duplicate=False)
    yield from model.named_buffers(remove_duplicate=False)


def _overlap(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors share numbers; parts of one storage beside one another do not."""
    a, b = _extent(one), _extent(other)
    return one.device == other.device and max(a.start, b.start) < min(a.stop, b.stop)


def _extent(tensor: Tensor) -> range:
    """The addresses of a tensor's numbers; none where they are not at hand."""
    if absent(tensor) is not None or not tensor.numel():
        return range(0)
    reach = 1 + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    return range(tensor.data_ptr(), tensor.data_ptr() + reach * tensor.element_size())
