"""Which weights of a transformer an attacker trains: all, the embedding, or low-rank additions."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_name
from latent_anchors._sites import layers_of
from latent_anchors._streams import stream
from latent_anchors.audits._finetune import copies
from latent_anchors.models import Population

WEIGHTS = ("all", "embeddings", "low_rank")

RANK = 4


class LowRank(nn.Module):
    r"""A frozen linear layer and a trained addition of low rank (LoRA).

    .. math:: x \mapsto W x + B A x

    with :math:`A` drawn and :math:`B` zero, so that nothing changes at first.

    References:
        Hu et al., "LoRA: low-rank adaptation of large language models", 2021, equation 3.
    """

    def __init__(self, linear: nn.Linear, generator: torch.Generator) -> None:
        super().__init__()
        self.linear: nn.Linear = linear
        outputs, inputs = linear.weight.shape
        drawn = torch.randn(RANK, inputs, generator=generator) * inputs**-0.5
        self.down: nn.Parameter = nn.Parameter(drawn.to(linear.weight))
        self.up: nn.Parameter = nn.Parameter(linear.weight.new_zeros(outputs, RANK))

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + x @ self.down.T @ self.up.T


def with_trained(network: nn.Module, weights: str) -> nn.Module:
    """A copy of a population of which only some weights are trained.

    Args:
        network: Unchanged.
        weights: ``"all"``, ``"embeddings"``, or ``"low_rank"``: an addition of rank 4 to each
            linear layer.

    Raises:
        ValueError: If there is no such choice.
    """
    check_name("choice of weights", weights, WEIGHTS)
    if weights == "all":
        return network
    seeds = network.seeds if isinstance(network, Population) else (0,)
    models = copies(network)
    for model, seed in zip(models, seeds, strict=True):
        _train_only(model, weights, seed)
    return Population.from_models(models, seeds)


def _train_only(model: nn.Module, weights: str, seed: int) -> None:
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(weights == "embeddings" and name.startswith("embedding."))
    if weights == "low_rank":
        add_low_rank(model, seed)


def add_low_rank(model: nn.Module, seed: int) -> None:
    """Put an addition beside each linear layer, in place."""
    for name, layer in [*layers_of(model).items()]:
        if isinstance(layer, nn.Linear):
            parent, _, own = name.rpartition(".")
            addition = LowRank(layer, stream(seed, f"low rank/{name}"))
            setattr(model.get_submodule(parent), own, addition)
