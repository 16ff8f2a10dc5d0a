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
    "red": data.Bernoulli(0.08 * colorspace.hue_degree(GRID, 0.0) ** 8),
    "vibrant": data.Bernoulli(0.01 * colorspace.vibrancy(GRID) ** 10),
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
        la.Objective(terms, losses=["recon"], elsewhere=["lr", *unread]),
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


def per_step(runs: int, terms: list[la.Term] | None = None) -> float:
    """Seconds a step takes, start and tracing aside."""
    short, long = medians(partial(fit, runs, 100, terms), partial(fit, runs, 300, terms), rounds=3)
    return (long - short) / 200


def test_a_run_costs_less_the_more_there_are(benchmark):
    runs = [1, 4, 16, 64, 256]
    costs = benchmark.pedantic(lambda: [per_step(n) / n for n in runs], rounds=1)
    benchmark.extra_info["microseconds per run and step"] = dict(
        zip(map(str, runs), (1e6 * cost for cost in costs), strict=True)
    )
    print(
        "\n" + ", ".join(f"{n}: {1e6 * cost:.0f} us" for n, cost in zip(runs, costs, strict=True))
    )
    assert all(more < fewer for fewer, more in pairwise(costs))


def test_a_further_term_costs_its_own_arithmetic_alone(benchmark):
    def anchors(count: int) -> list[la.Term]:
        return [
            la.Term(
                f"anchor {k}", reg.Anchor([1.0, 0.1 * k, 0.0, 0.0]), label="red", track="anchor"
            )
            for k in range(count)
        ]

    counts = [0, 1, 2, 4, 8]
    costs = benchmark.pedantic(lambda: [per_step(60, anchors(n)) for n in counts], rounds=1)
    further = [(cost - costs[1]) / (n - 1) for n, cost in zip(counts, costs, strict=True) if n > 1]
    benchmark.extra_info["milliseconds per step"] = dict(
        zip(map(str, counts), (1e3 * cost for cost in costs), strict=True)
    )
    print("\n", *(f"{n}: {1e3 * cost:.2f} ms," for n, cost in zip(counts, costs, strict=True)))
    assert max(further) <= 1.2 * (costs[1] - costs[0])
