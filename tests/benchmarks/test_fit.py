"""Many seeds for the price of one: `fit` beside a plain PyTorch loop, in one run on one thread."""

from functools import partial

import pytest
import torch
from plain import train

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, models, training
from latent_anchors import regularizers as reg

SHEET = """\
STEP, lr,   recon, separate, anchor, subspace
0,    1e-8, 1,     0.63,     0.01,   0.01
10,   0.01, ,      ,         ,
375,  ,     ,      ,         ,       0.1
750,  0.1,  ,      0.63,     0.1,
1125, ,     ,      ,         ,       0.1
1425, 0.1,  ,      0,        0,      0
1500, 0.05, ,      ,         ,
"""


def fit(seeds: int) -> None:
    grid = colorspace.rgb_grid(8)
    red, vibrancy = colorspace.hue_degree(grid, 0.0), colorspace.vibrancy(grid)
    labels = {"red": data.Bernoulli(0.08 * red**8), "vibrant": data.Bernoulli(0.01 * vibrancy**10)}
    terms = [
        la.Term("separate", reg.Separation(power=100)),
        la.Term("anchor", reg.Anchor([1.0, 0.0, 0.0, 0.0]), label="red"),
        la.Term("subspace", reg.Subspace(dims=(0, 1)), label="vibrant"),
    ]
    la.fit(
        models.SphericalAutoencoder,
        la.Objective(terms, losses=["recon"], elsewhere=["lr"]),
        curriculum.read_dopesheet(SHEET).timeline(),
        data.Sampler(grid, labels),
        losses={"recon": training.reconstruction},
        seeds=range(seeds),
        optimizer=partial(torch.optim.Adam, fused=True),
        progress=False,
    )


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.mark.benchmark(group="anchored recipe")
def test_plain_loop_one_seed(benchmark):
    benchmark.pedantic(train, args=(0,), rounds=3)


@pytest.mark.benchmark(group="anchored recipe")
@pytest.mark.parametrize("seeds", [1, 60])
def test_fit(benchmark, seeds: int):
    benchmark.pedantic(fit, args=(seeds,), rounds=3)
