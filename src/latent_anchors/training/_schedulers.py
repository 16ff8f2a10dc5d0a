"""Write a timeline's values into any optimizer: by a function, or as a torch scheduler."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, distributed
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from typing_extensions import override

from latent_anchors._checks import (
    check_between,
    check_count,
    check_finite,
    check_name,
    listed,
    unknown,
)
from latent_anchors.curriculum import Timeline
from latent_anchors.training._fit.optimizers import write

LR = "lr"


def apply_hyperparameters(
    optimizer: Optimizer, row: Mapping[str, float], names: Iterable[str] | None = None
) -> None:
    """Write values of a row into an optimizer's hyperparameters, before its step.

    A setting has the row's value in every group of parameters. Groups that differ in it are
    refused: a rate of decay that spares the biases would no longer do so. All is checked before
    anything is written.

    Args:
        optimizer: Whichever; its settings are those of its groups, such as ``"lr"``,
            ``"momentum"`` or ``"weight_decay"``, if they are plain numbers.
        row: Such as ``timeline(step)``.
        names: Which of the row's values; all of them if None.

    Raises:
        ValueError: If the row has no value of that name, or one that is not finite, or a negative
            learning rate; if a group has no such setting, or one that is no plain number; or if
            groups differ in it.

    Examples:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
        >>> apply_hyperparameters(optimizer, {"lr": 0.01, "anchor": 2.0}, ["lr"])
        >>> optimizer.param_groups[0]["lr"]
        0.01
    """
    chosen = tuple(row if names is None else names)
    for name in chosen:
        check_name("value of the row", name, tuple(row))
        check_value(name, row[name])
        check_setting(optimizer, name)
    for name in chosen:
        for group in optimizer.param_groups:
            write(group, name, row[name])


def check_value(name: str, value: float) -> None:
    """Refuse a value that is not finite, and a negative learning rate."""
    check_finite(name, value)
    if name == LR:
        check_between(name, value, 0.0, math.inf)


def check_setting(optimizer: Optimizer, name: str) -> None:
    """Refuse a setting that is not one number, the same in all groups."""
    check_number(optimizer, name)
    values = [float(group[name]) for group in optimizer.param_groups]
    if len(set(values)) > 1:
        raise ValueError(
            f"The optimizer's groups differ in {name!r}: {listed(values)}; expected one value, as "
            "a row has one for all. If the track is a factor on what each group has, give "
            f"TimelineLR(..., factors=[{name!r}]); else write it into each group yourself."
        )


def check_number(optimizer: Optimizer, name: str) -> None:
    """Refuse a setting that is not one number in every group."""
    numbers = [
        key
        for key in optimizer.param_groups[0]
        if all(is_number(group.get(key)) for group in optimizer.param_groups)
    ]
    if name not in numbers:
        kind = f"setting of {type(optimizer).__name__} that is a plain number,"
        raise ValueError(unknown(kind, name, numbers))


def is_number(setting: object) -> bool:
    """Whether a setting is a number, or a tensor that holds one, and no switch."""
    if isinstance(setting, Tensor):
        return setting.numel() == 1
    return isinstance(setting, int | float) and not isinstance(setting, bool)


class TimelineLR(LRScheduler):
    """A torch scheduler that sets the learning rate, and other settings, from a timeline.

    It begins at step 0 and goes on by one at each :meth:`step`, to be called after the
    optimizer's. Beyond the timeline's end the last values hold. Its state is the step; loading
    writes the values of that step into the optimizer, so that the order in which the two are
    restored does not matter. (``get_last_lr`` says what was loaded until the next step, where
    factors scale rates of groups that were made with others.)

    It is not to be prepared by accelerate, which steps a prepared scheduler once for each process,
    so that with several of them the rate would run ahead of the timeline: step it yourself, where
    ``accelerator.sync_gradients``.

    Groups with rates of their own, as for layer-wise decay or a faster head, keep their ratios with
    ``factors=["lr"]``: each group then has its own rate, that of the beginning, times the track's
    value, as in torch's ``LambdaLR``. The rate of the beginning is kept in the group as
    ``"initial_lr"``, where an optimizer's state carries it.

    Args:
        optimizer: Whose groups are driven.
        timeline: With a track ``"lr"``; its values are the rates themselves, the same in all
            groups, unless ``"lr"`` is among the ``factors``.
        also: Names of further tracks that bear the name of a setting, such as ``"weight_decay"``.
        last_epoch: The last step that is done; -1 at the beginning.
        factors: Those of ``"lr"`` and ``also`` whose track is a factor on what each group has.

    Raises:
        ValueError: If the timeline lacks one of the tracks, the optimizer one of the settings, its
            groups differ in one that is no factor, a factor is not driven, or the scheduler begins
            later than the optimizer without the rates of the beginning.
        TypeError: If the last step is not a whole number, or a playhead is given for the timeline.

    Examples:
        >>> import torch
        >>> from latent_anchors.curriculum import Keyframe, Track
        >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(2, 0.1)])})
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        >>> scheduler = TimelineLR(optimizer, timeline)
        >>> for _ in range(2):
        ...     optimizer.step()
        ...     scheduler.step()
        >>> scheduler.get_last_lr()
        [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        timeline: Timeline,
        also: Sequence[str] = (),
        last_epoch: int = -1,
        factors: Sequence[str] = (),
    ) -> None:
        check_count("last_epoch", last_epoch, least=-1)
        if not isinstance(timeline, Timeline):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass playheads all the same
            raise TypeError(
                f"TimelineLR was given a {type(timeline).__name__}; expected a Timeline, whose "
                "values are known at every step. A playhead's are not: before each step, write "
                'apply_hyperparameters(optimizer, {"lr": playhead.row(step)["lr"]}).'
            )
        self.timeline: Timeline = timeline
        self.names: tuple[str, ...] = tuple(dict.fromkeys((LR, *also)))
        self.factors: tuple[str, ...] = tuple(factors)
        for name in self.factors:
            check_name("factor", name, self.names)
        for name in self.names:
            check_name("track", name, timeline.names)
            check = check_number if name in self.factors else check_setting
            check(optimizer, name)
        if last_epoch >= 0:
            self._check_initial(optimizer)
        for group in optimizer.param_groups:
            # torch asks for that of the rate in order to resume
            for name in (LR, *self.factors):
                _initial(group, name)
        super().__init__(optimizer, last_epoch)

    def _check_initial(self, optimizer: Optimizer) -> None:
        """Refuse to guess whether a group's setting is the initial one, or already scaled."""
        for name in self.factors:
            if any(_key(name) not in group for group in optimizer.param_groups):
                raise ValueError(
                    f"TimelineLR begins after step 0 with a factor on {name!r}, and the "
                    f"optimizer's groups hold no {_key(name)!r}; expected what each group began "
                    "with. Make the scheduler at step 0 and load its state, or write "
                    f"group[{_key(name)!r}] into each group."
                )

    def _values(self, name: str, value: float) -> list[float | Tensor]:
        """What each group is to have where the track is at a value."""
        groups = self.optimizer.param_groups
        if name not in self.factors:
            return [value for _ in groups]
        return [_initial(group, name) * value for group in groups]

    @property
    def _is_accelerate_prepared(self) -> bool:
        """What accelerate asks when a scheduler is handed to it, before it wraps it."""
        processes = distributed.get_world_size() if distributed.is_initialized() else 1
        if processes > 1:
            raise RuntimeError(
                f"A TimelineLR was given to accelerator.prepare() of {processes} processes; "
                "expected to be left out of it, since it would be stepped once for each of them at "
                "every step. Prepare an adapters.PreparedTimelineLR, or call scheduler.step() "
                "yourself if accelerator.sync_gradients."
            )
        return False

    @override
    def get_lr(self) -> list[float | Tensor]:
        """The rate of each group at the step that has come, for torch to write.

        The other settings are written here, as torch's own cyclic schedulers do it.

        Raises:
            ValueError: If the rate is negative, or groups have come to differ in a setting that the
                timeline writes and that is no factor.

        Examples:
            >>> import torch
            >>> from latent_anchors.curriculum import Keyframe, Track
            >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.5)])})
            >>> TimelineLR(torch.optim.SGD([torch.zeros(1)]), timeline).get_lr()
            [0.5]
        """
        row = self.timeline(self.last_epoch)
        check_value(LR, row[LR])
        for name in self.names:
            if name not in self.factors:  # a group may have been added or loaded since
                check_setting(self.optimizer, name)
        for name in self.names[1:]:
            values = self._values(name, row[name])
            for group, value in zip(self.optimizer.param_groups, values, strict=True):
                write(group, name, value)
        return self._values(LR, row[LR])

    @override
    def state_dict(self) -> dict[str, Any]:
        """The step, and how often torch was asked to go on.

        Examples:
            >>> import torch
            >>> from latent_anchors.curriculum import Keyframe, Track
            >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.5)])})
            >>> TimelineLR(torch.optim.SGD([torch.zeros(1)]), timeline).state_dict()
            {'last_epoch': 0, '_step_count': 1}
        """
        return {"last_epoch": self.last_epoch, "_step_count": self._step_count}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved step, with the optimizer's settings as they were.

        Raises:
            ValueError: If the state is not that of a :class:`TimelineLR`.

        Examples:
            >>> import torch
            >>> from latent_anchors.curriculum import Keyframe, Track
            >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(2, 0.1)])})
            >>> scheduler = TimelineLR(torch.optim.SGD([torch.zeros(1)]), timeline)
            >>> scheduler.load_state_dict({"last_epoch": 2, "_step_count": 3})
            >>> scheduler.get_last_lr()
            [0.1]
        """
        if set(state_dict) != set(self.state_dict()):
            raise ValueError(
                f"The state holds {listed(state_dict)}; expected {listed(self.state_dict())}, as "
                "another TimelineLR saved it."
            )
        self.last_epoch: int = state_dict["last_epoch"]
        self._step_count = state_dict["_step_count"]
        self._last_lr = self.get_lr()
        for group, rate in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            write(group, LR, rate)


def _key(name: str) -> str:
    """Where a group keeps what it began with; that of the rate is torch's own key."""
    return f"initial_{name}"


def _initial(group: dict[str, Any], name: str) -> float | Tensor:
    """What a group began with; one that was added later, with what it had when it was."""
    value = group[name]
    return group.setdefault(_key(name), value.clone() if isinstance(value, Tensor) else value)
