"""Encode objects as JSON, and their tensors by name."""

import inspect
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
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


def arguments_of(made: type) -> list[str]:
    """The names of a constructor's arguments."""
    parameters = inspect.signature(made).parameters.values()
    collected = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind not in collected]


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


def _check_apart(state: Mapping[str, Tensor], where: str) -> None:
    """Raise if two tensors share memory: they would be separate after loading."""
    owners: dict[int, str] = {}
    for name, tensor in state.items():
        first = owners.setdefault(tensor.data_ptr(), name) if tensor.numel() else name
        if state[first] is not tensor:
            raise ValueError(
                f"{where}: {name!r} and {first!r} are different tensors in the same memory; "
                "expected one tensor, or each its own. Tie them by assigning the parameter itself: "
                "head.weight = embedding.weight."
            )
