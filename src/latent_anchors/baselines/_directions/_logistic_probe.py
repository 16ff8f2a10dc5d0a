"""Logistic probe: the normal of the boundary that a logistic regression draws."""

from latent_anchors._supervision import Given
from latent_anchors._typing import Latents
from latent_anchors.baselines._directions._found import Found, found_by
from latent_anchors.baselines._labeled_latents import labeled
from latent_anchors.interventions import fit_cav


def logistic_probe(
    latents: Latents, labels: Given, mask: Given | None = None, ridge: float = 0.01
) -> Found:
    r"""Find a concept as a concept activation vector (CAV).

    It is the normal :math:`w` of a logistic regression with an L2 penalty, in which both classes
    weigh the same, fitted to convergence in float64
    (:func:`~latent_anchors.interventions.fit_cav`). Its edit projects :math:`w` out about the mean
    of all. This blinds the probe; another one may find the concept still.

    Args:
        latents: Recorded at a site ``(..., dim)``, each position a sample.
        labels: From 0 to 1, ``(...)``; or one for each line, for latents ``(line, ..., dim)``.
        mask: Which positions count ``(...)``, bool or 0 and 1; what it excludes has no influence.
        ridge: Weight of :math:`\lVert w \rVert^2 / 2`, on latents of unit variance; above 0.

    Raises:
        ValueError: If shapes do not fit, a label is not from 0 to 1, all samples that count are of
            one kind, a latent is not finite, the means are the same, or the ridge is not above 0.
        TypeError: If latents are integers, or labels are no tensor and no array of numpy's.

    References:
        Kim et al., "Interpretability beyond feature attribution: quantitative testing with concept
        activation vectors (TCAV)", 2018, section 3.2.

    Examples:
        >>> import torch
        >>> z = torch.tensor([[0.0, 1.0], [0.0, 3.0], [4.0, 1.0], [4.0, 3.0]])
        >>> logistic_probe(z, torch.tensor([0, 0, 1, 1])).direction.round(decimals=3).abs()
        tensor([1., 0.])
    """
    z, label = labeled(latents, labels, mask)
    return found_by(fit_cav(z, label, ridge), z, label)
