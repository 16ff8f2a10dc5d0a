"""Type checks of functions without shapes by beartype alone: jaxtyping's cost a call much more."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, cast, get_args

import jaxtyping
from beartype import BeartypeConf, beartype

WITH_SHAPES = jaxtyping.jaxtyped
plainly: Any = beartype(conf=BeartypeConf(violation_type=jaxtyping.TypeCheckError))


def has_shapes(annotation: Any) -> bool:
    """Whether a type is, or holds, one of jaxtyping's; a name that stands for one may be any."""
    if isinstance(annotation, list):  # the arguments of a callable
        return any(map(has_shapes, cast("list[Any]", annotation)))
    shaped = isinstance(annotation, type) and issubclass(annotation, jaxtyping.AbstractArray)
    return shaped or isinstance(annotation, str) or any(map(has_shapes, get_args(annotation)))


def checked(*, typechecker: Any) -> Callable[[Any], Any]:
    """What the import hook decorates each function and class with."""
    with_shapes = WITH_SHAPES(typechecker=typechecker)

    def decorate(found: Any) -> Any:
        if not inspect.isfunction(found):
            return with_shapes(found)
        shaped = any(map(has_shapes, found.__annotations__.values()))
        return _at_first_call(found, with_shapes if shaped else plainly)

    return decorate


def _at_first_call(found: Any, decorate: Callable[[Any], Any]) -> Any:
    """Of thousands of functions a test calls few: each is decorated when it is needed."""
    strict: Any = None

    @wraps(found)
    def called(*args: Any, **kwargs: Any) -> Any:
        nonlocal strict
        if jaxtyping.config.jaxtyping_disable:
            return found(*args, **kwargs)
        strict = strict or decorate(found)
        return strict(*args, **kwargs)

    return called
