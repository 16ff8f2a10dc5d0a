"""Tables for the terminal: what happened to each color, over all runs."""

from collections.abc import Mapping, Sequence

from latent_anchors.colorspace import COLOR_NAMES
from latent_anchors.evaluation._metrics import Metric

GROUPS = (*COLOR_NAMES, "grays", "far", "grid", "between")


def error_table(
    metrics: Mapping[str, Metric],
    conditions: Sequence[str] = ("baseline", "muted"),
    groups: Sequence[str] = GROUPS,
) -> str:
    """Errors of named colors and groups under some conditions: mean, then least and greatest.

    Args:
        metrics: By the names that :func:`evaluate_colors` gives.
        conditions: Columns.
        groups: Rows.

    Raises:
        KeyError: If one of them was not measured.

    Examples:
        >>> from latent_anchors.evaluation import summarize
        >>> metrics = {"error/muted/red": summarize([0.2, 0.3])}
        >>> print(error_table(metrics, ["muted"], ["red"]))
        color        muted, mean (min to max) of 2
        red          0.2500 (0.2000 to 0.3000)
    """
    first = [metrics[f"error/{condition}/{groups[0]}"] for condition in conditions]
    heads = [
        f"{condition}, mean (min to max) of {metric.n}"
        for condition, metric in zip(conditions, first, strict=True)
    ]
    lines = [_line("color", heads)]
    for group in groups:
        cells = [_cell(metrics[f"error/{condition}/{group}"]) for condition in conditions]
        lines.append(_line(group, cells))
    return "\n".join(lines)


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:<12} {'  '.join(f'{cell:<34}' for cell in cells)}".rstrip()


def _cell(metric: Metric) -> str:
    if metric.mean is None:
        return "no value"
    return f"{metric.mean:.4f} ({metric.min:.4f} to {metric.max:.4f})"
