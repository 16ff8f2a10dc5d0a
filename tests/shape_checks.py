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

    def decorate(found: Any) -> Any:
        if not inspect.isfunction(found) or any(map(has_shapes, found.__annotations__.values())):
            return WITH_SHAPES(typechecker=typechecker)(found)
        return _plain(found)

    return decorate


def _plain(found: Callable[..., Any]) -> Callable[..., Any]:
    strict = plainly(found)

    @wraps(found)
    def called(*args: Any, **kwargs: Any) -> Any:
        chosen = found if jaxtyping.config.jaxtyping_disable else strict
        return chosen(*args, **kwargs)

    return called
