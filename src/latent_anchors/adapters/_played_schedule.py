"""A timeline or a playhead as a trainer plays it: rows, settings of the optimizer, triggers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from latent_anchors._checks import listed, unknown
from latent_anchors.curriculum import Playhead, RunAction, Timeline
from latent_anchors.training import TimelineLR, apply_hyperparameters

LR = "lr"


class PlayedSchedule:
    """What weighs a step, and what sets the optimizer; triggers act from the next step on.

    Args:
        timeline: Or a playhead of one run.
        settings: Tracks that may be settings of the optimizer.
        factors: Those of them that are factors on what each group has.
        measured: What triggers may watch; besides, whatever begins with ``"eval"``.
        actions: What to call, by the names of actions.

    Raises:
        ValueError: If the playhead has several runs, a trigger watches what is not measured, or an
            action has nothing to call.
    """

    def __init__(
        self,
        timeline: Timeline | Playhead,
        settings: Collection[str],
        factors: Sequence[str],
        measured: Collection[str],
        actions: Mapping[str, Callable[[Any], object]],
    ) -> None:
        played = isinstance(timeline, Playhead)
        self.playhead: Playhead = timeline if played else Playhead(timeline)
        self._settings, self._factors, self._actions = settings, factors, actions
        self._scheduler: TimelineLR | None = None
        self._seen: dict[str, float] = {}
        if self.playhead.runs != 1:
            raise ValueError(
                f"The playhead is made for {self.playhead.runs} runs; expected 1, as a trainer "
                "trains one model: Playhead(timeline, triggers)."
            )
        self._check_watched(measured)
        self._check_actions()

    def _check_watched(self, measured: Collection[str]) -> None:
        for rule in self.playhead.triggers:
            if rule.watch not in measured and not rule.watch.startswith("eval"):
                raise ValueError(
                    unknown("measurement of a trigger", rule.watch, measured)
                    + " Or a metric of an evaluation, such as 'eval_loss'."
                )

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

    @property
    def over(self) -> bool:
        """Whether triggers have brought the end."""
        return bool(self.playhead.triggers) and self.playhead.step >= self.playhead.steps

    def row(self, step: int) -> Mapping[str, Any]:
        """The values of all tracks at a step."""
        return self.playhead.row(step)

    def scheduler(self, optimizer: Optimizer, given: LRScheduler | None) -> LRScheduler | None:
        """What drives the optimizer; None if no track is its rate."""
        group = optimizer.param_groups[0]
        self._driven = [name for name in self._settings if name in group]
        if LR not in self._driven:
            return given
        if given is not None:
            raise ValueError(
                f"The timeline has a track {LR!r}, and a scheduler of type {type(given).__name__} "
                "was given; expected one of them to set the rate. Leave one out."
            )
        also = [name for name in self._driven if name != LR]
        self._scheduler = TimelineLR(
            optimizer, self.playhead.as_timeline(), also, factors=self._factors
        )
        return self._scheduler

    def begin(self, step: int, optimizer: Optimizer, trainer: object) -> None:
        """Before a step: its settings, and its actions."""
        if self._scheduler is None:
            apply_hyperparameters(optimizer, self.row(step), self._driven)
        elif self._scheduler.last_epoch != step:
            # a step whose gradient overflowed counts as a step of the trainer only
            self._go_on_from({**self._scheduler.state_dict(), "last_epoch": step})
        for name in self.playhead.actions(step):
            self._actions[name](trainer)

    def observe(self, step: int, means: Callable[[], Mapping[str, float | None]]) -> None:
        """After a step: what triggers watch."""
        if not self.playhead.triggers:
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

    def _replan(self) -> None:
        if self._scheduler is not None:
            self._scheduler.timeline = self.playhead.as_timeline()
            self._go_on_from(self._scheduler.state_dict())

    def _go_on_from(self, state: dict[str, Any]) -> None:
        if self._scheduler is not None:
            self._scheduler.load_state_dict(state)
