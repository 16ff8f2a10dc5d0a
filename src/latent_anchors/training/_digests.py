"""Values in few words that are the same in each process, and differ if the values do."""

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, cast

import torch
from torch import Tensor


def digest(content: bytes) -> str:
    """The same in each process."""
    return blake2b(content, digest_size=8).hexdigest()


def digest_of_tensor(tensor: Tensor) -> str:
    """Of its type, shape and numbers; of a long one, of every so many of them."""
    whole: Any = tensor.detach()
    flat: Tensor = (whole.to_dense() if whole.layout != torch.strided else whole).reshape(-1)
    some = flat[:: max(1, flat.numel() // 2**22)].cpu().contiguous()
    content = some.resolve_conj().resolve_neg().view(torch.uint8).numpy().tobytes()
    kind = f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
    return f"{kind} {digest(content)}"


def shortened(words: str) -> str:
    """Long words by their beginning and a digest."""
    return words if len(words) <= 80 else f"{words[:20]}... {digest(words.encode())}"


def as_one(value: Any) -> str | None:
    """Many plain values in one; None if there are others among them."""
    try:
        unordered = isinstance(value, set | frozenset)
        items: Any = cast("Any", value).items() if isinstance(value, Mapping) else value
        content = json.dumps(sorted(items) if unordered else [*items]).encode()
    except (ValueError, TypeError):
        return None
    kind = cast("Any", value).__class__.__name__
    return f"{kind} of {len(cast('Any', value))} {digest(content)}"


def in_words(value: object) -> str:
    """The words that a value has for itself, or its type."""
    words = repr(value)
    return shortened(words) if says_more(words) else f"one {type(value).__name__}"


def says_more(words: str) -> bool:
    """Whether the words say more than where in memory something is."""
    return re.search(r"\bat 0x|<", words) is None
