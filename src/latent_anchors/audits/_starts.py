"""Where an attacker starts: from the network as it is, partly renewed, or rescaled."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._sites import layers_of
from latent_anchors._streams import seeded
from latent_anchors.models import Population

Tensors = Mapping[str, Tensor]
"""Stacked parameters by name ``(runs, ...)``."""

AS_IT_IS, RESCALED = "as it is", "rescaled"


def fresh(population: Population) -> Population:
    """Networks of the same shape with new weights, a function of each run's seed."""
    models: list[nn.Module] = []
    for seed, model in zip(population.seeds, population, strict=True):
        with seeded(seed, "relearning/fresh"):
            models.append(_reset(model))
    return Population.from_models(models, population.seeds)


def as_it_is(population: Population) -> dict[str, Tensors]:
    """One start only."""
    return {AS_IT_IS: parameters_of(population)}


def starts(edited: Population, parts: Sequence[str]) -> dict[str, Tensors]:
    """As it is, with one part re-initialized, and with its layers rescaled to fresh ones' norms."""
    old, new = parameters_of(edited), parameters_of(fresh(edited))
    found: dict[str, Tensors] = {AS_IT_IS: old}
    for part in parts:
        _check_part(part, old)
        found[f"new {part}"] = {n: new[n] if _within(n, part) else old[n] for n in old}
    found[RESCALED] = _rescaled(old, new)
    return found


def parameters_of(population: Population) -> dict[str, Tensor]:
    """Stacked parameters, frozen ones too: an attacker freezes nothing."""
    return {name: p.detach() for name, p in population.stacked.named_parameters()}


def by_layer(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of parameters by the layer that owns them."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.rpartition(".")[0], []).append(name)
    return found


def norm(tensors: Sequence[Tensor]) -> Tensor:
    """Length of each run's part of a layer, all its parameters together ``(runs,)``."""
    return torch.stack([tensor.flatten(1).square().sum(1) for tensor in tensors]).sum(0).sqrt()


def per_run(values: Tensor, tensor: Tensor) -> Tensor:
    """One value per run, shaped to be multiplied with a stacked tensor."""
    return values.view(-1, *[1] * (tensor.ndim - 1))


def _reset(model: nn.Module) -> nn.Module:
    for name, layer in layers_of(model).items():
        reset = cast("Callable[[], None] | None", getattr(layer, "reset_parameters", None))
        if reset is not None:
            reset()
        elif next(layer.parameters(recurse=False), None) is not None:
            raise TypeError(
                f"Layer {name!r} ({type(layer).__name__}) has parameters of its own and no "
                "reset_parameters(), as torch's layers have; expected it, to make a fresh network."
            )
    return model


def _check_part(part: str, tensors: Tensors) -> None:
    if not any(_within(name, part) for name in tensors):
        tops = dict.fromkeys(name.split(".")[0] for name in tensors)
        raise ValueError(
            f"No parameter lies in the part {part!r}; expected parts such as {listed(tops)}. Name "
            "those that an attacker may re-initialize: parts=(...)."
        )


def _within(name: str, part: str) -> bool:
    return name.startswith(f"{part}.")


def _rescaled(old: Tensors, new: Tensors) -> Tensors:
    found: dict[str, Tensor] = {}
    for names in by_layer(old).values():
        length = norm([old[name] for name in names])
        wanted = norm([new[name] for name in names])
        # a layer of zeros has no direction to rescale
        factor = torch.where(length > 0, wanted / torch.where(length > 0, length, 1.0), 1.0)
        found |= {name: old[name] * per_run(factor, old[name]) for name in names}
    return found
