"""Models and populations as they are measured: in evaluation mode, with an axis of runs."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from operator import index as whole
from typing import Any, SupportsIndex, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from latent_anchors._sites import every_name, has_second_names
from latent_anchors._streams import whole_seed


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
        self.seeds: tuple[int, ...] = tuple(whole_seed(seed) for seed in seeds)
        self.stacked: nn.Module = stacked
        self.training: bool = stacked.training

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: SupportsIndex | slice) -> nn.Module:
        index = index if isinstance(index, slice) else _position(index)
        if isinstance(index, slice) and not self.seeds[index]:
            raise IndexError(f"Of {len(self)} runs, {index} takes none; expected at least one.")
        with torch.inference_mode(False):  # within it, a copy could never be trained
            copy = deepcopy(self.stacked)
            for tensor in tensors_of(copy).values():
                tensor.data = tensor.data[index].clone()
        return type(self)(copy, self.seeds[index]) if isinstance(index, slice) else copy


def _position(index: object) -> int:
    """A run's position; True, a list or a mask would give an ordinary model of several runs."""
    with suppress(TypeError):
        if not isinstance(index, bool):
            return whole(cast("SupportsIndex", index))
    raise TypeError(
        f"A population was indexed with {index!r}; expected the position of a run, or a slice. "
        "Write [population[k] for k in ...] for some of them."
    )


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
def mode(model: nn.Module, training: bool) -> Generator[None]:
    """Training or evaluation mode for the length of a block; then each layer's own."""
    modes = {layer: layer.training for layer in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        model.train(modes[model])  # layers that merge weights in evaluation do it in train()
        for layer, before in modes.items():
            layer.training = before


@contextmanager
def eval_mode(model: nn.Module) -> Generator[None]:
    """Evaluation mode, without gradients, for the length of a block."""
    with mode(model, training=False), torch.no_grad():
        yield


def call_with(module: nn.Module, tensors: Mapping[str, Tensor], arguments: tuple[Any, ...]) -> Any:
    """What a module gives with parameters and buffers by name in the place of its own.

    Tied ones may be given under any of their names. Torch's ``functional_call`` puts tensors in and
    takes them out name by name. Where a layer has several names, as a shared embedding has, it
    takes for the layer's own what it had put in under the name before, and leaves it there: so each
    place gets its tensor once.

    Raises:
        ValueError: If several tensors are given for one.
    """
    if not has_second_names(module):
        return functional_call(module, dict(tensors), arguments)
    once = _each_place_once(module, tensors)
    return functional_call(module, once, arguments, tie_weights=False)


def _each_place_once(module: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors by one name of each place: those that are tied at all of their places."""
    own: dict[str, int] = {}
    first: dict[tuple[int, str], str] = {}
    places: dict[int, list[str]] = {}
    for name, place, tensor in _named(module):
        own[name] = id(tensor)
        if place not in first:
            first[place] = name
            places.setdefault(id(tensor), []).append(name)
    found: dict[str, Tensor] = {}
    for name, given in tensors.items():
        for place in places[own[name]] if name in own else [name]:
            if found.setdefault(place, given) is not given:
                raise ValueError(
                    f"Tensors were given for {name!r} and for another name of the same parameter; "
                    "expected one. Give those of model.named_parameters(), each once."
                )
    return found


def _named(module: nn.Module) -> Iterator[tuple[str, tuple[int, str], Tensor]]:
    """Every name of every parameter and buffer, where it is, and the tensor there."""
    for path, layer in every_name(module):
        held: dict[str, Tensor | None] = {**layer._parameters, **layer._buffers}  # pyright: ignore[reportPrivateUsage] -- torch's iterators skip second names
        for name, tensor in held.items():
            if tensor is not None:
                yield f"{path}.{name}" if path else name, (id(layer), name), tensor


def one_for_each(name: str, value: Tensor | float, runs: int) -> Float[Tensor, " runs"]:
    """What a measure gave, as one number for each run."""
    given = torch.as_tensor(value).detach().double().cpu()
    given = given.unsqueeze(0) if given.ndim == 0 and runs == 1 else given
    if given.shape != (runs,):
        raise ValueError(
            f"The measure of the {name} gave shape {tuple(given.shape)}; expected one number for "
            f"each of {runs} runs: ({runs},). Take the mean over samples."
        )
    return given
