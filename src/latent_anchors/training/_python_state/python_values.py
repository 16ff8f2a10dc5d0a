"""The Python values that a step may read, by their place.

An object is represented by its attributes, a function by its closure and the globals that it uses.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from hashlib import blake2b
from inspect import unwrap
from random import Random
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from latent_anchors.training._python_state.code_digest import (
    digest_of,
    is_filled,
    is_installed,
    is_ours,
    kept_results,
    outside,
    own_classes,
    slots_of,
)


def digest(content: bytes) -> str:
    """The same in each process."""
    return blake2b(content, digest_size=8).hexdigest()


def digest_of_tensor(tensor: Tensor) -> str:
    """Of its type, shape and numbers; of a long one, of every so many of them."""
    whole: Any = tensor.detach()
    flat: Tensor = (whole.to_dense() if whole.layout != torch.strided else whole).reshape(-1)
    some = flat[:: max(1, flat.numel() // 2**22)].cpu().contiguous()
    content = some.resolve_conj().resolve_neg().view(torch.uint8).numpy().tobytes()
    kind = f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
    return f"{kind} {digest(content)}"


def shortened(words: str) -> str:
    """Long words by their beginning and a digest."""
    return words if len(words) <= 80 else f"{words[:20]}... {digest(words.encode())}"


def as_one(value: Any) -> str | None:
    """Many plain values in one; None if there are others among them."""
    try:
        unordered = isinstance(value, set | frozenset)
        items: Any = cast("Any", value).items() if isinstance(value, Mapping) else value
        content = json.dumps(sorted(items) if unordered else [*items]).encode()
    except (ValueError, TypeError):
        return None
    kind = cast("Any", value).__class__.__name__
    return f"{kind} of {len(cast('Any', value))} {digest(content)}"


def in_words(value: object) -> str:
    """The words that a value has for itself, or its type."""
    words = repr(value)
    return shortened(words) if says_more(words) else f"one {type(value).__name__}"


def says_more(words: str) -> bool:
    """Whether the words say more than where in memory something is."""
    return re.search(r"\bat 0x|<", words) is None


def _state_of(generator: torch.Generator | np.random.Generator | Random) -> bytes:
    """What a generator of random numbers draws next."""
    if isinstance(generator, torch.Generator):
        return generator.get_state().numpy().tobytes()
    if isinstance(generator, Random):
        return repr(generator.getstate()).encode()
    return repr(generator.bit_generator.state).encode()


Found = dict[str, object]
"""By where it stands, such as ``losses['recon'].factor``."""

NUMBERS = (bool, int, float, complex)
PLAIN: tuple[type, ...] = (*NUMBERS, str, bytes, type(None), type(...), range, slice)
TORCH: tuple[type, ...] = (torch.dtype, torch.device, torch.Size, torch.layout, torch.memory_format)
_WORDS: tuple[type, ...] = (*PLAIN, *TORCH)
LONG = 64
"""Plain values in one container that are compared as one."""

_INTERNAL = {*vars(nn.Module())} - {"training"}


class Values:
    """One look at some things.

    Args:
        tensor: What to keep of a tensor.
        code: Whether to look at the code of functions and classes.
        passing: Whether to look at what is in force for the moment: training mode, and hooks.
    """

    def __init__(
        self,
        tensor: Callable[[Tensor], object],
        code: bool = True,
        passing: bool = True,
        leave: Sequence[object] = (),
    ) -> None:
        self.tensor, self.code, self.passing = tensor, code, passing
        self.found: Found = {}
        # kept, since another object may get the number of one that is gone
        self._seen: dict[int, object] = {id(each): each for each in leave}

    def look(self, where: str, value: object) -> None:
        """Note a value, and all that it leads to."""
        if isinstance(value, _WORDS):
            self.found[where] = shortened(repr(value))
        elif isinstance(value, Enum):
            self.found[where] = str(value)
        elif id(value) not in self._seen:
            if not isinstance(value, MethodType):  # made anew each time
                self._seen[id(value)] = value
            self._look_into(where, value)

    def _look_into(self, where: str, value: Any) -> None:
        if isinstance(value, Tensor):
            self.found[where] = self.tensor(value)
        elif isinstance(value, np.ndarray | np.generic):
            self.found[where] = f"{value.dtype} {digest(value.tobytes())}"
        elif isinstance(value, torch.Generator | np.random.Generator | Random):
            self.found[where] = f"{type(value).__name__} {digest(_state_of(value))}"
        elif isinstance(value, Mapping | list | tuple | deque | set | frozenset):
            self._container(where, cast("Any", value))
        elif isinstance(value, FunctionType | MethodType | partial):
            self._function(where, cast("Any", value))
        elif isinstance(value, type | ModuleType | BuiltinFunctionType):
            self._named(where, value)
        elif isinstance(value, nn.Module):
            self._module(where, value)
        else:
            self._object(where, value)

    def _container(self, where: str, value: Any) -> None:
        short = as_one(value) if len(value) > LONG else None
        words = short or f"{value.__class__.__name__} of {len(value)}"
        self.found[where] = words
        if short is not None:
            return
        if isinstance(value, Mapping):
            # their order counts where they are gone through
            mapping = cast("Mapping[object, object]", value)
            plain: list[object] = [key for key in mapping if isinstance(key, PLAIN)]
            self.found[where] = (
                f"{value.__class__.__name__} of {len(plain)} {shortened(repr(plain))}"
            )
            for index, (key, each) in enumerate(mapping.items()):
                self.look(
                    f"{where}[{key!r}]" if isinstance(key, PLAIN) else f"{where}[{index}]", each
                )
        elif isinstance(value, set | frozenset):
            self.found[where] = ", ".join(sorted(in_words(each) for each in cast("Any", value)))
        else:
            for index, each in enumerate(value):
                self.look(f"{where}[{index}]", each)

    def _function(self, where: str, value: Any) -> None:
        if isinstance(value, partial):
            for part in ("func", "args", "keywords"):
                self.look(f"{where}.{part}", getattr(cast("Any", value), part))
        elif isinstance(value, MethodType):
            self.look(f"{where}.{value.__name__}", value.__func__)
            self.look(where, value.__self__)
        else:
            self._plain_function(where, value)

    def _plain_function(self, where: str, value: FunctionType) -> None:
        installed = is_installed(value.__module__ or "")
        if installed:  # checks of shapes are wrapped around it, or are not
            value = cast("FunctionType", unwrap(value))
        name = f"{value.__module__}.{value.__qualname__}"
        if self.code:
            self.found[f"the code of {where}"] = name if installed else digest_of(value.__code__)
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        held = {name: cell.cell_contents for name, cell in cells if is_filled(cell)}
        held |= {"defaults": value.__defaults__, "kwdefaults": value.__kwdefaults__}
        if not installed:
            held |= outside(value)
        for name, each in held.items():
            if each is not None or name not in ("defaults", "kwdefaults"):
                self.look(f"{where}.{name}", each)

    def _named(self, where: str, value: Any) -> None:
        self.found[where] = f"{getattr(value, '__module__', '')}.{value.__name__}"
        if isinstance(value, type) and not is_installed(value.__module__):
            for name, each in [*vars(value).items()]:
                inner = getattr(each, "__func__", getattr(each, "fget", each))
                plain = isinstance(inner, (*PLAIN, list, dict, tuple)) and name[:2] != "__"
                if plain or isinstance(inner, FunctionType):
                    self.look(f"{where}.{name}", inner)

    def _module(self, where: str, value: Any) -> None:
        self._kind(where, value)
        for kind in (value._parameters, value._buffers, value._modules):
            for name, each in kind.items():
                if id(each) not in self._seen:
                    self.look(f"{where}.{name}", each)
        if self.passing:
            hooks = (*value._forward_hooks.values(), *value._forward_pre_hooks.values())
            for index, hook in enumerate(hooks):
                self.found[f"hook {index} of {where}"] = Same(hook)
        self._attributes(where, value, _INTERNAL if self.passing else _INTERNAL | {"training"})

    def _object(self, where: str, value: Any) -> None:
        self._kind(where, value)
        if not hasattr(value, "__dict__") and not slots_of(value.__class__):
            words = in_words(value)
            self.found[where] = words if not self.passing or says_more(words) else Same(value)
        else:
            self._attributes(where, value, set())

    def _attributes(self, where: str, value: Any, without: set[str]) -> None:
        kind: type = value.__class__
        kept = getattr(value, "__dict__", {})
        if slots := slots_of(kind):
            kept = {**kept, **{n: getattr(value, n) for n in slots if hasattr(value, n)}}
        private, results = is_ours(kind), kept_results(kind)
        for name, each in [*kept.items()]:
            # what is private in this library is made from what is public
            if name in without or name in results or (private and name[0] == "_"):
                continue
            self.look(f"{where}.{name}", each)

    def _kind(self, where: str, value: Any) -> None:
        kind: type = value.__class__
        self.found[where] = f"{kind.__module__}.{kind.__qualname__}"
        for each in own_classes(kind):
            self.look(f"class {each.__qualname__}", each)


class Same:
    """Something that is the same if it is the very object."""

    def __init__(self, thing: object) -> None:
        self.thing = thing
        self.version = 0
        if isinstance(thing, Tensor) and not thing.is_inference():
            self.version = thing._version

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.thing is self.thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __repr__(self) -> str:
        if isinstance(self.thing, Tensor):
            return f"a tensor {tuple(self.thing.shape)}"
        return f"one {type(self.thing).__name__}"
