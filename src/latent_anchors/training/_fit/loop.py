"""A training under way, from one boundary between steps to the next."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from latent_anchors._checks import check_name, listed
from latent_anchors.models import Population
from latent_anchors.training._callbacks import Progress
from latent_anchors.training._constraints import Constraint
from latent_anchors.training._fit.batch_blocks import Draws
from latent_anchors.training._fit.resume import check_made_alike, check_played_alike, made_of
from latent_anchors.training._fit.run_group import Execution, Lane, brought, constrain, play
from latent_anchors.training._fit.schedule import (
    Measure,
    Plan,
    Play,
    due,
    measured,
    period,
    stop_after,
)
from latent_anchors.training._history import FitResult, Log, TrainState
from latent_anchors.training._losses.forward import Loss
from latent_anchors.training._losses.latent_hold import Bringing, Remembering
from latent_anchors.training._objective import Objective
from latent_anchors.training._python_state.watched import Watched


@dataclass(eq=False)
class Training:
    """All that a training holds; only the step is its own."""

    population: Population
    objective: Objective
    losses: Mapping[str, Loss]
    execution: Execution
    plan: Plan | Play
    lanes: Sequence[Lane]
    draws: Draws
    log: Log
    measure: Measure | None
    constraint: Constraint | None
    step: int = 0
    acted: bool = False

    @property
    def watched(self) -> Watched:
        """What its steps depend on beside their tensors."""
        model = self.population.stacked
        return Watched(model, self.objective, self.losses, self.constraint)

    @property
    def progress(self) -> Progress:
        """What callbacks and actions see."""
        history = self.log.until(self.step)
        return Progress(self.step, self.population, history, lambda: deepcopy(self.so_far()))

    def act(self, handlers: Mapping[str, Callable[[Progress], object]]) -> None:
        """What is to happen just before the next step."""
        names = self.plan.actions(self.step)
        for name in names:
            handlers[name](self.progress)
        self.acted = bool(names)

    def go_on(self, periods: Iterable[int]) -> int:
        """The next stretch of steps: how many they were."""
        first = self.step
        measuring = [] if self.measure is None else [period(self.measure)]
        self.step = self.plan.cut(first, stop_after(first, [*periods, *measuring]))
        self.log.room(self.plan.steps)
        drawn = self.draws.at(first)
        for lane in self.lanes:
            lane.heed(self.acted)
        watched = self.watched
        play(self.lanes, drawn, watched, self.population, self.plan, self.log, first, self.step)
        if self.step == self.plan.steps:
            self._compare()  # before a last callback, which may change what it likes
        return self.step - first

    def observe(self) -> None:
        """Measure, if it is time, and tell the playheads."""
        if isinstance(self.plan, Play) and self.measure and due(self.measure, self.plan, self.step):
            since = self.plan.playheads[0].step
            frozen = [failure.run for lane in self.lanes for failure in lane.failures]
            found = measured(self.measure, self.objective, self.progress, since, frozen)
            self.plan.observe(self.step - 1, found)

    def finish(self) -> FitResult:
        """What was traced is what the functions do to the end, and all that happened."""
        for lane in self.lanes:
            lane.heed(acted=False)
        self._compare()
        return self.so_far()

    def _compare(self) -> None:
        for lane in self.lanes:
            lane.compare()

    def so_far(self) -> FitResult:
        """All that happened, in tensors that the training goes on writing into."""
        failures = [failure for lane in self.lanes for failure in lane.failures]
        failures.sort(key=lambda failure: (failure.step, failure.run))
        return FitResult(self.population, self.log.until(self.step), tuple(failures), self._state())

    def _state(self) -> TrainState:
        playheads = self.plan.playheads if isinstance(self.plan, Play) else ()
        return TrainState(
            self.step,
            self.execution,
            tuple(lane.drive.optimizer.state_dict() for lane in self.lanes),
            tuple(lane.noise for lane in self.lanes),
            brought({n: x for n, x in self.losses.items() if isinstance(x, Remembering)}),
            tuple(playhead.state_dict() for playhead in playheads),
            self._made_of(),
        )

    def _made_of(self) -> dict[str, str]:
        return made_of(self.watched, self.draws, self.plan, self.measure, self.step)

    def begin(self) -> None:
        """Playheads are at their beginning, constraints hold, and losses make room to remember."""
        for playhead in self.plan.playheads if isinstance(self.plan, Play) else ():
            if playhead.step:
                raise ValueError(
                    f"{playhead} was played already; expected one at its beginning. Make a new "
                    "one, or go on with the FitResult that it belongs to."
                )
        constrain(self.lanes, self.population)
        for loss in self.losses.values():
            if isinstance(loss, Bringing):
                loss.begin(self.population)

    def recall(self, stopped: FitResult) -> None:
        """Go on from where an earlier training was stopped; its population is here already."""
        state = stopped.state
        self._check_goes_on(stopped)
        if isinstance(self.plan, Play):
            for playhead, then in zip(self.plan.playheads, state.playheads, strict=True):
                playhead.load_state_dict(then)
        check_played_alike(stopped.history, self.plan, state.step)
        driven = {name for name in self.plan.names if name in self.plan.other_tracks}
        lanes = zip(self.lanes, state.optimizers, state.noise, strict=True)
        for lane, optimizer, noise in lanes:
            lane.recall(optimizer, noise, stopped.failures, driven)
        for loss in self.losses.values():
            if isinstance(loss, Remembering):
                loss.recall(state.memory)
        self.log.recall(stopped.history, state.step)
        self.step = state.step
        # at the end, since losses have their memories then, and batches what they follow
        check_made_alike(state.made_of, self._made_of())

    def _check_goes_on(self, stopped: FitResult) -> None:
        state, history = stopped.state, stopped.history
        if state.step > self.plan.steps and isinstance(self.plan, Plan):
            raise ValueError(
                f"{state.step} steps are done and {self.plan.steps} are asked for; expected at "
                "least as many. Leave steps out to go on to the end of the timeline."
            )
        check_name("way in which the training was executed", self.execution, [state.execution])
        playheads = len(self.plan.playheads) if isinstance(self.plan, Play) else 0
        own = (tuple(self.log.track_of), tuple(self.log.tracks), playheads)
        given = (tuple(history.means), tuple(history.rows), len(state.playheads))
        if own != given:
            raise ValueError(
                f"The training that goes on had the parts {listed(given[0])}, the tracks "
                f"{listed(given[1])} and {given[2]} playheads; expected the same, and now they are "
                f"{listed(own[0])}, {listed(own[1])} and {own[2]}."
            )
