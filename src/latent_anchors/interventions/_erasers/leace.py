"""LEACE (package concept-erasure): the smallest change that defeats all linear probes."""

import warnings
from importlib import import_module
from typing import Any

from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_between
from latent_anchors.interventions._erasers.erasure import Erasure
from latent_anchors.interventions._erasers.samples import checked, samples


def fit_leace(
    z: Float[Tensor, "n dim"],
    labels: Float[Tensor, " n"] | Float[Tensor, "n k"] | Tensor,
    tolerance: float = 1e-6,
) -> Erasure:
    r"""Erase concepts with LEACE, which changes the latents least in mean squared distance.

    .. math:: z' = z - W^{-1} U U^\top W (z - \bar z), \qquad W = \Sigma_{zz}^{-1/2}

    with :math:`U` an orthonormal basis of the columns of :math:`W \Sigma_{zy}`. Afterwards latents
    and labels do not covary, so that on these samples no linear probe is better than a constant.
    This is checked. Labels are scaled to unit variance first, as the package's tolerance is
    absolute: with its default, a concept in few samples would silently not be erased.

    Needs the package ``concept-erasure``: ``pip install 'latent-anchors[erasure]'``.

    Args:
        z: Latents ``(n, dim)``.
        labels: Labels ``(n,)``, or ``(n, k)`` for several concepts at once; any numbers.
        tolerance: A direction whose correlation with the labels is below this counts as noise.

    Raises:
        ValueError: If shapes do not match, a label is the same for all samples, or the tolerance is
            not from 1e-12 to 1.
        RuntimeError: If latents and labels still covary afterwards.
        ImportError: If the package is not installed.

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
    scaled = given.z / (
        given.spread() or 1.0
    )  # the package's other tolerances are absolute as well
    # the constraint on the trace holds anyway, and the package enforces it wrongly
    fitted = _package().LeaceEraser.fit(
        scaled, given.labels, svd_tol=tolerance, constrain_cov_trace=False
    )
    return checked("fit_leace", given.erasure(fitted.proj_left, fitted.proj_right), given)


def _package() -> Any:
    try:
        with warnings.catch_warnings():
            # on import it uses torch.jit, which newer versions deprecate
            warnings.simplefilter("ignore", DeprecationWarning)
            return import_module("concept_erasure")
    except ImportError as error:
        raise ImportError(
            "LEACE needs the package concept-erasure, which is not installed. Install it with "
            "pip install 'latent-anchors[erasure]', or use fit_mean_difference."
        ) from error
