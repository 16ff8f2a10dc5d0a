import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.interventions import BezierMapper, LinearMapper, Repulsion, repel

RED = torch.tensor([1.0, 2.0, -2.0, 0.0], dtype=torch.float64) / 3
MAPPERS = [LinearMapper(), LinearMapper(0.5, 0.8), BezierMapper(0.2, 0.5, end_slope=0.1)]
members = pytest.mark.parametrize("mapper", MAPPERS, ids=str)
vectors = st.lists(st.floats(-10, 10), min_size=4, max_size=4)


@pytest.fixture
def z(generator):
    return torch.randn(64, 4, generator=generator, dtype=torch.float64) + RED


def alignment(z):
    return torch.nn.functional.cosine_similarity(z, RED, dim=-1)


@members
@given(vector=vectors)
def test_lengths_are_kept_and_alignment_follows_the_mapper(mapper, vector):
    z = torch.tensor(vector, dtype=torch.float64)
    if z.norm() > 1e-6:
        after = repel(z, RED, mapper)
        torch.testing.assert_close(after.norm(), z.norm())
        torch.testing.assert_close(alignment(after), mapper(alignment(z)), rtol=1e-6, atol=1e-7)


def test_latents_rotate_in_their_plane_with_the_direction(z):
    after = repel(z, RED)
    normal = torch.stack([z, RED.expand_as(z), after], -2)
    assert torch.linalg.matrix_rank(normal, atol=1e-6).max() == 2
    sides = [x - (x @ RED).unsqueeze(-1) * RED for x in (z, after)]
    assert ((sides[0] * sides[1]).sum(-1) > 0).all()


@members
def test_latents_that_point_away_are_unchanged_bit_for_bit(mapper, z):
    away = z[alignment(z) <= 0]
    assert len(away) > 0
    assert torch.equal(repel(away, RED, mapper), away)
    assert not torch.equal(repel(-away, RED, mapper), -away)


@given(strength=st.floats(0, 1))
def test_strength_is_a_fraction_of_the_change_and_keeps_lengths(strength):
    z = torch.tensor([0.9, 0.3, -0.2, 0.1], dtype=torch.float64)
    full, part = repel(z, RED), repel(z, RED, strength=strength)
    expected = torch.lerp(alignment(z), alignment(full), strength)
    torch.testing.assert_close(alignment(part), expected)
    torch.testing.assert_close(part.norm(), z.norm())


def test_a_fully_aligned_latent_is_rotated_towards_the_given_vector():
    gray = torch.tensor([0.0, 1.0, 1.0, 3.0], dtype=torch.float64)
    after = repel(2 * RED, RED, LinearMapper(ceiling=0.6), towards=gray)
    side = gray - (gray @ RED) * RED
    torch.testing.assert_close(after, 2 * (0.6 * RED + 0.8 * side / side.norm()))
    default = repel(2 * RED, RED, LinearMapper(ceiling=0.6))  # the last axis is farthest from red
    torch.testing.assert_close(default, 2 * (0.6 * RED + 0.8 * torch.eye(4).double()[3]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rounding_does_not_decide_where_a_fully_aligned_latent_goes(dtype):
    red = RED.to(dtype)
    lengths = torch.logspace(-6, 6, 50, dtype=dtype).unsqueeze(-1)
    turned = repel(lengths * red, red) / lengths
    torch.testing.assert_close(turned, turned[:1].expand_as(turned), rtol=1e-4, atol=1e-5)


def test_away_from_full_alignment_it_is_continuous(z):
    step = 1e-7 * torch.ones_like(z)
    torch.testing.assert_close(repel(z + step, RED), repel(z, RED), rtol=0, atol=1e-5)


def test_the_module_equals_the_function(z):
    away = Repulsion(3 * RED, BezierMapper(0.2, 0.5), strength=0.7, towards=[0.0, 0.0, 1.0, 1.0])
    expected = repel(z, RED, BezierMapper(0.2, 0.5), 0.7)
    torch.testing.assert_close(away(z), expected, rtol=1e-6, atol=1e-6)
    assert repr(Repulsion(RED)) == (
        "Repulsion(mapper=LinearMapper(threshold=0.0, ceiling=0.5), strength=1)"
    )


@pytest.mark.parametrize("towards", [[2.0, 0.0], [-1.0, 0.0], [0.0, 1.0, 0.0]])
def test_towards_parallel_to_the_direction_is_refused(towards):
    with refuses(ValueError, r"towards is .*; expected 2 numbers, a vector that is not"):
        Repulsion([1.0, 0.0], towards=towards)


def test_one_dimension_is_refused():
    with refuses(ValueError, "No vector is orthogonal to .* in 1 dimension; .* Use Suppression"):
        Repulsion([1.0])


def test_a_right_angle_is_a_right_angle():
    almost = math.radians(1.0)
    z = torch.tensor([math.cos(almost), math.sin(almost)], dtype=torch.float64)
    after = repel(z, torch.tensor([1.0, 0.0]), LinearMapper(ceiling=1e-12))
    torch.testing.assert_close(after, torch.tensor([0.0, 1.0], dtype=torch.float64))


def test_a_fully_aligned_latent_goes_to_the_chosen_side_in_double_precision_too():
    for seed in range(20):
        v, towards = torch.randn(2, 5, generator=torch.Generator().manual_seed(seed))
        edit = Repulsion(v, towards=towards)
        torch.testing.assert_close(edit(v.double()).float(), edit(v), atol=1e-5, rtol=1e-5)
