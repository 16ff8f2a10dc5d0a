"""A bench for tracing: a copy of a model with random parameters, run on an example again and again.

What holds for random parameters holds for whatever training may give, so no coincidence of the
weights (zeros after an earlier surgery, an identity, a run that diverged) deceives the trace.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from latent_anchors._hooks import Edit, attach_edit, attach_recorder, untapped
from latent_anchors._sites import At
from latent_anchors.interventions._layers import linear_layers

Example: TypeAlias = Tensor | tuple[Tensor, ...]
"""What a model takes: one argument or several."""

_Use: TypeAlias = tuple[object, Any, Tensor]
"""A function that used a weight, its first argument, its result."""


class Pass(NamedTuple):
    """What one forward pass showed: the latents, linear layers' inputs and outputs, the output.

    ``inputs`` and ``outputs`` hold layers that ran once and whose weights nothing else used.
    """

    z: Tensor
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    said: list[Tensor]


class Bench:
    """A copy of one run with random parameters, in evaluation mode, and an example to run it on."""

    def __init__(self, model: nn.Module, at: At, example: Example | None) -> None:
        self.model: nn.Module = untapped(model).eval()
        self.at: At = at
        self.example: tuple[Tensor, ...] = example_for(self.model, example)
        generator = torch.Generator().manual_seed(0)
        for parameter in self.model.parameters():
            fan = parameter.shape[-1] if parameter.ndim > 1 else 1
            parameter.data = noise(parameter, generator) / fan**0.5
        self.linear: dict[str, nn.Linear] = linear_layers(self.model)

    def run(self, *edits: tuple[At, Edit]) -> Pass:
        """One forward pass with edits in force."""
        latents: list[Tensor] = []
        with ExitStack() as stack:
            for at, edit in edits:
                stack.enter_context(attach_edit(self.model, at, edit))
            # last, so that it sees an edit of the same layer under another axis
            stack.enter_context(attach_recorder(self.model, self.at, latents.append))
            stack.enter_context(torch.no_grad())
            uses = stack.enter_context(_Uses(self.linear))
            said = list(tensors_in(self.model(*self.example)))
        if len(latents) != 1:
            raise ValueError(
                f"The site {self.at!r} ran {len(latents)} times on the example; expected once. "
                "Name the layers around it instead of the site: at=Layers(producer, consumers)."
            )
        plain = dict(uses.plain())
        inputs = {name: use[1] for name, use in plain.items()}
        outputs = {name: use[2] for name, use in plain.items()}
        return Pass(latents[0], inputs, outputs, said)


class _Uses(TorchFunctionMode):
    """Which functions use the weights of linear layers, by whatever name they have."""

    def __init__(self, layers: Mapping[str, nn.Linear]) -> None:
        super().__init__()
        self.owners: dict[int, list[str]] = defaultdict(list)
        self.uses: dict[str, list[_Use]] = defaultdict(list)
        for name, layer in layers.items():
            self.owners[id(layer.weight)].append(name)

    @override
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):  # not: asking for a weight's device
            for value in tensors_in((args, kwargs or {})):
                for name in self.owners.get(id(value), ()):
                    self.uses[name].append((func, args[0], result))
        return result

    def plain(self) -> Iterator[tuple[str, _Use]]:
        """Layers whose weights one function used once: the linear one."""
        for name, uses in self.uses.items():
            if len(uses) == 1 and uses[0][0] is functional.linear:
                yield name, uses[0]


def noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Normal numbers in a tensor's shape; what is not floating point stays."""
    if not like.is_floating_point():
        return like.detach()
    return torch.randn(like.shape, generator=generator).to(like)


def tensors_in(output: object) -> Iterator[Tensor]:
    """All tensors in an output of any shape."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from tensors_in(list(cast("Mapping[object, object]", output).values()))
    elif isinstance(output, list | tuple):
        for part in cast("Iterable[object]", output):
            yield from tensors_in(part)
    elif hasattr(output, "__dataclass_fields__"):
        yield from tensors_in(vars(output))


def agree(one: list[Tensor], other: list[Tensor]) -> bool:
    """Whether two outputs say the same, up to rounding."""
    return len(one) == len(other) and all(map(_close, one, other))


def _close(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape or not one.is_floating_point():
        return torch.equal(one, other)
    rough = rounding(one)
    size = float(one.nan_to_num().abs().max()) if one.numel() else 0.0
    return torch.allclose(one, other, rtol=rough, atol=rough * size, equal_nan=True)


def rounding(like: Tensor) -> float:
    """What counts as equal after a few operations: half of the digits."""
    return torch.finfo(like.dtype).eps ** 0.5


def example_for(model: nn.Module, example: Example | None) -> tuple[Tensor, ...]:
    """The arguments given, or random ones of the only width on which the model runs."""
    if example is not None:
        return example if isinstance(example, tuple) else (example,)
    layers = linear_layers(model).values()
    widths = sorted({layer.in_features for layer in layers})
    weight = next((layer.weight for layer in layers), torch.empty(0))
    rows = {width: torch.rand(4, width).to(weight) for width in widths}
    fits = [width for width in widths if _runs(model, rows[width])]
    if len(fits) != 1:
        raise ValueError(
            f"No example was given, and of widths {widths} the model runs on {fits}; expected "
            "exactly one. Pass what it takes: example=..."
        )
    return (rows[fits[0]],)


def _runs(model: nn.Module, inputs: Tensor) -> bool:
    try:
        with torch.no_grad():
            model(inputs)
    except (RuntimeError, ValueError, TypeError, IndexError):
        return False
    return True
