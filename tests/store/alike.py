"""Whether two things are alike in everything that they hold, part by part."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

import torch
from torch import Tensor, nn

PLAIN = (bool, int, float, str, bytes, type(None))


def differences(one: object, other: object, where: str = "") -> Iterator[str]:
    """Where they differ, in words; nothing if they are alike."""
    if type(one) is not type(other):
        yield f"{where}: {type(one).__name__} and {type(other).__name__}"
    elif isinstance(one, Tensor):
        if not same(one, other):
            yield f"{where}: {one} and {other}"
    elif isinstance(one, PLAIN) or (callable(one) and not hasattr(one, "__dict__")):
        if repr(one) != repr(other):
            yield f"{where}: {one!r} and {other!r}"
    elif isinstance(one, nn.Module):
        yield from between_modules(one, other, where)
    else:
        yield from between(parts(one), parts(other), where)


def same(one: Tensor, other: Tensor) -> bool:
    """Type, shape, bits, kind, frozen or not."""
    kinds = [(t.dtype, t.shape, type(t), t.requires_grad) for t in (one, other)]
    if kinds[0] != kinds[1]:
        return False
    bits = [t.detach().contiguous().reshape(-1).view(torch.uint8) for t in (one, other)]
    return torch.equal(*bits)


def between_modules(one: nn.Module, other: nn.Module, where: str) -> Iterator[str]:
    yield from between(tensors(one), tensors(other), where)
    for name, part in one.named_modules():
        if part.training != other.get_submodule(name).training:
            yield f"{where}.{name}: not in the same mode"
    if ties(one) != ties(other):
        yield f"{where}: tied {ties(one)} and {ties(other)}"
    yield from between(parts(one), parts(other), where)


def tensors(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.state_dict(keep_vars=True))


def ties(module: nn.Module) -> list[int]:
    """For each tensor, the first that is the same."""
    every = [id(tensor) for tensor in tensors(module).values()]
    return [every.index(each) for each in every]


def between(one: Mapping, other: Mapping, where: str) -> Iterator[str]:
    if [*map(repr, one)] != [*map(repr, other)]:
        yield f"{where}: {[*one]} and {[*other]}"
        return
    for (name, left), right in zip(one.items(), other.values(), strict=True):
        yield from differences(left, right, f"{where}.{name}")


def parts(thing: object) -> dict:
    """What it is made of."""
    if isinstance(thing, Mapping) and not vars_of(thing):
        return dict(thing)
    if isinstance(thing, list | tuple):
        return dict(enumerate(thing))
    if is_dataclass(thing):
        return {field.name: getattr(thing, field.name) for field in fields(thing)}
    if hasattr(thing, "to_json"):
        return {"json": repr(thing.to_json())}
    return vars_of(thing)


def vars_of(thing: object) -> dict:
    """Attributes, but for what torch and caches keep."""
    ignored = {"_said", "_labeled", "_recent", "_shares", "_taps", "_move", "training", "_checked"}
    torchs = {*vars(nn.Module())} if isinstance(thing, nn.Module) else set()
    return {k: v for k, v in getattr(thing, "__dict__", {}).items() if k not in ignored | torchs}
