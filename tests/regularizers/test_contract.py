"""Every member keeps what the family promises, and whoever breaks a promise is reported which."""

from functools import partial

import pytest
import torch
from poolings import POOLINGS
from refusals import refuses, unchecked

from latent_anchors import regularizers as reg
from latent_anchors.regularizers._contract import OF_PENALTIES, OF_SET_PENALTIES

DIRECTION = torch.tensor([0.3, -2.0, 0.5, 1.0])
BASIS = reg.orthonormal_directions(2, 4, torch.Generator().manual_seed(5))
PENALTIES = {
    "anchor": partial(reg.anchor, direction=DIRECTION),
    "anti_anchor": partial(reg.anti_anchor, direction=DIRECTION),
    "euclidean_anchor": partial(reg.euclidean_anchor, point=DIRECTION),
    "unit_norm": reg.unit_norm,
    "subspace": partial(reg.subspace, basis=BASIS),
    "anti_subspace": partial(reg.anti_subspace, basis=BASIS),
    "squared anti_anchor": partial(reg.anti_anchor, direction=DIRECTION, power=2.0),
    "relative subspace": partial(reg.subspace, basis=BASIS, relative=True),
    "relative anti_subspace": partial(reg.anti_subspace, basis=BASIS, relative=True),
    "Anchor": reg.Anchor([0.0, 1.0, 0.0, 0.0]),
    "AntiAnchor": reg.AntiAnchor([0.0, 1.0, 0.0, 0.0]),
    "EuclideanAnchor": reg.EuclideanAnchor([0.0, 1.0, 0.0, 0.0]),
    "Subspace": reg.Subspace(dims=(0, 2)),
    "AntiSubspace": reg.AntiSubspace(basis=BASIS),
}
SET_PENALTIES = {
    "separation": reg.separation,
    "euclidean_separation": reg.euclidean_separation,
    "Separation": reg.Separation(power=7.0),
    "EuclideanSeparation": reg.EuclideanSeparation(),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_every_penalty_keeps_its_promises(name):
    reg.check(PENALTIES[name], dim=4)


@pytest.mark.parametrize("name", SET_PENALTIES)
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_every_set_penalty_keeps_its_promises(name, dim):
    reg.check(SET_PENALTIES[name], dim, set_penalty=True)


def test_no_member_of_the_room_is_forgotten():
    other = {"check", "mean", "orthonormal_directions", "reduce_terms"}
    other |= {"Penalty", "Pooling", "Reduction", "Term"}
    named = {name.split()[-1] for name in PENALTIES}
    assert {*named, *SET_PENALTIES, *POOLINGS} == {*reg.__all__} - other


def full(z):
    return z if z.dtype == torch.float64 else z.float()


def length_by_square_root(z):
    return full(z).square().sum(-1).sqrt()


def half_stays_half(z):
    return z.square().sum(-1)


def multiplies_under_autocast(z):
    z = full(z)
    return (z @ z.new_ones(z.shape[-1])).to(z).square()


def writes(z):
    z.detach().mul_(2.0)
    return reg.unit_norm(z)


def decides_by_value(z):
    return reg.unit_norm(z) if z.sum() > 0 else reg.unit_norm(-z)


def sees_all_sets(z, mask=None):
    if mask is not None:
        return reg.separation(z, mask=mask)
    return reg.separation(z.flatten(0, -2)).reshape(z.shape[:-1])


def prefers_odd_places(z, mask=None):
    place = torch.arange(z.shape[-2]) if mask is None else mask.cumsum(-1) - 1
    return reg.separation(z, mask=mask) * (1 + place % 2)


def grows_with_the_set(z, mask=None):
    others = z.shape[-2] - 1 if mask is None else mask.sum(-1, keepdim=True) - 1
    return reg.separation(z, mask=mask) * others


def sees_itself(z, mask=None):
    return reg.separation(z, mask=mask) + (1.0 if mask is None else mask.to(z))


def is_harmed_by_nan(z):
    return reg.unit_norm(z) + 0.0 * full(z).sum()


def multiplies_by_the_mask(z, mask=None):
    z = full(z)
    counts = z.new_ones(z.shape[:-1]) if mask is None else mask.to(z)
    near = 1 / (1 + (z.unsqueeze(-2) - z.unsqueeze(-3)).square().sum(-1))
    pairs = counts.unsqueeze(-2) * counts.unsqueeze(-1) * (1 - torch.eye(z.shape[-2]))
    return (near * pairs).sum(-1) / (counts.sum(-1, keepdim=True) - 1).clamp_min(1)


def counts_everybody(z, mask=None):
    if mask is None:
        return reg.separation(z)
    return reg.separation(z, mask=mask) * (mask.sum(-1, keepdim=True) - 1) / (z.shape[-2] - 1)


def sees_who_is_outside(z, mask=None):
    return reg.separation(z) * (1 if mask is None else mask)


def values_who_is_outside(z, mask=None):
    return reg.separation(z, mask=mask) + (0.0 if mask is None else (~mask).to(z))


BROKEN = {
    "one number per sample, whatever the leading axes": lambda z: reg.unit_norm(z).unsqueeze(-1),
    "never below 0": lambda z: -reg.unit_norm(z),
    "finite everywhere, and so is the gradient": length_by_square_root,
    "a gradient reaches the latents": lambda z: reg.unit_norm(z.detach()),
    "half precision is made full": half_stays_half,
    "autocast costs no digits": multiplies_under_autocast,
    "float64 stays float64": lambda z: reg.unit_norm(z.float()),
    "the latents are left as they were": writes,
    "no control flow depends on values": decides_by_value,
    "samples never interact": lambda z: reg.unit_norm(full(z) - full(z).mean(0)),
    "sets never interact": sees_all_sets,
    "shuffling the set shuffles the values": prefers_odd_places,
    "the size of the set does not change the scale": grows_with_the_set,
    "one member alone gives 0": sees_itself,
    "what a mask excludes has no influence": sees_who_is_outside,
}
COUPLED = {promise.says for promise in OF_SET_PENALTIES} - {
    promise.says for promise in OF_PENALTIES
}


def complaints(function, set_penalty):
    with pytest.raises(ValueError, match="breaks promises") as refused:
        reg.check(function, dim=4, set_penalty=set_penalty)
    return [line.removeprefix("- ").split(":")[0] for line in str(refused.value).splitlines()[1:]]


@pytest.mark.parametrize("promise", BROKEN)
def test_one_broken_promise_is_reported_alone(promise):
    assert complaints(BROKEN[promise], set_penalty=promise in COUPLED) == [promise]


def test_below_0_next_to_the_origin_alone_is_noticed():
    def dips(z):
        square = full(z).square().sum(-1)
        return 100 * square * (square - 0.01)

    assert complaints(dips, set_penalty=False) == ["never below 0"]


def test_every_promise_has_somebody_who_breaks_it():
    assert {promise.says for promise in (*OF_PENALTIES, *OF_SET_PENALTIES)} == {*BROKEN}


def test_several_broken_promises_are_reported_together():
    found = complaints(lambda z: -z.float().square().sum(-1), set_penalty=False)
    assert found == ["never below 0", "float64 stays float64"]


def test_a_sample_that_is_nan_must_harm_no_other():
    with refuses(ValueError, "samples never interact: one that was NaN or infinite changed"):
        reg.check(is_harmed_by_nan, dim=4)


def test_a_set_penalty_taken_for_a_penalty_is_not_let_through():
    assert complaints(reg.Separation(power=1.0), set_penalty=False) == ["samples never interact"]


def test_a_penalty_taken_for_a_set_penalty_is_not_let_through():
    assert complaints(reg.unit_norm, set_penalty=True) == [
        "one member alone gives 0",
        "what a mask excludes has no influence",
    ]


@pytest.mark.parametrize(
    ("set_penalty", "words"),
    [
        (lambda z: reg.separation(z), "unexpected keyword argument 'mask'. Take mask=None"),
        (multiplies_by_the_mask, "do not count gave another value or gradient than 0"),
        (counts_everybody, "those that count gave other values .* number of others that count"),
        (sees_who_is_outside, "do not count gave another value or gradient than 0"),
        (values_who_is_outside, "do not count gave another value or gradient than 0"),
    ],
)
def test_it_is_said_how_a_mask_is_not_heeded(set_penalty, words):
    with refuses(ValueError, f"what a mask excludes has no influence: .*{words}"):
        reg.check(set_penalty, dim=4, set_penalty=True)


def explodes_next_to_the_origin(z):
    square = full(z).square().sum(-1)
    return torch.where(square > 0, 1 / torch.where(square > 0, square, 1.0), 0.0)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        (explodes_next_to_the_origin, "next to the origin"),
        (lambda z: z[..., 0].abs().rsqrt(), "at the origin"),
        (lambda z: torch.acos(reg.anchor(z, torch.eye(4)[0]) - 1.0), "on an axis"),
    ],
)
def test_it_is_said_where_numbers_are_not_finite(values, where):
    with refuses(ValueError, f"gradients fail: .*'{where}'"):
        reg.check(values, dim=4)


def test_the_mean_over_a_batch_of_one_is_no_excuse():
    def divides_by_others(z, mask=None):
        others = z.shape[-2] - 1
        return reg.separation(z, mask=mask) * max(others, 1) / (others or float("nan"))

    with refuses(ValueError, "values fail: 'in a batch of one'"):
        reg.check(divides_by_others, dim=4, set_penalty=True)


@pytest.mark.parametrize(
    ("error", "reported"),
    [(KeyError("no rows. And so on"), "KeyError: 'no rows"), (AssertionError(), "AssertionError")],
)
def test_an_error_on_the_way_breaks_the_promise_and_is_reported(error, reported):
    def no_vectors(z):
        if z.ndim == 1:
            raise error
        return reg.unit_norm(z)

    with refuses(ValueError, f"samples never interact: it stopped with {reported}."):
        reg.check(no_vectors, dim=4)


def test_the_penalty_is_called_by_its_name():
    with refuses(ValueError, "^writes breaks promises of a penalty:"):
        reg.check(writes, dim=4)
    with refuses(ValueError, r"^Separation\(power=100\) breaks"):
        reg.check(reg.Separation(), dim=4)


def test_latents_of_the_wrong_width_are_the_penaltys_own_business():
    with refuses(ValueError, "Anchor was made for 2 latent dimensions"):
        reg.check(reg.Anchor([1.0, 0.0]), dim=3)


def test_dimensions_are_counted():
    with refuses(TypeError, "dim is 2.5"):
        reg.check(reg.unit_norm, dim=2.5)


def test_checking_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    reg.check(reg.unit_norm, dim=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_checking_is_as_strict_where_gradients_are_off():
    with torch.no_grad():
        reg.check(reg.unit_norm, dim=3)
        assert complaints(length_by_square_root, set_penalty=False) == [
            "finite everywhere, and so is the gradient"
        ]


FUNCTIONS = ["anchor", "anti_anchor", "euclidean_anchor", "subspace", "anti_subspace"]


@pytest.mark.parametrize("name", [*FUNCTIONS, "separation", "euclidean_separation"])
def test_functions_refuse_integers_as_modules_do(name):
    penalty = (PENALTIES | SET_PENALTIES)[name]
    with unchecked(), refuses(TypeError, "given latents of type torch.int64; expected floating"):
        penalty(torch.tensor([[3, 4, 0, 1]]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_vector_of_another_width_is_not_stretched(name):
    one = torch.ones(1, 1) if name.endswith("subspace") else torch.ones(1)
    with unchecked(), refuses(ValueError, "made for 1 latent dimensions and was given latents"):
        getattr(reg, name)(torch.ones(2, 3), one)


def test_functions_refuse_settings_that_their_modules_refuse():
    with refuses(ValueError, "exponent is 0.0; expected at least 1"):
        reg.separation(torch.eye(3), exponent=0.0)
    with refuses(ValueError, "softening is 0.0; expected a squared length above 0"):
        reg.euclidean_separation(torch.eye(3), softening=0.0)
