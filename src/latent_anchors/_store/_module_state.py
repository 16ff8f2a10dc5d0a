"""Load saved tensors into modules: tied, frozen and typed as they were saved."""

from typing import Any, cast

from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._store._contents import Contents, Place
from latent_anchors._store._slots import Slot, set_modes, slots_of

OTHER_VERSION = "It was saved by another version of the class: load it with that one."


class StateLoader:
    """Loads tensors into modules; a tensor saved under several names becomes one parameter."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._put: dict[str, Tensor] = {}
        self._taken: dict[int, Tensor] = {}

    def restore(
        self, module: nn.Module, node: dict[str, Any], elsewhere: set[int], where: Place
    ) -> None:
        """Load a module's parameters and buffers."""
        slots = slots_of(module, elsewhere)
        saved = self._state(node["state"], where)
        # a constructor may have copied an argument, which was saved as such
        copied = {n for n in slots if "." in n and n.split(".")[0] in node["arguments"]}
        missing, unknown = set(slots) - copied - set(saved), set(saved) - set(slots)
        if missing or unknown:
            self._contents.refuse(
                where,
                f"lacks {listed(sorted(missing))} and has {listed(sorted(unknown))} besides what "
                f"{type(module).__name__} holds.",
                OTHER_VERSION,
            )
        for name, tensor in saved.items():
            self._fill(slots[name], tensor, (*where, name))
        set_modes(module, node["training"])

    def _state(self, node: object, where: Place) -> dict[str, dict[str, Any]]:
        """A module's state as nodes of tensors by name."""
        given = cast("dict[str, Any]", node).get("mapping") if isinstance(node, dict) else None
        pairs = self._contents.listed(given, where)
        state = dict(pair for pair in map(_named_tensor, pairs) if pair is not None)
        if len(state) < len(pairs):
            self._contents.refuse(where, "has something else in its state than tensors by name.")
        return state

    def _fill(self, slot: Slot, node: dict[str, Any], where: Place) -> None:
        tensor, current = self._contents.found(node, where), slot.tensor
        parameter, name = isinstance(current, nn.Parameter), node["tensor"]
        fits = tensor.is_floating_point() == current.is_floating_point() and (
            tensor.is_floating_point() or tensor.dtype == current.dtype
        )
        if tensor.shape != current.shape or not fits or parameter != bool(node.get("parameter")):
            self._contents.refuse(
                where,
                f"is {tensor.dtype} of shape {tuple(tensor.shape)}; {type(slot.owner).__name__} "
                f"has {current.dtype} of shape {tuple(current.shape)} there.",
                OTHER_VERSION,
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


def _named_tensor(pair: object) -> tuple[str, dict[str, Any]] | None:
    """A name and the node of a tensor, if it is such a pair."""
    if not isinstance(pair, list) or len(cast("list[Any]", pair)) != 2:
        return None
    name, node = cast("list[Any]", pair)
    tensor = isinstance(node, dict) and {"tensor", "dtype", "shape"} <= set(cast("Any", node))
    return (name, cast("dict[str, Any]", node)) if isinstance(name, str) and tensor else None
