"""Where a module keeps its tensors, and which of its parts are in training mode."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from latent_anchors._sites import layers_of


@dataclass(frozen=True, eq=False)
class Slot:
    """The place of one tensor of a module."""

    owner: nn.Module
    leaf: str
    tensor: Tensor

    def put(self, tensor: Tensor) -> None:
        """Let the module have another tensor there, of the same kind."""
        setattr(self.owner, self.leaf, tensor)


def slots_of(module: nn.Module, elsewhere: Collection[int]) -> dict[str, Slot]:
    """What is saved of a module by name, but for parts that are saved elsewhere, by identity."""
    state: dict[str, Any] = module.state_dict(keep_vars=True)
    slots: dict[str, Slot] = {}
    for name, tensor in state.items():
        prefix, _, leaf = name.rpartition(".")
        owner = module.get_submodule(prefix)
        if getattr(owner, leaf, None) is not tensor or not isinstance(tensor, Tensor):
            raise TypeError(
                f"{type(owner).__name__} has {name!r} in its state_dict(), which is no parameter "
                "or buffer of that name; expected one. Register it as such."
            )
        if id(owner) not in elsewhere:
            slots[name] = Slot(owner, leaf, tensor)
    return slots


def modes_of(module: nn.Module) -> bool | list[str]:
    """Whether all parts are in training mode (or none), or the names of those that are."""
    parts = layers_of(module)
    training = [name for name, part in parts.items() if part.training]
    return bool(training) if len(training) in (0, len(parts)) else training


def set_modes(module: nn.Module, modes: object) -> None:
    """Put all parts into the mode that :func:`modes_of` gave."""
    parts = layers_of(module)
    training = [*parts] if modes is True else [] if modes is False else modes
    if not isinstance(training, list) or not set(cast("list[str]", training)) <= set(parts):
        raise ValueError(f"The parts in training mode are {modes!r}; expected some of {[*parts]}.")
    for name, part in parts.items():
        part.training = name in training
