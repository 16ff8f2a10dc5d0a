"""Things made again from JSON and tensors: constructors are called, and nothing else is."""

import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, cast

from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._store._encoding import DEPTH
from latent_anchors._store._loading_error import LoadingError
from latent_anchors._store._registering import class_named, function_named
from latent_anchors._store._sketching import Sketches
from latent_anchors._store._slots import Slot, set_modes, slots_of

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
"""What stands beside the first key of each kind of value."""

OPTIONAL = {"tensor": {"parameter", "requires_grad"}, "type": {"state", "training", "memory"}}


class Decoder:
    """Makes one thing; everything in the tensors is to be used, and nothing else is there."""

    def __init__(self, tensors: Mapping[str, Tensor], place: object) -> None:
        self._tensors, self._place = tensors, place
        self._used: set[str] = set()
        self._values: dict[str, Tensor] = {}
        self._put: dict[str, Tensor] = {}
        self._taken: dict[int, Tensor] = {}
        self._things: list[object] = []
        self._within: list[set[int]] = [set()]
        self._sketches = Sketches()

    def decode(self, node: object) -> Any:
        """The thing; one kind of error, whatever is wrong."""
        try:
            thing = self._value(node, ("thing",))
        except LoadingError:
            raise
        except Exception as error:  # a saving may be anything
            raise LoadingError(self._place, f"what it holds fits nothing ({error!r}).") from error
        unused = sorted(set(self._tensors) - self._used)
        if unused:
            raise LoadingError(self._place, f"the tensors {listed(unused)} belong to nothing.")
        return thing

    def _value(self, node: object, where: tuple[str, ...]) -> Any:
        if node is None or isinstance(node, bool | int | float | str):
            return node
        if not isinstance(node, dict) or len(where) > DEPTH + 1:
            self._refuse(where, "is no value, or lies too deep.")
        node = cast("dict[str, Any]", node)
        kind = next((kind for kind in KEYS if kind in node), "")
        required = {kind, *KEYS.get(kind, ())}
        if not kind or not required <= set(node) <= required | OPTIONAL.get(kind, set()):
            self._refuse(where, f"has the keys {listed(node)}, which no kind of value has.")
        readers: dict[str, Callable[[dict[str, Any], tuple[str, ...]], Any]] = {
            "tensor": self._argument,
            "mapping": self._mapping,
            "list": lambda node, where: self._items(node["list"], where),
            "tuple": lambda node, where: tuple(self._items(node["tuple"], where)),
            "function": self._function,
            "again": self._again,
        }
        return readers.get(kind, self._thing)(node, where)

    def _mapping(self, node: dict[str, Any], where: tuple[str, ...]) -> dict[object, object]:
        pairs = [self._pair(pair, where) for pair in self._listed(node["mapping"], where)]
        with self._making(where):
            mapping = dict(pairs)
        if len(mapping) != len(pairs):
            self._refuse(where, "has a key twice.")
        return mapping

    def _function(self, node: dict[str, Any], where: tuple[str, ...]) -> object:
        with self._making(where):
            return function_named(node["function"])

    def _pair(self, pair: object, where: tuple[str, ...]) -> tuple[object, object]:
        if not isinstance(pair, list) or len(cast("list[object]", pair)) != 2:
            self._refuse(where, "has something else than pairs of keys and values.")
        key, value = cast("list[object]", pair)
        label = key if isinstance(key, str) else "..."
        return self._value(key, (*where, "(a key)")), self._value(value, (*where, label))

    def _items(self, items: object, where: tuple[str, ...]) -> list[object]:
        listed_items = self._listed(items, where)
        return [self._value(item, (*where, str(n))) for n, item in enumerate(listed_items)]

    def _argument(self, node: dict[str, Any], where: tuple[str, ...]) -> Tensor:
        """A tensor as a value: a copy, since a constructor may write into it; each name has one."""
        tensor, name = self._found(node, where), node["tensor"]
        if name not in self._values:
            trained = bool(node.get("requires_grad"))
            copy = tensor.clone().requires_grad_(trained)
            self._values[name] = nn.Parameter(copy, trained) if node.get("parameter") else copy
        return self._values[name]

    def _found(self, node: dict[str, Any], where: tuple[str, ...]) -> Tensor:
        name = node["tensor"]
        if not isinstance(name, str) or name not in self._tensors:
            self._refuse(where, f"is the tensor {name!r}, which is not there.")
        tensor = self._tensors[name]
        found = (str(tensor.dtype).removeprefix("torch."), [*tensor.shape])
        if found != (node["dtype"], node["shape"]):
            self._refuse(
                where,
                f"is {node['dtype']} of shape {node['shape']} by the structure, and {found[0]} of "
                f"shape {found[1]} by the tensors.",
            )
        self._used.add(name)
        return tensor

    def _again(self, node: dict[str, Any], where: tuple[str, ...]) -> object:
        number = node["again"]
        if type(number) is not int or not 0 <= number < len(self._things):
            self._refuse(where, f"repeats thing {number!r}, which was not made before.")
        return self._noted(self._things[number])

    def _thing(self, node: dict[str, Any], where: tuple[str, ...]) -> object:
        make = self._json if "json" in node else self._constructed
        thing = (self._population if "population" in node else make)(node, where)
        self._things.append(thing)
        return self._noted(thing)

    def _noted(self, thing: object) -> object:
        """The thing, its parts noted as saved there and not in what contains it."""
        if isinstance(thing, nn.Module):
            self._within[-1].update(id(part) for part in thing.modules())
        return thing

    def _json(self, node: dict[str, Any], where: tuple[str, ...]) -> object:
        made = self._class(node["json"], "from_json", where)
        with self._making(where):
            return made.from_json(node["content"])

    def _population(self, node: dict[str, Any], where: tuple[str, ...]) -> nn.Module:
        made = self._class(node["population"], "from_models", where)
        models = self._value(node["models"], where)
        seeds = self._listed(node["seeds"], where)
        whole = all(type(seed) is int for seed in seeds) and type(node["training"]) is bool
        if not whole or not isinstance(models, list) or len(seeds) != len(cast("Any", models)):
            self._refuse(where, f"has the seeds {seeds}; expected a whole number for each model.")
        with self._making(where):
            population = made.from_models(models, seeds)
        population.training = node["training"]
        return population

    def _constructed(self, node: dict[str, Any], where: tuple[str, ...]) -> object:
        made = self._class(node["type"], "", where)
        self._within.append(set())
        arguments = self._arguments(made, node["arguments"], where)
        elsewhere = self._within.pop()
        self._within[-1] |= elsewhere
        is_module = issubclass(made, nn.Module)
        remembers = not is_module and hasattr(made, "load_state_dict")
        expected = {"state", "training"} if is_module else {"memory"} if remembers else set[str]()
        if set(node) - {"type", "arguments"} != expected:
            self._refuse(
                where, f"has the keys {listed(node)}; expected {listed(expected)} besides."
            )
        with self._making(where):
            if is_module:
                self._sketches.check(made, arguments, node)
            thing = made(**arguments)
            if is_module:
                self._restore(thing, node, elsewhere, where)
            elif remembers:
                thing.load_state_dict(self._value(node["memory"], where))
        return thing

    def _arguments(self, made: type, given: object, where: tuple[str, ...]) -> dict[str, Any]:
        names = inspect.signature(made).parameters
        if not isinstance(given, dict) or not set(cast("dict[str, Any]", given)) <= set(names):
            self._refuse(where, f"has the arguments {given!r}; expected some of {listed(names)}.")
        items = cast("dict[str, Any]", given).items()
        return {name: self._value(value, (*where, name)) for name, value in items}

    def _restore(
        self, module: nn.Module, node: dict[str, Any], elsewhere: set[int], where: tuple[str, ...]
    ) -> None:
        """What a module held, put into the places that its constructor made for it."""
        slots = slots_of(module, elsewhere)
        saved = self._state(node["state"], where)
        # a constructor may have copied an argument, which was saved as such
        copied = {n for n in slots if "." in n and n.split(".")[0] in node["arguments"]}
        missing, unknown = set(slots) - copied - set(saved), set(saved) - set(slots)
        if missing or unknown:
            self._refuse(
                where,
                f"lacks {listed(sorted(missing))} and has {listed(sorted(unknown))} besides what "
                f"{type(module).__name__} holds.",
                "It was saved by another version of the class: load it with that one.",
            )
        for name, tensor in saved.items():
            self._fill(slots[name], tensor, (*where, name))
        set_modes(module, node["training"])

    def _state(self, node: object, where: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        """A module's state as nodes of tensors by name."""
        given = cast("dict[str, Any]", node).get("mapping") if isinstance(node, dict) else None
        pairs = self._listed(given, where)
        state = dict(pair for pair in map(_named_tensor, pairs) if pair is not None)
        if len(state) < len(pairs):
            self._refuse(where, "has something else in its state than tensors by name.")
        return state

    def _fill(self, slot: Slot, node: dict[str, Any], where: tuple[str, ...]) -> None:
        tensor, current = self._found(node, where), slot.tensor
        parameter, name = isinstance(current, nn.Parameter), node["tensor"]
        fits = tensor.is_floating_point() == current.is_floating_point() and (
            tensor.is_floating_point() or tensor.dtype == current.dtype
        )
        if tensor.shape != current.shape or not fits or parameter != bool(node.get("parameter")):
            self._refuse(
                where,
                f"is {tensor.dtype} of shape {tuple(tensor.shape)}; {type(slot.owner).__name__} "
                f"has {current.dtype} of shape {tuple(current.shape)} there.",
                "It was saved by another version of the class: load it with that one.",
            )
        if name not in self._put:
            self._put[name] = self._filled(current, tensor, bool(node.get("requires_grad")))
        if self._put[name] is not current:
            slot.put(self._put[name])  # tied when saved, or untied

    def _filled(self, current: Tensor, tensor: Tensor, requires_grad: bool) -> Tensor:
        """The constructor's own parameter, unless another name has it; a buffer is a new tensor."""
        if not isinstance(current, nn.Parameter):
            return tensor.clone().requires_grad_(requires_grad)
        if id(current) in self._taken:
            return nn.Parameter(tensor, requires_grad)
        self._taken[id(current)] = current
        current.data = tensor
        return current.requires_grad_(requires_grad)

    def _class(self, name: object, maker: str, where: tuple[str, ...]) -> Any:
        """A class, and the one way in which it is made."""
        with self._making(where):
            found: Any = class_named(name)
        ways = [way for way in ("from_json", "from_models") if hasattr(found, way)]
        if ways != ([maker] if maker else []):
            self._refuse(where, f"makes {name!r} in another way than it is saved.")
        return found

    @contextmanager
    def _making(self, where: tuple[str, ...]) -> Generator[None]:
        """Whatever a constructor says to wrong arguments, said of the file."""
        try:
            yield
        except LoadingError:
            raise
        except Exception as error:
            wrong = f"{'.'.join(where)} cannot be made: {error}"
            raise LoadingError(self._place, wrong) from error

    def _listed(self, items: object, where: tuple[str, ...]) -> list[object]:
        if not isinstance(items, list):
            self._refuse(where, f"has {items!r}; expected a list.")
        return cast("list[object]", items)

    def _refuse(self, where: tuple[str, ...], wrong: str, cure: str = "") -> NoReturn:
        raise LoadingError(self._place, f"{'.'.join(where)} {wrong}", cure)


def _named_tensor(pair: object) -> tuple[str, dict[str, Any]] | None:
    """A name and the node of a tensor, if it is such a pair."""
    if not isinstance(pair, list) or len(cast("list[Any]", pair)) != 2:
        return None
    name, node = cast("list[Any]", pair)
    tensor = isinstance(node, dict) and {"tensor", "dtype", "shape"} <= set(cast("Any", node))
    return (name, cast("dict[str, Any]", node)) if isinstance(name, str) and tensor else None
