"""Fresh networks: the same shape with new weights, for scale."""

from collections.abc import Callable
from typing import cast

from torch import nn

from latent_anchors._runs import seeds_of
from latent_anchors._sites import layers_of
from latent_anchors._streams import seeded
from latent_anchors.audits._finetune import copies
from latent_anchors.models import Population


def fresh(network: nn.Module) -> Population:
    """Networks of the same shape with new weights: they have everything to learn, for scale.

    The weights are a function of each run's seed; an ordinary model has seed 0.

    Args:
        network: A model or a population; unchanged.

    Returns:
        A population of the same seeds.

    Raises:
        TypeError: If a layer has parameters and no ``reset_parameters()``.

    Examples:
        >>> model = nn.Linear(2, 1)
        >>> fresh(model)[0].weight.shape, bool((fresh(model)[0].weight == model.weight).any())
        (torch.Size([1, 2]), False)
    """
    models: list[nn.Module] = []
    seeds = seeds_of(network)
    for seed, run in zip(seeds, copies(network), strict=True):
        with seeded(seed, "relearning/fresh"):
            models.append(_reset(run))
    return Population.from_models(models, seeds)


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
