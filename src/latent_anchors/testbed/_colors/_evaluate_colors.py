"""Measures of reconstructed colors under one condition: by group, and selectivity; a table."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_finite
from latent_anchors.colorspace import COLOR_NAMES, hsv_similarity, named_colors, rgb_grid, vibrancy
from latent_anchors.evaluation import Evaluation, Metric, squared_correlation
from latent_anchors.testbed._colors._color_errors import color_errors, error_groups

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


def selectivity_r2(model: nn.Module, concept: str, exponent: float = 2.0) -> Float[Tensor, " runs"]:
    r"""Share of the error's variance that similarity to the concept explains.

    .. math:: r^2, \quad r = \mathrm{corr}(e(x), s(x)^p)

    over the 8x8x8 RGB grid, with the error :math:`e` of each color, its similarity :math:`s` to the
    concept and the ``exponent`` :math:`p`: 2 for what is muted, 3 for what is removed. 0 where
    :math:`r` is negative, and where either is constant.

    Args:
        model: A model or a population, with the edit in force.
        concept: One of the named colors.
        exponent: Of the similarity.

    Returns:
        ``(runs,)``, from 0 to 1.

    Raises:
        ValueError: If there is no such color or the exponent is not finite.

    References:
        The score of the color experiments 2.4.1 and 2.9.1 of ``ex-preppy`` (2025), which ignores
        the sign.

    Examples:
        >>> selectivity_r2(nn.Identity(), "red")
        tensor([0.])
    """
    check_finite("exponent", exponent)
    grid = rgb_grid(8)
    errors = color_errors(model, grid)
    similarity = hsv_similarity(grid, named_colors(concept)).to(errors) ** exponent
    return squared_correlation(errors, similarity.expand_as(errors))


def vibrancy_r2(model: nn.Module, exponent: float = 2.3) -> Float[Tensor, " runs"]:
    r"""Share of the error's variance that vibrancy explains, where all hues were taken out.

    .. math:: r^2, \quad r = \mathrm{corr}(e(x), v(x)^p)

    over the 8x8x8 RGB grid, with the error :math:`e` of each color, its vibrancy :math:`v`,
    saturation times value, and the ``exponent`` :math:`p`. 0 where :math:`r` is negative, and where
    either is constant.

    Args:
        model: A model or a population, with the edit in force.
        exponent: Of the vibrancy.

    Returns:
        ``(runs,)``, from 0 to 1.

    Raises:
        ValueError: If the exponent is not finite.

    References:
        The score of the color experiment 2.7.1 of ``ex-preppy`` (2025), which ignores the sign.

    Examples:
        >>> vibrancy_r2(nn.Identity())
        tensor([0.])
    """
    check_finite("exponent", exponent)
    grid = rgb_grid(8)
    errors = color_errors(model, grid)
    return squared_correlation(errors, (vibrancy(grid).to(errors) ** exponent).expand_as(errors))
