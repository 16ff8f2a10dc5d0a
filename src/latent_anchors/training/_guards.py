"""What a step depends on beside its tensors, looked at before and after: what changed meanwhile."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from latent_anchors.training._constraints import Constraint
from latent_anchors.training._losses import Loss
from latent_anchors.training._objective import Objective
from latent_anchors.training._python_values import Found, Same, Values

NOTHING = "nothing"


@dataclass(frozen=True, eq=False)
class Watched:
    """The parts of a training whose Python values a step may read."""

    model: nn.Module
    objective: Objective
    losses: Mapping[str, Loss]
    constraint: Constraint | None = None

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
