"""Prune latent dimensions: the linear layers around a site become narrower."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from latent_anchors._runs import architecture, one_run
from latent_anchors._sites import At, layers_of
from latent_anchors._vectors import as_dims
from latent_anchors.interventions._surgery.ablate import ablated, producer_tensors
from latent_anchors.interventions._surgery.apply_surgery import Model, Parameters, apply_surgery
from latent_anchors.interventions._surgery.compare_outputs import all_close
from latent_anchors.interventions._surgery.find_layers import resolve_layers
from latent_anchors.interventions._surgery.random_copy import Example, RandomCopy, random_copy
from latent_anchors.interventions._surgery.site_layers import SiteLayers, check_dims


def prune(
    model: Model,
    dims: Sequence[int],
    at: At | SiteLayers = "latent",
    example: Example | None = None,
) -> Model:
    """Remove latent dimensions; the layers around the site become narrower.

    The result equals that of :func:`ablate` on both sides. This is checked first, on a copy with
    random parameters in full precision. An attribute ``latent_dim`` of the model is updated.

    Args:
        model: A model, or a population; it is not changed.
        dims: Latent dimensions, from 0, each once; at least one must remain.
        at: The site, whose layers are found with :func:`find_layers`; or the layers.
        example: What the model takes: ``(...)``, a tuple of arguments, or a mapping by name.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If a dimension does not exist or is repeated, none is given or none would
            remain, the layers are ambiguous, or something between them needs the full width.
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
    dims = as_dims(dims)
    layers, width = resolve_layers(model, at, example, "both")
    check_dims(dims, width)
    kept = tuple(dim for dim in range(width) if dim not in dims)
    if not kept:
        raise ValueError(
            f"dims is {list(dims)}, which are all latent dimensions; expected at least one to "
            "remain. To zero all of them, use ablate."
        )
    copy = random_copy(one_run(model), example)
    _check_same(
        copy,
        _narrowed(copy.model, kept, layers, width),
        apply_surgery(copy.model, partial(ablated, dims=tuple(dims), layers=layers)),
    )
    return _narrowed(model, kept, layers, width)


def _narrowed(model: Model, kept: tuple[int, ...], layers: SiteLayers, width: int) -> Model:
    """The model with the kept latent dimensions only."""
    pruned = apply_surgery(model, partial(_pruned, kept=kept, layers=layers))
    _update_latent_dim(architecture(pruned), layers, width, len(kept))
    return pruned


def _pruned(parameters: Parameters, kept: tuple[int, ...], layers: SiteLayers) -> Parameters:
    """Keep only some rows of the producer and columns of the consumers."""
    new: dict[str, Tensor] = {}
    for name, axis in producer_tensors(parameters, layers):
        new[name] = _selected(parameters[name], axis, kept)
    for name in layers.consumers:
        new[f"{name}.weight"] = _selected(parameters[f"{name}.weight"], -1, kept)
    return new


def _selected(tensor: Tensor, axis: int, kept: tuple[int, ...]) -> Tensor:
    return tensor.index_select(axis, torch.tensor(kept, device=tensor.device))


def _update_latent_dim(model: nn.Module, layers: SiteLayers, old: int, new: int) -> None:
    """Update ``latent_dim`` in the modules that contain all of the layers."""
    named = [str(layers.producer), *layers.consumers]
    for name, module in layers_of(model).items():
        inside = all(layer.startswith(f"{name}.") or not name for layer in named)
        if inside and vars(module).get("latent_dim") == old:
            vars(module)["latent_dim"] = new


def _check_same(copy: RandomCopy, pruned: nn.Module, ablated: nn.Module) -> None:
    """Refuse a pruned model that does not run, or whose output is not that of the ablated one."""
    expected = copy.outputs(ablated)
    try:
        outputs = copy.outputs(pruned)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ValueError(f"The pruned model no longer runs. {_FULL_WIDTH}") from error
    if not all_close(outputs, expected):
        raise ValueError(f"Pruning would not equal ablating. {_FULL_WIDTH}")


_FULL_WIDTH = (
    "Something around the site needs the full width, such as a mean over channels or another "
    "layer that reads the latents; expected only layers that are pruned. Use ablate, or name all "
    "consumers: at=SiteLayers(producer, consumers)."
)
