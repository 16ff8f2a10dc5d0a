"""Leakage: how much of a concept can still be read off latents."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from latent_anchors._numerics import in_full_precision
from latent_anchors._streams import stream
from latent_anchors.audits._probes import linear_probe, nonlinear_probe, r_squared
from latent_anchors.evaluation import Evaluation

Probe = Callable[[Tensor, Tensor, Tensor], Tensor]

Split = tuple[Float[Tensor, "n k"], Float[Tensor, "m k"]]
"""Representations of the samples that probes learn from, and of those that they read."""


def leakage(
    latents: Float[Tensor, "runs n dim"],
    degrees: Shaped[Tensor, " n"],
    new_latents: Float[Tensor, "runs m dim"],
    new_degrees: Shaped[Tensor, " m"],
    *,
    beside: Mapping[str, Split] | None = None,
    seeds: Sequence[int] = (0,),
) -> Evaluation:
    r"""How well probes find the degrees of a concept in latents that they did not learn from.

    A concept's degree is part of what a sample is, and latents that hold everything else tell much
    of it, whether or not anyone kept a place for it. So a number means nothing alone; beside
    ``leakage/linear`` and ``leakage/nonlinear`` stand ``/shuffled``, learned from shuffled degrees
    (chance), and the same probes on whatever is given ``beside``: by custom ``floor``, the raw
    inputs, as what a linear probe finds there is in any code that holds them; and ``ideal``, inputs
    from which the concept was taken.

    Args:
        latents: What probes learn from ``(runs, n, dim)``, of any model.
        degrees: How much of the concept each has ``(n,)``.
        new_latents: What they read ``(runs, m, dim)``.
        new_degrees: How much of the concept each has ``(m,)``.
        beside: By name, other representations of both, ``(n, k)`` and ``(m, k)``.
        seeds: One for each run: of the small network's first weights, and of the shuffling.

    Returns:
        R² by name ``(runs,)``, at most 1, in full precision. NaN throughout for a run whose latents
        are not finite.

    Raises:
        ValueError: If there is not one degree for each latent and one seed for each run, or if all
            degrees to be found are alike.

    References:
        Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016.

    Examples:
        >>> z = torch.randn(1, 200, 3, generator=torch.Generator().manual_seed(0))
        >>> found = leakage(z[:, :100], z[0, :100, 0], z[:, 100:], z[0, 100:, 0])
        >>> round(float(found["leakage/linear"]), 3), bool(found["leakage/linear/shuffled"] < 0.1)
        (1.0, True)
    """
    if len(seeds) != len(latents):
        raise ValueError(
            f"{len(seeds)} seeds were given for {len(latents)} runs; expected one for each, such "
            "as population.seeds."
        )
    shuffled = torch.stack(
        [run[_shuffled(len(run), seed)] for run, seed in zip(latents, seeds, strict=True)]
    )
    found: dict[str, Tensor] = {}
    for suffix, known in (("", latents), ("/shuffled", shuffled)):
        found |= read(suffix, known, degrees, new_latents, new_degrees, seeds)
    for name, (x, x_new) in (beside or {}).items():
        found |= read(f"/{name}", x[None], degrees, x_new[None], new_degrees, (0,))
    return of_finite(found, latents, new_latents)


def of_finite(found: Mapping[str, Tensor], *latents: Float[Tensor, "runs ..."]) -> Evaluation:
    """Measures of leakage by run; a run whose latents are not finite has no value at all."""
    failed = torch.stack([~each.isfinite().flatten(1).all(1) for each in latents]).any(0)
    return Evaluation(
        {
            f"leakage/{name}": score.to(in_full_precision(latents[0]))
            .expand(len(failed))
            .masked_fill(failed, torch.nan)
            for name, score in found.items()
        }
    )


def read(
    suffix: str,
    z: Tensor,
    degrees: Tensor,
    z_new: Tensor,
    degrees_new: Tensor,
    seeds: Sequence[int],
) -> dict[str, Tensor]:
    """R² of each probe, by its name and a suffix."""
    probes: dict[str, Probe] = {
        "linear": linear_probe,
        "nonlinear": partial(nonlinear_probe, seeds=tuple(seeds)),
    }
    return {
        name + suffix: r_squared(probe(z, degrees.unsqueeze(1), z_new)[..., 0], degrees_new)
        for name, probe in probes.items()
    }


def _shuffled(n: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=stream(seed, "shuffled degrees"))
