"""A training in progress: all that it holds, from one boundary between steps to the next."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from time import monotonic

from torch import Tensor

from latent_anchors._checks import check_name, listed
from latent_anchors._streams import BLOCK
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training._callbacks import Progress
from latent_anchors.training._fit.batch_blocks import BatchBlocks, step_batches
from latent_anchors.training._fit.measure import Measure, due, measured, period
from latent_anchors.training._fit.resume import check_made_alike, check_played_alike, made_of
from latent_anchors.training._fit.run_group import Execution, RunGroup, StepBatch
from latent_anchors.training._fit.schedule import Schedule, stop_after
from latent_anchors.training._history import FitResult, Log, TrainState
from latent_anchors.training._losses.forward import PerRunLoss, StatefulLoss, tensors_of_losses
from latent_anchors.training._python_state.python_values import Found
from latent_anchors.training._python_state.watched import (
    Watched,
    check_shared,
    restore,
    settings_of,
)


@dataclass(eq=False)
class Training:
    """All that a training holds; what changes here is the step and the time."""

    population: Population
    watched: Watched
    execution: Execution
    schedule: Schedule
    groups: Sequence[RunGroup]
    blocks: BatchBlocks
    log: Log
    measure: Measure | None
    began: float
    step: int = 0
    acted: bool = False

    @property
    def progress(self) -> Progress:
        """What callbacks and actions see."""
        history = self.log.until(self.step)
        return Progress(self.step, self.population, history, lambda: deepcopy(self.so_far()))

    def act(self, handlers: Mapping[str, Callable[[Progress], object]]) -> None:
        """Call the actions that are due just before the next step."""
        names = self.schedule.actions(self.step)
        for name in names:
            handlers[name](self.progress)
        self.acted = bool(names)

    def advance(self, periods: Iterable[int]) -> int:
        """Train up to the next boundary; how many steps that were."""
        first = self.step
        measuring = [] if self.measure is None else [period(self.measure)]
        self.step = self.schedule.cut(first, stop_after(first, [*periods, *measuring]))
        self.log.room(self.schedule.steps)
        drawn = self.blocks.at(first)
        for group in self.groups:
            group.heed(self.acted)
        self._play(drawn, slice(first, self.step))
        if self.step == self.schedule.steps:
            self._compare()  # before a last callback, which may change what it likes
        return self.step - first

    def _play(self, drawn: Sequence[LabeledBatch], steps: slice) -> None:
        """Some steps of every group; results of single runs go back into the population."""
        per_run = tensors_of_losses(self.watched.losses)
        self.log.table[steps] = self.schedule.rows(steps.start, steps.stop)
        model, several = self.watched.model, len(self.groups) > 1
        before = settings_of([model])
        left: Found | None = None
        for group in self.groups:
            restore(before)
            # what a run that fails is repeated from: its losses may count, too
            group.rewind = partial(restore, settings_of(self.watched.parts()))
            group.play(self._step_batch(group, drawn, per_run, steps))
            group.write_back(self.population)
            if several:
                now = self.watched.look()
                check_shared(group.runs[0], left or now, now)
                left = left or now

    def _step_batch(
        self,
        group: RunGroup,
        drawn: Sequence[LabeledBatch],
        per_run: Mapping[str, Tensor],
        steps: slice,
    ) -> StepBatch:
        offset = steps.start % BLOCK
        within = slice(offset, offset + steps.stop - steps.start)
        runs = slice(group.runs[0], group.runs[-1] + 1)
        rows, device = self.log.table[steps], self.log.means.device
        own = {name: tensor[runs] for name, tensor in per_run.items()}
        weights = rows.to(self.log.means)[..., runs]
        names = self.schedule.hyperparameters(group.driven.optimizer.defaults)
        return StepBatch(
            steps.start,
            step_batches(drawn[runs], own, within, device, group.stacked),
            weights if group.stacked else weights[..., 0],
            {name: rows[:, self.schedule.names.index(name), runs] for name in names},
            self.log.means[steps, :, runs],
            self.log.masses[steps, :, runs],
        )

    def observe(self) -> None:
        """Measure, if it is due, and pass the measurements to the playheads."""
        if self.measure and due(self.measure, self.schedule, self.step):
            since = self.schedule.playheads[0].step
            frozen = [failure.run for group in self.groups for failure in group.failures]
            objective = self.watched.objective
            found = measured(self.measure, objective, self.progress, since, frozen)
            self.schedule.observe(self.step - 1, found)

    def finish(self) -> FitResult:
        """Everything that happened; traces are compared with the untraced step once more."""
        for group in self.groups:
            group.heed(acted=False)
        self._compare()
        for parameter in self.population.parameters():
            parameter.grad = None  # a loop that goes on would add the last step's
        return self.so_far()

    def _compare(self) -> None:
        for group in self.groups:
            group.compare()

    def so_far(self) -> FitResult:
        """Everything that happened, in tensors that the training goes on writing into."""
        failures = [failure for group in self.groups for failure in group.failures]
        failures.sort(key=lambda failure: (failure.step, failure.run))
        history, seconds = self.log.until(self.step), monotonic() - self.began
        return FitResult(self.population, history, tuple(failures), self._state(), seconds)

    def _state(self) -> TrainState:
        losses = self.watched.losses.items()
        return TrainState(
            self.step,
            self.execution,
            tuple(group.driven.optimizer.state_dict() for group in self.groups),
            tuple(group.noise for group in self.groups),
            tensors_of_losses({n: each for n, each in losses if isinstance(each, StatefulLoss)}),
            tuple(playhead.state_dict() for playhead in self.schedule.stateful),
            self._made_of(),
        )

    def _made_of(self) -> dict[str, str]:
        kind = type(self.groups[0].driven.optimizer)
        found = made_of(self.watched, self.blocks, self.schedule, self.measure, self.step)
        return {**found, "the optimizer": f"{kind.__module__}.{kind.__qualname__}"}

    def begin(self) -> None:
        """Start at step 0: the constraint holds, and losses allocate their tensors."""
        for playhead in self.schedule.playheads:
            if playhead.step:
                raise ValueError(
                    f"{playhead} was played already; expected one at its beginning. Make a new "
                    "one, or go on with the FitResult that it belongs to."
                )
        for group in self.groups:
            group.constrain()
            group.write_back(self.population)
        for loss in self.watched.losses.values():
            if isinstance(loss, PerRunLoss):
                loss.begin(self.population)

    def recall(self, stopped: FitResult) -> None:
        """Go on from where an earlier training was stopped; its population is here already."""
        state = stopped.state
        self._check_goes_on(stopped)
        for playhead, then in zip(self.schedule.stateful, state.playheads, strict=True):
            playhead.load_state_dict(then)
        check_played_alike(stopped.history, self.schedule, state.step)
        written = {*self.schedule.names} & {*self.watched.objective.other_tracks}
        groups = zip(self.groups, state.optimizers, state.noise, strict=True)
        for group, optimizer, noise in groups:
            group.recall(optimizer, noise, stopped.failures, written)
        for loss in self.watched.losses.values():
            if isinstance(loss, StatefulLoss):
                loss.recall(state.memory)
        self.log.recall(stopped.history, state.step)
        self.step = state.step
        self.began -= stopped.train_seconds
        # at the end, when losses have their tensors, and batches what they follow
        check_made_alike(state.made_of, self._made_of())

    def _check_goes_on(self, stopped: FitResult) -> None:
        state, history, schedule = stopped.state, stopped.history, self.schedule
        if state.step > schedule.steps and not schedule.leads:
            raise ValueError(
                f"{state.step} steps are done and {schedule.steps} are asked for; expected at "
                "least as many. Leave steps out to go on to the end of the timeline."
            )
        check_name("way in which the training was executed", self.execution, [state.execution])
        own = (tuple(self.log.track_of), tuple(self.log.tracks), len(schedule.stateful))
        given = (tuple(history.means), tuple(history.rows), len(state.playheads))
        if own != given:
            raise ValueError(
                f"The training that goes on had the parts {listed(given[0])}, the tracks "
                f"{listed(given[1])} and {given[2]} playheads; expected the same, and now they are "
                f"{listed(own[0])}, {listed(own[1])} and {own[2]}."
            )
