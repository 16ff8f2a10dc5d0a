"""Replay a traced step, and trace it again when the Python values that it read have changed."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

import torch
from torch import Tensor

from latent_anchors.training._fit.trace import Arguments, Outcome, Outside, Pure
from latent_anchors.training._python_state.watched import (
    Watched,
    in_words,
    relevant,
    way_out,
    written,
)

_Result = TypeVar("_Result")

EVENTS = 100
"""Steps between two comparisons at least, where actions ask for them."""
FIRST = 400
"""Steps before the first one, where nothing acts; one comes at the end in any case."""
AGAIN = 8
"""The next one comes when so many times as many steps are done."""


class Replaying:
    """A step as a function of tensors: untraced at first, then traced.

    A trace does not repeat what Python does. So the Python values that a step may read are
    compared: if they changed between two blocks of steps, the trace is dropped; a step that changes
    them is refused. What cannot be compared, such as Python's random numbers, shows in the results:
    they are compared with those of the untraced step after some hundred steps, after actions, and
    at the end.
    """

    def __init__(
        self,
        step: Pure,
        trace: Callable[[Arguments], tuple[Pure, Outside]],
        watched: Watched,
        first: int,
        others: int,
        explained: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.step, self.trace, self.watched, self.explained = step, trace, watched, explained
        self.first, self.others = first, others
        self._taken: Counter[object] = Counter()
        self._traced: dict[object, Pure] = {}
        self._read: list[Tensor] = []
        self._numbers = False  # whether Python made a number of any
        self._known = watched.look()
        self._latest: tuple[object, Arguments] | None = None
        self._steps, self._compared = 0, 0

    def __call__(self, shapes: object, arguments: Arguments) -> Outcome:
        """One step."""
        self._taken[shapes] += 1
        self._steps += 1
        self._latest = shapes, arguments
        traced = self._traced.get(shapes)
        if traced is None:
            return self._untraced(shapes, arguments)
        return traced(*arguments)

    def _untraced(self, shapes: object, arguments: Arguments) -> Outcome:
        taken = self._taken[shapes]
        if taken == 1:
            # what is made at first use is there afterwards
            with self.explained():
                return self.step(*arguments)
        if taken == (self.first if len(self._taken) == 1 else self.others):
            self._traced[shapes] = self._unchanged(lambda: self._trace(arguments))
            return self._traced[shapes](*arguments)
        if taken == 2:
            return self._unchanged(lambda: self.step(*arguments))
        return self.step(*arguments)

    def heed(self, acted: bool, also: Outside | None = None) -> bool:
        """Whether a Python value changed that a step may read, since the last block of steps.

        Or something that another trace takes from outside.
        """
        now = self.watched.look()
        others = [] if also is None else also.tensors
        differences = relevant(
            self._known, now, lambda tensor: self._is_read(tensor) or is_among(tensor, others)
        )
        if self._numbers or (also is not None and also.numbers):
            differences |= written(self._known, now)
        self._known = now
        if differences:
            self._traced.clear()
            self._taken.clear()
            self._read.clear()
            self.first = self.others
        since = self._steps - self._compared
        if since >= (EVENTS if acted else max(AGAIN * self._compared, FIRST)):
            self.compare()
        return bool(differences)

    def compare(self) -> None:
        """Raise if the latest step and its trace give different results."""
        if self._latest is None or self._latest[0] not in self._traced:
            return
        if self._compared == self._steps:
            return
        self._compared = self._steps
        shapes, arguments = self._latest
        with torch.no_grad():
            ours = _apart(self._traced[shapes], arguments)
            theirs = self._unchanged(lambda: _apart(self.step, arguments))
        _check_alike(ours, theirs, self.watched.objective.names)

    def _trace(self, arguments: Arguments) -> Pure:
        traced, outside = self.trace(arguments)
        self._read += outside.tensors
        self._numbers |= outside.numbers
        return traced

    def _is_read(self, tensor: Tensor) -> bool:
        return is_among(tensor, self._read)

    def _unchanged(self, step: Callable[[], _Result]) -> _Result:
        """Do it, and refuse a step that changes Python values."""
        before = self.watched.look()
        result = step()
        self._known = self.watched.look()
        found = relevant(before, self._known, self._is_read) | written(before, self._known)
        if found:
            raise RuntimeError(
                f"A step changes {in_words(found)}; expected steps that change tensors only, since "
                "runs that are trained together replay a recorded step without Python. "
                + way_out(found)
            )
        return result


def is_among(tensor: Tensor, others: Iterable[Tensor]) -> bool:
    """Whether it is one of them, and not only equal to it."""
    return any(tensor is each for each in others)


def _apart(step: Pure, arguments: Arguments) -> Outcome:
    """The results of a step, without counting in running averages."""
    buffers = arguments[1]
    kept = {name: buffer.clone() for name, buffer in buffers.items()}
    gradients, (total, (means, masses)) = step(*arguments)
    # a captured step writes its next results into the same memory
    outcome = (
        {name: each.clone() for name, each in gradients.items()},
        (total.clone(), (means.clone(), masses.clone())),
    )
    for name, buffer in buffers.items():
        buffer.copy_(kept[name])
    return outcome


def _check_alike(ours: Outcome, theirs: Outcome, names: Sequence[str]) -> None:
    means, expected = ours[1][1][0], theirs[1][1][0]
    off = ~_close(means, expected, expected.abs())
    if bool(off.any()):
        run, part = (int(place) for place in off.nonzero()[0])
        what = (
            f"{names[part]!r} of run {run} is {means[run, part]:g} in the recorded step and "
            f"{expected[run, part]:g}"
        )
    else:
        steepest = max(_largest(each) for each in theirs[0].values())
        wrong = [n for n, each in theirs[0].items() if not _all_close(ours[0][n], each, steepest)]
        if not wrong:
            return
        what = f"The gradient of {wrong[0]!r} is not the same in the recorded step and"
    raise RuntimeError(
        f"{what} in the step as Python runs it now; expected the same. Something changed that "
        "cannot be compared, such as a random number of Python's or a file. Draw it with the "
        "batches, hold it in a tensor that is written in place, or use execution='sequential', "
        "which runs Python at each step."
    )


def _close(one: Tensor, other: Tensor, scale: Tensor | float) -> Tensor:
    """Within rounding, as a compiler may round otherwise; what is not finite has to be the same."""
    within = torch.finfo(one.dtype).eps ** 0.5
    same = (one == other) | (one.isnan() & other.isnan())
    return same | ((one - other).abs() <= within * scale)


def _all_close(one: Tensor, other: Tensor, scale: float) -> bool:
    return bool(_close(one, other, scale).all())


def _largest(tensor: Tensor) -> float:
    finite = tensor.nan_to_num(0.0, 0.0, 0.0).abs()
    return float(finite.max()) if finite.numel() else 0.0
