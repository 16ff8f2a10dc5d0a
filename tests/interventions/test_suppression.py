import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.interventions import BoundedFalloff, Suppression, constant_falloff, suppress

RED = torch.tensor([1.0, 2.0, -2.0, 0.0], dtype=torch.float64) / 3
vectors = st.lists(st.floats(-10, 10), min_size=4, max_size=4)


@pytest.fixture
def z(generator):
    return torch.randn(32, 4, generator=generator, dtype=torch.float64)


@given(vector=vectors, strength=st.floats(0, 1))
def test_the_component_along_the_direction_shrinks_and_the_rest_is_unchanged(vector, strength):
    z = torch.tensor(vector, dtype=torch.float64)
    along, after = z @ RED, suppress(z, RED, strength=strength)
    kept = 1 - strength if along > 1e-9 else 1.0
    torch.testing.assert_close(after @ RED, kept * along, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(after - (after @ RED) * RED, z - along * RED, rtol=1e-6, atol=1e-8)


def test_the_concept_can_be_read_before_and_not_after(z):
    along = z @ RED
    after = suppress(z, RED) @ RED
    assert (along > 0).any()
    torch.testing.assert_close(after, along.clamp_max(0))


def test_latents_that_point_away_are_unchanged_bit_for_bit(z):
    away = z[z @ RED < 0]
    assert torch.equal(suppress(away, RED), away)
    assert not torch.equal(suppress(-away, RED), -away)


def test_the_cone_begins_just_above_the_threshold():
    around = torch.tensor([59.9, 60.1], dtype=torch.float64).deg2rad()
    z = torch.stack([around.cos(), around.sin()], -1)
    after = suppress(z, torch.tensor([1.0, 0.0]), BoundedFalloff(0.5))
    assert (after != z).any(-1).tolist() == [True, False]


def test_exactly_on_the_threshold_nothing_happens():
    right_angle = torch.tensor([0.0, 3.0])
    assert torch.equal(suppress(right_angle, torch.tensor([1.0, 0.0])), right_angle)


@given(degrees=st.floats(0, 89), power=st.floats(0.5, 5))
def test_the_falloff_is_the_fraction_removed(degrees, power):
    theta = math.radians(degrees)
    z = torch.tensor([math.cos(theta), math.sin(theta)], dtype=torch.float64)
    falloff = BoundedFalloff(power=power)
    after = suppress(z, torch.tensor([1.0, 0.0]), falloff)
    share = falloff(z[0])
    torch.testing.assert_close(after[0], (1 - share) * z[0])


def test_with_a_constant_falloff_it_is_directional_ablation(z):
    torch.testing.assert_close(suppress(z, RED, constant_falloff) @ RED, torch.zeros_like(z[:, 0]))
    assert (suppress(z, RED) @ RED < -0.1).any()


def test_it_works_under_vmap_over_strengths(z):
    strengths = torch.tensor([0.0, 0.3, 1.0])
    each = torch.func.vmap(lambda s: suppress(z, RED, strength=s))(strengths)
    expected = [suppress(z, RED, strength=s) for s in strengths]
    torch.testing.assert_close(each, torch.stack(expected))
    broadcast = suppress(z.expand(3, 32, 4), RED, strength=strengths.unsqueeze(-1))
    torch.testing.assert_close(broadcast, torch.stack(expected))


def test_the_module_equals_the_function(z):
    mute = Suppression(3 * RED, BoundedFalloff(0.2, 1.5), strength=0.7)
    torch.testing.assert_close(mute(z), suppress(z, RED, BoundedFalloff(0.2, 1.5), 0.7))
    assert repr(mute) == (
        "Suppression(falloff=BoundedFalloff(threshold=0.2, power=1.5), strength=0.7)"
    )
    assert (
        repr(Suppression(RED, constant_falloff))
        == "Suppression(falloff=constant_falloff, strength=1)"
    )


def test_suppressing_twice_is_suppressing_once(z):
    torch.testing.assert_close(suppress(suppress(z, RED), RED), suppress(z, RED))


def test_the_zero_vector_is_refused():
    with refuses(ValueError, "points nowhere"):
        Suppression([0.0, 0.0])
