"""Latents that hold two concepts in one direction each, and a linear probe."""

from typing import NamedTuple

import torch

DIM = 6


class Held(NamedTuple):
    z: torch.Tensor
    concept: torch.Tensor
    other: torch.Tensor


def latents(n: int = 4000, share: float = 0.3, generator: torch.Generator | None = None) -> Held:
    """Correlated noise about a mean, with a concept 3 deviations along one oblique direction."""
    generator = generator or torch.Generator().manual_seed(1)
    concept, other = (torch.zeros(n, dtype=torch.float64) for _ in range(2))
    concept[: round(share * n)] = 1
    other[::2] = 1
    noise = torch.randn(n, DIM, generator=generator, dtype=torch.float64)
    towards, aside = torch.linalg.qr(torch.randn(DIM, 2, generator=generator).double())[0].mT
    mixing = torch.eye(DIM).double() + 0.3 * torch.randn(DIM, DIM, generator=generator).double()
    held = noise + 3 * concept[:, None] * towards + 3 * other[:, None] * aside
    shuffled = torch.randperm(n, generator=generator)
    return Held((held @ mixing + 2.0)[shuffled], concept[shuffled], other[shuffled])


def gap(z: torch.Tensor, y: torch.Tensor) -> float:
    """How far apart the means are, in deviations of all latents."""
    difference = z[y == 1].mean(0) - z[y == 0].mean(0)
    return float(difference.norm() / z.std(0).norm() * DIM**0.5)


def found(z: torch.Tensor, y: torch.Tensor) -> float:
    """Area under the curve of a linear probe, fitted on one half, read on the other."""
    train, test = slice(0, len(z) // 2), slice(len(z) // 2, None)
    x, t = z[train], y[train]
    difference = x[t == 1].mean(0) - x[t == 0].mean(0)
    scores = z[test] @ (torch.linalg.pinv(torch.cov(x.mT), rtol=1e-6) @ difference)
    ranks = scores.argsort().argsort().double() + 1
    there = y[test] == 1
    n, m = int(there.sum()), int((~there).sum())
    return float((ranks[there].sum() - n * (n + 1) / 2) / (n * m))
