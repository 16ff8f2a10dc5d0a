"""A timeline or a playhead in somebody else's loop, which calls no actions and trains one run."""

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors.curriculum import Playhead, RunAction, Timeline
from latent_anchors.training import Objective

Plan: TypeAlias = Timeline | Playhead


class Schedule:
    """The row of each step, and what a playhead observes after it.

    Args:
        plan: A timeline, or a playhead of one run.
        objective: Whose weights the tracks are, and whose means are observed.

    Raises:
        ValueError: If tracks and objective do not match, or the plan has actions, several runs, or
            a trigger that watches what is not observed.
    """

    def __init__(self, plan: Plan, objective: Objective) -> None:
        self.playhead: Playhead | None = plan if isinstance(plan, Playhead) else None
        self.timeline: Timeline = plan.timeline if isinstance(plan, Playhead) else plan
        objective.check_tracks(self.timeline.names)
        self._check_actions()
        if self.playhead is not None:
            _check_runs(self.playhead)
            _check_watched(self.playhead, objective)

    def row(self, step: int) -> Mapping[str, float]:
        """The values of all tracks at a step."""
        if self.playhead is None:
            return self.timeline(step)
        return cast("Mapping[str, float]", self.playhead.row(step))  # of one run

    def observe(self, step: int, means: Mapping[str, Tensor]) -> bool:
        """Evaluate the triggers after a step; whether it was the last one."""
        playhead = self.playhead
        if playhead is None:
            return False
        if playhead.step <= step < playhead.steps:
            watched = {rule.watch for rule in playhead.triggers}
            playhead.observe(step, {name: float(means[name]) for name in watched})
        return step + 1 >= playhead.steps

    def state_dict(self) -> dict[str, Any] | None:
        """The playhead's state; None of a timeline, which needs nothing but the step."""
        return None if self.playhead is None else self.playhead.state_dict()

    def load_state_dict(self, state: dict[str, Any] | None) -> None:
        """Restore what :meth:`state_dict` gave."""
        if self.playhead is None:
            return
        if state is None:
            raise ValueError(
                "The checkpoint was saved without a playhead, and training is to go on with one; "
                "expected the timeline that it was trained with. Give that, or load the weights "
                "only and train from step 0."
            )
        self.playhead.load_state_dict(state)

    def _check_actions(self) -> None:
        rules = () if self.playhead is None else self.playhead.triggers
        names = [rule.then.action for rule in rules if isinstance(rule.then, RunAction)]
        names += [name for group in self.timeline.actions_by_step.values() for name in group]
        if names:
            raise ValueError(
                f"The timeline has the actions {listed(sorted({*names}))}; expected none, since "
                "nothing would call them here. Act in a callback of the framework's, at the step "
                "that it counts."
            )


def _check_runs(playhead: Playhead) -> None:
    if playhead.runs != 1:
        raise ValueError(
            f"The playhead is of {playhead.runs} runs; expected 1, as one model is trained."
        )


def _check_watched(playhead: Playhead, objective: Objective) -> None:
    """Refuse triggers that would never fire."""
    observed = ["total", *(key for name in objective.names for key in (name, f"{name}/weighted"))]
    unseen = [rule.watch for rule in playhead.triggers if rule.watch not in observed]
    if unseen:
        raise ValueError(
            f"Triggers watch {listed(unseen)}; expected some of {listed(observed)}, which are "
            "observed after each step."
        )
