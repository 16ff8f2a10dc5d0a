"""From a timeline to the texts of a dope sheet that means it."""

from latent_anchors.curriculum._column import RESERVED
from latent_anchors.curriculum._timeline import Timeline
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import minimum_jerk, name_of


def tabled(timeline: Timeline) -> tuple[list[str], list[list[str]]]:
    """Columns and rows; steps are absolute, and columns of nothing are left out."""
    columns = {
        "STEP": {},
        "PHASE": {phase.start: _told("phase", phase.name) for phase in timeline.phases},
        "ACTION": {at: _actions(names) for at, names in timeline.actions_by_step.items()},
    }
    columns |= {_header(name, timeline[name]): _keys(timeline[name]) for name in timeline.names}
    steps = sorted({step for cells in columns.values() for step in cells} | {timeline.steps - 1})
    columns["STEP"] = {step: str(step) for step in steps}
    columns = {name: cells for name, cells in columns.items() if cells}
    rows = [[cells.get(step, "") for cells in columns.values()] for step in steps]
    return list(columns), rows


def _actions(names: tuple[str, ...]) -> str:
    return ",".join(_told("action", name, ",") for name in names)


def _header(name: str, track: Track) -> str:
    _told("track", name, ":")
    if name in RESERVED:
        raise ValueError(f"A track is called {name!r}, which in a sheet means something else.")
    leave, space = _easing(name, track), "" if track.space == "linear" else track.space
    return ":".join([name, space, leave]).rstrip(":")


def _easing(name: str, track: Track) -> str:
    leaves = {name_of(key.leave) for key in track.keyframes[:-1] or track.keyframes}
    if len(leaves) > 1 or any(key.rest for key in track.keyframes):
        raise ValueError(
            f"The keys of track {name!r} are left by {sorted(leaves)}, or rest where others pass "
            "through; a column of a sheet has one easing. Write the timeline as JSON instead."
        )
    easing = leaves.pop()
    return "" if easing == name_of(minimum_jerk) else easing


def _keys(track: Track) -> dict[int, str]:
    return {key.step: repr(key.value) for key in track.keyframes}


def _told(kind: str, name: str, mark: str = "") -> str:
    if not name or name != name.strip() or (mark and mark in name):
        without = f" and without {mark!r}" if mark else ""
        raise ValueError(
            f"The name of a {kind} is {name!r}; expected one without outer spaces{without}, "
            "so that a sheet can hold it."
        )
    return name
