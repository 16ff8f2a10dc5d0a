"""Encode objects as JSON, and their tensors by name."""

import inspect
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialized
from torch import Tensor, nn

from latent_anchors._store._registry import known_name, name_of
from latent_anchors._store._slots import modes_of, slots_of

DEPTH = 64
"""Maximum nesting depth."""


class Encoder:
    """Encodes one object; an object that occurs twice in it is encoded once, and loaded as one."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._names: dict[int, str] = {}
        self._numbers: dict[int, int] = {}
        self.things: list[object] = []  # also keeps ids from being reused
        self._within: list[set[int]] = [set()]
        self._depth = 0

    def encode(self, value: object, where: str) -> Any:
        """A value as JSON; ``where`` is its path, for errors."""
        if value is None or isinstance(value, bool | int | float | str):
            return value
        with self._deeper(where):
            if isinstance(value, Tensor):
                return self._tensor(value, where)
            if _is_mapping(value):
                return self._mapping(cast("Mapping[object, object]", value), where)
            if type(value) in (list, tuple, range, torch.Size):
                return self._sequence(cast("Sequence[object]", value), where)
            if inspect.isfunction(value):
                return {"function": name_of(value, where)}
            return self._thing(value, where)

    @contextmanager
    def _deeper(self, where: str) -> Generator[None]:
        self._depth += 1
        if self._depth > DEPTH:
            raise ValueError(
                f"{where} lies {DEPTH} things deep, or something contains itself; expected less. "
                "Save its parts one by one."
            )
        try:
            yield
        finally:
            self._depth -= 1

    def _tensor(self, tensor: Tensor, where: str) -> dict[str, Any]:
        if id(tensor) not in self._names:
            _check_dense(tensor, where)
            # the number keeps equal paths apart
            path = where.encode("ascii", "backslashreplace").decode()
            name = self._names[id(tensor)] = f"{len(self.tensors)}:{path}"
            self.tensors[name] = tensor.detach().cpu().contiguous().clone()
            self.things.append(tensor)
        node: dict[str, Any] = {
            "tensor": self._names[id(tensor)],
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": [*tensor.shape],
        }
        flags = {
            "parameter": isinstance(tensor, nn.Parameter),
            "requires_grad": tensor.requires_grad and tensor.is_leaf,
        }
        return node | {flag: True for flag, holds in flags.items() if holds}

    def _mapping(self, value: Mapping[object, object], where: str) -> dict[str, Any]:
        self.things.append(value)
        return {
            "mapping": [
                [self.encode(key, f"{where} (a key)"), self.encode(item, f"{where}.{key}")]
                for key, item in value.items()
            ]
        }

    def _sequence(self, value: Sequence[object], where: str) -> dict[str, Any]:
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [self.encode(v, f"{where}.{index}") for index, v in enumerate(value)]}

    def _thing(self, value: object, where: str) -> dict[str, Any]:
        if id(value) in self._numbers:
            node: dict[str, Any] = {"again": self._numbers[id(value)]}
        else:
            node = self._written(value, where)
            self._numbers[id(value)] = len(self._numbers)
            self.things.append(value)
        if isinstance(value, nn.Module):
            self._within[-1].update(id(part) for part in value.modules())
        return node

    def _written(self, value: object, where: str) -> dict[str, Any]:
        name = name_of(type(value), where)
        if hasattr(type(value), "from_json"):
            return {"json": name, "content": cast("Any", value).to_json()}
        if hasattr(type(value), "from_models"):
            return self._population(value, name, where)
        _check_not_collected(value)
        self._within.append(set())
        arguments = {
            argument: self.encode(_kept(value, argument), f"{where}.{argument}")
            for argument in arguments_of(type(value))
        }
        elsewhere = self._within.pop()
        self._within[-1] |= elsewhere
        node: dict[str, Any] = {"type": name, "arguments": arguments}
        if isinstance(value, nn.Module):
            return node | self._module(value, elsewhere, where)
        if hasattr(value, "load_state_dict"):
            return node | {"memory": self.encode(cast("Any", value).state_dict(), where)}
        return node

    def _module(self, module: nn.Module, elsewhere: set[int], where: str) -> dict[str, Any]:
        slots = slots_of(module, elsewhere)
        state = {name: slot.tensor for name, slot in slots.items()}
        _check_apart(state, where)
        return {"state": self.encode(state, where), "training": modes_of(module)}

    def _population(self, value: object, name: str, where: str) -> dict[str, Any]:
        # one by one: a constructor may refuse what was stacked
        models = [*cast("Iterable[object]", value)]
        return {
            "population": name,
            "models": self.encode(models, where),
            "seeds": [*cast("Any", value).seeds],
            "training": cast("nn.Module", value).training,
        }


COLLECTED = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD


def arguments_of(made: type) -> list[str]:
    """The names of a constructor's arguments, without ``*args`` and ``**kwargs``."""
    parameters = inspect.signature(made).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind not in COLLECTED]


def _check_not_collected(value: object) -> None:
    """Refuse what keeps arguments of ``*args`` or ``**kwargs``, which are not saved."""
    for name, parameter in inspect.signature(type(value)).parameters.items():
        if parameter.kind not in COLLECTED:
            continue
        kept = getattr(value, name, getattr(value, f"_{name}", None))
        if isinstance(kept, tuple | list | dict) and kept:
            raise TypeError(
                f"{type(value).__name__} was made with {parameter}={kept!r}, which could not be "
                "given again; expected arguments with names of their own. Declare one for each."
            )


def _is_mapping(value: object) -> bool:
    """Whether a mapping is encoded item by item; some of our records are mappings, too."""
    if type(value) is dict:
        return True
    return isinstance(value, Mapping) and known_name(type(cast("object", value))) is None


def _kept(value: object, argument: str) -> object:
    name = argument if _has(value, argument) else f"_{argument}"
    if not _has(value, name) or name in vars(nn.Module()):
        raise TypeError(
            f"{type(value).__name__} does not keep its argument {argument!r}, so that it cannot be "
            f"made again; expected an attribute of that name. Set self.{argument} = {argument}."
        )
    kept = getattr(value, name)
    # a module's numbers that are written in place are tensors; its constructor takes a number
    number = isinstance(value, nn.Module) and isinstance(kept, Tensor) and kept.ndim == 0
    return kept.item() if number else kept


def _has(value: object, name: str) -> bool:
    return hasattr(value, name) and not inspect.ismethod(getattr(value, name))


def _check_dense(tensor: Tensor, where: str) -> None:
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized:
        raise TypeError(
            f"{where} is a tensor of layout {tensor.layout} on {tensor.device}, of type "
            f"{tensor.dtype}; expected a dense one with numbers in it. Use .to_dense(), or "
            ".dequantize()."
        )
    if not _readable(tensor.dtype):
        raise TypeError(
            f"{where} is a tensor of type {tensor.dtype}, which safetensors does not write and "
            "read; expected real numbers, complex64, whole numbers or bool. Use .float() of real "
            "ones, or torch.view_as_real(...)."
        )


@lru_cache
def _readable(dtype: torch.dtype) -> bool:
    """Whether the file format has this type; it has some that it can write and not read."""
    one = torch.zeros(1).to(dtype)
    try:
        return parse_tensors(serialized({"one": one}))["one"].dtype == dtype
    except (KeyError, ValueError, SafetensorError):
        return False


def _check_apart(state: Mapping[str, Tensor], where: str) -> None:
    """Raise if two tensors share memory: they would be separate after loading."""
    before: list[tuple[int, int, str]] = []
    for name, tensor in state.items():
        first, last = _memory(tensor)
        for begins, ends, other in before:
            if begins < last and first < ends and state[other] is not tensor:
                raise ValueError(
                    f"{where}: {name!r} and {other!r} are different tensors in the same memory; "
                    "expected one tensor, or each its own. Tie them by assigning the parameter "
                    "itself: head.weight = embedding.weight."
                )
        before.append((first, last, name))


def _memory(tensor: Tensor) -> tuple[int, int]:
    """Where in memory it begins and ends."""
    if not tensor.numel():
        return 0, 0
    steps = zip(tensor.shape, tensor.stride(), strict=True)
    places = 1 + sum((size - 1) * stride for size, stride in steps)
    return tensor.data_ptr(), tensor.data_ptr() + places * tensor.element_size()
