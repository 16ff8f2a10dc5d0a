"""What every color difference promises; distances in particular."""

import colour
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import delta_e_76, delta_e_2000, delta_e_ok, rgb_grid, rgb_to_lab

every_difference = pytest.mark.parametrize("delta_e", [delta_e_76, delta_e_ok, delta_e_2000])
lab = st.tuples(st.floats(0, 100), st.floats(-110, 110), st.floats(-110, 110))


@every_difference
@given(one=lab, two=lab)
def test_difference_is_symmetric_and_nothing_only_between_equals(delta_e, one, two):
    one, two = torch.tensor([one, two], dtype=torch.float64)
    torch.testing.assert_close(delta_e(one, two), delta_e(two, one), rtol=1e-6, atol=1e-9)
    assert delta_e(one, one) == 0
    if (one - two).abs().max() > 1e-3:
        assert delta_e(one, two) > 0


@every_difference
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_between_equals_and_between_grays(delta_e, dtype):
    colors = rgb_to_lab(rgb_grid(3, dtype=dtype))
    one, two = (pair.clone().requires_grad_() for pair in (colors[:, None], colors[None]))
    differences = delta_e(one, two)
    differences.sum().backward()
    assert differences.dtype == dtype
    assert one.grad.isfinite().all()
    assert two.grad.isfinite().all()


@every_difference
def test_gradients_are_the_slopes(delta_e, generator):
    one, two = 40 * torch.rand(2, 6, 3, dtype=torch.float64, generator=generator) + 10
    assert torch.autograd.gradcheck(delta_e, (one.requires_grad_(), two.requires_grad_()))


@every_difference
def test_differences_may_be_mapped_and_broadcast(delta_e):
    colors = rgb_to_lab(rgb_grid(3, dtype=torch.float64))
    table = delta_e(colors[:, None], colors[None])
    mapped = torch.func.vmap(lambda one: delta_e(one, colors))(colors)
    torch.testing.assert_close(mapped, table)


def test_the_difference_of_1976_agrees_with_colour_science(generator):
    one, two = 100 * torch.rand(2, 500, 3, dtype=torch.float64, generator=generator)
    expected = colour.delta_E(one.numpy(), two.numpy(), method="CIE 1976")
    torch.testing.assert_close(delta_e_76(one, two), torch.from_numpy(expected), atol=1e-6, rtol=0)


@given(one=lab, two=lab)
def test_the_difference_in_oklab_is_the_distance(one, two):
    one, two = torch.tensor([one, two], dtype=torch.float64)
    torch.testing.assert_close(delta_e_ok(one, two), torch.dist(one, two))


def oracle(one, two):
    return torch.from_numpy(colour.delta_E(one.numpy(), two.numpy(), method="CIE 2000"))


@pytest.mark.parametrize("nearness", [1.0, 0.1, 1e-3])
def test_ciede2000_agrees_with_colour_science(nearness, generator):
    scale, offset = torch.tensor([100.0, 220.0, 220.0]), torch.tensor([0.0, -110.0, -110.0])
    one, two = scale * torch.rand(2, 2000, 3, dtype=torch.float64, generator=generator) + offset
    two = one + nearness * (two - one)
    torch.testing.assert_close(delta_e_2000(one, two), oracle(one, two), atol=1e-6, rtol=0)


def test_grays_and_opposite_hues_agree_too():
    """Where the mean hue is decided: no hue at all, nearly opposite ones, and across red."""
    one = [[50.0, 0, 0], [50, 2.5, 0], [50, 2.49, -0.001], [50, 2.49, -0.001], [60, 30, -1]]
    two = [[50.0, -1, 2], [50, 0, 0], [50, -2.49, 0.0009], [50, -2.49, 0.0011], [60, 30, 1]]
    one, two = torch.tensor([one, two], dtype=torch.float64)
    torch.testing.assert_close(delta_e_2000(one, two), oracle(one, two), atol=1e-6, rtol=0)


def test_near_mid_gray_it_is_close_to_the_distance():
    gray = torch.tensor([50.0, 0.0, 0.0], dtype=torch.float64)
    lighter = gray + torch.tensor([1e-4, 0.0, 0.0])
    torch.testing.assert_close(
        delta_e_2000(gray, lighter), delta_e_76(gray, lighter), rtol=1e-3, atol=0
    )


def test_vivid_colors_may_differ_more_before_it_shows():
    step = torch.tensor([0.0, 5.0, 0.0])
    gray, vivid = torch.tensor([[50.0, 0.0, 0.0], [50.0, 60.0, 0.0]])
    assert delta_e_2000(vivid, vivid + step) < delta_e_2000(gray, gray + step) / 2
