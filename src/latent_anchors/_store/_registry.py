"""The names under which classes and functions are saved."""

import inspect
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from latent_anchors._checks import listed, unknown

PACKAGE = "latent_anchors"
NOT_LOADED = {"viz"}
"""Rooms whose classes are never saved: pictures are drawn anew."""

FUNCTIONS = {"interventions", "regularizers", "training", "transitions"}
"""Rooms whose functions are values, such as penalties; those of others read files, for instance."""

NEVER_SAVED = {
    "adapters.AnchoringCallback": "it belongs to a training; Lightning saves it in checkpoints",
    "adapters.AnchoredTrainer": "its checkpoints hold its state; save the model and the objective",
    "adapters.LabelCollator": "it holds another collator; make it anew",
    "adapters.RareLabelCollator": "it holds another collator; make it anew",
    "adapters.PreparedTimelineLR": "it belongs to an optimizer in memory; save its state_dict()",
    "baselines.FineTuning": "it holds a function of yours; save the model that it gave",
    "baselines.Placed": "it belongs to a comparison; save its model and its edits",
    "baselines.Task": "it holds functions of yours; save what came of it",
    "baselines.Undo": "it holds functions of yours; save the model that it gave",
    "testbed.Evidence": "it measures its own time; its results are in results.json",
    "testbed.Places": "it holds the pictures; save these",
    "testbed.TokenizedDefinitions": "it holds a tokenizer, which saves itself",
    "concepts.Watch": "it collects while training; save its history",
    "interventions.Onwards": "it may hold a mask of one batch; save the direction and the angle",
    "interventions.Handle": "it belongs to a model in memory; save the edit",
    "models.Recording": "it belongs to a forward pass; save dict(recording)",
    "models.Sites": "it lists the layers of a model in memory; save tuple(sites)",
    "training.LatentHoldLoss": "what it captured is part of the FitResult; make it anew to go on",
    "training.Progress": "it belongs to a training under way; save progress.so_far()",
    "training.Snapshots": "it collects while training; save its steps and latents",
    "training.TimelineLR": "it belongs to an optimizer in memory; save its state_dict()",
}
"""Public classes that cannot be saved, and why; a test holds all others to it."""

_Made = TypeVar("_Made", bound=Callable[..., object])
_registered: dict[str, Callable[..., object]] = {}


def register(name: str) -> Callable[[_Made], _Made]:
    """Register your own class or function, so that it can be saved and loaded under a name.

    Used as a decorator. A class is saved by the arguments of its constructor, which it must keep
    as attributes of the same names (an underscore before them does not matter); besides, a
    module's parameters and buffers, or what its ``state_dict()`` gives to ``load_state_dict``.

    Args:
        name: Such as ``"mylab.MyModel"``; it must not change once something was saved.

    Raises:
        ValueError: If the name is taken, by another of yours or by one of ours.

    Examples:
        >>> from torch import nn
        >>> @register("readme.Double")
        ... class Double(nn.Module):
        ...     def forward(self, z):
        ...         return 2 * z
        >>> Double.__name__
        'Double'
    """
    if name in _registered or ours(name) is not None:
        raise ValueError(
            f"The name {name!r} is taken; expected a new one. Put your project's name in front."
        )

    def keep(made: _Made) -> _Made:
        _registered[name] = made
        return made

    return keep


def name_of(made: object, where: str) -> str:
    """The name under which a class or function is saved."""
    name = known_name(made)
    if name is None:
        module, attribute = getattr(made, "__module__", ""), getattr(made, "__name__", repr(made))
        raise TypeError(
            f"{where} is {attribute!r} of {module!r}, which has no registered name; expected one "
            f"of ours or of {listed(_registered)}. Decorate it with "
            "@latent_anchors.register('name')."
        )
    _check_saved(name, made, where)
    return name


def known_name(made: object) -> str | None:
    """The registered or public name of a class or function, if it has one."""
    mine = [name for name, registered in _registered.items() if registered is made]
    attribute = str(getattr(made, "__name__", ""))
    public = [f"{room}.{attribute}" for room in _rooms() if ours(f"{room}.{attribute}") is made]
    return next(iter([*mine, *public]), None)


def module_of(name: object) -> str:
    """The module of a registered class or function; empty for ours."""
    made = _registered.get(name) if isinstance(name, str) else None
    return "" if made is None else made.__module__


def _rooms() -> list[str]:
    return [name for name in import_module(PACKAGE).__all__ if _room(name) is not None]


@cache
def _room(name: str) -> Any:
    """One of our rooms, loaded if need be; None if there is none of this name."""
    public = name in import_module(PACKAGE).__all__ and name not in NOT_LOADED
    # a function of the package has no module of its name
    return import_module(f"{PACKAGE}.{name}") if public and find_spec(f"{PACKAGE}.{name}") else None


def ours(name: str) -> Any:
    """A public class or function of one of our rooms, such as ``regularizers.Anchor``, or None."""
    name_of_room, _, attribute = name.partition(".")
    room = _room(name_of_room)
    return getattr(room, attribute) if room is not None and attribute in room.__all__ else None


def class_named(name: object) -> type:
    """The class of that name; never a function."""
    found = _found("type", name)
    concrete = inspect.isclass(found) and not inspect.isabstract(found)
    if not concrete or getattr(found, "_is_protocol", False) or name in NEVER_SAVED:
        raise ValueError(f"{name!r} is no class that is saved; expected one.")
    return found


def function_named(name: object) -> Callable[..., object]:
    """The function of that name, as a value; loading does not call it."""
    found = _found("function", name)
    if inspect.isclass(found) or not callable(found) or not _is_value(str(name)):
        raise ValueError(f"{name!r} is no function that is saved as a value; expected one.")
    return found


def _found(kind: str, name: object) -> Any:
    found = (_registered.get(name) or ours(name)) if isinstance(name, str) else None
    if found is None:
        raise ValueError(
            unknown(f"registered {kind}", name, _registered)
            + " Import the module that registers it before loading."
        )
    return found


def _is_value(name: str) -> bool:
    return name in _registered or name.partition(".")[0] in FUNCTIONS


def _check_saved(name: str, made: object, where: str) -> None:
    why = NEVER_SAVED.get(name)
    if why is not None:
        raise TypeError(f"{where} is {name}, which cannot be saved: {why}.")
    if not inspect.isclass(made) and not _is_value(name):
        raise TypeError(
            f"{where} is the function {name}, which cannot be saved; expected one of the rooms "
            f"{listed(sorted(FUNCTIONS))}, or one of yours. Wrap it in a function and decorate "
            "that with @latent_anchors.register('name')."
        )
