"""LEACE: the smallest change of latents that defeats all linear probes, in closed form."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_between
from latent_anchors.interventions._erasers.erasure import Erasure
from latent_anchors.interventions._erasers.samples import ROUNDING, checked, samples


def fit_leace(
    z: Float[Tensor, "n dim"],
    labels: Float[Tensor, " n"] | Float[Tensor, "n k"] | Tensor,
    tolerance: float = 1e-6,
) -> Erasure:
    r"""Erase concepts with LEACE, which changes the latents least in mean squared distance.

    .. math:: z' = z - W^+ U U^\top W (z - \bar z), \qquad W = (\Sigma_{zz}^{1/2})^+

    with :math:`U` an orthonormal basis of the columns of :math:`W \Sigma_{zy}` and :math:`A^+` the
    pseudo-inverse. Afterwards latents and labels do not covary, so that on these samples no linear
    probe is better than a constant. This is checked. A direction along which the samples do not
    vary, up to a millionth of the widest one, is neither read nor moved; in fewer samples than
    dimensions there are always some. Labels are scaled to unit variance, so that the tolerance
    means the same of a rare concept.

    Args:
        z: Latents ``(n, dim)``.
        labels: Labels ``(n,)``, or ``(n, k)`` for several concepts at once; any numbers.
        tolerance: A direction whose correlation with the labels is below this counts as noise.

    Raises:
        ValueError: If shapes do not match, a label is the same for all samples, or the tolerance is
            not from 1e-12 to 1.
        RuntimeError: If latents and labels still covary afterwards.

    References:
        Belrose et al., "LEACE: perfect linear concept erasure in closed form", 2023, theorem 4.3.

    Examples:
        >>> import torch
        >>> z = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0))
        >>> red = z[:, 0] > 1.5
        >>> erased = fit_leace(z, red)(z)
        >>> [round(float(x[red].mean() - x[~red].mean()), 3) + 0.0 for x in (z[:, 0], erased[:, 0])]
        [2.148, 0.0]
    """
    check_between("tolerance", tolerance, 1e-12, 1.0)
    given = samples(z, labels)
    whiten, unwhiten = _whitening(given.z)
    u = _left_vectors(whiten @ given.covariance(given.z), tolerance)
    return checked("fit_leace", given.erasure(unwhiten @ u, u.mT @ whiten), given)


def _left_vectors(x: Float[Tensor, "dim k"], tolerance: float) -> Float[Tensor, "dim m"]:
    """Left singular vectors, zero where the singular value is within the tolerance."""
    u, sizes, _ = cast("tuple[Tensor, Tensor, Tensor]", torch.linalg.svd(x, full_matrices=False))
    return u * (sizes > tolerance)


def _whitening(z: Float[Tensor, "n dim"]) -> tuple[Tensor, Tensor]:
    """The root of the covariance's pseudo-inverse, and that of the covariance."""
    centered = z - z.mean(0)
    covariance = centered.mT @ centered / len(z)
    variance, axes = cast("tuple[Tensor, Tensor]", torch.linalg.eigh(covariance))
    spread = variance.clamp(min=0).sqrt()
    flat = spread <= ROUNDING * spread[-1]  # in ascending order; what is below is rounding
    inverse = spread.reciprocal().masked_fill(flat, 0.0)
    return axes * inverse @ axes.mT, axes * spread.masked_fill(flat, 0.0) @ axes.mT
