"""Where hooks would be skipped: refuse it, or run it eagerly within a block.

Compiled code skips hooks that are attached later; and some layers are never called.
"""

import gc
import sys
import weakref
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from types import CodeType, FunctionType
from typing import Any, cast

import torch
from torch import nn

from latent_anchors._sites import has_forward

_eager: set["weakref.ref[Any]"] = set()
"""Ends of the blocks during which compiled code runs eagerly."""

_stance: Any = None


def refuse_compiled(path: Sequence[nn.Module], name: str, for_good: bool = False) -> None:
    """Raise if a hook would never run because the model is compiled.

    Within a block, functions that were compiled elsewhere run eagerly; a hook that is attached for
    good (``for_good``) would be skipped by them, too.
    """
    around = for_good and (any(map(_keeps_compiled, path)) or _compiled_around(path))
    if around or any(map(_is_compiled, path)):
        raise RuntimeError(
            f"The model is compiled already, so that nothing attached at {name!r} would run; "
            "expected the model itself. Attach first and compile then; "
            "to change an edit in a compiled model, write into its `strength`; "
            "`torch.compiler.reset()` forgets functions that were compiled."
        )


def refuse_uncalled(way: Sequence[nn.Module], name: str) -> None:
    """Raise if the last module on a way runs without being called, or never.

    Args:
        way: The modules from the model down to a site's layer.
        name: The site's.
    """
    why = _never(way[-1]) or _of_attention(way) or _scripted(way)
    if why:
        raise ValueError(
            f"Site {name!r} is {why}, so that nothing attached there would run; expected a layer "
            "that its model calls. la.sites(model) lists layers."
        )


def refuse_within_compiled() -> None:
    """Raise if this runs within a function that is compiled, where no block can begin.

    Torch cannot trace a block. Where it gives up and runs a function as it is, it goes on to
    compile those that are called, so that being traced is not the only sign.
    """
    if torch.compiler.is_compiling() or _runs_compiled():
        raise RuntimeError(
            "A block that records or edits latents, or a population, ran within a function that "
            "torch compiles; expected the block around it. Enter the block first and compile "
            "within; or decorate the function with torch.compiler.disable."
        )


def run_eagerly_until(end: "weakref.ref[Any]") -> None:
    """Run code that was compiled before eagerly, hooks included, until an end dies."""
    global _stance
    if not _compiled_code():
        return
    _eager.add(weakref.ref(end(), _ended))
    if _stance is None:
        _stance = torch.compiler.set_stance("force_eager")


def _ended(end: "weakref.ref[Any]") -> None:
    global _stance
    _eager.discard(end)
    if not _eager and _stance is not None:
        stance, _stance = _stance, None
        stance.__exit__(None, None, None)


def _runs_compiled() -> bool:
    """Whether this was called by a function that torch compiles."""
    if "torch._dynamo" not in sys.modules:
        return False
    from torch._C._dynamo.eval_frame import get_eval_frame_callback

    return bool(get_eval_frame_callback())


def _is_compiled(module: nn.Module) -> bool:
    wrapper = "_orig_mod" in dict(module.named_children())
    return wrapper or getattr(module, "_compiled_call_impl", None) is not None


def _compiled_code() -> list[CodeType]:
    """All code that torch has compiled so far in this process."""
    convert = sys.modules.get("torch._dynamo.convert_frame")
    codes = [] if convert is None else [seen() for seen in convert.input_codes.seen]
    return [code for code in codes if code is not None and _cached(code)]


def _cached(code: CodeType) -> bool:
    from torch._C._dynamo.eval_frame import _debug_get_cache_entry_list  # pyright: ignore[reportPrivateUsage] -- the only way to ask

    return bool(cast("list[object]", _debug_get_cache_entry_list(code)))


def _keeps_compiled(module: nn.Module) -> bool:
    """Whether a module keeps a compiled function of its own, as transformers' models do."""
    return any(hasattr(value, "_torchdynamo_orig_callable") for value in vars(module).values())


def _compiled_around(path: Sequence[nn.Module]) -> bool:
    """Whether compiled code, of a function or a method, reaches a module on the way to a layer."""
    codes = _compiled_code()
    if not codes:
        return False
    there = {id(module) for module in path}
    functions = [f for code in codes for f in gc.get_referrers(code) if isinstance(f, FunctionType)]
    reached = [module for function in functions for module in _modules_within(function)]
    reached += [module for owner in _owners_of(codes) for module in owner.modules()]
    return any(id(module) in there for module in reached)


def _owners_of(codes: Sequence[CodeType]) -> list[nn.Module]:
    """The modules whose forward pass was compiled."""
    modules = [each for each in gc.get_objects() if issubclass(type(each), nn.Module)]
    return [module for module in modules if _code_of(_forward_of(module)) in codes]


def _forward_of(module: nn.Module) -> Any:
    """The forward pass of a module's class; TorchScript's classes have none to look at."""
    return getattr(type(module), "forward", None)


def _code_of(function: Any) -> CodeType | None:
    function = getattr(function, "_torchdynamo_orig_callable", function)
    return getattr(function, "__code__", None)


def _modules_within(function: FunctionType) -> Iterator[nn.Module]:
    """The modules that a function may call: in its closure, its defaults, and by global name."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    named = [function.__globals__.get(name) for name in function.__code__.co_names]
    for value in cast("Iterable[object]", [*cells, *named, *(function.__defaults__ or ())]):
        if isinstance(value, nn.Module):
            yield from value.modules()


def _never(layer: nn.Module) -> str:
    if has_forward(layer) or "forward" in vars(layer):
        return ""
    return f"a {type(layer).__name__}, which holds others and has no forward pass of its own"


def _of_attention(way: Sequence[nn.Module]) -> str:
    """Torch's attention uses the weights of its last layer without calling it."""
    for outer, inner in pairwise(way):
        plain = _forward_of(outer) is nn.MultiheadAttention.forward
        if plain and inner is getattr(outer, "out_proj", None):
            return "a part of nn.MultiheadAttention, which uses its weights without calling it"
    return ""


def _scripted(way: Sequence[nn.Module]) -> str:
    """Whether a module on the way was compiled to TorchScript, with all that lies in it."""
    inside = any(isinstance(outer, torch.jit.ScriptModule) for outer in way[:-1])
    return "within a module of TorchScript, which runs without Python" if inside else ""
