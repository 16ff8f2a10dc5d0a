"""Many seeds for the price of one: `fit` beside a plain PyTorch loop, in one run on one thread."""

from functools import partial
from itertools import pairwise

import torch
from plain import train
from side_by_side import medians

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, models, training
from latent_anchors import regularizers as reg

GRID = colorspace.rgb_grid(8)
LABELS = {
    "red": data.BernoulliLabels(0.08 * colorspace.hue_degree(GRID, 0.0) ** 8),
    "vibrant": data.BernoulliLabels(0.01 * colorspace.vibrancy(GRID) ** 10),
}
TERMS = {
    "separate": la.Term("separate", reg.Separation(power=100)),
    "anchor": la.Term("anchor", reg.Anchor([1.0, 0.0, 0.0, 0.0]), label="red"),
    "subspace": la.Term("subspace", reg.Subspace(dims=(0, 1)), label="vibrant"),
}
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
TIMELINE = curriculum.read_dopesheet(SHEET).timeline()


def fit(seeds: int, steps: int | None = None, terms: list[la.Term] | None = None) -> None:
    terms = [*TERMS.values()] if terms is None else terms
    unread = set(TIMELINE.names) - {"lr", "recon", *(term.track for term in terms)}
    la.fit(
        models.SphericalAutoencoder,
        la.Objective(terms, losses=["recon"], other_tracks=["lr", *unread]),
        TIMELINE,
        data.Sampler(GRID, LABELS),
        losses={"recon": training.reconstruction},
        seeds=range(seeds),
        steps=steps,
        optimizer=partial(torch.optim.Adam, fused=True),
        progress=False,
    )


def test_sixty_seeds_cost_at_most_four_plain_loops_and_one_costs_one(benchmark):
    fit(1, steps=2)  # what is imported and made but once
    calls = partial(train, 0), partial(fit, 1), partial(fit, 60)
    plain, one, sixty = benchmark.pedantic(partial(medians, *calls), rounds=1)
    benchmark.extra_info.update(plain=plain, one=one / plain, sixty=sixty / plain)
    print(
        f"\nplain {plain:.2f} s; one seed {one / plain:.2f}, sixty {sixty / plain:.2f} times that"
    )
    assert sixty <= 4 * plain
    assert one <= 1.1 * plain


Case = tuple[int, list[la.Term] | None]
"""How many runs, and which terms; those of the recipe if None."""


def per_step(cases: list[Case]) -> list[float]:
    """Seconds a step takes in each case, start and tracing aside, all side by side."""
    times = medians(*[partial(fit, n, steps, terms) for n, terms in cases for steps in (100, 300)])
    return [(long - short) / 200 for short, long in zip(times[::2], times[1::2], strict=True)]


def test_a_run_costs_less_the_more_there_are(benchmark):
    runs = [1, 4, 16, 64, 256]
    taken = benchmark.pedantic(partial(per_step, [(n, None) for n in runs]), rounds=1)
    costs = [seconds / n for n, seconds in zip(runs, taken, strict=True)]
    benchmark.extra_info["microseconds per run and step"] = dict(
        zip(map(str, runs), (1e6 * cost for cost in costs), strict=True)
    )
    print(
        "\n" + ", ".join(f"{n}: {1e6 * cost:.0f} us" for n, cost in zip(runs, costs, strict=True))
    )
    assert all(more < fewer for fewer, more in pairwise(costs))


def anchors(count: int) -> list[la.Term]:
    return [
        la.Term(f"anchor {k}", reg.Anchor([1.0, 0.1 * k, 0.0, 0.0]), label="red", track="anchor")
        for k in range(count)
    ]


def one_anchor() -> None:
    """Plain PyTorch: forward and backward of one anchor, on as many latents as sixty runs have."""
    z = torch.nn.functional.normalize(torch.rand(60, 64, 4), dim=-1).requires_grad_()
    label, direction = (torch.rand(60, 64) < 0.02).float(), torch.tensor([1.0, 0.1, 0.0, 0.0])
    for _ in range(100):
        cosine = torch.nn.functional.cosine_similarity(z, direction, dim=-1)
        mean = (label * (1 - cosine)).sum(1) / label.sum(1).clamp_min(1)
        torch.autograd.grad(mean.sum(), z)


def test_a_further_term_costs_its_own_arithmetic_alone(benchmark):
    counts = [0, 1, 2, 4, 8]
    costs = benchmark.pedantic(partial(per_step, [(60, anchors(n)) for n in counts]), rounds=1)
    own = medians(one_anchor, rounds=9)[0] / 100
    further = (costs[-1] - costs[1]) / 7
    benchmark.extra_info["milliseconds per step"] = dict(
        zip(map(str, counts), (1e3 * cost for cost in costs), strict=True)
    )
    benchmark.extra_info["milliseconds of one anchor alone"] = 1e3 * own
    print("\n", *(f"{n}: {1e3 * cost:.2f} ms," for n, cost in zip(counts, costs, strict=True)))
    print(f"a further one {1e3 * further:.3f} ms; alone, in plain PyTorch, {1e3 * own:.3f} ms")
    assert further <= own
