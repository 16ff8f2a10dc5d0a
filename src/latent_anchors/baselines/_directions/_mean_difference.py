"""Mean difference: from the mean latent without a concept to the mean latent with it."""

from latent_anchors._supervision import Given
from latent_anchors._typing import Latents
from latent_anchors.baselines._directions._found import Found, found_by
from latent_anchors.baselines._labeled_latents import labeled
from latent_anchors.interventions import fit_mean_difference


def mean_difference(latents: Latents, labels: Given, mask: Given | None = None) -> Found:
    r"""Find a concept as the difference of the mean latents with and without it.

    .. math:: v \propto \frac{\sum_i l_i z_i}{\sum_i l_i}
        - \frac{\sum_i (1 - l_i) z_i}{\sum_i (1 - l_i)}

    with latents :math:`z` and ``labels`` :math:`l`. Its edit projects :math:`v` out about the mean
    of all (:func:`~latent_anchors.interventions.fit_mean_difference`). Computed in float64.

    Args:
        latents: Recorded at a site ``(..., dim)``, each position a sample.
        labels: From 0 to 1, ``(...)``; or one for each line, for latents ``(line, ..., dim)``.
        mask: Which positions count ``(...)``, bool or 0 and 1; what it excludes has no influence.

    Raises:
        ValueError: If shapes do not fit, a label is not from 0 to 1, all samples that count are of
            one kind, a latent is not finite, or the means are the same.
        TypeError: If latents are integers, or labels are no tensor and no array of numpy's.

    References:
        Rimsky et al., "Steering Llama 2 via contrastive activation addition", 2024; Belrose et al.,
        "LEACE: perfect linear concept erasure in closed form", 2023, section 3, for the erasure.

    Examples:
        >>> import torch
        >>> lines = torch.tensor([[[1.0, 5.0], [1.0, 6.0]], [[0.0, 5.0], [0.0, 6.0]]])
        >>> found = mean_difference(lines, torch.tensor([1, 0]))
        >>> found.direction, found.edit(torch.tensor([3.0, 4.0]))
        (tensor([1., 0.]), tensor([0.5000, 4.0000]))
    """
    z, label = labeled(latents, labels, mask)
    return found_by(fit_mean_difference(z, label), z, label)
