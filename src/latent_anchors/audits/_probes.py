"""Probes: what can be read off latents, by linear regression or a small network, run by run."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn.functional import gelu

from latent_anchors._checks import listed
from latent_anchors._numerics import in_full_precision
from latent_anchors._streams import stream

RIDGE = 1e-6
"""In relation to the latents' variance: far above what rounding leaves of a removed direction."""

ROUNDING = 1e-12
"""In relation to the largest number, a spread that a constant may have in double precision."""

HIDDEN, STEPS, RATE = 16, 500, 0.02
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def linear_probe(
    z: Float[Tensor, "runs n dim"],
    targets: Shaped[Tensor, "n k"],
    z_new: Float[Tensor, "runs m dim"],
) -> Float[Tensor, "runs m k"]:
    r"""Ridge regression from some latents, read at others.

    .. math:: \hat Y = \bar y + (Z' - \bar z) \, (Z_c^T Z_c + \lambda I)^{-1} Z_c^T Y_c

    with the latents :math:`Z` and ``targets`` :math:`Y`, :math:`Z_c, Y_c` less their means, and
    :math:`\lambda` a millionth of :math:`\lVert Z_c \rVert^2 / d`.

    Args:
        z: Latents to learn from ``(runs, n, dim)``.
        targets: What is to be found ``(n, k)``, such as a concept's degree.
        z_new: Latents to be read ``(runs, m, dim)``.

    Returns:
        ``(runs, m, k)``.

    Raises:
        ValueError: If there is not one target for each latent.

    References:
        Hoerl and Kennard, "Ridge regression", Technometrics, 1970.

    Examples:
        >>> z = torch.tensor([[[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]]])
        >>> linear_probe(z, z[0, :, :1], z).round(decimals=2).flatten()
        tensor([0., 1., 2.])
    """
    _check_targets(z, targets)
    center, scale = _spread(z)
    x, new = ((t.double() - center) / scale for t in (z, z_new))
    mean = targets.double().mean(0)
    ridge = RIDGE * z.shape[1] * torch.eye(z.shape[2], dtype=x.dtype, device=x.device)
    w = cast("Tensor", torch.linalg.solve(x.mT @ x + ridge, x.mT @ (targets.double() - mean)))
    return (mean + new @ w).to(in_full_precision(z))


def nonlinear_probe(
    z: Float[Tensor, "runs n dim"],
    targets: Shaped[Tensor, "n k"],
    z_new: Float[Tensor, "runs m dim"],
    seeds: Sequence[int] = (0,),
) -> Float[Tensor, "runs m k"]:
    """A small network trained on some latents, read at others.

    One hidden layer of 16 with GELU, trained by squared error on all latents at once, with 500
    steps of Adam whose rate falls linearly from 0.02.

    Args:
        z: Latents to learn from ``(runs, n, dim)``.
        targets: What is to be found ``(n, k)``, such as a concept's degree, or all of a color.
        z_new: Latents to be read ``(runs, m, dim)``.
        seeds: One for each run: of the network's first weights.

    Returns:
        ``(runs, m, k)``.

    Raises:
        ValueError: If there is not one target for each latent, or not one seed for each run.

    Examples:
        >>> z = torch.linspace(-1, 1, 32).view(1, 32, 1)
        >>> said = nonlinear_probe(z, z[0].square(), z)
        >>> bool((said - z.square()).abs().max() < 0.1)
        True
    """
    _check_targets(z, targets)
    if len(seeds) != len(z):
        raise ValueError(
            f"There are {len(seeds)} seeds and {len(z)} runs of latents; expected one for each."
        )
    center, scale = (t.to(in_full_precision(z)) for t in _spread(z))
    x, new = ((in_full_precision(t) - center) / scale for t in (z, z_new))
    y, wide = targets.to(x), targets.double()  # squares of small numbers would underflow
    mean, spread = y.mean(0), _more_than_rounding(wide.std(0), wide.abs().amax(0)).to(x)
    weights = _trained(_first_weights(seeds, z.shape[2], y.shape[1], x), x, (y - mean) / spread)
    return mean + spread * _output(weights, new)


def r_squared(said: Float[Tensor, "runs m"], true: Shaped[Tensor, " m"]) -> Float[Tensor, " runs"]:
    r"""Share of what is true that was found: 1 for all of it, 0 for no more than its mean.

    .. math:: R^2 = 1 - \frac{\sum (y - \hat y)^2}{\sum (y - \bar y)^2}

    Args:
        said: :math:`\hat y` ``(runs, m)``.
        true: :math:`y` ``(m,)``, not all alike.

    Returns:
        ``(runs,)``, at most 1; negative where the mean would have been nearer.

    Raises:
        ValueError: If all that is true is alike, or as many numbers were not said as are true.

    References:
        The coefficient of r_squared: Wright, "Correlation and causation", 1921.

    Examples:
        >>> r_squared(torch.tensor([[0.0, 1.0], [0.5, 0.5]]), torch.tensor([0.0, 1.0]))
        tensor([1., 0.])
    """
    if said.shape[1:] != true.shape:
        raise ValueError(
            f"{listed(said.shape[1:])} numbers were said of {listed(true.shape)} that are true; "
            "expected one for each."
        )
    # the mean of equal numbers is rounded, the numbers themselves are not
    if bool(true.min() == true.max()):
        raise ValueError("All true values are alike; expected some that differ.")
    said, wide = said.double(), true.double()  # squares of small numbers would underflow
    total = (wide - wide.mean()).square().sum()
    dtype = true.dtype if true.is_floating_point() else torch.get_default_dtype()
    return (1 - (said - wide).square().sum(1) / total).to(dtype)


def _check_targets(z: Tensor, targets: Tensor) -> None:
    if z.ndim != 3 or targets.ndim != 2 or z.shape[1] != len(targets):
        raise ValueError(
            f"Latents have shape {listed(z.shape)} and targets {listed(targets.shape)}; expected "
            "(runs, n, dim) and (n, k). For one run: z.unsqueeze(0)."
        )


def _spread(z: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, and one scale for all dimensions: a vanishing one must not be blown up."""
    center = z.double().mean(1, keepdim=True)
    scale = (z.double() - center).square().mean((1, 2), keepdim=True).sqrt()
    return center, _more_than_rounding(scale, z.double().abs().amax((1, 2), keepdim=True))


def _more_than_rounding(spread: Tensor, largest: Tensor) -> Tensor:
    """A spread to divide by, in whatever unit: that of a constant is only rounding, or 0."""
    return torch.maximum(spread, ROUNDING * largest).clamp_min(torch.finfo(torch.float32).tiny)


def _first_weights(seeds: Sequence[int], dim: int, k: int, like: Tensor) -> dict[str, Tensor]:
    shapes = {"w1": (dim, HIDDEN), "b1": (1, HIDDEN), "w2": (HIDDEN, k), "b2": (1, k)}
    widths = {"w1": dim, "b1": dim, "w2": HIDDEN, "b2": HIDDEN}
    rows: list[dict[str, Tensor]] = []
    for seed in seeds:
        generator = stream(seed, "probe")
        rows.append(
            {
                name: (2 * torch.rand(shape, generator=generator, dtype=torch.float32) - 1)
                / widths[name] ** 0.5
                for name, shape in shapes.items()
            }
        )
    return {name: torch.stack([row[name] for row in rows]).to(like) for name in shapes}


@torch.inference_mode(mode=False)
def _trained(weights: Mapping[str, Tensor], x: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
    # all may have been made in inference mode
    x, targets, *parameters = (each.clone() for each in (x, targets, *weights.values()))
    names, moments = tuple(weights), [(p * 0, p * 0) for p in parameters]
    for step in range(STEPS):
        leaves = [p.detach().requires_grad_() for p in parameters]
        with torch.enable_grad():
            output = _output(dict(zip(names, leaves, strict=True)), x)
            # runs are independent: the gradient of the sum is that of each
            loss = (output - targets).square().mean((1, 2)).sum()
            gradients = torch.autograd.grad(loss, leaves)
        rate = RATE * (1 - step / STEPS)
        with torch.no_grad():
            for k, (p, g) in enumerate(zip(leaves, gradients, strict=True)):
                parameters[k], moments[k] = _adam(p, g, moments[k], rate, step + 1)
    return dict(zip(names, parameters, strict=True))


def _adam(
    p: Tensor, g: Tensor, moments: tuple[Tensor, Tensor], rate: float, step: int
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    m = BETA1 * moments[0] + (1 - BETA1) * g
    v = BETA2 * moments[1] + (1 - BETA2) * g * g
    scaled = m / (1 - BETA1**step) / ((v / (1 - BETA2**step)).sqrt() + EPSILON)
    return p - rate * scaled, (m, v)


def _output(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
    hidden = gelu(x @ parameters["w1"] + parameters["b1"])
    return hidden @ parameters["w2"] + parameters["b2"]
