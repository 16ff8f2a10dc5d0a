"""Directions fitted on labeled latents by mean difference or as a CAV, and their erasure."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from latent_anchors._checks import check_finite
from latent_anchors._supervision import check_label
from latent_anchors._typing import Direction, PerSample
from latent_anchors.interventions._erasers.erasure import Erasure
from latent_anchors.interventions._erasers.samples import ROUNDING, Samples, checked, samples

STEPS = 500
"""Maximal number of LBFGS steps; a logistic regression needs tens."""


def fit_mean_difference(z: Float[Tensor, "n dim"], labels: Float[Tensor, " n"] | Tensor) -> Erasure:
    """Erase the difference between the mean latents with and without a concept.

    Afterwards the means are equal, so that on these samples no linear probe is better than a
    constant. This is checked. A label between 0 and 1 counts as that fraction of a sample.

    Args:
        z: Latents ``(n, dim)``.
        labels: Labels ``(n,)``, from 0 to 1.

    Raises:
        ValueError: If shapes do not match, labels are all the same or not from 0 to 1, or the means
            are the same.
        RuntimeError: If the means still differ afterwards, because of rounding.

    References:
        Belrose et al., "LEACE: perfect linear concept erasure in closed form", 2023, section 3, for
        why equal means are enough.

    Examples:
        >>> z = torch.tensor([[0.0, 1.0], [0.0, 3.0], [4.0, 1.0], [4.0, 3.0]])
        >>> fit_mean_difference(z, torch.tensor([0, 0, 1, 1]))(z)
        tensor([[2., 1.],
                [2., 3.],
                [2., 1.],
                [2., 3.]])
    """
    given = samples(z, _check_one(labels))
    check_label("The label", labels, None, "freely")
    v = _difference(given).unsqueeze(0)
    return checked("fit_mean_difference", given.erasure(v.mT, v), given)


def fit_cav(
    z: Float[Tensor, "n dim"], labels: Float[Tensor, " n"] | Tensor, ridge: float = 0.01
) -> Erasure:
    r"""Erase a concept activation vector: the normal of a logistic regression's boundary.

    .. math::
        \min_{w, c} \; \tfrac12 \, \overline{\ell}_1 + \tfrac12 \, \overline{\ell}_0
        + \tfrac{\lambda}{2} \lVert w \rVert^2

    with the mean logistic losses :math:`\overline{\ell}` of the samples with and without the
    concept, so that both classes weigh the same however rare one is, and the ``ridge``
    :math:`\lambda`, on latents scaled to unit variance. Erasing it blinds this one probe; another
    probe may still find the concept. :func:`fit_leace` erases it for all linear probes.

    Args:
        z: Latents ``(n, dim)``.
        labels: Labels ``(n,)``, from 0 to 1.
        ridge: Weight of the penalty on :math:`w`; above 0.

    Raises:
        ValueError: If shapes do not match, labels are all the same or not from 0 to 1, the means
            are the same, or the ridge is not above 0.

    References:
        Kim et al., "Interpretability beyond feature attribution: quantitative testing with concept
        activation vectors (TCAV)", 2018, section 3.2.

    Examples:
        >>> z = torch.tensor([[0.0, 1.0], [0.0, 3.0], [4.0, 1.0], [4.0, 3.0]])
        >>> fit_cav(z, torch.tensor([0, 0, 1, 1])).right.round(decimals=3).abs()
        tensor([[1., 0.]])
    """
    check_finite("ridge", ridge)
    given, y = samples(z, _check_one(labels)), labels.double()
    _difference(given)  # refuses equal means, for which there is no best boundary
    if ridge <= 0 or float(y.min()) < 0 or float(y.max()) > 1:
        raise ValueError(
            f"ridge is {ridge:g} and labels go from {float(y.min()):g} to {float(y.max()):g}; "
            "expected a ridge above 0, such as 0.01, and labels from 0 to 1."
        )
    scale = given.z.std(0, correction=0)
    # a constant dimension gets weight 0
    scale = torch.where(scale > ROUNDING * given.spread(), scale, torch.inf)
    w = _logistic((given.z - given.z.mean(0)) / scale, y, ridge) / scale
    v = (w / w.square().sum().sqrt()).unsqueeze(0)
    return given.erasure(v.mT, v)


def _check_one(labels: Tensor) -> Tensor:
    if labels.ndim != 1:
        raise ValueError(
            f"The labels have shape {tuple(labels.shape)}; expected (n,), one concept. "
            "For several at once, use fit_leace."
        )
    return labels


def _difference(given: Samples) -> Direction:
    """The unit vector from the mean without the concept to the mean with it."""
    difference = given.covariance(given.z)[:, 0]  # proportional to that of the means
    length = difference.square().sum().sqrt()
    if float(length) <= ROUNDING**2 * given.spread():
        raise ValueError(
            f"The mean latent of {len(given.z)} samples is the same with and without the concept; "
            "expected a difference. Check that latents and labels are in the same order."
        )
    return difference / length


@torch.inference_mode(mode=False)
@torch.enable_grad()
def _logistic(x: Tensor, y: PerSample, ridge: float) -> Tensor:
    """Weights of a logistic regression in which each class has weight one half."""
    x, y = x.clone(), y.clone()  # what was made in inference mode cannot be differentiated
    positive, negative = y / (2.0 * y.sum()), (1.0 - y) / (2.0 * (1.0 - y).sum())
    w = torch.zeros(x.shape[1], dtype=x.dtype, device=x.device, requires_grad=True)
    c = torch.zeros((), dtype=x.dtype, device=x.device, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [w, c],
        max_iter=STEPS,
        tolerance_grad=1e-9,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        score = x @ w + c
        total = (positive * softplus(-score) + negative * softplus(score)).sum()
        total = total + 0.5 * ridge * w.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    return w.detach()
