import pytest
import torch
from refusals import refuses
from torch.func import grad, vmap

import latent_anchors as la
from latent_anchors import regularizers as reg
from latent_anchors.regularizers import reduce_terms
from latent_anchors.regularizers._many_terms import FEW

DIM, LINES, POSITIONS = 5, 4, 6
SITES = ["first", "second"]
PENALTIES = {
    "Anchor": reg.Anchor,
    "AntiAnchor": reg.AntiAnchor,
    "AntiSubspace": lambda row: reg.AntiSubspace(basis=row.unsqueeze(0)),
    "squared": lambda row: reg.AntiAnchor(row, power=2.0),
    "relative": lambda row: reg.AntiSubspace(basis=row.unsqueeze(0), relative=True),
    "Anchor with a cone": lambda row: reg.Anchor(row, within=40),
    "AntiAnchor with a cone": lambda row: reg.AntiAnchor(row, beyond=70),
}
OPTIONS = {
    "plain": {},
    "count": {"reduction": "count"},
    "mask": {"mask": "real"},
    "pooled": {"pool": reg.mean_pool},
    "soft minimum of what counts": {"pool": reg.SoftMinimum(0.1), "mask": "real"},
    "padded": {"ignore_index": -100},
    "padded and masked": {"ignore_index": -100, "mask": "real"},
    "sites": {"at": SITES},
    "shares": {"at": {"first": 0.25, "second": 2.0}},
    "no label": {"label": None},
    "no label, masked": {"label": None, "mask": "real"},
}


class Halved(reg.Anchor):
    """An anchor that is another penalty."""

    def forward(self, z):
        return 0.5 * super().forward(z)


def terms(options, penalty=reg.Anchor, n=FEW):
    rows = torch.randn(n, DIM, generator=torch.Generator().manual_seed(1))
    given = [{"label": f"is {k}", "at": "first", **options} for k in range(n)]
    if options.get("reduction") == "rate":
        given = [{**each, "rate": (k + 1) / n} for k, each in enumerate(given)]
    return [la.Term(f"term {k}", penalty(rows[k]), **each) for k, each in enumerate(given)]


def batch(some_terms, generator, spoil=None):
    """Latents, labels of their own for each direction, and a mask; one line without any label."""
    z = {site: torch.randn(LINES, POSITIONS, DIM, generator=generator) for site in SITES}
    pooled = some_terms[0].pool is not None
    shape = (LINES,) if pooled else (LINES, POSITIONS)
    labels = {t.label: torch.rand(shape, generator=generator) for t in some_terms if t.label}
    mask = torch.rand(LINES, POSITIONS, generator=generator) > 0.3
    mask[1] = False
    for k, label in enumerate(labels.values()):
        label[0] = 0.0
        label[2] *= k % 2
        if some_terms[0].ignore_index is not None:
            label[3] = -100
    if spoil is not None:
        for each in z.values():
            each[0] = spoil
    return z, labels, {"real": mask}


def summed(reductions):
    means = [reg.mean(each.total, each.divisor) for each in reductions]
    return torch.stack([weight * each for weight, each in enumerate(means, 1)]).sum()


def columns(reductions):
    each = [(r.total, r.divisor, r.mass, r.count) for r in reductions]
    return torch.stack([torch.stack(row) for row in each])


def slopes(reductions, z):
    leaves = [z[site] for site in z]
    return torch.autograd.grad(summed(reductions), leaves, materialize_grads=True)


def both(some_terms, z, labels, masks, **options):
    leaves = {site: each.requires_grad_() for site, each in z.items()}
    together = reduce_terms(some_terms, leaves, labels, masks, **options)
    alone = [each.reduce(leaves, labels, masks, **options) for each in some_terms]
    return leaves, together, alone


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES.keys())
def test_many_terms_together_are_what_each_is_alone(penalty, options, generator):
    some = terms(options, penalty)
    leaves, together, alone = both(some, *batch(some, generator))
    torch.testing.assert_close(columns(together), columns(alone))
    torch.testing.assert_close(slopes(together, leaves), slopes(alone, leaves))


def test_each_rate_is_its_own(generator):
    some = terms({"reduction": "rate"})
    _, together, alone = both(some, *batch(some, generator))
    torch.testing.assert_close(columns(together), columns(alone))


@pytest.mark.parametrize("spoil", [torch.nan, torch.inf])
@pytest.mark.parametrize("options", ["plain", "pooled", "padded"])
def test_latents_without_any_label_have_no_say(options, spoil, generator):
    some = terms(OPTIONS[options])
    leaves, together, alone = both(some, *batch(some, generator, spoil))
    assert columns(together).isfinite().all()
    torch.testing.assert_close(columns(together), columns(alone))
    torch.testing.assert_close(slopes(together, leaves), slopes(alone, leaves))


def test_a_value_that_is_not_finite_is_seen_by_the_directions_labeled_there(generator):
    some = terms({})
    z, labels, masks = batch(some, generator)
    z["first"][2] = torch.nan  # labeled for every other direction
    lost = columns(reduce_terms(some, z, labels, masks))[:, 0].isnan()
    assert lost.tolist() == [k % 2 == 1 for k in range(FEW)]


def test_other_labels_give_other_values(generator):
    some = terms({})
    z, labels, masks = batch(some, generator)
    before = columns(reduce_terms(some, z, labels, masks))
    after = columns(reduce_terms(some, z, {**labels, "is 3": labels["is 4"]}, masks))
    assert (before != after).any(-1).tolist() == [k == 3 for k in range(FEW)]


@pytest.mark.parametrize(
    ("n", "options", "alone"),
    [(FEW, {}, 0), (FEW - 1, {}, FEW - 1), (FEW + 1, {"reduction": "count"}, 0)],
)
def test_eight_and_more_of_a_kind_are_computed_together(n, options, alone, generator, monkeypatch):
    called, some = [], terms(options, n=n)
    monkeypatch.setattr(reg.Anchor, "forward", lambda _, z: called.append(z) or z[..., 0])
    reduce_terms(some, *batch(some, generator), look="never")
    assert len(called) == alone


def test_a_penalty_made_of_ours_is_called_itself(generator):
    some = terms({}, Halved)
    _, together, alone = both(some, *batch(some, generator))
    torch.testing.assert_close(columns(together), columns(alone), rtol=0, atol=0)


def test_different_kinds_come_back_in_their_order(generator):
    some = [*terms({}), *terms({"mask": "real"}, reg.AntiAnchor), *terms({}, n=1)][::-1]
    _, together, alone = both(some, *batch(some, generator))
    torch.testing.assert_close(columns(together), columns(alone))


def test_a_wrong_label_is_named(generator):
    some = terms({})
    z, labels, masks = batch(some, generator)
    labels["is 5"][3] = 7.0
    with refuses(ValueError, "is 5"):
        reduce_terms(some, z, labels, masks)
    labels["is 5"] = labels["is 4"][:2]
    with refuses(ValueError, "is 5"):
        reduce_terms(some, z, labels, masks)


def test_half_precision_and_autocast_cost_no_digits(generator):
    some = terms({})
    z, labels, masks = batch(some, generator)
    z = {site: each.bfloat16() for site, each in z.items()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, together, alone = both(some, z, labels, masks)
    torch.testing.assert_close(columns(together), columns(alone), rtol=1e-5, atol=1e-5)


def test_mapped_over_runs_each_gets_its_own(generator):
    some = terms({"pool": reg.mean_pool, "mask": "real"})
    runs = [batch(some, generator) for _ in range(3)]
    mask = runs[0][2]
    stacked = torch.stack([z["first"] for z, *_ in runs])
    labels = {name: torch.stack([given[name] for _, given, _ in runs]) for name in runs[0][1]}

    def loss(z, given):
        return summed(reduce_terms(some, {"first": z}, given, mask))

    for k, (z, given, _) in enumerate(runs):
        alone = grad(loss)(z["first"], given)
        torch.testing.assert_close(vmap(grad(loss))(stacked, labels)[k], alone)


def test_an_objective_shows_each_part(generator):
    some = terms({})
    z, labels, _ = batch(some, generator)
    objective = la.Objective(some)
    output = objective(z, labels, {each.name: 0.1 * k for k, each in enumerate(some)})
    alone = columns([each.reduce(z, labels) for each in some])
    assert [*output] == [each.name for each in some]
    torch.testing.assert_close(torch.stack([part.mass for part in output.values()]), alone[:, 2])
    means = alone[:, 0] / alone[:, 1]
    torch.testing.assert_close(torch.stack([part.mean for part in output.values()]), means)
    torch.testing.assert_close(output.total, (0.1 * torch.arange(FEW) * means).sum())
