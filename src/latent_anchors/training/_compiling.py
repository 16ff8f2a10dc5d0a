"""Compiling a step, where there is a compiler."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast
from warnings import warn

import torch

_Step = TypeVar("_Step", bound=Callable[..., Any])


def compiled_if_possible(step: _Step, arguments: Sequence[Any]) -> _Step:
    """The step compiled, tried on some arguments; as it is, with a warning, where that fails."""
    made = torch.compile(step, fullgraph=True, dynamic=False)
    try:
        made(*arguments)
    except RuntimeError as error:
        told = " ".join(str(error).split("\n")[:2])  # what failed, and why
        warn(
            f"The training goes on without compiling, since this failed: {told} Install a C++ "
            "compiler, or leave compiled=True out.",
            RuntimeWarning,
            stacklevel=2,
        )
        return step
    return cast("_Step", made)
