"""Models and populations as they are measured: in evaluation mode, with an axis of runs."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import Tensor, nn

from latent_anchors._calls import call_with


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name; those of a population stacked, by their names in one run."""
    model = architecture(model)
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


class StackedRuns(nn.Module):
    """An architecture whose parameters and buffers have a first axis of runs, and a seed for each.

    ``models.Population`` is the one that users make.
    """

    def __init__(self, stacked: nn.Module, seeds: Iterable[int]) -> None:
        super().__init__()
        self.seeds: tuple[int, ...] = tuple(seeds)
        self.stacked: nn.Module = stacked

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int | slice) -> nn.Module:
        copy = deepcopy(self.stacked)
        for tensor in tensors_of(copy).values():
            tensor.data = tensor.data[index].clone()
        return type(self)(copy, self.seeds[index]) if isinstance(index, slice) else copy


def architecture(model: nn.Module) -> nn.Module:
    """The model itself, or the one whose parameters a population has stacked."""
    return model.stacked if isinstance(model, StackedRuns) else model


def one_run(model: nn.Module) -> nn.Module:
    """The model itself, or the first run of a population."""
    return model[0] if isinstance(model, StackedRuns) else model


def seeds_of(model: nn.Module) -> tuple[int, ...]:
    """The seeds of a population; a single 0 for an ordinary model."""
    return model.seeds if isinstance(model, StackedRuns) else (0,)


def with_axis_of_runs(model: nn.Module, values: Tensor) -> Tensor:
    """What a model gave, as ``(runs, ...)``: an ordinary model is one run."""
    return values if isinstance(model, StackedRuns) else values.unsqueeze(0)


def as_function(module: nn.Module, tensors: Mapping[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """A module's architecture with given tensors, such as those of one run of a population."""
    given = dict(tensors)
    return lambda values: call_with(module, given, (values,))


@contextmanager
def eval_mode(model: nn.Module) -> Generator[None]:
    """Evaluation mode, without gradients, for the length of a block."""
    modes = {layer: layer.training for layer in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for layer, training in modes.items():
            layer.training = training
