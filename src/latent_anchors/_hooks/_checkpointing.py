"""Activation checkpointing: which segments of a forward pass ``backward()`` will recompute.

Checkpointing runs a segment of a forward pass a second time, during ``backward()``. Edits that
acted in the first run must act in the second one, too, whatever is in force by then, and no
others.
"""

import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any, cast

import torch
from torch.autograd.function import FunctionCtx
from torch.utils import checkpoint

_top: Any = getattr(cast("Any", torch)._C._autograd, "_top_saved_tensors_default_hooks", None)
"""Returns the hooks on tensors saved for a backward pass; torch 2.6 has no such function."""


def running_segments() -> list[object]:
    """The checkpointed segments under way, innermost first, that ``backward()`` will recompute.

    Each is an object that lives exactly as long as the graph that may recompute it.
    """
    hooks: tuple[Any, Any] | None = None if _top is None else _top(True)
    if _top is not None and hooks is None and torch.is_grad_enabled():
        return []  # the usual case, without a walk through the frames
    found = {id(each): each for each in _first_runs(hooks)}
    return list(found.values())


def recomputed_segment() -> object | None:
    """The innermost segment that is being recomputed, if one is."""
    if torch._C._current_graph_task_id() == -1:  # pyright: ignore[reportPrivateUsage] -- what torch's own checkpointing asks
        return None  # no backward pass is under way
    return next(filter(None, map(_repeated_by, _frames())), None)


def in_reentrant_segment() -> bool:
    """Whether a reentrant segment is running, in which latents carry no gradient."""
    return not torch.is_grad_enabled() and any(map(_reentrant, _frames()))


def _first_runs(hooks: tuple[Any, Any] | None) -> Iterator[object]:
    if hooks is not None and _is(hooks[0].__code__, "pack_hook"):
        yield _closure_of(hooks[0]).get("frame")
    for frame in _frames():
        if _repeated_by(frame) is not None:
            return  # the frames outside called backward(), and are not part of the segment
        segment = _begun_by(frame)
        if segment is not None:
            yield segment


def _begun_by(frame: FrameType) -> object | None:
    """The segment whose first run a frame makes."""
    if _is(frame.f_code, "checkpoint") and "gen" in frame.f_locals:
        return frame.f_locals["gen"].gi_frame.f_locals.get("new_frame")
    return frame.f_locals["ctx"] if _reentrant(frame) else None


def _repeated_by(frame: FrameType) -> object | None:
    """The segment that a frame recomputes."""
    if _is(frame.f_code, "unpack_hook"):
        return frame.f_locals.get("frame")
    return frame.f_locals["ctx"] if _method_of_function(frame, "backward") else None


def _reentrant(frame: FrameType) -> bool:
    return _method_of_function(frame, "forward")


def _method_of_function(frame: FrameType, name: str) -> bool:
    """Whether a frame runs this method of an autograd function."""
    code = frame.f_code
    if code.co_name != name or code.co_varnames[:1] != ("ctx",):
        return False
    return isinstance(frame.f_locals["ctx"], FunctionCtx)


def _is(code: CodeType, name: str) -> bool:
    return code.co_name == name and code.co_filename == checkpoint.__file__


def _frames() -> Iterator[FrameType]:
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] -- inspect.stack would read files
    while frame is not None:
        yield frame
        frame = frame.f_back


def _closure_of(function: Any) -> dict[str, object]:
    cells = (cell.cell_contents for cell in function.__closure__ or ())
    return dict(zip(cast("tuple[str, ...]", function.__code__.co_freevars), cells, strict=True))
