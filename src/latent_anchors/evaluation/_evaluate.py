"""All measures of one condition at once."""

from torch import nn

from latent_anchors.evaluation._errors import error_groups
from latent_anchors.evaluation._metrics import Evaluation
from latent_anchors.evaluation._selectivity import selectivity_r2


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
