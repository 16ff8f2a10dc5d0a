import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.regularizers import (
    Anchor,
    AntiAnchor,
    EuclideanAnchor,
    anchor,
    anti_anchor,
    check,
    euclidean_anchor,
    orthonormal_directions,
)

angle = st.floats(0, 2 * math.pi)
length = st.floats(1e-3, 1e3)
RED = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)


def pointing(theta, radius=1.0):
    """A vector in the plane of the first two axes, theta away from RED."""
    return radius * torch.tensor([math.cos(theta), math.sin(theta), 0, 0], dtype=torch.float64)


@given(theta=angle, radius=length, other=length)
def test_an_anchor_is_one_less_the_cosine_of_the_angle_whatever_the_lengths(theta, radius, other):
    value = anchor(pointing(theta, radius), other * RED)
    assert value.item() == pytest.approx(1 - math.cos(theta), abs=1e-12)


def test_only_what_points_exactly_along_is_at_the_anchor():
    z = torch.stack([pointing(0.0, 3.0), pointing(0.01), pointing(math.pi)])
    assert anchor(z, RED)[0] == 0
    assert (anchor(z, RED)[1:] > 0).all()


@pytest.mark.parametrize("scale", [1e-6, 0.3, 7.0])
def test_an_anchor_is_never_below_0_however_it_rounds(scale, generator):
    directions = torch.randn(200, 4, generator=generator)
    values = torch.stack([anchor(scale * v, v) for v in directions])
    assert values.min() >= 0


def test_an_anchor_turns_latents_and_never_stretches_them(generator):
    z = torch.randn(8, 4, generator=generator, dtype=torch.float64).requires_grad_()
    (force,) = torch.autograd.grad(anchor(z, RED).sum(), z)
    torch.testing.assert_close((force * z).sum(-1), torch.zeros(8, dtype=torch.float64))
    assert ((z - 0.1 * force) @ RED > z @ RED).all()


@given(theta=angle)
def test_an_empty_direction_costs_only_on_its_own_side(theta):
    expected = max(0.0, math.cos(theta))
    assert anti_anchor(pointing(theta), RED).item() == pytest.approx(expected, abs=1e-12)


@given(theta=angle, power=st.floats(1, 4))
def test_a_power_of_it_pushes_slight_alignments_less(theta, power):
    z = pointing(theta)
    found = anti_anchor(z, RED, power=power)
    assert found.item() == pytest.approx(max(0.0, math.cos(theta)) ** power, abs=1e-12)
    torch.testing.assert_close(AntiAnchor(RED, power=power)(z), found)


@pytest.mark.parametrize("power", [0.5, math.nan])
def test_a_power_below_1_is_refused(power):
    with refuses(ValueError, "power is (0.5; expected at least 1|nan)"):
        anti_anchor(RED, RED, power=power)
    with refuses(ValueError, "power is (0.5; expected at least 1|nan)"):
        AntiAnchor(RED, power=power)


def test_what_faces_away_is_not_pushed():
    z = torch.stack([pointing(1.0), pointing(2.0), pointing(4.0)]).requires_grad_()
    (force,) = torch.autograd.grad(anti_anchor(z, RED).sum(), z)
    assert force.any(-1).tolist() == [True, False, False]


@given(theta=angle, degrees=st.floats(0, 180))
def test_a_cone_is_free_of_charge_and_its_edge_is_where_the_pull_begins(theta, degrees):
    beside = math.cos(math.radians(degrees)) - math.cos(theta)
    z = pointing(theta)
    assert anchor(z, RED, within=degrees).item() == pytest.approx(max(0, beside), abs=1e-12)
    assert anti_anchor(z, RED, beyond=degrees).item() == pytest.approx(max(0, -beside), abs=1e-12)


@pytest.mark.parametrize("module", [Anchor(RED, within=40), AntiAnchor(RED, beyond=70)])
def test_with_a_cone_the_promises_of_the_family_are_kept(module):
    check(module.float(), dim=4)


def test_inside_of_a_cone_nothing_pulls():
    z = torch.stack([pointing(0.6), pointing(0.8), pointing(2.0)]).requires_grad_()
    (pull,) = torch.autograd.grad(Anchor(RED, within=40)(z).sum(), z)
    (push,) = torch.autograd.grad(AntiAnchor(RED, beyond=40)(z).sum(), z)
    assert pull.any(-1).tolist() == [False, True, True]
    assert push.any(-1).tolist() == [True, False, False]


def test_an_angle_that_is_assigned_counts():
    z, near, far = torch.tensor([3.0, 2.0]), Anchor([1.0, 0.0]), AntiAnchor([1.0, 0.0])
    near.within = far.beyond = 45
    assert near(z) == Anchor([1.0, 0.0], within=45)(z) == 0
    assert far(z) == AntiAnchor([1.0, 0.0], beyond=45)(z)
    assert near.has_cone is far.has_cone is True


def test_cones_are_said_and_have_angles():
    up = [1.0, 0.0]
    assert repr(Anchor(up, within=40)) == "Anchor(1, 0, within=40)"
    assert repr(AntiAnchor(up, beyond=70)) == "AntiAnchor(1, 0, beyond=70)"
    assert (repr(Anchor(up)), repr(AntiAnchor(up))) == ("Anchor(1, 0)", "AntiAnchor(1, 0)")
    for degrees in (-1, 181, math.nan):
        with refuses(ValueError, "within is .*; expected"):
            Anchor(up, within=degrees)
        with refuses(ValueError, "beyond is .*; expected"):
            AntiAnchor(up, beyond=degrees)


@pytest.mark.parametrize("penalty", [anchor, anti_anchor])
def test_at_the_origin_nothing_is_pulled_anywhere(penalty):
    z = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    (force,) = torch.autograd.grad(penalty(z, RED), z)
    assert not force.any()


@pytest.mark.parametrize(
    ("module", "function"),
    [(Anchor, anchor), (AntiAnchor, anti_anchor), (EuclideanAnchor, euclidean_anchor)],
)
def test_a_module_is_its_function_with_the_vector_carried_along(module, function, generator):
    z, vector = torch.randn(5, 4, generator=generator), torch.tensor([3.0, 0.0, -4.0, 0.0])
    penalty = module(vector)
    torch.testing.assert_close(penalty(z), function(z, vector))
    again = module([0.0, 1.0, 0.0, 0.0])
    again.load_state_dict(penalty.state_dict())
    assert torch.equal(again(z), penalty(z))


def test_a_direction_is_made_unit_and_a_point_is_kept():
    assert Anchor([3.0, 4.0]).direction.tolist() == pytest.approx([0.6, 0.8])
    assert EuclideanAnchor([3.0, 4.0]).point.tolist() == [3.0, 4.0]
    assert repr(EuclideanAnchor([3.0, 4.5])) == "EuclideanAnchor(3, 4.5)"


def test_the_tensor_a_module_was_made_from_may_change_afterwards():
    vector = torch.tensor([1.0, 0.0])
    penalty = EuclideanAnchor(vector)
    vector[0] = 7.0
    assert penalty.point.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("module", [Anchor, AntiAnchor])
def test_a_direction_that_points_nowhere_is_refused(module):
    with refuses(ValueError, "points nowhere; expected a vector other than zero"):
        module([0.0, 0.0])


@pytest.mark.parametrize("module", [Anchor, AntiAnchor, EuclideanAnchor])
def test_latents_of_another_width_and_integer_latents_are_refused(module):
    with refuses(ValueError, rf"{module.__name__} was made for 2 .* shape \(4, 3\)"):
        module([1.0, 0.0])(torch.zeros(4, 3))
    with refuses(TypeError, "type torch.int64; expected floating point"):
        module([1.0, 0.0])(torch.zeros(4, 2, dtype=torch.int64))


def test_a_euclidean_anchor_pulls_neighbors_inward():
    z = pointing(1.0).requires_grad_()
    (force,) = torch.autograd.grad(euclidean_anchor(z, RED), z)
    assert (z - 0.1 * force).norm() < z.norm()


@given(theta=angle, radius=length)
def test_a_euclidean_anchor_obeys_the_law_of_cosines(theta, radius):
    expected = radius**2 + 1 - 2 * radius * math.cos(theta)
    value = euclidean_anchor(pointing(theta, radius), RED)
    assert value.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_point_may_be_the_origin():
    assert EuclideanAnchor([0.0, 0.0])(torch.tensor([3.0, 4.0])) == 25


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@given(dim=st.integers(1, 12), fewer=st.integers(0, 11), seed=st.integers(0, 2**32))
def test_directions_have_length_one_and_stand_at_right_angles(dim, fewer, seed):
    n = max(1, dim - fewer)
    rows = orthonormal_directions(n, dim, seeded(seed))
    torch.testing.assert_close(rows @ rows.mT, torch.eye(n), rtol=0, atol=1e-6)


def test_the_same_generator_gives_the_same_directions_and_another_gives_others():
    first, again, other = (orthonormal_directions(2, 4, seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_no_orientation_is_preferred():
    firsts = torch.stack([orthonormal_directions(2, 3, seeded(seed)) for seed in range(1000)])
    assert firsts.mean(0).abs().max() < 0.06
    assert (firsts.square().mean(0) - 1 / 3).abs().max() < 0.03


def test_more_directions_than_dimensions_are_refused():
    with refuses(ValueError, "3 directions at right angles were asked for in 2 dimensions"):
        orthonormal_directions(3, 2, seeded(0))


@pytest.mark.parametrize(("n", "dim"), [(0, 3), (1, 0)])
def test_no_directions_and_no_dimensions_are_refused(n, dim):
    with refuses(ValueError, "is 0; expected at least 1"):
        orthonormal_directions(n, dim, seeded(0))
