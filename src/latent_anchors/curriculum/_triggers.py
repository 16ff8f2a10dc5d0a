"""Rules that react to what is measured."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from latent_anchors._checks import check_count, check_name
from latent_anchors.curriculum._actions import (
    Action,
    EndPhase,
    ExtendPhase,
    Retarget,
    RunAction,
    Stop,
)
from latent_anchors.curriculum._conditions import Above, Below, Condition, Plateau, Predicate
from latent_anchors.curriculum._told import check_told, parts_of

VOTES = ("all", "any", "majority")


@dataclass(frozen=True)
class Trigger:
    """A rule: when a measurement is so, then something happens, once or every time anew.

    Each run has its own measurement, and its own patience. A value is retargeted in each run for
    itself. What all runs share (phases, actions, length) changes for all by a vote of the runs
    for which the condition holds at the time; a run without a measurement has no vote.

    A rule that has fired may fire again once the condition has ceased to hold, or its window was
    shut in between.

    Args:
        watch: the name of the measurement.
        when: :class:`Below`, :class:`Above`, :class:`Plateau` or :class:`Predicate`.
        then: :class:`EndPhase`, :class:`ExtendPhase`, :class:`Retarget`, :class:`RunAction` or
            :class:`Stop`.
        vote: ``"all"``, ``"any"``, ``"majority"`` (more than half), or the least share of runs, in
            (0, 1].
        times: how often it may fire, for a value in each run; None for no limit.
        during: only in phases of this name. It watches all the time, but fires in its window.
        last: only in the last so many steps of a phase.

    Raises:
        TypeError: if ``when`` or ``then`` is none of those, or a count no whole number.
        ValueError: if there is no such vote, or a count is less than 1.

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
        """The rule, in words.

        Examples:
            >>> Trigger("recon", Above(1), Stop(), vote="any").words
            'recon above 1: the training ends'
        """
        return f"{self.watch} {self.when.words}: {self.then.words}"

    def passes(self, holding: int, voting: int) -> bool:
        """Whether so many of so many votes carry it.

        Examples:
            >>> rule = Trigger("recon", Above(1), Stop(), vote="majority")
            >>> rule.passes(2, 4), rule.passes(3, 4)
            (False, True)
        """
        if not isinstance(self.vote, str):
            return holding > 0 and holding >= self.vote * voting
        enough = {"all": holding == voting, "any": True, "majority": 2 * holding > voting}
        return holding > 0 and enough[self.vote]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON.

        Raises:
            ValueError: if it asks a function of yours, which cannot be written.

        Examples:
            >>> Trigger("recon", Above(1), Stop()).to_json()["then"]
            {'kind': 'Stop'}
        """
        if isinstance(self.when, Predicate):
            raise ValueError(
                f"The trigger on {self.watch!r} asks the function {self.when.words!r}, which "
                "cannot be written. Save the playhead's state_dict() instead, and load it into one "
                "made with the same function."
            )
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**told, "when": _told(self.when), "then": _told(self.then)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trigger":
        """The trigger that :meth:`to_json` wrote.

        Raises:
            TypeError: if the data, or a part of them, are no names with values.
            ValueError: if a part is missing or unknown, or the data hold what a trigger refuses.

        Examples:
            >>> rule = Trigger("recon", Above(1), Stop())
            >>> Trigger.from_json(rule.to_json()) == rule
            True
        """
        check_told("trigger", data, parts_of(cls))
        parts = {"when": _made(data["when"]), "then": _made(data["then"])}
        return cls(**{**data, **parts})


def _check_kind(name: str, given: object, kinds: Any) -> None:
    if not isinstance(given, kinds):
        expected = ", ".join(kind.__name__ for kind in kinds.__args__)
        raise TypeError(f"{name} is {given!r}; expected one of {expected}.")


def _told(part: Any) -> dict[str, Any]:
    own = {field.name: getattr(part, field.name) for field in fields(part)}
    return {"kind": type(part).__name__, **own}


_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (Below, Above, Plateau, EndPhase, ExtendPhase, Retarget, RunAction, Stop)
}


def _made(told: Mapping[str, Any]) -> Any:
    check_told("condition or action", told, ("kind",), told)
    check_name("kind", told["kind"], tuple(_KINDS))
    own = {name: told[name] for name in told if name != "kind"}
    check_told(told["kind"], own, parts_of(_KINDS[told["kind"]]))
    return _KINDS[told["kind"]](**own)
