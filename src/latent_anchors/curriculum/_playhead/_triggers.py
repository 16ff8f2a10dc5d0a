"""Rules that react to measurements."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from latent_anchors._checks import check_count, check_name
from latent_anchors.curriculum._json import check_keys, field_names
from latent_anchors.curriculum._playhead._actions import (
    Action,
    EndPhase,
    ExtendPhase,
    Retarget,
    RunAction,
    Stop,
)
from latent_anchors.curriculum._playhead._conditions import (
    Above,
    Below,
    Condition,
    Plateau,
    Predicate,
)
from latent_anchors.curriculum._timeline import Timeline

VOTES = ("all", "any", "majority")


@dataclass(frozen=True)
class Trigger:
    """A rule: when a condition on a measurement becomes true, an action follows.

    Each run has its own measurement and its own count of patience. :class:`Retarget` acts on each
    run separately. The other actions change what all runs share (phases, actions, length), so the
    runs vote: those for which the condition is true against those for which it is not. A run
    without a measurement has no vote.

    A trigger that has fired can fire again once its condition has become false, or once it was
    outside its window (``during``, ``last``).

    Args:
        watch: The name of the measurement.
        when: :class:`Below`, :class:`Above`, :class:`Plateau` or :class:`Predicate`.
        then: :class:`EndPhase`, :class:`ExtendPhase`, :class:`Retarget`, :class:`RunAction` or
            :class:`Stop`.
        vote: ``"all"``, ``"any"``, ``"majority"`` (more than half), or the least share of runs, in
            (0, 1].
        times: How often it may fire, for :class:`Retarget` in each run; None for no limit.
        during: Fire only in phases of this name. The condition is evaluated in all phases.
        last: Fire only in this many last steps of a phase.

    Raises:
        TypeError: If ``when`` or ``then`` is none of those, or a count not an integer.
        ValueError: If there is no such vote, or a count is less than 1.

    Examples:
        >>> Trigger("recon", Below(0.01, patience=3), EndPhase(), vote="majority").words
        'recon below 0.01 for 3 observations in a row: the phase ends'
    """

    watch: str
    when: Condition
    then: Action
    vote: str | float | int = "all"
    times: int | None = 1
    during: str | None = None
    last: int | None = None

    def __post_init__(self) -> None:
        _check_kind("when", self.when, Condition)
        _check_kind("then", self.then, Action)
        for name in ("times", "last"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        if isinstance(self.vote, str):
            check_name("vote", self.vote, VOTES)
        elif not 0 < self.vote <= 1:
            raise ValueError(f"The vote is {self.vote!r}; expected a share above 0, at most 1.")

    @property
    def words(self) -> str:
        """The rule in words.

        Examples:
            >>> Trigger("recon", Above(1), Stop(), vote="any").words
            'recon above 1: the training ends'
        """
        return f"{self.watch} {self.when.words}: {self.then.words}"

    def passes(self, holding: int, voting: int) -> bool:
        """Whether the vote passes if the condition is true for ``holding`` of ``voting`` runs.

        Examples:
            >>> rule = Trigger("recon", Above(1), Stop(), vote="majority")
            >>> rule.passes(2, 4), rule.passes(3, 4)
            (False, True)
        """
        if not isinstance(self.vote, str):
            # a quotient is rounded as that of the user's was; a product might miss it
            return holding > 0 and holding / voting >= self.vote
        enough = {"all": holding == voting, "any": True, "majority": 2 * holding > voting}
        return holding > 0 and enough[self.vote]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON.

        Raises:
            ValueError: If the condition is a :class:`Predicate`, whose function cannot be written.

        Examples:
            >>> Trigger("recon", Above(1), Stop()).to_json()["then"]
            {'kind': 'Stop'}
        """
        if isinstance(self.when, Predicate):
            raise ValueError(
                f"The trigger on {self.watch!r} calls the function {self.when.words!r}, which "
                "cannot be written. Save the playhead's state_dict() instead, and load it into one "
                "made with the same function."
            )
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "when": _to_json(self.when), "then": _to_json(self.then)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trigger":
        """Construct the trigger that :meth:`to_json` wrote.

        Raises:
            TypeError: If the data, or a part of it, is not a mapping.
            ValueError: If a key is missing or unknown, or the constructor refuses a value.

        Examples:
            >>> rule = Trigger("recon", Above(1), Stop())
            >>> Trigger.from_json(rule.to_json()) == rule
            True
        """
        check_keys("trigger", data, field_names(cls))
        return cls(**{**data, "when": _from_json(data["when"]), "then": _from_json(data["then"])})


def check_fits(trigger: Trigger, timeline: Timeline) -> None:
    """Refuse a trigger whose track or phase the timeline does not have."""
    phases = [phase.name for phase in timeline.phases]
    if trigger.during is not None:
        check_name("phase", trigger.during, phases)
    if isinstance(trigger.then, EndPhase | ExtendPhase) and not phases:
        raise ValueError(
            f"The trigger '{trigger.words}' needs a phase, but the timeline has none; expected at "
            "least one. To end the training, use Stop()."
        )
    if isinstance(trigger.then, Retarget):
        check_name("track", trigger.then.track, timeline.names)
        in_log = timeline[trigger.then.track].space == "log"
        if in_log and (trigger.then.value <= 0 or trigger.then.of == "difference"):
            raise ValueError(
                f"The trigger '{trigger.words}' acts on a track in log space; expected a value "
                "above 0, or a factor."
            )


def _check_kind(name: str, given: object, kinds: Any) -> None:
    if not isinstance(given, kinds):
        expected = ", ".join(kind.__name__ for kind in kinds.__args__)
        raise TypeError(f"{name} is {given!r}; expected one of {expected}.")


_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (Below, Above, Plateau, EndPhase, ExtendPhase, Retarget, RunAction, Stop)
}


def _to_json(part: Any) -> dict[str, Any]:
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return {"kind": type(part).__name__, **values}


def _from_json(data: Mapping[str, Any]) -> Any:
    check_keys("condition or action", data, ("kind",), data)
    check_name("kind", data["kind"], tuple(_KINDS))
    values = {name: data[name] for name in data if name != "kind"}
    check_keys(data["kind"], values, field_names(_KINDS[data["kind"]]))
    return _KINDS[data["kind"]](**values)
