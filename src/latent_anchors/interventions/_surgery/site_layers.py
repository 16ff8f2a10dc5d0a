"""The linear layers around a site: one writes the latents, others read them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from torch import Tensor, nn

from latent_anchors._checks import check_count, check_name, listed, unknown
from latent_anchors._sites import layers_of
from latent_anchors.interventions._surgery.plain_layers import (
    check_plain,
    full_name,
    plain_layers,
    why_unreadable,
)

Side: TypeAlias = Literal["both", "writing", "reading"]
SIDES = ("both", "writing", "reading")


@dataclass(frozen=True)
class SiteLayers:
    """The linear layers around a site, by their dotted names.

    If you pass them instead of a site, they are used as given and nothing is traced.

    Args:
        producer: The ``nn.Linear`` that writes the latents.
        consumers: The linear layers that read them.

    Examples:
        >>> SiteLayers(producer="encoder.2", consumers=("decoder.0",))
        SiteLayers(producer='encoder.2', consumers=('decoder.0',))
    """

    producer: str | None = None
    consumers: tuple[str, ...] = ()


def on_side(layers: SiteLayers, side: Side) -> SiteLayers:
    """Only the layers that write, only those that read, or both."""
    check_name("side", side, SIDES)
    producer = None if side == "reading" else layers.producer
    consumers = () if side == "writing" else layers.consumers
    if (side != "reading" and producer is None) or (side != "writing" and not consumers):
        raise ValueError(
            f"{layers} lacks a layer that side={side!r} needs; expected a producer for writing, "
            "consumers for reading. Name it, or choose the other side."
        )
    return SiteLayers(producer, consumers)


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """All linear layers by their dotted names, plain or not."""
    return {name: x for name, x in layers_of(model).items() if isinstance(x, nn.Linear)}


def check_layers(model: nn.Module, layers: SiteLayers) -> tuple[SiteLayers, int]:
    """The layers by their full names, and the width of the latents.

    Unknown, not plain or tied layers and different widths are refused.
    """
    producer = (
        None if layers.producer is None else plain_untied_layer(model, layers.producer, nn.Linear)
    )
    consumers = tuple(plain_untied_layer(model, name, nn.Linear) for name in layers.consumers)
    known = linear_layers(model)
    widths = {name: known[name].in_features for name in consumers}
    if producer is not None:
        widths[producer] = known[producer].out_features
    named = len(consumers) + (producer is not None)
    if len(set(widths.values())) != 1 or len(widths) < named:
        raise ValueError(
            f"The widths of the latents at these layers are {widths}; expected different layers "
            "and one width: out_features of the producer, in_features of the consumers."
        )
    return SiteLayers(producer, consumers), next(iter(widths.values()))


def plain_untied_layer(model: nn.Module, name: str, kind: type[nn.Module]) -> str:
    """The full name of a plain layer of a kind that shares its weights with no other."""
    full = full_name(model, name)
    if full is None:
        raise ValueError(unknown(f"{kind.__name__} layer", name, plain_layers(model, kind)))
    check_plain(model, full, kind)
    _check_untied(model, full)
    return full


def check_dims(dims: Sequence[int], width: int) -> None:
    """Refuse an empty list of dimensions, repeated ones, and those that do not exist."""
    for dim in dims:
        check_count("A dimension", dim, least=0)
    if not dims or len(set(dims)) < len(dims) or max(dims) >= width:
        raise ValueError(
            f"dims is {list(dims)}; expected at least one of the latent dimensions 0 to "
            f"{width - 1}, each once."
        )


def _check_untied(model: nn.Module, name: str) -> None:
    """Refuse tied weights: surgery would change the other layer, too."""
    every = dict(_tensors(model))
    own = {n: every.pop(n) for n in (f"{name}.weight", f"{name}.bias") if n in every}
    tied = [n for n, tensor in every.items() if any(overlap(tensor, x) for x in own.values())]
    if tied:
        raise ValueError(
            f"The weights of {name!r} are tied to {listed(tied)}; expected parameters that nothing "
            "else uses. Untie them first, or write the rule yourself with apply_surgery."
        )


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Tensors under every name, so that tied ones occur more than once."""
    yield from model.named_parameters(remove_duplicate=False)
    yield from model.named_buffers(remove_duplicate=False)


def overlap(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors share memory; disjoint parts of one storage do not."""
    a, b = _extent(one), _extent(other)
    return one.device == other.device and max(a.start, b.start) < min(a.stop, b.stop)


def _extent(tensor: Tensor) -> range:
    """The range of a tensor's addresses; empty if its values cannot be read."""
    if why_unreadable(tensor) is not None or not tensor.numel():
        return range(0)
    reach = 1 + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    return range(tensor.data_ptr(), tensor.data_ptr() + reach * tensor.element_size())
