"""A timeline or a playhead as a trainer plays it: rows, settings of the optimizer, triggers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from latent_anchors._checks import listed, unknown
from latent_anchors._hooks import known_writes, recall_writes
from latent_anchors.curriculum import Playhead, RunAction, Timeline
from latent_anchors.training import Objective, TimelineLR, apply_hyperparameters

LR = "lr"

Actions: TypeAlias = Mapping[str, Callable[[Any], object]]
"""What to call with the trainer, by the names of actions."""


class PlayedSchedule:
    """What weighs a step, and what sets the optimizer; triggers act from the next step on.

    Args:
        timeline: Or a playhead of one run.
        objective: Whose weights the tracks are; its other tracks may be settings of the optimizer.
        factors: Settings whose track is a factor on what each group has.
        actions: What to call, by the names of actions.
        metrics: How names of further measurements begin that triggers may watch.

    Raises:
        ValueError: If tracks and objective do not match, the playhead has several runs, a trigger
            watches what is not measured, or an action has nothing to call.
    """

    def __init__(
        self,
        timeline: Timeline | Playhead,
        objective: Objective,
        factors: Sequence[str] = (),
        actions: Actions | None = None,
        metrics: Sequence[str] = (),
    ) -> None:
        played = isinstance(timeline, Playhead)
        self.playhead: Playhead = timeline if played else Playhead(timeline)
        objective.check_tracks(self.playhead.timeline.names)
        self._settings, self._factors = objective.other_tracks, tuple(factors)
        self._actions: Actions = dict(actions or {})
        self._seen: dict[str, float] = {}
        self.forget()
        if self.playhead.runs != 1:
            raise ValueError(
                f"The playhead is made for {self.playhead.runs} runs; expected 1, as a trainer "
                "trains one model: Playhead(timeline, triggers)."
            )
        self._check_watched(_measured(objective), tuple(metrics))
        self._check_actions()

    def forget(self) -> None:
        """Let go of the optimizer, at the end of a training."""
        self._scheduler: TimelineLR | None = None
        self._driven: tuple[str, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_scheduler": None, "_driven": ()}

    def _check_watched(self, measured: Collection[str], metrics: tuple[str, ...]) -> None:
        for rule in self.playhead.triggers:
            if rule.watch not in measured and not rule.watch.startswith(metrics):
                also = f" Or a metric, such as '{metrics[0]}_loss'." if metrics else ""
                raise ValueError(unknown("measurement of a trigger", rule.watch, measured) + also)

    def _check_actions(self) -> None:
        triggers = [rule.then for rule in self.playhead.triggers]
        named = {each.action for each in triggers if isinstance(each, RunAction)}
        named |= {n for names in self.playhead.timeline.actions_by_step.values() for n in names}
        if named != set(self._actions):
            raise ValueError(
                f"The timeline and its triggers name the actions {listed(sorted(named))}; there "
                f"are functions for {listed(sorted(self._actions))}. Give one for each: "
                "actions={'name': function}."
            )

    def ended(self, step: int) -> bool:
        """Whether a playhead with triggers is at its end before a step."""
        return bool(self.playhead.triggers) and step >= self.playhead.steps

    def row(self, step: int) -> Mapping[str, Any]:
        """The values of all tracks at a step."""
        return self.playhead.row(step)

    def drive(self, optimizer: Optimizer, given: LRScheduler | None = None) -> LRScheduler | None:
        """The scheduler of an optimizer whose rate is a track; the one that was given otherwise."""
        self.forget()
        groups = optimizer.param_groups
        self._driven = tuple(n for n in self._settings if any(n in group for group in groups))
        if LR not in self._driven:
            return self._without_rate(given)
        if given is not None:
            raise ValueError(
                f"The timeline has a track {LR!r}, and a scheduler of type {type(given).__name__} "
                "was given; expected one of them to set the rate. Leave one out; if groups have "
                f"rates of their own, give factors=[{LR!r}]."
            )
        also = [name for name in self._driven if name != LR]
        plan = self.playhead.as_timeline()
        self._scheduler = TimelineLR(optimizer, plan, also, factors=self._factors)
        return self._scheduler

    def _without_rate(self, given: LRScheduler | None) -> LRScheduler | None:
        if self._factors:
            raise ValueError(
                f"Without a track {LR!r} among other_tracks, factors names "
                f"{listed(self._factors)}; expected none. Add the track, or leave factors out."
            )
        return given

    def begin(self, step: int, optimizer: Optimizer, trainer: object) -> None:
        """Before a step: its settings, and its actions."""
        if self._scheduler is None:
            apply_hyperparameters(optimizer, self.row(step), self._driven)
        elif self._scheduler.last_epoch != step:
            # nobody has stepped it, or a gradient overflowed, which is a step of the trainer only
            self._go_on_from({**self._scheduler.state_dict(), "last_epoch": step})
        for name in self.playhead.actions(step):
            self._actions[name](trainer)

    def observe(self, step: int, means: Callable[[], Mapping[str, float | None]]) -> None:
        """After a step: what triggers watch. A trainer may go on beyond the end."""
        if not self.playhead.triggers or self.ended(step):
            return
        watched = dict.fromkeys((rule.watch for rule in self.playhead.triggers), None)
        if self.playhead.observe(step, {**watched, **self._seen, **means()}):
            self._replan()
        self._seen.clear()

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Metrics of an evaluation, which triggers are given at the end of the next step."""
        self._seen.update(metrics)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds besides the scheduler's own state."""
        return {"playhead": self.playhead.state_dict(), "seen": dict(self._seen)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint, once the scheduler's state is there."""
        self.playhead.load_state_dict(state["playhead"])
        self._seen = dict(state["seen"])
        self._replan()

    def saved_with(self, model: nn.Module) -> dict[str, Any]:
        """What a checkpoint needs so that a training goes on bit for bit."""
        return {"schedule": self.state_dict(), "writes": known_writes(model)}

    def go_on_with(self, model: nn.Module, saved: Mapping[str, Any] | None) -> None:
        """Restore what :meth:`saved_with` returned; None of a checkpoint without it."""
        if saved is not None:
            self.load_state_dict(saved["schedule"])
            recall_writes(model, saved["writes"])
        elif self.playhead.triggers:
            raise ValueError(
                "The checkpoint was saved without a playhead, and training is to go on with one; "
                "expected the timeline that it was trained with. Give that, or load the weights "
                "only and train from step 0."
            )

    def _replan(self) -> None:
        if self._scheduler is not None:
            self._scheduler.timeline = self.playhead.as_timeline()
            self._go_on_from(self._scheduler.state_dict())

    def _go_on_from(self, state: dict[str, Any]) -> None:
        if self._scheduler is not None:
            self._scheduler.load_state_dict(state)


def _measured(objective: Objective) -> list[str]:
    """The names of the means that are there after each step."""
    return ["total", *(each for name in objective.names for each in (name, f"{name}/weighted"))]
