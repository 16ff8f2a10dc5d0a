"""Load an object and check that saving it again would give the same files."""

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

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
