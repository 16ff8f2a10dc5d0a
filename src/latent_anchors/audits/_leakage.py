"""Leakage: how much of a concept can still be read off the latents."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._streams import stream
from latent_anchors.audits._probes import linear_probe, nonlinear_probe, r2
from latent_anchors.evaluation import Evaluation

Probe = Callable[[Tensor, Tensor, Tensor], Tensor]


def probe_degrees(
    z: Float[Tensor, "runs n dim"],
    degrees: Float[Tensor, " n"],
    z_new: Float[Tensor, "runs m dim"],
    degrees_new: Float[Tensor, " m"],
    seeds: Sequence[int] = (0,),
) -> Evaluation:
    """How well degrees of any concept are found in latents, on others than were learnt from.

    Args:
        z: Latents to learn from ``(runs, n, dim)``, of any model.
        degrees: How much of the concept each has ``(n,)``.
        z_new: Latents to be read ``(runs, m, dim)``.
        degrees_new: How much of the concept each has ``(m,)``.
        seeds: One for each run: whence the small network's first weights, and the shuffling.

    Returns:
        R² by name ``(runs,)``, at most 1: ``linear`` and ``nonlinear``, and each of them with
        ``/shuffled``, learnt from shuffled degrees, which cannot be found.

    Raises:
        ValueError: If there is not one degree for each latent and one seed for each run, or if all
            degrees to be found are alike.

    Examples:
        >>> z = torch.randn(1, 200, 3, generator=torch.Generator().manual_seed(0))
        >>> found = probe_degrees(z[:, :100], z[0, :100, 0], z[:, 100:], z[0, 100:, 0])
        >>> round(float(found["linear"]), 3), bool(found["linear/shuffled"] < 0.1)
        (1.0, True)
    """
    elsewhere = torch.stack(
        [run[_shuffled(len(run), seed)] for run, seed in zip(z, seeds, strict=True)]
    )
    found: dict[str, Tensor] = {}
    for name, probe in _probes(seeds).items():
        for suffix, known in (("", z), ("/shuffled", elsewhere)):
            said = probe(known, degrees.unsqueeze(1), z_new)
            found[name + suffix] = r2(said[..., 0], degrees_new)
    return Evaluation(found)


def _probes(seeds: Sequence[int]) -> dict[str, Probe]:
    return {"linear": linear_probe, "nonlinear": partial(nonlinear_probe, seeds=tuple(seeds))}


def _shuffled(n: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=stream(seed, "shuffled degrees"))
