import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.colorspace import (
    HUES,
    grayness,
    hsv_to_rgb,
    hue_degree,
    named_colors,
    rgb_grid,
    rgb_to_hsv,
    vibrancy,
)

share = st.floats(0, 1)


def test_redness_is_the_formula_to_the_last_bit():
    r, g, b = rgb_grid(8).unbind(-1)
    assert torch.equal(hue_degree(rgb_grid(8), 0.0), r * (1 - g / 2 - b / 2))


@pytest.mark.parametrize("concept", HUES)
def test_every_hue_sees_its_neighbors_as_red_sees_its_own(concept):
    around = [(HUES[concept] + i / 12) % 1 for i in range(12)]
    colors = hsv_to_rgb(torch.tensor([[hue, 1, 1] for hue in around], dtype=torch.float64))
    expected = [1, 0.75, 0.5, 0.25, 0, 0, 0, 0, 0, 0.25, 0.5, 0.75]
    degrees = hue_degree(colors, HUES[concept])
    torch.testing.assert_close(degrees, degrees.new_tensor(expected))


@pytest.mark.parametrize("concept", HUES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_named_hue_has_itself_exactly_once_in_full(concept, dtype):
    degrees = hue_degree(named_colors(*HUES, dtype=dtype), HUES[concept])
    assert (degrees == 1).tolist() == [name == concept for name in HUES]


@pytest.mark.parametrize("concept", HUES)
def test_grays_have_a_little_of_every_hue_but_black_and_white_none(concept):
    grays = named_colors("black", "gray", "white")
    assert hue_degree(grays, HUES[concept]).tolist() == [0, 0.25, 0]


def test_greenness_exchanges_channels(generator):
    r, g, b = torch.rand(100, 3, generator=generator, dtype=torch.float64).unbind(-1)
    greenness = hue_degree(torch.stack((r, g, b), -1), 1 / 3)
    torch.testing.assert_close(greenness, g * (1 - r / 2 - b / 2))


@given(rgb=st.tuples(share, share, share), hue=st.floats(-2, 2))
def test_degrees_lie_between_none_and_all(rgb, hue):
    colors = torch.tensor(rgb)
    for degree in (hue_degree(colors, hue), vibrancy(colors), grayness(colors)):
        assert 0 <= degree <= 1


@given(rgb=st.tuples(share, share, share))
def test_vibrancy_is_saturation_times_value_and_grayness_the_rest(rgb):
    colors = torch.tensor(rgb, dtype=torch.float64)
    _, saturation, value = rgb_to_hsv(colors)
    torch.testing.assert_close(vibrancy(colors), saturation * value)
    torch.testing.assert_close(vibrancy(colors) + grayness(colors), colors.new_ones(()))


@pytest.mark.parametrize("degree", [lambda c: hue_degree(c, 0.1), vibrancy, grayness])
def test_degrees_have_finite_gradients_where_hue_has_none(degree):
    colors = torch.cat([rgb_grid(3), torch.tensor([[-0.2, 0.3, 1.4], [1.5, 1.5, 1.5]])])
    colors.requires_grad_()
    degree(colors).sum().backward()
    assert colors.grad.isfinite().all()


def test_degrees_may_be_mapped():
    colors = rgb_grid(3)
    mapped = torch.func.vmap(lambda color: hue_degree(color, 0.1))(colors)
    torch.testing.assert_close(mapped, hue_degree(colors, 0.1))


def test_a_hue_that_is_no_number_is_refused():
    with refuses(ValueError, "hue is nan; expected a finite number"):
        hue_degree(torch.zeros(3), math.nan)
