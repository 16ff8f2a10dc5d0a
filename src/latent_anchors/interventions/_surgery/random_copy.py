"""A trial: a copy of a model with random parameters in full precision, and an example to run it on.

What holds for random parameters holds for whatever training may give, so no coincidence of the
weights (zeros after an earlier surgery, an identity, a run that diverged) deceives it; and what
holds in float32 is not an accident of rounding, as it would be in half precision.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from latent_anchors._numerics import in_full_precision
from latent_anchors.interventions._surgery.apply_surgery import free_copy
from latent_anchors.interventions._surgery.compare_outputs import tensors_in
from latent_anchors.interventions._surgery.plain_layers import GATHER, absent
from latent_anchors.interventions._surgery.site_layers import linear_layers

Example: TypeAlias = Tensor | tuple[Tensor, ...]
"""What a model takes: one argument or several."""


class Trial(NamedTuple):
    """A copy with random parameters, in evaluation mode, and the arguments it is run on."""

    model: nn.Module
    inputs: tuple[Tensor, ...]

    def said(self, model: nn.Module | None = None) -> list[Tensor]:
        """All tensors in the output, of the copy or of another model on the same arguments."""
        with torch.no_grad(), InFull(self.model):
            said = list(tensors_in((model or self.model)(*self.inputs)))
        check_said(said)
        return said


class InFull(TorchFunctionMode):
    """No autocast, neither around a model nor within it."""

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
        halved = torch.is_autocast_enabled(self.device)
        with torch.autocast(self.device, enabled=False) if halved else nullcontext():
            return func(*args, **(kwargs or {}))


def trial(model: nn.Module, example: Example | None) -> Trial:
    """A copy of one run with random parameters in full precision, and what it is run on."""
    copy = _present(model)
    generator = torch.Generator().manual_seed(0)
    for tensor in chain(copy.parameters(), copy.buffers()):
        tensor.data = _in_full(tensor.data)
    for parameter in copy.parameters():
        fan = parameter[0].numel() if parameter.ndim > 1 else 1
        parameter.data = noise(parameter, generator) / max(fan, 1) ** 0.5
    return Trial(copy, _inputs(copy, example, generator))


def noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Normal numbers in a tensor's shape; what is not floating point stays."""
    if not like.is_floating_point():
        return like.detach()
    return torch.randn(like.shape, generator=generator).to(like)


def check_said(said: list[Tensor]) -> None:
    """Refuse an output that would not show a difference, or shows less of it than it could."""
    floats = [tensor for tensor in said if tensor.is_floating_point()]
    half = [tensor.dtype for tensor in floats if in_full_precision(tensor) is not tensor]
    if half:
        raise ValueError(
            f"The model computes in {half[0]} even where its parameters are torch.float32; expected"
            f" full precision, in which small differences show. {NAME_THEM}"
        )
    if not said or (floats and not any(bool(tensor.isfinite().any()) for tensor in floats)):
        raise ValueError(
            "The model's output, on the example and with random parameters, holds no tensor of "
            f"finite numbers; expected one, to see what depends on the latents. {NAME_THEM}"
        )


NAME_THEM = "Name the layers instead of the site: at=SiteLayers(producer, consumers)."


def _present(model: nn.Module) -> nn.Module:
    """A free copy of a model whose numbers are all at hand."""
    for name, tensor in chain(model.named_parameters(), model.named_buffers()):
        reason = absent(tensor)
        if reason is not None:
            raise ValueError(
                f"The model cannot be traced: {name!r} {reason}; expected its numbers. {GATHER} Or "
                "name the layers instead of the site: at=SiteLayers(producer, consumers)."
            )
    return free_copy(model).eval()


def _inputs(
    model: nn.Module, example: Example | None, generator: torch.Generator
) -> tuple[Tensor, ...]:
    """The arguments given, or random ones of the only width on which the model runs."""
    if isinstance(example, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass batches all the same
        raise TypeError(
            f"The example is a {type(example).__name__}; expected what the model takes: a tensor, "
            "or a tuple of arguments in their order."
        )
    if example is not None:
        given = example if isinstance(example, tuple) else (example,)
        return tuple(_in_full(x) if isinstance(x, Tensor) else x for x in given)  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass None for what is optional
    layers = linear_layers(model).values()
    widths = sorted({layer.in_features for layer in layers})
    weight = next((layer.weight for layer in layers), torch.empty(0))
    rows = {width: torch.rand(4, width, generator=generator).to(weight) for width in widths}
    fits = [width for width in widths if _runs(model, rows[width])]
    if len(fits) != 1:
        raise ValueError(
            f"No example was given, and of widths {widths} the model runs on {fits}; expected "
            "exactly one. Pass what it takes: example=..."
        )
    return (rows[fits[0]],)


def _in_full(tensor: Tensor) -> Tensor:
    """Half precision to float32; tokens, masks and all else as they are."""
    return in_full_precision(tensor) if tensor.is_floating_point() else tensor


def _runs(model: nn.Module, inputs: Tensor) -> bool:
    try:
        with torch.no_grad(), InFull(model):
            model(inputs)
    except (RuntimeError, ValueError, TypeError, IndexError):
        return False
    return True
