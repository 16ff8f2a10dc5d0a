import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors.interventions import ConeFalloff, Redirection, constant_falloff, redirect

RED = torch.tensor([1.0, 2.0, -2.0, 0.0], dtype=torch.float64) / 3
GRAY = torch.tensor([0.0, 2.0, 1.0, 2.0], dtype=torch.float64)
CONE = ConeFalloff(inner=15.0, outer=30.0)


@pytest.fixture
def near(generator):
    return RED + 0.1 * torch.randn(16, 4, generator=generator, dtype=torch.float64)


def test_within_the_cone_everything_lands_on_the_target_exactly():
    within = torch.stack([RED, 5 * RED, RED + 0.01])
    assert torch.equal(redirect(within, RED, GRAY, CONE), GRAY.expand(3, 4))


@given(strength=st.floats(0, 1))
def test_on_a_line_it_goes_a_share_of_the_way(strength):
    after = redirect(RED, RED, GRAY, CONE, strength)
    torch.testing.assert_close(after, (1 - strength) * RED + strength * GRAY)


@given(strength=st.floats(0, 1), length=st.floats(0.01, 100))
def test_on_an_arc_the_angle_to_the_target_shrinks_by_the_share_and_lengths_stay(strength, length):
    z = length * RED
    after = redirect(z, RED, GRAY, CONE, strength, path="arc")
    torch.testing.assert_close(after.norm(), z.norm())
    before, left = (torch.arccos((x @ GRAY / 3 / x.norm()).clamp(-1, 1)) for x in (z, after))
    torch.testing.assert_close(left, (1 - strength) * before, rtol=1e-6, atol=1e-6)


def test_on_an_arc_everything_ends_in_the_direction_of_the_target(near):
    after = redirect(near, RED, GRAY, constant_falloff, path="arc")
    torch.testing.assert_close(after, near.norm(dim=-1, keepdim=True) * GRAY / 3)


def test_the_arc_stays_in_the_plane_of_latent_and_target(near):
    after = redirect(near, RED, GRAY, constant_falloff, 0.5, path="arc")
    planes = torch.stack([near, GRAY.expand_as(near), after], -2)
    assert torch.linalg.matrix_rank(planes, atol=1e-6).max() == 2


def test_the_opposite_of_the_target_goes_by_the_same_way_each_time():
    lengths = torch.logspace(-3, 3, 20, dtype=torch.float64).unsqueeze(-1)
    halfway = redirect(lengths * RED, RED, -RED, strength=0.5, path="arc")
    expected = lengths * torch.tensor([0.0, 0.0, 0.0, 1.0]).double()
    torch.testing.assert_close(halfway, expected, rtol=1e-6, atol=1e-6)


def test_what_is_at_the_target_already_stays():
    for path in ("line", "arc"):
        torch.testing.assert_close(redirect(GRAY, RED, GRAY, constant_falloff, path=path), GRAY)


def test_beyond_the_cone_nothing_moves(near):
    assert torch.equal(redirect(-near, RED, GRAY, CONE), -near)


def test_the_module_is_the_function(near):
    edit = Redirection(3 * RED, GRAY, CONE, 0.7, path="arc")
    torch.testing.assert_close(edit(near), redirect(near, RED, GRAY, CONE, 0.7, "arc"))
    assert repr(edit) == (
        "Redirection(falloff=ConeFalloff(inner=15.0, outer=30.0), path='arc', strength=0.7)"
    )


def test_the_origin_is_a_target_of_a_line_but_not_of_an_arc():
    assert Redirection(RED, [0.0] * 4)(RED).tolist() == [0.0] * 4
    with refuses(ValueError, "points nowhere"):
        Redirection(RED, [0.0] * 4, path="arc")


def test_an_unknown_path_and_targets_elsewhere_are_refused():
    with refuses(ValueError, "Unknown path 'ark'.* Did you mean 'arc'"):
        Redirection(RED, GRAY, path="ark")
    with refuses(ValueError, "Unknown path 'ark'.* Did you mean 'arc'"):
        redirect(RED, RED, GRAY, path="ark")
    with refuses(ValueError, "direction has 4 dimensions and the target has 2; expected the same"):
        Redirection(RED, [1.0, 0.0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_multiples_of_the_direction_all_go_to_the_same_side_on_their_way_to_its_opposite(dtype):
    for seed in range(20):
        v = torch.randn(6, generator=torch.Generator().manual_seed(seed))
        edit = Redirection(v, -v, path="arc", strength=0.5)
        found = edit(torch.linspace(1.0, 2.0, 9).to(dtype)[:, None] * v.to(dtype))
        units = found / found.norm(dim=-1, keepdim=True)
        torch.testing.assert_close(units, units[:1].expand(9, 6), atol=1e-5, rtol=0)


def test_on_a_line_strengths_may_have_more_axes_than_latents(near):
    strengths = torch.linspace(0, 1, 3).double()
    with unchecked():  # of shapes: it has an axis more than the latents
        found = redirect(near, RED, GRAY, constant_falloff, strengths[:, None])
    for k, strength in enumerate(strengths):
        expected = redirect(near, RED, GRAY, constant_falloff, float(strength))
        torch.testing.assert_close(found[k], expected)
