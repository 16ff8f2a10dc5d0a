"""LEACE: the smallest affine edit after which no linear probe finds the concept."""

from latent_anchors._supervision import Given
from latent_anchors._typing import Latents
from latent_anchors.baselines._directions._found import Found, found_by
from latent_anchors.baselines._labeled_latents import labeled
from latent_anchors.interventions import fit_leace


def leace(
    latents: Latents, labels: Given, mask: Given | None = None, tolerance: float = 1e-6
) -> Found:
    r"""Find what linear probes read of a concept, and erase it with the least change.

    .. math:: z' = z - P (z - \bar z), \qquad P = W^+ u u^\top W, \qquad
        W = (\Sigma_{zz}^{1/2})^+, \qquad u \propto W \Sigma_{zl}

    with the covariance :math:`\Sigma_{zz}` of the latents and that with the ``labels``,
    :math:`\Sigma_{zl}`. :math:`P` is an oblique projection: it reads along :math:`W u`, the
    ``direction``, and moves along :math:`\Sigma_{zl}`, the difference of the means. Where the
    covariance is singular, :math:`W` is a pseudo-inverse: directions along which the samples do not
    vary are neither read nor moved (:func:`~latent_anchors.interventions.fit_leace`). Computed in
    float64.

    Args:
        latents: Recorded at a site ``(..., dim)``, each position a sample.
        labels: From 0 to 1, ``(...)``; or one for each line, for latents ``(line, ..., dim)``.
        mask: Which positions count ``(...)``, bool or 0 and 1; what it excludes has no influence.
        tolerance: A correlation with the labels below this counts as none.

    Raises:
        ValueError: If shapes do not fit, a label is not from 0 to 1, all samples that count are of
            one kind, a latent is not finite, the means are the same, or the tolerance is not from
            1e-12 to 1.
        RuntimeError: If latents and labels still covary afterwards.
        TypeError: If latents are integers, or labels are no tensor and no array of numpy's.

    References:
        Belrose et al., "LEACE: perfect linear concept erasure in closed form", 2023, theorem 4.3.

    Examples:
        >>> import torch
        >>> z = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 2.0]])
        >>> erased = leace(z, torch.tensor([0, 0, 1, 1])).edit(z)
        >>> erased.round(decimals=3).abs()
        tensor([[0.0000, 0.5000],
                [1.0000, 1.5000],
                [0.0000, 0.5000],
                [1.0000, 1.5000]])
    """
    z, label = labeled(latents, labels, mask)
    return found_by(fit_leace(z, label, tolerance), z, label)
