import inspect
import math

import pytest
import torch
from refusals import refuses, unchecked
from torch import nn

import latent_anchors as la
from latent_anchors import interventions
from latent_anchors.interventions import (
    Amplification,
    BezierMapper,
    BoundedFalloff,
    Composition,
    ConeFalloff,
    EditModule,
    Erasure,
    NormKeeping,
    Projection,
    Redirection,
    Repulsion,
    Steering,
    Suppression,
    ZeroAblation,
    intervene,
)
from latent_anchors.models import Population

Z = torch.tensor([[3.0, 4.0], [-3.0, 4.0]])
RED = [1.0, 2.0, -2.0, 0.0]  # off every axis, of length 3
GRAY = [0.0, 2.0, 1.0, 2.0]
NARROW = BoundedFalloff(threshold=0.5, power=1.5)
CONE = ConeFalloff(inner=10.0, outer=30.0)
EDITS = {
    "suppression": Suppression(RED),
    "narrow suppression": Suppression(RED, NARROW),
    "suppression in a cone": Suppression(RED, CONE, strength=0.8),
    "repulsion": Repulsion(RED),
    "curved repulsion": Repulsion(RED, BezierMapper(0.3, 0.6, end_slope=0.1), towards=GRAY),
    "projection": Projection([RED]),
    "narrow projection": Projection([RED, GRAY], NARROW),
    "renormalized projection": Projection([RED, GRAY]).keep_norm(),
    "redirection": Redirection(RED, GRAY, NARROW),
    "redirection on an arc": Redirection(RED, GRAY, CONE, path="arc"),
    "redirection to the opposite": Redirection(RED, [-1.0, -2.0, 2.0, 0.0], path="arc"),
    "zeroing": ZeroAblation([0, 2]),
    "steering": Steering(GRAY),
    "amplification": Amplification(RED, 3.0),
    "narrow reflection": Amplification(RED, -1.0, NARROW),
    "amplification that keeps norms": Amplification(RED, 3.0).keep_norm(),
    "narrow steering": Steering(RED, NARROW),
    "erasure": Erasure(torch.tensor([RED]).mT / 9, torch.tensor([RED]), torch.tensor(GRAY)),
    "composition": Suppression(RED, CONE).then(Steering(GRAY, strength=0.5)),
    "longer composition": Repulsion(RED).then(ZeroAblation([3])).then(Projection([GRAY])).at(0.7),
}
members = pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
NEAR_RED = {name: edit for name, edit in EDITS.items() if getattr(edit, "falloff", None) == NARROW}


@pytest.fixture
def z(generator):
    """Latents anywhere, and where an edit may be degenerate."""
    red, gray = torch.tensor(RED), torch.tensor(GRAY)
    special = torch.stack([torch.zeros(4), red, -red, gray, -gray, red / 3, red + 1e-7])
    near = red + 0.5 * torch.randn(16, 4, generator=generator)
    return torch.cat([special, near, torch.randn(16, 4, generator=generator)])


@members
def test_at_strength_0_nothing_happens_and_otherwise_something(edit, z):
    assert torch.equal(edit.at(0.0)(z), z)
    assert not torch.allclose(edit(z), z)


@pytest.mark.parametrize("edit", NEAR_RED.values(), ids=NEAR_RED)
def test_where_the_falloff_is_0_latents_are_unchanged_bit_for_bit(edit):
    away = torch.tensor([[2.0, -1.0, 0.0, 1.0], [9.0, 0.0, 0.0, -1.0], [0.0, 0.0, 0.0, 0.0]])
    assert torch.equal(edit(away), away)
    assert not torch.equal(edit(torch.tensor([RED])), torch.tensor([RED]))


@members
def test_the_given_latents_are_not_modified(edit, z):
    before, state = z.clone(), {k: v.clone() for k, v in edit.state_dict().items()}
    edit(z)
    assert torch.equal(z, before)
    assert all(torch.equal(v, state[k]) for k, v in edit.state_dict().items())


@members
def test_any_leading_axes_work_and_samples_do_not_interact(edit, z):
    one_by_one = torch.stack([edit(row) for row in z])
    torch.testing.assert_close(edit(z), one_by_one)
    torch.testing.assert_close(edit(z[:36].reshape(2, 3, 6, 4)), edit(z[:36]).reshape(2, 3, 6, 4))
    assert edit(z[:0]).shape == (0, 4)


@members
@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_sample_that_is_not_finite_leaves_the_others_bit_for_bit(edit, z, value, strength):
    edit, broken = edit.at(strength), z.clone()
    broken[3, 1] = value
    others = torch.arange(len(z)) != 3
    assert torch.equal(edit(broken)[others], edit(z)[others])


@members
def test_strength_is_a_scalar_tensor(edit):
    assert edit.strength.shape == ()
    assert edit.at(0.5).strength.shape == ()


@members
def test_it_works_under_vmap(edit, z):
    torch.testing.assert_close(torch.vmap(edit)(z), edit(z))


@members
def test_each_run_may_have_its_own_strength(edit, z):
    strengths = [0.0, 0.3, 1.0]
    models = Population.from_models([nn.Sequential(nn.Linear(4, 4)) for _ in strengths])
    z_of_run = models(z)
    with intervene(models, Population.from_models([edit.at(s) for s in strengths]), at="0"):
        edited = models(z)
    expected = [edit.at(s)(one) for s, one in zip(strengths, z_of_run, strict=True)]
    torch.testing.assert_close(edited, torch.stack(expected))


@members
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_single(edit, dtype, z):
    half = z.to(dtype)
    assert edit(half).dtype == dtype
    assert torch.equal(edit(half), edit(half.float()).to(dtype))
    assert torch.equal(edit.at(0.0)(half), half)


@members
def test_double_precision_is_kept(edit, z):
    assert edit(z.double()).dtype == torch.float64
    assert torch.equal(edit.at(0.0)(z.double()), z.double())


@members
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_an_edit_in_half_precision_acts_on_float32_latents(edit, dtype, z):
    half = edit.at(float(edit.strength)).to(dtype)
    assert half(z).dtype == z.dtype
    assert torch.equal(half.at(0.0)(z), z)


@members
def test_autocast_does_not_reduce_precision(edit, z):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = edit(z)
    assert torch.equal(under, edit(z))


@members
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_gradients_are_finite_at_the_origin_and_in_degenerate_cases(edit, strength, z):
    edit = edit.at(strength)
    edit.strength.requires_grad_()
    edit(z.requires_grad_()).square().sum().backward()
    assert z.grad.isfinite().all()
    assert edit.strength.grad.isfinite()


@members
def test_it_is_saved_and_loaded_without_pickle(edit, z, tmp_path):
    la.save(edit, tmp_path)
    again = la.load(tmp_path)
    assert torch.equal(again(z), edit(z))
    assert repr(again) == repr(edit)


@members
def test_it_acts_the_same_when_moved_to_double(edit, z):
    double = edit.at(float(edit.strength)).double()
    clear = z[7:]  # in the special places, what is degenerate depends on the precision
    torch.testing.assert_close(double(clear.double()).float(), edit(clear), rtol=1e-4, atol=1e-5)


PLAIN = [e for e in EDITS.values() if not isinstance(e, Composition | NormKeeping)]


@pytest.mark.parametrize("edit", PLAIN)
def test_latents_of_another_width_and_integers_are_refused(edit):
    name = type(edit).__name__
    with refuses(ValueError, rf"{name} was made for \d .* shape \(5, 2\)"):
        edit(torch.zeros(5, 2))
    with refuses(TypeError, f"{name} was given latents of type torch.int64"):
        edit(torch.zeros(5, 4, dtype=torch.int64))


def test_the_default_strength_is_1():
    members = (getattr(interventions, name) for name in interventions.__all__)
    given = [inspect.signature(m).parameters for m in members if inspect.isroutine(m) or is_edit(m)]
    strengths = [parameters["strength"].default for parameters in given if "strength" in parameters]
    assert len(strengths) >= 15
    assert set(strengths) == {1.0}


def is_edit(member):
    return inspect.isclass(member) and issubclass(member, EditModule)


def test_at_returns_a_copy_with_another_strength():
    mute = Suppression([1.0, 0.0], strength=1.0)
    half = mute.at(0.5)
    assert half(Z).tolist() == [[1.5, 4.0], [-3.0, 4.0]]
    assert mute(Z).tolist() == [[0.0, 4.0], [-3.0, 4.0]]
    assert mute.strength == 1


def test_a_strength_changed_in_place_acts_at_once():
    mute = Suppression([1.0, 0.0])
    mute.strength.fill_(0.0)
    assert torch.equal(mute(Z), Z)


def test_a_strength_is_saved_with_the_edit():
    mute, other = Suppression([1.0, 0.0], strength=0.25), Suppression([0.0, 1.0])
    other.load_state_dict(mute.state_dict())
    assert torch.equal(other(Z), mute(Z))


def test_repr_says_that_strengths_differ_by_run():
    population = Population.from_models([ZeroAblation([0]).at(s) for s in (0.0, 1.0)])
    assert "ZeroAblation(dims=(0,), strength=one per run)" in repr(population)
    assert repr(ZeroAblation([0], strength=0.5)) == "ZeroAblation(dims=(0,), strength=0.5)"


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan])
def test_strengths_outside_of_0_to_1_are_refused(strength):
    with refuses(ValueError, "strength is .*; expected a number from 0.0 to 1.0"):
        Suppression([1.0, 0.0]).at(strength)
    with refuses(ValueError, "strength is .*; expected a number from 0.0 to 1.0"):
        ZeroAblation([0], strength)


def test_then_is_one_edit_after_the_other():
    first, second = Suppression([1.0, 0.0]), Suppression([1.0, 1.0])
    torch.testing.assert_close(first.then(second)(Z), second(first(Z)))
    assert not torch.allclose(first.then(second)(Z), second.then(first)(Z))


def test_the_strength_of_a_composition_scales_that_of_both():
    first, second = Suppression([1.0, 0.0], strength=0.8), Steering([0.0, 2.0])
    both = first.then(second).at(0.5)
    torch.testing.assert_close(both(Z), second.at(0.5)(first.at(0.4)(Z)))


@members
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_with_its_norm_kept_a_latent_has_its_length_and_the_direction_of_the_edited(
    edit, strength, z
):
    kept, plain = edit.keep_norm().at(strength)(z), edit.at(strength * float(edit.strength))(z)
    there = (plain.norm(dim=-1) > 1e-3 * z.norm(dim=-1)) & z.any(-1)
    torch.testing.assert_close(kept.norm(dim=-1)[there], z.norm(dim=-1)[there])
    torch.testing.assert_close(
        nn.functional.normalize(kept[there], dim=-1), nn.functional.normalize(plain[there], dim=-1)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_a_latent_that_is_gone_rounding_is_not_blown_up(dtype):
    red = torch.tensor(RED, dtype=dtype) * torch.logspace(-3, 3, 20, dtype=dtype).unsqueeze(-1)
    after = Projection(RED).keep_norm()(red)
    assert (after.norm(dim=-1) < 1e-5 * red.norm(dim=-1)).all()
    assert not Steering(RED).keep_norm()(torch.zeros(2, 4)).any()


@pytest.mark.parametrize(("epsilons", "length"), [(7.5, 7.5 * 2**-23), (8.5, 1.0)])
def test_what_is_left_of_a_latent_is_rounding_below_eight_machine_epsilons(epsilons, length):
    class Fading(EditModule):
        def _edited(self, z, strength):
            return z * (1 - (1 - epsilons * 2**-23) * strength)

    assert Fading().keep_norm()(torch.tensor([0.0, 1.0])).tolist() == [0.0, length]


def test_a_user_defined_edit_can_be_part_of_a_composition():
    class Negation(EditModule):
        def _edited(self, z, strength):
            return z * (1 - 2 * strength)

    both = Negation(1.0).then(ZeroAblation([0]))
    assert both(Z).tolist() == [[0.0, -4.0], [0.0, -4.0]]
    assert torch.equal(both.at(0.0)(Z), Z)


def test_a_function_without_strength_is_refused_in_a_composition():
    with refuses(TypeError, "neg.* cannot be part of a composition; expected an edit with a stren"):
        Suppression([1.0, 0.0]).then(torch.neg)
    with refuses(TypeError, "neg.* cannot be part of a norm-keeping edit; expected an edit with"):
        NormKeeping(torch.neg)


V = torch.tensor([1.0, 0.0])
FUNCTIONS = {
    "suppress": lambda z, v, b: interventions.suppress(z, v, strength=b),
    "steer": lambda z, v, b: interventions.steer(z, v, strength=b),
    "amplify": lambda z, v, b: interventions.amplify(z, v, 2.0, strength=b),
    "repel": lambda z, v, b: interventions.repel(z, v, strength=b),
    "redirect": lambda z, v, b: interventions.redirect(z, v, v, strength=b),
    "project_out": lambda z, v, b: interventions.project_out(z, v[None], strength=b),
}


@pytest.mark.parametrize("strength", [-0.5, 1.5, float("nan")])
@pytest.mark.parametrize("name", [*FUNCTIONS, "zero_dims"])
def test_functions_refuse_a_strength_out_of_its_range(name, strength):
    act = FUNCTIONS.get(name) or (lambda z, _, b: interventions.zero_dims(z, [0], b))
    with refuses(ValueError, "strength is .*; expected a number from 0.0 to 1.0"):
        act(torch.ones(1, 2), V, strength)
    act(torch.ones(1, 2), V, 0.5)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_refuse_a_vector_of_another_width(name):
    with unchecked(), refuses(ValueError, f"{name} was made for 1 latent dimensions"):
        FUNCTIONS[name](torch.ones(1, 2), V[:1], 1.0)


@pytest.mark.parametrize("share", [1e-5, 1e-7])
def test_what_a_direction_in_double_precision_leaves_is_no_rounding(share):
    v = torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64)
    aside = torch.tensor([2.0, -1.0, 0.0], dtype=torch.float64)
    kept = Projection(v).keep_norm()(v + share * aside)
    assert kept.norm().item() == pytest.approx(3.0)
