"""What a mask excludes has no influence: for every penalty, set penalty and pooling in a term."""

import math

import pytest
import torch
from poolings import POOLINGS
from refusals import refuses
from regularizers.test_contract import PENALTIES, SET_PENALTIES

from latent_anchors.regularizers import Separation, Term, mean_pool, unit_norm

EVERY = {**PENALTIES, **SET_PENALTIES}
RAGGED = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 0, 1, 0, 1]]).bool()
Z = torch.randn(4, 5, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
SOFT = torch.rand(4, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
SPOILS = (math.nan, math.inf, -1e200)


def spoiled(given, inside, by):
    return given.masked_fill(~inside.reshape(*inside.shape, *[1] * (given.ndim - inside.ndim)), by)


def outcome(term, z, labels=None, masks=None):
    """What a term comes to, and its gradient."""
    z = z.clone().requires_grad_()
    reduced = term.reduce({"latent": z}, labels or {}, masks)
    (slope,) = torch.autograd.grad(reduced.total, z)
    return [*vars(reduced).values()], slope


def unmoved(term, inside, labels=None, masks=None):
    """Whether what lies outside changes nothing, and receives exactly no gradient."""
    plain, slope = outcome(term, Z, labels, masks)
    assert slope[inside].any() or plain[0] == 0  # nothing pulls where all is well
    for by in SPOILS:
        found, found_slope = outcome(term, spoiled(Z, inside, by), labels, masks)
        if not all(map(torch.equal, [*found, found_slope], [*plain, slope])):
            return False
    return not slope[~inside].any()


@pytest.mark.parametrize("set_axis", ["batch", "position"])
@pytest.mark.parametrize("name", EVERY)
def test_latents_outside_of_a_mask(name, set_axis):
    term = Term("it", EVERY[name], mask="there", set_axis=set_axis)
    assert unmoved(term, RAGGED, masks={"there": RAGGED})


@pytest.mark.parametrize("name", EVERY)
def test_latents_whose_label_is_to_be_ignored(name):
    term = Term("it", EVERY[name], label="red", ignore_index=-100)
    assert unmoved(term, RAGGED, {"red": SOFT.masked_fill(~RAGGED, -100)})


@pytest.mark.parametrize("pool", POOLINGS)
@pytest.mark.parametrize("name", ["Anchor", "Separation"])
def test_positions_that_are_not_pooled(name, pool):
    term = Term("it", EVERY[name], mask="there", pool=POOLINGS[pool], label="red")
    labels = {"red": torch.tensor([1.0, 0.5, 1.0, 0.25]).double()}
    assert unmoved(term, RAGGED, labels, {"there": RAGGED})


@pytest.mark.parametrize("pool", [None, *POOLINGS])
@pytest.mark.parametrize("name", PENALTIES)
def test_latents_that_are_not_labeled(name, pool):
    lines = torch.tensor([1.0, 0.0, 0.0, 0.5]).double()
    label = lines.unsqueeze(-1).expand(4, 5) if pool is None else lines
    term = Term("it", PENALTIES[name], label="red", pool=pool and POOLINGS[pool])
    assert unmoved(term, (lines > 0).unsqueeze(-1).expand(4, 5), {"red": label})


def test_an_unlabeled_member_of_a_set_penalty_is_seen_all_the_same():
    label = {"red": torch.tensor([1.0, 1.0, 0.0, 0.0]).double()}
    term, apart = Term("it", Separation(power=2.0), label="red"), Z[:, 0]
    without = Term("it", Separation(power=2.0)).reduce({"latent": apart[:2]}, {}).total
    assert not torch.isclose(term.reduce({"latent": apart}, label).total, without)


@pytest.mark.parametrize("name", SET_PENALTIES)
def test_masked_members_are_no_neighbors_of_lines_of_any_length(name):
    by_position = Term("it", SET_PENALTIES[name], set_axis="position").values({"latent": Z}, RAGGED)
    by_batch = Term("it", SET_PENALTIES[name]).values({"latent": Z}, RAGGED)
    for line, inside in enumerate(RAGGED):
        alone = SET_PENALTIES[name](Z[line, inside])
        torch.testing.assert_close(by_position[line, inside], alone)
    for position, inside in enumerate(RAGGED.mT):
        alone = SET_PENALTIES[name](Z[inside, position])
        torch.testing.assert_close(by_batch[inside, position], alone)
    assert not by_position[~RAGGED].any()
    assert not by_batch[~RAGGED].any()


def test_labels_outside_of_a_mask_may_be_anything():
    term = Term("it", unit_norm, label="red", mask="there")
    plain = outcome(term, Z, {"red": SOFT}, {"there": RAGGED})
    for by in (*SPOILS, -100.0):
        found = outcome(term, Z, {"red": spoiled(SOFT, RAGGED, by)}, {"there": RAGGED})
        assert torch.equal(torch.stack(found[0]), torch.stack(plain[0]))


def test_lines_without_a_position_may_have_any_label():
    term = Term("it", unit_norm, label="red", mask="there", pool=mean_pool)
    labels = torch.tensor([1.0, 1.0, math.nan, 1.0])
    total = outcome(term, Z, {"red": labels}, {"there": RAGGED})[0]
    assert total[3] == total[2] == 3


def test_ignoring_a_label_is_masking_it():
    label = SOFT.masked_fill(~RAGGED, -100)
    ignoring = Term(
        "it", Separation(power=2.0), set_axis="position", label="red", ignore_index=-100
    )
    masking = Term("it", Separation(power=2.0), set_axis="position", label="red", mask="there")
    one = outcome(ignoring, Z, {"red": label})
    other = outcome(masking, Z, {"red": label}, {"there": RAGGED})
    torch.testing.assert_close(one, other)
    both = Term(
        "it",
        Separation(power=2.0),
        set_axis="position",
        label="red",
        ignore_index=-100,
        mask="there",
    )
    more = torch.arange(5).expand(4, 5) > 0
    fewer = outcome(masking, Z, {"red": SOFT}, {"there": more & RAGGED})
    torch.testing.assert_close(outcome(both, Z, {"red": label}, {"there": more}), fewer)


def test_ignored_lines_are_no_neighbors_where_positions_are_pooled():
    kept = torch.tensor([True, True, False, True])
    label = torch.tensor([1.0, 0.5, -100.0, 0.25]).double()
    term = Term("it", Separation(power=2.0), label="red", ignore_index=-100, pool=mean_pool)
    whole = term.reduce({"latent": Z}, {"red": label})
    part = term.reduce({"latent": Z[kept]}, {"red": label[kept]})
    torch.testing.assert_close([*vars(whole).values()], [*vars(part).values()])


@pytest.mark.parametrize("reduction", ["mass", "count"])
def test_mapped_over_runs_it_is_the_same(reduction):
    term = Term("it", Separation(power=2.0), label="red", mask="there", reduction=reduction)

    def slope(z, label, mask):
        return torch.func.grad(
            lambda z: term.reduce({"latent": z}, {"red": label}, {"there": mask}).total
        )(z)

    z, masks = torch.stack([Z, spoiled(Z, RAGGED, math.nan)]), torch.stack([RAGGED, RAGGED])
    labels = torch.stack([SOFT, spoiled(SOFT, RAGGED, -100.0)])
    one, other = torch.vmap(slope)(z, labels, masks)
    torch.testing.assert_close(one, outcome(term, Z, {"red": SOFT}, {"there": RAGGED})[1])
    assert torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.bfloat16, torch.float64])
def test_labels_of_any_type_that_say_the_same_do_the_same(dtype):
    term = Term("it", unit_norm, label="red")
    plain = term.reduce({"latent": Z.float()}, {"red": RAGGED.float()})
    found = term.reduce({"latent": Z.float()}, {"red": RAGGED.to(dtype)})
    assert torch.equal(torch.stack([*vars(found).values()]), torch.stack([*vars(plain).values()]))


def test_arrays_of_numpys_are_labels_and_masks():
    term = Term("it", unit_norm, label="red", mask="there")
    plain = term.reduce({"latent": Z}, {"red": SOFT}, {"there": RAGGED}).total
    for mask in (RAGGED.numpy(), RAGGED.long().numpy()):
        assert term.reduce({"latent": Z}, {"red": SOFT.numpy()}, {"there": mask}).total == plain


def crowded(z):
    return Separation(power=1.0)(z)


def dilutes(values, mask):
    return (values if mask is None else values * mask).mean(-1)


def leaks(values, _):
    return values.mean(-1)


def centered(z):
    return unit_norm(z - z.mean(-2, keepdim=True))


def decorrelated(z):
    """The sign of the others makes no difference."""
    u = unit_norm_of(z)
    return ((u @ u.mT).square().sum(-1) - 1) / max(z.shape[-2] - 1, 1)


def unit_norm_of(z):
    return z / z.square().sum(-1, keepdim=True).sqrt()


def of_one_length(z):
    """Their direction makes none, either."""
    lengths = z.square().sum(-1)
    return (lengths - lengths.mean(-1, keepdim=True)).square()


@pytest.mark.parametrize("set_penalty", [crowded, centered, decorrelated, of_one_length])
def test_a_set_penalty_that_cannot_leave_members_out_is_refused_where_some_do_not_count(
    set_penalty,
):
    assert Term("it", set_penalty).reduce({"latent": Z}, {}).total > 0
    for options in ({"label": "red"}, {"mask": "red"}, {"mask": "red", "set_axis": "position"}):
        with refuses(
            ValueError, "Term 'it': its penalty compares samples and cannot leave any out"
        ):
            Term("it", set_penalty, **options).reduce(
                {"latent": Z}, {"red": RAGGED}, {"red": RAGGED}
            )
    with refuses(ValueError, "Term 'it': its penalty compares samples"):
        Term("it", set_penalty).values({"latent": Z}, RAGGED)


@pytest.mark.parametrize("pool", [leaks, dilutes])
def test_a_pooling_that_sees_what_does_not_count_is_refused(pool):
    with refuses(ValueError, "Term 'it': its pooling sees positions that do not count"):
        Term("it", unit_norm, mask="there", pool=pool).reduce({"latent": Z}, {}, {"there": RAGGED})
    label = {"red": torch.ones(4)}
    assert Term("it", unit_norm, label="red", pool=pool).reduce({"latent": Z}, label).mass == 4


def test_it_is_tried_once_and_with_one_sample_not_at_all():
    calls = []

    def counted(z):
        calls.append(tuple(z.shape))
        return unit_norm(z)

    term = Term("it", counted, label="red")
    term.reduce({"latent": Z[:1, 0]}, {"red": torch.ones(1)})
    assert len(calls) == 1
    for _ in range(2):
        term.reduce({"latent": Z}, {"red": SOFT})
    tried = 4  # made-up sets
    assert len(calls) == 1 + tried + 1 + 1
