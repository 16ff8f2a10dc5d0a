"""Compare the Python values that a step may read, before and after, and name what changed."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from torch import Tensor, nn

from latent_anchors._sites import layers_of
from latent_anchors.training._constraints import Constraint
from latent_anchors.training._losses.forward import Loss
from latent_anchors.training._objective import Objective
from latent_anchors.training._python_state.python_values import PLAIN, Found, Same, Values

NOTHING = "nothing"


@dataclass(frozen=True, eq=False)
class Watched:
    """The parts of a training whose Python values a step may read."""

    model: nn.Module
    objective: Objective
    losses: Mapping[str, Loss]
    constraint: Constraint | None = None

    def parts(self) -> list[object]:
        """The model, and all else that a step calls."""
        terms = [each for term in self.objective.terms for each in (term, term.penalty)]
        return [self.model, *terms, *self.losses.values(), self.objective, self.constraint]

    def look(self) -> Found:
        """All values, by where they stand; tensors by which ones they are."""
        trained = [*self.model.parameters(), *self.model.buffers()]
        values = Values(Same, passing=True, leave=trained)
        values.look("model", self.model)
        look_at_the_parts(values, self.objective, self.losses, self.constraint)
        return values.found


def look_at_the_parts(
    values: Values,
    objective: Objective,
    losses: Mapping[str, Loss],
    constraint: Constraint | None,
) -> None:
    """Everything but the model."""
    for term in objective.terms:
        values.look(f"terms[{term.name!r}]", term)
    for name, loss in losses.items():
        values.look(f"losses[{name!r}]", loss)
    values.look("objective", objective)
    if constraint is not None:
        values.look("constraint", constraint)


def changed(before: Found, after: Found) -> dict[str, str]:
    """Where they differ, and from what to what, in words."""
    places = [*before, *(place for place in after if place not in before)]
    return {
        place: f"from {before.get(place, NOTHING)} to {after.get(place, NOTHING)}"
        for place in places
        if before.get(place, NOTHING) != after.get(place, NOTHING)
    }


def relevant(before: Found, after: Found, matters: Callable[[Tensor], bool]) -> dict[str, str]:
    """The same, but for a tensor in another's place that does not matter.

    Models keep their latest activations, which no step reads. A tensor that was written in place
    is still the same one.
    """
    return {
        place: words
        for place, words in changed(before, after).items()
        if not _is_idle(before.get(place), after.get(place), matters)
    }


def written(before: Found, after: Found) -> dict[str, str]:
    """Which tensors were written in place."""
    return {
        place: "by writing it in place"
        for place, kept in before.items()
        if isinstance(kept, Same) and kept == (now := after.get(place))
        if kept.version != getattr(now, "version", kept.version)
    }


def _is_idle(before: object, after: object, matters: Callable[[Tensor], bool]) -> bool:
    old, new = (each.thing if isinstance(each, Same) else each for each in (before, after))
    return isinstance(new, Tensor) and not (isinstance(old, Tensor) and matters(old))


def in_words(differences: Mapping[str, str], most: int = 3) -> str:
    """The first of them."""
    few = [f"{place} {words}" for place, words in [*differences.items()][:most]]
    more = len(differences) - len(few)
    return ", ".join(few) + (f" and {more} more" if more > 0 else "")


def way_out(places: Collection[str]) -> str:
    """What to do about a value that a step changes."""
    if all(place.startswith("model") for place in places):
        return (
            "Hold it in a buffer of the model and write that in place, such as "
            "self.count.add_(1), or use execution='sequential', which runs Python at each step."
        )
    return (
        "Change it between steps instead, in an action or a callback, or let a track do it; or "
        "train one run at a time, with one seed and execution='sequential'."
    )


class Setting(NamedTuple):
    """An attribute that is a plain value, or a list and the like of them; a copy."""

    owner: object
    name: str
    value: object


def settings_of(parts: Iterable[object]) -> list[Setting]:
    """All plain attributes of some things, and of the layers of those that are modules."""
    owners = [
        owner
        for part in parts
        for owner in (layers_of(part).values() if isinstance(part, nn.Module) else (part,))
        if hasattr(owner, "__dict__") and not isinstance(owner, type)
    ]
    return [
        Setting(owner, name, copied(value))
        for owner in owners
        for name, value in vars(owner).items()
        if not (name in _INTERNAL and isinstance(owner, nn.Module)) and is_plain(value)
    ]


def restore(settings: Iterable[Setting]) -> None:
    """Give the attributes the values that they had."""
    for owner, name, value in settings:
        vars(owner)[name] = copied(value)


def check_shared(run: int, first: Found, own: Found) -> None:
    """Refuse what a run left otherwise than the first one did, both from the same beginning."""
    left = relevant(first, own, lambda _: True) | written(first, own)
    if left:
        raise RuntimeError(
            f"After run {run}, what Python holds went on {in_words(left)}; expected that it is as "
            f"run 0 left it, since no run may depend on another. {_instead(left)}"
        )


def _instead(places: Mapping[str, str]) -> str:
    if all(place.startswith("model") for place in places):
        return "Register it as a buffer of the model, of which each run has its own."
    return way_out(places)


def is_plain(value: object) -> bool:
    """Whether it can be copied by value."""
    if isinstance(value, PLAIN):
        return True
    if type(value) is dict:
        entries = cast("Mapping[object, object]", value)
        return all(map(is_plain, (*entries, *entries.values())))
    return type(value) in (list, tuple, set, frozenset) and all(
        map(is_plain, cast("Sequence[object]", value))
    )


def copied(value: Any) -> Any:
    """A copy of a plain value, of everything in it that may change."""
    kind: Any = value.__class__
    if kind is dict:
        return {key: copied(each) for key, each in value.items()}
    if kind in (list, tuple):
        return cast("object", kind(map(copied, cast("Iterable[object]", value))))
    return set(cast("set[object]", value)) if kind is set else value


_INTERNAL = set(vars(nn.Module()))
