"""LEACE, from its own package: the least change after which no linear probe finds the concept."""

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
    r"""Erase concepts by the affine map that changes the latents least in the mean square.

    .. math:: z' = z - W^{-1} U U^\top W (z - \bar z), \qquad W = \Sigma_{zz}^{-1/2}

    with :math:`U` an orthonormal basis of the columns of :math:`W \Sigma_{zy}`. Afterwards latents
    and labels do not covary, so that no linear probe finds the concept on these samples better than
    a constant; this is checked on them. Labels are scaled to unit variance first: the package's
    tolerance is absolute, and its default would leave a concept that few samples have in place,
    without a word.

    Needs the package ``concept-erasure``: ``pip install 'latent-anchors[erasure]'``.

    Args:
        z: Latents ``(n, dim)``.
        labels: ``(n,)``, or ``(n, k)`` for several concepts at once; any numbers.
        tolerance: Correlation with the labels under which a direction counts as noise, from 0 to 1.

    Raises:
        ValueError: If shapes do not fit, a label is the same for all, or the tolerance is out of
            its range.
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
    ordinary = given.z / (given.spread() or 1.0)  # the package's other tolerances are absolute too
    # without the constraint on the trace, which holds by itself: the package's way back is wrong
    fitted = _package().LeaceEraser.fit(
        ordinary, given.labels, svd_tol=tolerance, constrain_cov_trace=False
    )
    return checked("fit_leace", given.erasure(fitted.proj_left, fitted.proj_right), given)


def _package() -> Any:
    try:
        with warnings.catch_warnings():
            # it compiles a function with torch.jit when imported, which newer versions discourage
            warnings.simplefilter("ignore", DeprecationWarning)
            return import_module("concept_erasure")
    except ImportError as error:
        raise ImportError(
            "LEACE needs the package concept-erasure, which is not installed. Install it with "
            "pip install 'latent-anchors[erasure]', or use fit_mean_difference."
        ) from error
