"""What erasers are fitted on, and whether a fitted one did what it promises."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import in_full_precision
from latent_anchors.interventions._erasers.erasure import Erasure

LEFT = 1e-2
"""Of the covariance with a label, at most this share may be left; the rest is rounding."""

ROUNDING = 1e-6
"""Correlations as small as this are none."""


class Samples(NamedTuple):
    """Latents and standardized labels in double precision, and the precision they came in."""

    z: Float[Tensor, "n dim"]
    labels: Float[Tensor, "n k"]
    dtype: torch.dtype

    def covariance(self, z: Tensor) -> Float[Tensor, "dim k"]:
        """Of other latents of these samples with the labels."""
        return (z.double() - z.double().mean(0)).mT @ self.labels / len(z)

    def spread(self) -> float:
        """The latents' standard deviation, all dimensions taken together."""
        return float((self.z - self.z.mean(0)).square().sum(-1).mean().sqrt())

    def erasure(self, left: Tensor, right: Tensor) -> Erasure:
        """An erasure about the mean of the latents, in the precision they came in."""
        mean = self.z.mean(0).to(self.dtype)
        return Erasure(left.to(self.dtype), right.to(self.dtype), mean)


def samples(z: Tensor, labels: Tensor) -> Samples:
    """Latents (n, dim) and labels (n,) or (n, k), refused where nothing can be fitted on them."""
    if z.ndim != 2 or labels.ndim not in (1, 2) or len(z) != len(labels) or len(z) < 2:
        raise ValueError(
            f"The latents have shape {tuple(z.shape)} and the labels {tuple(labels.shape)}; "
            "expected (n, dim) and (n,) or (n, k), at least two samples. Flatten other axes."
        )
    z, columns = in_full_precision(z.detach()), labels.detach().double().reshape(len(z), -1)
    if not bool(z.isfinite().all() & columns.isfinite().all()):
        raise ValueError("Latents or labels are not finite; expected finite numbers. Drop others.")
    spread = columns.std(0, correction=0)
    if not bool((spread > 0).all()):
        raise ValueError(
            f"Of {len(spread)} labels, {int((spread == 0).sum())} are the same for all {len(z)} "
            "samples; expected each concept in some and not in others. Add the other kind."
        )
    return Samples(z.double(), (columns - columns.mean(0)) / spread, z.dtype)


def checked(name: str, erasure: Erasure, given: Samples) -> Erasure:
    """The erasure, unless its latents still covary with the labels."""
    before, after = given.z, erasure(given.z.to(given.dtype))
    was, left = (given.covariance(z).square().sum(0).sqrt() for z in (before, after))
    if bool((left > LEFT * was + ROUNDING * given.spread()).any()):
        raise RuntimeError(
            f"{name} left {float((left / was).max()):.3g} of the covariance with a label; expected "
            f"at most {LEFT:g}. Lower its tolerance, or fit in float64."
        )
    return erasure
