"""Labeled latents to fit an eraser on, and the check that the fitted one erased the concept."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import in_full_precision
from latent_anchors._vectors import check_floating
from latent_anchors.interventions._erasers.erasure import Erasure

REMAINDER = 1e-2
"""The fraction of the covariance with a label that may remain, as rounding."""

ROUNDING = 1e-6
"""Correlations this small count as zero."""


class Samples(NamedTuple):
    """Latents and standardized labels in double precision, and the original precision."""

    z: Float[Tensor, "n dim"]
    labels: Float[Tensor, "n k"]
    dtype: torch.dtype

    def covariance(self, z: Tensor) -> Float[Tensor, "dim k"]:
        """Covariance of latents of these samples with the labels."""
        return (z.double() - z.double().mean(0)).mT @ self.labels / len(z)

    def spread(self) -> float:
        """Root of the total variance of the latents."""
        return float((self.z - self.z.mean(0)).square().sum(-1).mean().sqrt())

    def erasure(self, left: Tensor, right: Tensor) -> Erasure:
        """An erasure about the mean of the latents, in their original precision."""
        mean = self.z.mean(0).to(self.dtype)
        return Erasure(left.to(self.dtype), right.to(self.dtype), mean)


def samples(z: Tensor, labels: Tensor) -> Samples:
    """Latents (n, dim) and labels (n,) or (n, k), checked for fitting."""
    if z.ndim != 2 or labels.ndim not in (1, 2) or len(z) != len(labels) or len(z) < 2:
        raise ValueError(
            f"The latents have shape {tuple(z.shape)} and the labels {tuple(labels.shape)}; "
            "expected (n, dim) and (n,) or (n, k), with at least two samples. Flatten other axes."
        )
    check_floating("An eraser", z)
    z, columns = in_full_precision(z.detach()), labels.detach().double().reshape(len(z), -1)
    if not bool(z.isfinite().all() & columns.isfinite().all()):
        raise ValueError(
            "Latents or labels are not finite; expected finite numbers. Drop the other samples."
        )
    spread = columns.std(0, correction=0)
    same = columns.amin(0) == columns.amax(0)  # rounding may leave some spread
    if bool(same.any()):
        raise ValueError(
            f"Of {len(spread)} labels, {int(same.sum())} are the same for all {len(z)} "
            "samples; expected each concept in some samples and not in others. Add samples."
        )
    return Samples(z.double(), (columns - columns.mean(0)) / spread, z.dtype)


def checked(name: str, erasure: Erasure, given: Samples) -> Erasure:
    """The erasure, unless the erased latents still covary with the labels."""
    before, after = given.z, erasure(given.z.to(given.dtype))
    was, remains = (given.covariance(z).square().sum(0).sqrt() for z in (before, after))
    if bool((remains > REMAINDER * was + ROUNDING * given.spread()).any()):
        raise RuntimeError(
            f"{name} left {float((remains / was).max()):.3g} of the covariance with a label; "
            f"expected at most {REMAINDER:g}. Lower the tolerance, or fit in float64."
        )
    return erasure
