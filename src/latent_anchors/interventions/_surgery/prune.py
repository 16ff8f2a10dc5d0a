"""Pruning dimensions: linear layers that no longer have them."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from latent_anchors._runs import architecture, one_run
from latent_anchors._sites import At, layers_of
from latent_anchors.interventions._surgery.ablate import ablated, written
from latent_anchors.interventions._surgery.apply_surgery import Parameters, apply_surgery
from latent_anchors.interventions._surgery.compare_outputs import agree
from latent_anchors.interventions._surgery.find_layers import located
from latent_anchors.interventions._surgery.random_copy import Example, Trial, trial
from latent_anchors.interventions._surgery.site_layers import SiteLayers, check_dims

_Model = TypeVar("_Model", bound=nn.Module)


def prune(
    model: _Model,
    dims: Sequence[int],
    at: At | SiteLayers = "latent",
    example: Example | None = None,
) -> _Model:
    """Remove latent dimensions; the layers around the site become narrower.

    It equals :func:`ablate` with both sides; that is checked beforehand on the example, in a copy
    with random parameters in full precision. A ``latent_dim`` that the model keeps is brought up to
    date.

    Args:
        model: A model, or a population; it stays as it is.
        dims: Latent dimensions, from 0, each once; at least one must remain.
        at: The site; the layers around it are traced (see :func:`find_layers`) unless given.
        example: What the model takes ``(...)``, or a tuple of arguments.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If a dimension does not exist or comes twice, none is given or none would
            remain, the layers are ambiguous, or what lies between needs the full width.
        TypeError: If a dimension is not a whole number.

    Examples:
        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 1))
        >>> prune(model, [0], at="1")
        Sequential(
          (0): Linear(in_features=3, out_features=1, bias=True)
          (1): Identity()
          (2): Linear(in_features=1, out_features=1, bias=True)
        )
    """
    layers, width = located(model, at, example, "both")
    check_dims(dims, width)
    kept = tuple(dim for dim in range(width) if dim not in dims)
    if not kept:
        raise ValueError(
            f"dims is {list(dims)}, which are all latent dimensions; expected at least one to "
            "remain. To silence them all, use ablate."
        )
    rehearsal = trial(one_run(model), example)
    _check_same(
        rehearsal,
        _narrowed(rehearsal.model, kept, layers, width),
        apply_surgery(rehearsal.model, partial(ablated, dims=tuple(dims), layers=layers)),
    )
    return _narrowed(model, kept, layers, width)


def _narrowed(model: _Model, kept: tuple[int, ...], layers: SiteLayers, width: int) -> _Model:
    """The model with only some of the latent dimensions."""
    pruned = apply_surgery(model, partial(_pruned, kept=kept, layers=layers))
    _tell_width(architecture(pruned), layers, width, len(kept))
    return pruned


def _pruned(parameters: Parameters, kept: tuple[int, ...], layers: SiteLayers) -> Parameters:
    """The parameters without some rows of the producer and columns of the consumers."""
    new: dict[str, Tensor] = {}
    for name, axis in written(parameters, layers):
        new[name] = _selected(parameters[name], axis, kept)
    for name in layers.consumers:
        new[f"{name}.weight"] = _selected(parameters[f"{name}.weight"], -1, kept)
    return new


def _selected(tensor: Tensor, axis: int, kept: tuple[int, ...]) -> Tensor:
    return tensor.index_select(axis, torch.tensor(kept, device=tensor.device))


def _tell_width(model: nn.Module, layers: SiteLayers, old: int, new: int) -> None:
    """Bring ``latent_dim`` up to date where it is kept: in modules that hold all of the layers."""
    named = [str(layers.producer), *layers.consumers]
    for name, module in layers_of(model).items():
        inside = all(layer.startswith(f"{name}.") or not name for layer in named)
        if inside and vars(module).get("latent_dim") == old:
            vars(module)["latent_dim"] = new


def _check_same(rehearsal: Trial, pruned: nn.Module, ablated: nn.Module) -> None:
    """Refuse a pruned model that does not run, or says something else than the ablated one."""
    expected = rehearsal.said(ablated)
    try:
        said = rehearsal.said(pruned)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ValueError(f"The pruned model no longer runs. {_FULL_WIDTH}") from error
    if not agree(said, expected):
        raise ValueError(f"Pruning would not equal ablating. {_FULL_WIDTH}")


_FULL_WIDTH = (
    "Something near the latents needs their full width, such as a mean over channels or another "
    "layer that reads them; expected nothing that does. Use ablate, or name all consumers: "
    "at=SiteLayers(producer, consumers)."
)
