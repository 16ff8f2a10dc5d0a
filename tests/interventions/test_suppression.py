import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.interventions import Suppression, bounded_falloff, suppress

RED = torch.tensor([1.0, 2.0, -2.0, 0.0], dtype=torch.float64) / 3
vectors = st.lists(st.floats(-10, 10), min_size=4, max_size=4)


@pytest.fixture
def z(generator):
    return torch.randn(32, 4, generator=generator, dtype=torch.float64)


@given(vector=vectors, strength=st.floats(0, 1))
def test_what_is_along_the_direction_shrinks_and_the_rest_is_spared(vector, strength):
    z = torch.tensor(vector, dtype=torch.float64)
    along, after = z @ RED, suppress(z, RED, strength=strength)
    kept = 1 - strength if along > 1e-9 else 1.0
    torch.testing.assert_close(after @ RED, kept * along, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(after - (after @ RED) * RED, z - along * RED, rtol=1e-6, atol=1e-8)


def test_the_concept_is_there_before_and_gone_after(z):
    along = z @ RED
    after = suppress(z, RED) @ RED
    assert (along > 0).any()
    torch.testing.assert_close(after, along.clamp_max(0))


def test_what_points_away_is_untouched_bit_for_bit(z):
    away = z[z @ RED < 0]
    assert torch.equal(suppress(away, RED), away)
    assert not torch.equal(suppress(-away, RED), -away)


def test_at_strength_0_nothing_happens(z):
    assert torch.equal(suppress(z, RED, threshold=-1.0, strength=0.0), z)


def test_the_cone_begins_just_above_the_threshold():
    around = torch.tensor([59.9, 60.1], dtype=torch.float64).deg2rad()
    z = torch.stack([around.cos(), around.sin()], -1)
    after = suppress(z, torch.tensor([1.0, 0.0]), threshold=0.5)
    assert (after != z).any(-1).tolist() == [True, False]


def test_exactly_on_the_threshold_nothing_happens():
    right_angle = torch.tensor([0.0, 3.0])
    assert torch.equal(suppress(right_angle, torch.tensor([1.0, 0.0])), right_angle)


@given(degrees=st.floats(0, 89), power=st.floats(0.5, 5))
def test_a_power_takes_out_the_share_that_the_falloff_says(degrees, power):
    theta = math.radians(degrees)
    z = torch.tensor([math.cos(theta), math.sin(theta)], dtype=torch.float64)
    after = suppress(z, torch.tensor([1.0, 0.0]), power=power)
    share = bounded_falloff(z[0], power=power)
    torch.testing.assert_close(after[0], (1 - share) * z[0])


@pytest.mark.parametrize("shape", [(4,), (1, 4), (2, 3, 4), (0, 4)])
def test_leading_axes_are_free(shape, generator):
    z = torch.randn(shape, generator=generator)
    one_by_one = [suppress(row, RED) for row in z.reshape(-1, 4)]
    torch.testing.assert_close(
        suppress(z, RED), torch.stack(one_by_one).reshape(shape) if one_by_one else z
    )


@pytest.mark.parametrize("power", [0.0, 0.5, 2.0])
def test_gradients_are_finite_on_the_direction_across_it_and_at_the_origin(power):
    z = torch.stack([RED, -RED, torch.zeros_like(RED), torch.eye(4, dtype=RED.dtype)[3]])
    z.requires_grad_()
    (slope,) = torch.autograd.grad(suppress(z, RED, power=power).sum(), z)
    assert slope.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_the_type_of_the_latents_is_kept(dtype, z):
    assert Suppression(RED)(z.to(dtype)).dtype == dtype


def test_autocast_costs_no_digits(z):
    z = z.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = suppress(z, RED)
    assert torch.equal(under, suppress(z, RED))


def test_the_latents_given_are_left_alone(z):
    before = z.clone()
    Suppression(RED)(z)
    assert torch.equal(z, before)


def test_it_maps_over_latents_and_over_strengths(z):
    mapped = torch.func.vmap(lambda one: suppress(one, RED))(z)
    torch.testing.assert_close(mapped, suppress(z, RED))
    strengths = torch.tensor([0.0, 0.3, 1.0])
    each = torch.func.vmap(lambda s: suppress(z, RED, strength=s))(strengths)
    expected = [suppress(z, RED, strength=s) for s in strengths]
    torch.testing.assert_close(each, torch.stack(expected))


def test_the_module_is_the_function(z):
    mute = Suppression(3 * RED, threshold=0.2, strength=0.7, power=1.5)
    torch.testing.assert_close(mute(z), suppress(z, RED, 0.2, 0.7, 1.5))
    assert repr(mute) == "Suppression(threshold=0.2, strength=0.7, power=1.5)"


def test_suppressing_twice_is_suppressing_once(z):
    torch.testing.assert_close(suppress(suppress(z, RED), RED), suppress(z, RED))


def test_settings_out_of_range_are_refused():
    with refuses(ValueError, "threshold is 1.5; expected a number from -1.0 to 1.0"):
        Suppression([1.0, 0.0], threshold=1.5)
    with refuses(ValueError, "strength is 2.0; expected a number from 0.0 to 1.0"):
        Suppression([1.0, 0.0], strength=2.0)
    with refuses(ValueError, "points nowhere"):
        Suppression([0.0, 0.0])


def test_latents_of_another_width_are_refused():
    with refuses(ValueError, r"Suppression was made for 2 .* shape \(5, 3\)"):
        Suppression([1.0, 0.0])(torch.zeros(5, 3))
