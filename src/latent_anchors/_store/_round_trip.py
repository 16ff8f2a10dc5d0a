"""Load an object; check that it is saved as the same files, and that these tell all of it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from latent_anchors._sites import layers_of
from latent_anchors._store._decoding import Decoder
from latent_anchors._store._encoding import Encoder
from latent_anchors._store._loading_error import LoadingError


def made(
    structure: object, tensors: Mapping[str, Tensor], place: object
) -> tuple[Any, list[object]]:
    """The object, checked to encode to the same JSON and tensors, and all objects within it.

    The state of the global random generator is preserved.
    """
    with torch.random.fork_rng(devices=[]):
        thing = Decoder(tensors, place).decode(structure)
    try:
        again = Encoder()
        text = json.dumps(again.encode(thing, type(thing).__name__))
    except Exception as error:
        raise LoadingError(place, f"what it makes cannot be saved: {error}") from error
    if text != json.dumps(structure) or not _same(again.tensors, tensors):
        raise LoadingError(
            place,
            f"the {type(thing).__name__} that it makes differs from the one that was saved.",
            "If a class of yours is in it: its constructor must make the same of the attributes "
            "that bear its arguments' names.",
        )
    return thing, again.things


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(_same_bits(one[name], other[name]) for name in one)


def _same_bits(one: Tensor, other: Tensor) -> bool:
    left, right = (tensor.cpu().reshape(-1).view(torch.uint8) for tensor in (one, other))
    return torch.equal(left, right)


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
