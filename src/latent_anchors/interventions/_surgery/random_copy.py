"""A copy of a model with random parameters in full precision, and an example to run it on.

What holds for random parameters holds whatever training gives, so that coincidences of the weights
(zeros after an earlier surgery, an identity, a diverged run) do not mislead. What holds in float32
is not an artifact of rounding, as it could be in half precision.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from latent_anchors._numerics import in_full_precision
from latent_anchors._streams import seeded
from latent_anchors.interventions._surgery.apply_surgery import copy_for_surgery
from latent_anchors.interventions._surgery.compare_outputs import tensors_in
from latent_anchors.interventions._surgery.plain_layers import GATHER, why_unreadable
from latent_anchors.interventions._surgery.site_layers import linear_layers

Example: TypeAlias = Tensor | tuple[Tensor, ...] | Mapping[str, Any]
"""What a model takes: an argument, a tuple of them, or arguments by name."""


class Call(NamedTuple):
    """The arguments to run a model on, by position and by name."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def run(self, model: nn.Module) -> object:
        """The model's output."""
        return model(*self.args, **self.kwargs)


class RandomCopy(NamedTuple):
    """A copy with random parameters in evaluation mode, and the arguments to run it on."""

    model: nn.Module
    inputs: Call

    def outputs(self, model: nn.Module | None = None) -> list[Tensor]:
        """All tensors in the output of the copy, or of another model on the same arguments."""
        # a model may draw in its pass: alike each time, so that differences are not its noise
        with torch.no_grad(), WithoutAutocast(self.model), seeded(0, "surgery"):
            outputs = list(tensors_in(self.inputs.run(model or self.model)))
        check_outputs(outputs)
        return outputs


class WithoutAutocast(TorchFunctionMode):
    """Disables autocast, around a model and within it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.device: str = next((p.device.type for p in model.parameters()), "cpu")

    @override
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        enabled = torch.is_autocast_enabled(self.device)
        with torch.autocast(self.device, enabled=False) if enabled else nullcontext():
            return func(*args, **(kwargs or {}))


def random_copy(model: nn.Module, example: Example | None) -> RandomCopy:
    """A copy of one run with random parameters in full precision, and arguments for it."""
    check_readable(model)
    copy = copy_for_surgery(model).eval()
    generator = torch.Generator().manual_seed(0)
    for tensor in chain(copy.parameters(), copy.buffers()):
        tensor.data = cast("Tensor", _in_full(tensor.data))
    for parameter in copy.parameters():
        fan = parameter[0].numel() if parameter.ndim > 1 else 1
        parameter.data = noise(parameter, generator) / max(fan, 1) ** 0.5
    args, kwargs = call_of(copy, example)
    by_name = {name: _in_full(value) for name, value in kwargs.items()}
    return RandomCopy(copy, Call(tuple(_in_full(value) for value in args), by_name))


def call_of(model: nn.Module, example: Example | None) -> Call:
    """The arguments given, or random ones of the only width on which the model runs."""
    if example is None:
        return Call((_guessed(model),), {})
    if isinstance(example, Mapping):
        return Call((), dict(example))
    return Call(example if isinstance(example, tuple) else (example,), {})


def noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Normal random numbers in the shape of a tensor; other types than floats are kept."""
    if not like.is_floating_point():
        return like.detach()
    return torch.randn(like.shape, generator=generator).to(like)


def check_outputs(outputs: list[Tensor]) -> None:
    """Refuse outputs in which a difference could not be seen."""
    floats = [tensor for tensor in outputs if tensor.is_floating_point()]
    half = [tensor.dtype for tensor in floats if in_full_precision(tensor) is not tensor]
    if half:
        raise ValueError(
            f"The model computes in {half[0]} even where its parameters are torch.float32; expected"
            f" full precision, in which small differences can be seen. {NAME_THEM}"
        )
    if not outputs or (floats and not any(bool(tensor.isfinite().any()) for tensor in floats)):
        raise ValueError(
            "The model's output, on the example and with random parameters, holds no tensor of "
            f"finite numbers; expected one, to see what depends on the latents. {NAME_THEM}"
        )


NAME_THEM = "Name the layers instead of the site: at=SiteLayers(producer, consumers)."


def check_readable(model: nn.Module) -> None:
    """Refuse a model that holds tensors without values of their own."""
    for name, tensor in chain(model.named_parameters(), model.named_buffers()):
        reason = why_unreadable(tensor)
        if reason is not None:
            raise ValueError(
                f"The model cannot be traced: {name!r} {reason}; expected its values. {GATHER} Or "
                "name the layers instead of the site: at=SiteLayers(producer, consumers)."
            )


def _guessed(model: nn.Module) -> Tensor:
    """A random input of the only width on which the model runs."""
    generator = torch.Generator().manual_seed(0)
    layers = linear_layers(model).values()
    widths = sorted({layer.in_features for layer in layers})
    weight = next((layer.weight for layer in layers), torch.empty(0))
    rows = {width: torch.rand(4, width, generator=generator).to(weight) for width in widths}
    with seeded(0, "surgery"):
        fits = [width for width in widths if _runs(model, rows[width])]
    if len(fits) != 1:
        raise ValueError(
            f"No example was given, and of inputs of widths {widths} the model runs on {fits}; "
            "expected exactly one. Pass what the model takes: example=..."
        )
    return rows[fits[0]]


def _in_full(value: Any) -> Any:
    """Half precision to float32; tokens, masks and everything else unchanged."""
    floating = isinstance(value, Tensor) and value.is_floating_point()
    return in_full_precision(value) if floating else value


def _runs(model: nn.Module, inputs: Tensor) -> bool:
    try:
        with torch.no_grad(), WithoutAutocast(model):
            model(inputs)
    except (RuntimeError, ValueError, TypeError, IndexError):
        return False
    return True
