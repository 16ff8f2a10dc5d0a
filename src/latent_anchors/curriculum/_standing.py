"""What a trigger remembers, and whether it fires."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from latent_anchors.curriculum._actions import Action, Retarget
from latent_anchors.curriculum._triggers import Trigger
from latent_anchors.curriculum._watching import Seen, rearmed, watched


@dataclass(frozen=True)
class Fired:
    """One line of a playhead's log: what a trigger did, and why.

    Attributes:
        step: of the observation; it takes effect from the next one on.
        trigger: its place among the playhead's triggers.
        runs: those for which the condition held.
        values: what was measured in them, smoothed if the condition smooths.
        why: in words.
        action: what was done.

    Examples:
        >>> from latent_anchors.curriculum import Stop
        >>> Fired(9, 0, (0,), (0.005,), "recon below 0.01", Stop()).words
        'step 9: the training ends, for recon below 0.01'
    """

    step: int
    trigger: int
    runs: tuple[int, ...]
    values: tuple[float, ...]
    why: str
    action: Action

    @property
    def words(self) -> str:
        """The line, in words.

        Examples:
            >>> from latent_anchors.curriculum import RunAction
            >>> Fired(9, 0, (0,), (0.005,), "recon below 0.01", RunAction("save")).words
            "step 9: 'save' happens, for recon below 0.01"
        """
        return f"step {self.step}: {self.action.words}, for {self.why}"

    def state(self) -> dict[str, Any]:
        """Plain values for JSON; the action is the trigger's, and not among them.

        Examples:
            >>> from latent_anchors.curriculum import Stop
            >>> Fired(9, 0, (0,), (0.005,), "recon below 0.01", Stop()).state()["runs"]
            [0]
        """
        told: dict[str, Any] = {"step": self.step, "trigger": self.trigger, "why": self.why}
        return {**told, "runs": list(self.runs), "values": list(self.values)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], triggers: Sequence[Trigger]) -> "Fired":
        """The line that :meth:`state` told.

        Examples:
            >>> from latent_anchors.curriculum import Above, Stop
            >>> line = Fired(9, 0, (0,), (2.0,), "recon above 1", Stop())
            >>> Fired.from_state(line.state(), [Trigger("recon", Above(1), Stop())]) == line
            True
        """
        runs, values = tuple(state["runs"]), tuple(state["values"])
        place = int(state["trigger"])
        return cls(state["step"], place, runs, values, state["why"], triggers[place].then)


@dataclass(frozen=True)
class Standing:
    """What a trigger has seen in each run, and what it has done.

    ``spent`` and ``times`` have one entry for each that decides alone: every run, for a value, or
    their vote. Spent is one that has fired and waits for its condition to cease.
    """

    seen: tuple[Seen, ...]
    spent: tuple[bool, ...]
    times: tuple[int, ...]

    @classmethod
    def fresh(cls, trigger: Trigger, runs: int) -> "Standing":
        """Before the first observation."""
        deciding = runs if isinstance(trigger.then, Retarget) else 1
        return cls((Seen(),) * runs, (False,) * deciding, (0,) * deciding)

    def state(self) -> dict[str, Any]:
        """Plain values for JSON."""
        told = asdict(self)
        return {name: list(told[name]) for name in told}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Standing":
        """What :meth:`state` told."""
        seen = tuple(Seen(**each) for each in state["seen"])
        return cls(seen, tuple(state["spent"]), tuple(state["times"]))


def observed(
    trigger: Trigger, standing: Standing, values: Sequence[float | None], may_fire: bool
) -> tuple[Standing, tuple[int, ...]]:
    """What a trigger remembers after an observation, and the runs for which it fires."""
    seen = [
        before if value is None else watched(trigger.when, before, value)
        for before, value in zip(standing.seen, values, strict=True)
    ]
    spent, times, firing = list(standing.spent), list(standing.times), list[int]()
    for place, group in enumerate(_groups(trigger, values)):
        holding = [run for run in group if seen[run].holds]
        carried = trigger.passes(len(holding), len(group))
        if not may_fire or (group and not carried):
            spent[place] = False
        elif carried and not spent[place] and times[place] != trigger.times:
            firing += holding
            times[place] += 1
            for run in group:
                seen[run] = rearmed(trigger.when, seen[run])
            spent[place] = any(seen[run].holds for run in group)
    return Standing(tuple(seen), tuple(spent), tuple(times)), tuple(firing)


def _groups(trigger: Trigger, values: Sequence[float | None]) -> list[list[int]]:
    """The measured runs that decide together."""
    measured = [run for run, value in enumerate(values) if value is not None]
    if not isinstance(trigger.then, Retarget):
        return [measured]
    return [[run] if run in measured else [] for run in range(len(values))]
