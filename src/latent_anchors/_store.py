"""One way to save: a folder with ``structure.json`` and ``tensors.safetensors``. No pickle.

The structure tells each thing's type, by its public name, and the arguments that it was made with;
loading calls those constructors and runs no other code.
"""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from safetensors.torch import load_file, save_file  # pyright: ignore[reportUnknownVariableType] -- its paths are untyped
from torch import Tensor, nn

from latent_anchors._checks import listed, unknown

FORMAT = 1
PACKAGE = "latent_anchors"

_Made = TypeVar("_Made", bound=Callable[..., object])
_registered: dict[str, Callable[..., object]] = {}


def register(name: str) -> Callable[[_Made], _Made]:
    """Let a class or function of your own be saved and loaded, under a name of your choosing.

    Used as a decorator. A class is saved by the arguments of its constructor, which it must keep
    as attributes of the same names; a module's parameters and buffers are saved besides.

    Args:
        name: Such as ``"mylab.MyModel"``; it must not change once something was saved.

    Raises:
        ValueError: If the name is taken, by another of yours or by one of ours.

    Examples:
        >>> @register("readme.Double")
        ... class Double(nn.Module):
        ...     def forward(self, z):
        ...         return 2 * z
        >>> Double.__name__
        'Double'
    """
    if name in _registered or _ours(name) is not None:
        raise ValueError(
            f"The name {name!r} is taken; expected a new one. Put your project's name in front."
        )

    def keep(made: _Made) -> _Made:
        _registered[name] = made
        return made

    return keep


def save(thing: object, folder: str | Path) -> None:
    """Save a model of ours, population, penalty, term, objective, edit, timeline or fit.

    Args:
        thing: What to save.
        folder: Made if need be; an earlier saving in it is replaced.

    Raises:
        TypeError: If something in it has no registered name; the message says what, and where.

    Examples:
        >>> import tempfile
        >>> from latent_anchors.interventions import Suppression
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(Suppression([1, 0], strength=0.5), folder)
        ...     load(folder)
        Suppression(falloff=BoundedFalloff(threshold=0.0, power=0.0), strength=0.5)
    """
    tensors: dict[str, Tensor] = {}
    structure = {"format": FORMAT, "thing": _told(thing, type(thing).__name__, tensors)}
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / "structure.json").write_text(json.dumps(structure, indent=1) + "\n")
    save_file(tensors, Path(folder) / "tensors.safetensors")


def load(folder: str | Path, device: torch.device | str = "cpu") -> Any:
    """Load what was saved, by calling the constructors named there and no other code.

    Args:
        folder: Where it was saved.
        device: Where its tensors go.

    Raises:
        ValueError: If it was saved in a later format, or names a type that is not registered.

    Examples:
        >>> import tempfile
        >>> from latent_anchors.regularizers import Anchor, Term
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(Term("anchor", Anchor([0, 1]), label="red"), folder)
        ...     load(folder).label
        'red'
    """
    structure = json.loads((Path(folder) / "structure.json").read_text())
    if structure["format"] != FORMAT:
        raise ValueError(
            f"{folder} was saved in format {structure['format']}; this version reads {FORMAT}. "
            "Update latent_anchors."
        )
    tensors = load_file(Path(folder) / "tensors.safetensors", device=str(device))
    return _made(structure["thing"], tensors)


def _told(value: object, where: str, tensors: dict[str, Tensor]) -> Any:
    """A value in terms of JSON, tensors by the place where they stand."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor):
        tensors[where] = value.detach().contiguous().clone()
        return {"tensor": where}
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        told = [[_told(k, where, tensors), _told(v, f"{where}.{k}", tensors)] for k, v in items]
        return {"mapping": told}
    if isinstance(value, list | tuple | range):
        items = enumerate(cast("Sequence[object]", value))
        return {"sequence": [_told(item, f"{where}.{index}", tensors) for index, item in items]}
    return _told_by_name(value, where, tensors)


def _told_by_name(value: object, where: str, tensors: dict[str, Tensor]) -> dict[str, Any]:
    if inspect.isfunction(value):
        return {"function": _name_of(value, where)}
    name = _name_of(type(value), where)
    if hasattr(value, "to_json"):
        return {"json": name, "content": cast("Any", value).to_json()}
    if hasattr(value, "from_models"):
        # one by one: a constructor may refuse what was stacked
        models = [*cast("Iterable[object]", value)]
        seeds = cast("Any", value).seeds
        return {"population": name, "models": _told(models, where, tensors), "seeds": [*seeds]}
    arguments = {
        argument: _told(_kept(value, argument), f"{where}.{argument}", tensors)
        for argument in _arguments(type(value))
    }
    state = value.state_dict() if isinstance(value, nn.Module) else {}
    # a module among the arguments is saved there, with what it holds
    own = {n: t for n, t in state.items() if "." not in n or n.split(".")[0] not in arguments}
    return {"type": name, "arguments": arguments, "state": _told(own, f"{where}.state", tensors)}


def _arguments(made: type) -> list[str]:
    """What a constructor takes by name; a module without one of its own takes nothing."""
    parameters = inspect.signature(made).parameters.values()
    collected = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind not in collected]


def _kept(value: object, argument: str) -> object:
    if not hasattr(value, argument):
        raise TypeError(
            f"{type(value).__name__} does not keep its argument {argument!r}, so that it cannot be "
            f"made again; expected an attribute of that name. Set self.{argument} = {argument}."
        )
    kept = getattr(value, argument)
    # numbers that are written in place are tensors; constructors take them as numbers
    return kept.item() if isinstance(kept, Tensor) and kept.ndim == 0 else kept


def _name_of(made: object, where: str) -> str:
    for name, registered in _registered.items():
        if registered is made:
            return name
    module, attribute = getattr(made, "__module__", ""), getattr(made, "__name__", repr(made))
    room = module.removeprefix(f"{PACKAGE}.").split(".")[0]
    if module.startswith(PACKAGE) and _ours(f"{room}.{attribute}") is made:
        return f"{room}.{attribute}"
    raise TypeError(
        f"{where} is {attribute!r} of {module!r}, which has no registered name; expected one of "
        f"ours or of {listed(_registered)}. Decorate it with @latent_anchors.register('name')."
    )


def _ours(name: str) -> Callable[..., object] | None:
    """A public name of one of our rooms, such as ``regularizers.Anchor``."""
    room, _, attribute = name.partition(".")
    package = import_module(PACKAGE)
    if room not in package.__all__ or not hasattr(getattr(package, room), "__path__"):
        return None
    module = getattr(package, room)
    return getattr(module, attribute) if attribute in module.__all__ else None


def _found(name: str) -> Callable[..., Any]:
    made = _registered.get(name) or _ours(name)
    if made is None:
        raise ValueError(
            unknown("registered type", name, _registered)
            + " Import the module that registers it before loading."
        )
    return made


def _made(told: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The value that was told."""
    if not isinstance(told, dict):
        return told
    told = cast("dict[str, Any]", told)
    if "tensor" in told:
        return tensors[told["tensor"]]
    if "mapping" in told:
        return {_made(key, tensors): _made(value, tensors) for key, value in told["mapping"]}
    if "sequence" in told:
        return tuple(_made(item, tensors) for item in told["sequence"])
    if "function" in told:
        return _found(told["function"])
    if "json" in told:
        return cast("Any", _found(told["json"])).from_json(told["content"])
    if "population" in told:
        models = _made(told["models"], tensors)
        return cast("Any", _found(told["population"])).from_models(models, told["seeds"])
    return _constructed(told, tensors)


def _constructed(told: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    arguments = {name: _made(value, tensors) for name, value in told["arguments"].items()}
    thing = _found(told["type"])(**arguments)
    state = cast("dict[str, Tensor]", _made(told["state"], tensors))
    if isinstance(thing, nn.Module):
        own = {**dict(thing.named_parameters()), **dict(thing.named_buffers())}
        for name, tensor in state.items():
            own[name].data = tensor
    return thing
