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


def metric_table(metrics: Mapping[str, Metric], names: Sequence[str]) -> str:
    """Some measures over all runs: mean, standard deviation, least and greatest, 95 % interval.

    Args:
        metrics: By name.
        names: Rows.

    Raises:
        KeyError: If one of them was not measured.

    Examples:
        >>> from latent_anchors.evaluation import summarize
        >>> print(metric_table({"labels": summarize([80.0, 84.0])}, ["labels"]))
        labels: 82 (std 2.828, min 80, max 84, n 2, 95 % interval of the mean 56.59 to 107.4)
    """
    return "\n".join(f"{name}: {_summary(metrics[name])}" for name in names)


def _summary(metric: Metric) -> str:
    if metric.mean is None:
        return "no value"
    spread = f"std {metric.std:.4g}, min {metric.min:.4g}, max {metric.max:.4g}, n {metric.n}"
    if metric.ci95 is None:
        return f"{metric.mean:.4g} ({spread})"
    low, high = metric.ci95
    return f"{metric.mean:.4g} ({spread}, 95 % interval of the mean {low:.4g} to {high:.4g})"


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:<12} {'  '.join(f'{cell:<34}' for cell in cells)}".rstrip()


def _cell(metric: Metric) -> str:
    if metric.mean is None:
        return "no value"
    return f"{metric.mean:.4f} ({metric.min:.4f} to {metric.max:.4f})"
