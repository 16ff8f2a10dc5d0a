"""Context managers whose hooks end with the ``with`` statement, even under an interrupt.

An interrupt can come between any two lines, also before the first one of ``__exit__``. So nothing
here relies on a line that runs at the end. Each hook has an *end*, an object that only the running
``with`` statement owns; when the statement is left, the end dies, and a weak reference to it takes
the hook out of its table without any line of Python.
"""

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, overload

from typing_extensions import Protocol, override, runtime_checkable

from latent_anchors._hooks._compiled import refuse_within_compiled, run_eagerly_until

End: TypeAlias = weakref.ref[Any]
"""A weak reference to the object whose death ends a hook."""

_Result = TypeVar("_Result")


class _Owned:
    """An end for those that call ``__enter__`` themselves, such as ``contextlib.ExitStack``."""


class _Exit:
    """Python looks ``__exit__`` up before it enters, and the statement alone keeps what it got."""

    @overload
    def __get__(self, block: None, owner: type) -> Callable[..., None]: ...
    @overload
    def __get__(self, block: "Block[Any]", owner: type) -> Callable[..., None]: ...
    def __get__(self, block: "Block[Any] | None", owner: type) -> Callable[..., None]:
        try:
            if block is None:
                return _left
            leave = partial(_left, block)
            block._end = weakref.ref(leave)  # pyright: ignore[reportPrivateUsage] -- Python calls it for the block
            return leave
        except BaseException:
            if block is not None:
                block._leave(failed=True)  # pyright: ignore[reportPrivateUsage] -- Python calls it for the block
            raise


def _left(block: "Block[Any]", kind: type | None = None, *_: object) -> None:
    block._owned = None  # pyright: ignore[reportPrivateUsage] -- Python calls it for the block
    block._leave(failed=kind is not None)  # pyright: ignore[reportPrivateUsage] -- Python calls it for the block


@runtime_checkable
class Startable(Protocol):
    """What a block starts and ends: a hook, or a lock."""

    def begin(self, end: End | None = None) -> None:
        """Put it in force until an end dies."""
        ...

    def remove(self) -> None:
        """End it."""
        ...


class Block(ABC, Generic[_Result]):
    """A context manager whose hooks are in force for the length of the block."""

    _end: End | None = None
    _owned: object = None
    if TYPE_CHECKING:

        def __exit__(self, *_: object) -> None:
            """End the hooks."""
    else:
        __exit__ = _Exit()

    def __enter__(self) -> _Result:
        refuse_within_compiled()
        try:
            if self._end is None or self._end() is None:
                self._owned = _Owned()
                self._end = weakref.ref(self._owned)
            run_eagerly_until(self._end)
            return self._begin(self._end)
        except BaseException:
            self._owned = None
            self._leave(failed=True)
            raise

    @abstractmethod
    def _begin(self, end: End) -> _Result:
        """Start what ends with the block."""

    @abstractmethod
    def _leave(self, failed: bool) -> None:
        """End the hooks where the block ends; raise if one of them never acted."""


class Hooks(Block[_Result]):
    """A block that makes its hooks on entering."""

    _hooks: Sequence[Startable] = ()

    @override
    def _begin(self, end: End) -> _Result:
        self._hooks, result = self._prepare()  # all of them are made before the first acts
        for hook in self._hooks:
            hook.begin(end)
        return result

    @override
    def _leave(self, failed: bool) -> None:
        for hook in self._hooks:
            hook.remove()
        if not failed:
            self._check()

    @abstractmethod
    def _prepare(self) -> tuple[Sequence[Startable], _Result]:
        """The hooks, and the value that ``with ... as`` gets."""

    def _check(self) -> None:
        """Raise if a hook never acted."""


class InForce(Hooks[None]):
    """A block for hooks that were made before."""

    def __init__(self, hooks: Sequence[Startable]) -> None:
        self._given = hooks

    @override
    def _prepare(self) -> tuple[Sequence[Startable], None]:
        return self._given, None


class HeldLock:
    """A lock held by this thread until the block ends; it is released like a hook."""

    def __init__(self, lock: AbstractContextManager[bool]) -> None:
        self._lock: Any = lock  # one that can be taken again, whose type has no public name
        self._until: End | None = None

    def begin(self, end: End | None = None) -> None:
        """Acquire the lock, and hold it until the end dies."""
        assert end is not None
        # on one line, so that nothing comes between; a lock's own exit ignores its arguments
        self._until, _ = weakref.ref(end(), self._lock.__exit__), self._lock.acquire()

    def remove(self) -> None:
        """Nothing to do: the lock is released when the end dies, which is next."""
