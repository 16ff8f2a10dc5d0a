"""Weights that are reserved: masks of them, and a network without them."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from latent_anchors._checks import check_name, listed
from latent_anchors._sites import as_site, resolve
from latent_anchors._vectors import as_dims


def reserved_units(
    model: nn.Module, units: Iterable[int], outputs: Sequence[str], inputs: Sequence[str] = ()
) -> dict[str, Bool[Tensor, "..."]]:
    """Masks of the weights that belong to some units of a hidden layer.

    Args:
        model: Any module.
        units: Of the hidden layer, from 0; of an attention head, all its dimensions. Where several
            query heads share keys and values, reserve these with a call of their own.
        outputs: Linear layers that compute the hidden layer: their rows and biases; by name. All
            are equally wide.
        inputs: Linear layers that read it: their columns; by name.

    Returns:
        By name of a parameter, which of its numbers ``(...)`` are reserved.

    Raises:
        ValueError: If there is no such layer, it is not linear, or it has no such unit; or if the
            layers are not equally wide.
        TypeError: If units are not whole numbers, or layers are one string.

    Examples:
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
        >>> masks = reserved_units(model, [2], outputs=["0"], inputs=["2"])
        >>> {name: int(mask.sum()) for name, mask in masks.items()}
        {'0.weight': 2, '0.bias': 1, '2.weight': 2}
    """
    for names in (outputs, inputs):
        if isinstance(names, str):
            raise TypeError(
                f"The layers are {names!r}; expected a list of names. Write [{names!r}]."
            )
    masks: dict[str, Tensor] = {}
    known = {id(each): name for name, each in model.named_parameters()}
    widths: list[tuple[str, int]] = []
    chosen_units = as_dims(units, "units")
    for names, axis in ((outputs, 0), (inputs, 1)):
        for name in names:
            layer = _linear(model, name, chosen_units, axis)
            widths.append((name, layer.weight.shape[axis]))
            chosen = torch.zeros_like(layer.weight, dtype=torch.bool)
            chosen.index_fill_(axis, torch.tensor(chosen_units, device=chosen.device), True)
            # by the parameter's own name, which is another where weights are tied
            weight = known[id(layer.weight)]
            masks[weight] = masks.get(weight, torch.zeros_like(chosen)) | chosen
            if axis == 0 and layer.bias is not None:  # pyright: ignore[reportUnnecessaryComparison] -- torch's stub forgets that there may be none
                masks[known[id(layer.bias)]] = chosen[:, 0].clone()
    _check_widths(widths)
    return masks


def _check_widths(widths: Sequence[tuple[str, int]]) -> None:
    if len({width for _, width in widths}) > 1:
        names, units = zip(*widths, strict=True)
        raise ValueError(
            f"By the layers {listed(names)} the hidden layer has {listed(units)} units; expected "
            "as many by all. Reserve keys and values that query heads share with a call of their "
            "own, and join the masks: {**queries, **keys}."
        )


def fitting(reserved: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """The masks on the devices of the parameters, checked."""
    named = dict(model.named_parameters())
    for name, mask in reserved.items():
        check_name("parameter to be reserved", name, [*named])
        if mask.shape != named[name].shape or mask.dtype != torch.bool:
            raise ValueError(
                f"The mask of {name!r} has shape {tuple(mask.shape)} and type {mask.dtype}; "
                f"expected {tuple(named[name].shape)} and torch.bool, as the parameter is."
            )
    return {name: mask.to(named[name].device) for name, mask in reserved.items()}


def zero(model: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Set reserved weights to zero, in place."""
    named = dict(model.named_parameters())
    with torch.no_grad():
        for name, mask in masks.items():
            named[name].masked_fill_(mask, 0.0)


@contextmanager
def without(model: nn.Module, masks: Mapping[str, Tensor]) -> Generator[None]:
    """The reserved weights are zero in the block."""
    named = dict(model.named_parameters())
    before = {name: named[name].detach().clone() for name in masks}
    zero(model, masks)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, values in before.items():
                named[name].copy_(values)


def _linear(model: nn.Module, name: str, units: Sequence[int], axis: int) -> nn.Linear:
    layer = resolve(model, as_site(name))
    if not isinstance(layer, nn.Linear):
        raise ValueError(
            f"The layer {name!r} is of type {type(layer).__name__}; expected nn.Linear. Give masks "
            "of your own: {'layer.weight': mask}."
        )
    width = layer.weight.shape[axis]
    if not units or min(units) < 0 or max(units) >= width:
        raise ValueError(
            f"The units are {listed(units)}, and the layer {name!r} has {width} of them; expected "
            "some from 0."
        )
    return layer
