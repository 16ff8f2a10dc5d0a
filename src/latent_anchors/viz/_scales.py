"""Which tracks share a panel: those of like size, so that each can be read."""

from collections.abc import Mapping, Sequence

from latent_anchors.viz._arrays import Array

LIKE = 8.0
"""How many times greater the greatest of a panel may be."""

TRACKS = 6
"""Lines of a panel that can be distinguished, one for each ink."""


def panels_by_scale(values: Mapping[str, Array], logarithmic: Sequence[str]) -> list[list[str]]:
    """Names for each panel, the greatest values first; those in log space apart.

    Within a panel the order is that of the timeline.
    """
    order = [*values]
    peaks = {name: float(abs(table).max()) for name, table in values.items()}
    linear = sorted(set(order) - {*logarithmic}, key=lambda name: (-peaks[name], order.index(name)))
    panels: list[list[str]] = []
    for name in linear:
        top = peaks[panels[-1][0]] if panels else 0.0
        if not panels or 0 < LIKE * peaks[name] < top:
            panels.append([])
        panels[-1].append(name)
    panels.append([*logarithmic])
    return [part for panel in panels for part in parts(sorted(panel, key=order.index))]


def parts(panel: list[str]) -> list[list[str]]:
    """No more lines than inks, about as many in each part."""
    n = -(-len(panel) // TRACKS)
    return [panel[k * len(panel) // n : (k + 1) * len(panel) // n] for k in range(n)]


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Heights as near as can be to those wanted, which increase, and at least a gap apart.

    In least squares: neighbors that are too close move apart by the same amount.
    """
    blocks: list[list[float]] = []
    for k, height in enumerate(wanted):
        blocks.append([height - k * gap])
        while len(blocks) > 1 and mean(blocks[-2]) > mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    level = [mean(block) for block in blocks for _ in block]
    return [height + k * gap for k, height in enumerate(level)]


def mean(numbers: Sequence[float]) -> float:
    """Of at least one."""
    return sum(numbers) / len(numbers)


def levels(starts: Sequence[float], widths: Sequence[float]) -> list[int]:
    """For each thing from left to right, the lowest level in which nothing reaches as far."""
    ends: list[float] = []
    chosen: list[int] = []
    for start, width in zip(starts, widths, strict=True):
        free = [level for level, end in enumerate(ends) if end <= start] or [len(ends)]
        ends[free[0] : free[0] + 1] = [start + width]
        chosen.append(free[0])
    return chosen
