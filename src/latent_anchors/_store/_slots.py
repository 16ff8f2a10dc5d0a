"""A module's tensors by name and owner, and which submodules are in training mode."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from latent_anchors._sites import layers_of


@dataclass(frozen=True, eq=False)
class Slot:
    """One parameter or buffer: its owner, its attribute and the tensor."""

    owner: nn.Module
    leaf: str
    tensor: Tensor

    def put(self, tensor: Tensor) -> None:
        """Replace the tensor."""
        setattr(self.owner, self.leaf, tensor)


def slots_of(module: nn.Module, elsewhere: Collection[int]) -> dict[str, Slot]:
    """A module's tensors by name, without submodules that are saved elsewhere (by ``id``)."""
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
    """True if all submodules are in training mode, False if none is, else the names of those."""
    parts = layers_of(module)
    training = [name for name, part in parts.items() if part.training]
    return bool(training) if len(training) in (0, len(parts)) else training


def set_modes(module: nn.Module, modes: object) -> None:
    """Set the modes that :func:`modes_of` returned."""
    parts = layers_of(module)
    training = [*parts] if modes is True else [] if modes is False else modes
    if not isinstance(training, list) or not set(cast("list[str]", training)) <= set(parts):
        raise ValueError(f"The parts in training mode are {modes!r}; expected some of {[*parts]}.")
    for name, part in parts.items():
        part.training = name in training
