"""Write a timeline as the texts of a dope sheet, and a sheet as a table to print."""

from collections.abc import Sequence

from latent_anchors.curriculum._dopesheet._parse import RESERVED
from latent_anchors.curriculum._timeline import Timeline
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import minimum_jerk, name_of


def sheet_of(timeline: Timeline) -> tuple[list[str], list[list[str]]]:
    """Columns and rows with absolute steps; empty columns are left out."""
    columns = {
        "STEP": {},
        "PHASE": {phase.start: _checked("phase", phase.name) for phase in timeline.phases},
        "ACTION": {at: _actions(names) for at, names in timeline.actions_by_step.items()},
    }
    columns |= {_header(name, timeline[name]): _keys(timeline[name]) for name in timeline.names}
    steps = sorted({step for cells in columns.values() for step in cells} | {timeline.steps - 1})
    columns["STEP"] = {step: str(step) for step in steps}
    columns = {name: cells for name, cells in columns.items() if cells}
    rows = [[cells.get(step, "") for cells in columns.values()] for step in steps]
    return list(columns), rows


def _actions(names: tuple[str, ...]) -> str:
    return ",".join(_checked("action", name, ",") for name in names)


def _header(name: str, track: Track) -> str:
    _checked("track", name, ":")
    if name in RESERVED:
        raise ValueError(
            f"A track is called {name!r}, which is a column of every dope sheet; rename the track."
        )
    leave, space = _easing(name, track), "" if track.space == "linear" else track.space
    return ":".join([name, space, leave]).rstrip(":")


def _easing(name: str, track: Track) -> str:
    leaves = {name_of(key.leave) for key in track.keyframes[:-1] or track.keyframes}
    if len(leaves) > 1 or any(key.rest for key in track.keyframes):
        raise ValueError(
            f"The keys of track {name!r} have the easings {sorted(leaves)}, or one has rest=True; "
            "a column of a dope sheet has one easing. Use to_json() instead."
        )
    easing = leaves.pop()
    return "" if easing == name_of(minimum_jerk) else easing


def _keys(track: Track) -> dict[int, str]:
    return {key.step: repr(key.value) for key in track.keyframes}


def _checked(kind: str, name: str, mark: str = "") -> str:
    if not name or name != name.strip() or (mark and mark in name):
        without = f" and without {mark!r}" if mark else ""
        raise ValueError(
            f"The name of a {kind} is {name!r}; expected one without outer spaces{without}, "
            "so that a sheet can hold it."
        )
    return name


def as_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side, two spaces apart."""
    columns = len(rows[0])
    padded = [[*(" ".join(cell.split()) for cell in row), *[""] * columns] for row in rows]
    widths = [max(len(row[k]) for row in padded) for k in range(columns)]
    lines = [
        "  ".join(row[k].ljust(width) for k, width in enumerate(widths)).rstrip() for row in padded
    ]
    return "\n".join(lines)
