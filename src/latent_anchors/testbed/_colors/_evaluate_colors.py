"""All measures of reconstructed colors under one condition, and a table of several conditions."""

from collections.abc import Mapping, Sequence

from torch import nn

from latent_anchors.colorspace import COLOR_NAMES
from latent_anchors.evaluation import Evaluation, Metric
from latent_anchors.testbed._colors._color_errors import error_groups
from latent_anchors.testbed._colors._hue_selectivity import selectivity_r2

GROUPS = (*COLOR_NAMES, "grays", "far", "grid", "between")


def evaluate_colors(
    model: nn.Module, concept: str, condition: str = "baseline", exponent: float | None = None
) -> Evaluation:
    """Errors by group of colors, and selectivity where it is asked for.

    Args:
        model: A model or a population, with the edits of the condition in force.
        concept: One of the twelve hues.
        condition: What it is called: ``baseline``, ``muted`` (an edit), ``removed`` (by weights).
        exponent: Of the similarity in ``selectivity_r2``: 2 for muted, 3 for removed; left out if
            None.

    Returns:
        ``error/<condition>/<group>`` and ``selectivity_r2/<condition>``, each ``(runs,)``.

    Raises:
        ValueError: If there is no such hue.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> found = evaluate_colors(SphericalAutoencoder(), "red", "muted", exponent=2)
        >>> [name for name in found if "r2" in name or "far" in name]
        ['error/muted/far', 'selectivity_r2/muted']
    """
    groups = error_groups(model, concept)
    found = {f"error/{condition}/{group}": errors for group, errors in groups.items()}
    if exponent is not None:
        found[f"selectivity_r2/{condition}"] = selectivity_r2(model, concept, exponent)
    return Evaluation(found)


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
