"""Construct modules on the meta device first, so that a small file cannot allocate much memory."""

import json
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from typing_extensions import override

MAKING = {torch.empty, torch.full, torch.ones, torch.rand, torch.randn, torch.tensor, torch.zeros}
"""The functions with which constructors create tensors."""

TIMES = 4
"""How many tensors a constructor may make for each that it keeps."""

Plain = (bool, int, float, str, type(None))


class SizeCheck:
    """Compares the shapes that our constructors would create with the saved ones."""

    def __init__(self) -> None:
        self._done: set[str] = set()

    def check(self, made: type, arguments: Mapping[str, Any], node: Mapping[str, Any]) -> None:
        """Raise if the arguments give other shapes than the saved tensors have."""
        ours = made.__module__.startswith("latent_anchors.")
        if not ours or not all(isinstance(value, Plain) for value in arguments.values()):
            return
        shapes = {name: tensor["shape"] for name, tensor in node["state"]["mapping"]}
        key = json.dumps([node["type"], arguments, shapes])
        if key not in self._done:
            made_shapes = _shapes_made(made, arguments, len(shapes))
            if made_shapes != shapes:
                raise ValueError(f"its sizes make {made_shapes}, and {shapes} were saved.")
            self._done.add(key)


class _Counting(TorchFunctionMode):
    """Stops a constructor that creates too many tensors."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.left = limit

    @override
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.left -= func in MAKING
        if self.left < 0:
            raise ValueError("its sizes make more tensors than were saved.")
        return func(*args, **(kwargs or {}))


def _shapes_made(made: type, arguments: Mapping[str, Any], tensors: int) -> dict[str, list[int]]:
    with torch.device("meta"), _Counting(TIMES * (tensors + 1)):
        module = cast("nn.Module", made(**arguments))
    return {name: [*tensor.shape] for name, tensor in module.state_dict().items()}
