"""Digests of functions and classes: code, global names, bases and slots."""

import sys
import sysconfig
from functools import cache, cached_property
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

OURS = "latent_anchors"
LIBRARIES = {"torch", "numpy", *sys.stdlib_module_names} - {"__main__"}
_FOLDERS = tuple(
    Path(folder).resolve()
    for folder in {sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")}
)


@cache
def is_ours(kind: type) -> bool:
    """Whether a class is this library's."""
    return kind.__module__.partition(".")[0] == OURS


@cache
def is_installed(module: str) -> bool:
    """Whether a module belongs to a library: its code and globals do not change in training."""
    top = module.partition(".")[0]
    if top == OURS or top in LIBRARIES:
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and any(Path(file).resolve().is_relative_to(f) for f in _FOLDERS)


@cache
def digest_of(code: CodeType) -> str:
    """The same for the same code, wherever it stands; Python's version in front, which counts."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{version}:{blake2b(repr(_parts(code)).encode(), digest_size=8).hexdigest()}"


def _parts(code: CodeType) -> tuple[object, ...]:
    constants = [_constant(value) for value in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars


def _constant(value: object) -> object:
    if isinstance(value, CodeType):
        return _parts(value)
    if isinstance(value, tuple):
        return tuple(map(_constant, cast("tuple[object, ...]", value)))
    # the order in a set of strings differs from process to process
    if isinstance(value, frozenset):
        return sorted(map(repr, cast("frozenset[object]", value)))
    return repr(value)


@cache
def names_in(code: CodeType) -> tuple[str, ...]:
    """Globals and attributes that it names, functions within it included."""
    inner = [names_in(value) for value in code.co_consts if isinstance(value, CodeType)]
    return tuple(dict.fromkeys(chain(code.co_names, *inner)))


def outside(function: FunctionType) -> dict[str, object]:
    """What a function looks up in its module, by name, and in modules of the user's own there."""
    names = names_in(function.__code__)
    found = {n: function.__globals__[n] for n in names if n in function.__globals__}
    for place, value in [*found.items()]:
        if isinstance(value, ModuleType):
            del found[place]
            if not is_installed(value.__name__):
                there = vars(value)
                found |= {f"{place}.{name}": there[name] for name in names if name in there}
    return found


@cache
def slots_of(kind: type) -> tuple[str, ...]:
    """Attributes that stand in no dict."""
    named = [vars(each).get("__slots__", ()) for each in kind.__mro__]
    names = [(given,) if isinstance(given, str) else tuple(given) for given in named]
    return tuple(n for given in names for n in given if n not in ("__dict__", "__weakref__"))


@cache
def own_classes(kind: type) -> tuple[type, ...]:
    """Those of a user, among it and those that it is made from."""
    return tuple(each for each in kind.__mro__ if not is_installed(each.__module__))


@cache
def kept_results(kind: type) -> frozenset[str]:
    """Names of cached properties."""
    named = {name: each for base in kind.__mro__ for name, each in vars(base).items()}
    return frozenset(n for n, each in named.items() if isinstance(each, cached_property))


def is_filled(cell: Any) -> bool:
    """Whether a closure's cell has a value already."""
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False
