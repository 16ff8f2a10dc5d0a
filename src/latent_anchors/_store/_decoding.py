"""Construct objects from JSON and tensors: registered constructors are called, nothing else."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._store._contents import Contents, Place
from latent_anchors._store._encoding import DEPTH
from latent_anchors._store._loading_error import LoadingError
from latent_anchors._store._module_state import StateLoader
from latent_anchors._store._registry import class_named, function_named
from latent_anchors._store._size_check import SizeCheck

KEYS = {
    "tensor": ("dtype", "shape"),
    "mapping": (),
    "list": (),
    "tuple": (),
    "function": (),
    "json": ("content",),
    "population": ("models", "seeds", "training"),
    "type": ("arguments",),
    "again": (),
}
"""The required keys of each kind of value, besides its first one."""

OPTIONAL = {"tensor": {"parameter", "requires_grad"}, "type": {"state", "training", "memory"}}


class Decoder:
    """Constructs one object; every tensor in the file must be used."""

    def __init__(self, tensors: Mapping[str, Tensor], place: object) -> None:
        self._contents = Contents(tensors, place)
        self._state_loader = StateLoader(self._contents)
        self._values: dict[str, Tensor] = {}
        self._things: list[object] = []
        self._within: list[set[int]] = [set()]
        self._size_check = SizeCheck()

    def decode(self, node: object) -> Any:
        """The object; raises only :class:`LoadingError`."""
        try:
            thing = self._value(node, ("thing",))
        except LoadingError:
            raise
        except Exception as error:  # the file may hold anything
            wrong = f"what it holds fits nothing ({error!r})."
            raise LoadingError(self._contents.place, wrong) from error
        unused = sorted(set(self._contents.tensors) - self._contents.used)
        if unused:
            wrong = f"the tensors {listed(unused)} belong to nothing."
            raise LoadingError(self._contents.place, wrong)
        return thing

    def _value(self, node: object, where: Place) -> Any:
        if node is None or isinstance(node, bool | int | float | str):
            return node
        if not isinstance(node, dict) or len(where) > DEPTH + 1:
            self._contents.refuse(where, "is no value, or lies too deep.")
        node = cast("dict[str, Any]", node)
        kind = next((kind for kind in KEYS if kind in node), "")
        required = {kind, *KEYS.get(kind, ())}
        if not kind or not required <= set(node) <= required | OPTIONAL.get(kind, set()):
            self._contents.refuse(
                where, f"has the keys {listed(node)}, which no kind of value has."
            )
        readers: dict[str, Callable[[dict[str, Any], Place], Any]] = {
            "tensor": self._argument,
            "mapping": self._mapping,
            "list": lambda node, where: self._items(node["list"], where),
            "tuple": lambda node, where: tuple(self._items(node["tuple"], where)),
            "function": self._function,
            "again": self._again,
        }
        return readers.get(kind, self._thing)(node, where)

    def _mapping(self, node: dict[str, Any], where: Place) -> dict[object, object]:
        pairs = [self._pair(pair, where) for pair in self._contents.listed(node["mapping"], where)]
        with self._contents.making(where):
            mapping = dict(pairs)
        if len(mapping) != len(pairs):
            self._contents.refuse(where, "has a key twice.")
        return mapping

    def _function(self, node: dict[str, Any], where: Place) -> object:
        with self._contents.making(where):
            return function_named(node["function"])

    def _pair(self, pair: object, where: Place) -> tuple[object, object]:
        if not isinstance(pair, list) or len(cast("list[object]", pair)) != 2:
            self._contents.refuse(where, "has something else than pairs of keys and values.")
        key, value = cast("list[object]", pair)
        label = key if isinstance(key, str) else "..."
        return self._value(key, (*where, "(a key)")), self._value(value, (*where, label))

    def _items(self, items: object, where: Place) -> list[object]:
        listed_items = self._contents.listed(items, where)
        return [self._value(item, (*where, str(n))) for n, item in enumerate(listed_items)]

    def _argument(self, node: dict[str, Any], where: Place) -> Tensor:
        """A tensor as a value: one copy for each name, since a constructor may write into it."""
        tensor, name = self._contents.found(node, where), node["tensor"]
        if name not in self._values:
            trained = bool(node.get("requires_grad"))
            copy = tensor.clone().requires_grad_(trained)
            self._values[name] = nn.Parameter(copy, trained) if node.get("parameter") else copy
        return self._values[name]

    def _again(self, node: dict[str, Any], where: Place) -> object:
        number = node["again"]
        if type(number) is not int or not 0 <= number < len(self._things):
            self._contents.refuse(where, f"repeats thing {number!r}, which was not made before.")
        return self._noted(self._things[number])

    def _thing(self, node: dict[str, Any], where: Place) -> object:
        make = self._json if "json" in node else self._constructed
        thing = (self._population if "population" in node else make)(node, where)
        self._things.append(thing)
        return self._noted(thing)

    def _noted(self, thing: object) -> object:
        """The object; its submodules are noted as saved there, and not with their container."""
        if isinstance(thing, nn.Module):
            self._within[-1].update(id(part) for part in thing.modules())
        return thing

    def _json(self, node: dict[str, Any], where: Place) -> object:
        made = self._class(node["json"], "from_json", where)
        with self._contents.making(where):
            return made.from_json(node["content"])

    def _population(self, node: dict[str, Any], where: Place) -> nn.Module:
        made = self._class(node["population"], "from_models", where)
        models = self._value(node["models"], where)
        seeds = self._contents.listed(node["seeds"], where)
        whole = all(type(seed) is int for seed in seeds) and type(node["training"]) is bool
        if not whole or not isinstance(models, list) or len(seeds) != len(cast("Any", models)):
            self._contents.refuse(
                where, f"has the seeds {seeds}; expected a whole number for each model."
            )
        with self._contents.making(where):
            population = made.from_models(models, seeds)
        population.training = node["training"]
        return population

    def _constructed(self, node: dict[str, Any], where: Place) -> object:
        made = self._class(node["type"], "", where)
        self._check_besides(made, node, where)
        self._within.append(set())
        arguments = self._arguments(made, node["arguments"], where)
        elsewhere = self._within.pop()
        self._within[-1] |= elsewhere
        with self._contents.making(where):
            if issubclass(made, nn.Module):
                self._size_check.check(made, arguments, node)
            thing = made(**arguments)
            if isinstance(thing, nn.Module):
                self._state_loader.restore(thing, node, elsewhere, where)
            elif "memory" in node:
                thing.load_state_dict(self._value(node["memory"], where))
        return thing

    def _check_besides(self, made: type, node: dict[str, Any], where: Place) -> None:
        """Check the keys: modules have ``state`` and ``training``, stateful objects ``memory``."""
        expected: set[str] = {"memory"} if hasattr(made, "load_state_dict") else set()
        if issubclass(made, nn.Module):
            expected = {"state", "training"}
        if set(node) - {"type", "arguments"} != expected:
            wrong = f"has the keys {listed(node)}; expected {listed(sorted(expected))} besides."
            self._contents.refuse(where, wrong)

    def _arguments(self, made: type, given: object, where: Place) -> dict[str, Any]:
        names = inspect.signature(made).parameters
        if not isinstance(given, dict) or not set(cast("dict[str, Any]", given)) <= set(names):
            self._contents.refuse(
                where, f"has the arguments {given!r}; expected some of {listed(names)}."
            )
        items = cast("dict[str, Any]", given).items()
        return {name: self._value(value, (*where, name)) for name, value in items}

    def _class(self, name: object, maker: str, where: Place) -> Any:
        """A class, checked to be constructed in this way (``maker``)."""
        with self._contents.making(where):
            found: Any = class_named(name)
        ways = [way for way in ("from_json", "from_models") if hasattr(found, way)]
        if ways != ([maker] if maker else []):
            self._contents.refuse(where, f"makes {name!r} in another way than it is saved.")
        return found
