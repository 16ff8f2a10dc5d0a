"""Compare modules with what is made of their saving: what their state does not tell."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from latent_anchors._sites import layers_of


def check_alike(saved: Iterable[object], made: Iterable[object]) -> None:
    """Refuse modules with layers or buffers that their constructors would not make again.

    Weights and modes are saved and compared elsewhere. A layer without weights that was replaced
    leaves no trace in them, nor does a buffer that is not persistent.
    """
    for one, other in zip(saved, made, strict=True):
        if isinstance(one, nn.Module) and isinstance(other, nn.Module):
            _check_layers(one, other)
            _check_buffers(one, other)


def _check_layers(saved: nn.Module, made: nn.Module) -> None:
    ours, theirs = ({n: _said(part) for n, part in layers_of(m).items()} for m in (saved, made))
    for name, words in ours.items():
        if words != theirs.get(name):
            raise ValueError(
                f"In {type(saved).__name__} the layer {name!r} is {words}; its constructor makes "
                f"{theirs.get(name, 'none')}, and what was replaced afterwards is not saved. Let "
                "an argument of the constructor say which layer it is."
            )


def _said(part: nn.Module) -> str:
    return f"{type(part).__name__}({part.extra_repr()})"


def _check_buffers(saved: nn.Module, made: nn.Module) -> None:
    ours, theirs = _unsaved(saved), _unsaved(made)
    for name, buffer in ours.items():
        if name not in theirs or not _equal(buffer, theirs[name]):
            raise ValueError(
                f"In {type(saved).__name__} the buffer {name!r} is not persistent and has other "
                "numbers than its constructor gives it; expected the same, as it is not saved. "
                "Register it with persistent=True."
            )


def _unsaved(module: nn.Module) -> dict[str, Tensor]:
    """Buffers that are not part of the state."""
    state = module.state_dict()
    return {name: each for name, each in module.named_buffers() if name not in state}


def _equal(one: Tensor, other: Tensor) -> bool:
    alike = one.shape == other.shape and one.dtype == other.dtype
    return alike and torch.equal(*(each.detach().cpu().nan_to_num(0.0) for each in (one, other)))
