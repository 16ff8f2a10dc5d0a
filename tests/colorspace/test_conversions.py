"""What every conversion promises."""

import pytest
import torch
from colors import BACK, SPACES, THERE, argument, hard_colors, same
from hypothesis import given
from hypothesis import strategies as st

channel = st.floats(0, 1)
every_space = pytest.mark.parametrize("space", SPACES)
every_conversion = pytest.mark.parametrize("name", [*THERE, *BACK])
every_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def convert(name, colors):
    return (THERE | BACK)[name](colors)


@every_space
@given(rgb=st.tuples(channel, channel, channel))
def test_there_and_back_again_is_where_one_was(space, rgb):
    rgb = torch.tensor(rgb, dtype=torch.float64)
    again = BACK[f"{space}_to_rgb"](THERE[f"rgb_to_{space}"](rgb))
    torch.testing.assert_close(again, rgb, rtol=0, atol=1e-6)


@every_space
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-3), (torch.float64, 1e-6)])
def test_the_way_back_exists_out_of_gamut_too(space, dtype, atol, generator):
    rgb = 3 * torch.rand(10_000, 3, dtype=dtype, generator=generator) - 1
    again = BACK[f"{space}_to_rgb"](THERE[f"rgb_to_{space}"](rgb))
    torch.testing.assert_close(again, rgb, rtol=0, atol=atol)


@pytest.mark.parametrize("space", ["hsv", "hsl"])
def test_a_hexagon_of_no_height_has_no_way_back(space):
    rgb = torch.tensor([0.0, -0.5, -0.5] if space == "hsv" else [0.5, -0.5, -0.5])
    again = BACK[f"{space}_to_rgb"](THERE[f"rgb_to_{space}"](rgb))
    assert (again - rgb).abs().max() >= 0.5


@every_conversion
@every_dtype
def test_gradients_are_finite_even_on_the_hardest_colors(name, dtype):
    colors = argument(name, hard_colors(dtype)).detach().requires_grad_()
    for channel_of_result in convert(name, colors).unbind(-1):
        (gradient,) = torch.autograd.grad(channel_of_result.sum(), colors, retain_graph=True)
        assert gradient.isfinite().all()


@pytest.mark.parametrize(("space", "hue"), [("hsv", 0), ("hsl", 0), ("lch", 2), ("oklch", 2)])
@every_dtype
def test_grays_have_hue_zero_and_their_hue_does_not_move(space, hue, dtype):
    grays = torch.linspace(-0.5, 1.5, 101, dtype=dtype)[:, None].repeat(1, 3).requires_grad_()
    hues = THERE[f"rgb_to_{space}"](grays)[:, hue]
    (gradient,) = torch.autograd.grad(hues.sum(), grays)
    assert not hues.any()
    assert not gradient.any()


@every_conversion
def test_gradients_are_the_slopes(name, generator):
    rgb = torch.rand(8, 3, dtype=torch.float64, generator=generator)
    colors = argument(name, rgb).detach().requires_grad_()
    assert torch.autograd.gradcheck((THERE | BACK)[name], colors)


@every_conversion
@every_dtype
def test_one_color_at_a_time_and_mapped_give_the_same(name, dtype):
    colors = argument(name, hard_colors(dtype))
    together = convert(name, colors)
    mapped = torch.func.vmap((THERE | BACK)[name])(colors)
    same(mapped, together)
    assert together.dtype == dtype


@every_conversion
def test_leading_axes_are_free(name):
    colors = argument(name, hard_colors(torch.float64)[:24])
    torch.testing.assert_close(
        convert(name, colors.reshape(2, 3, 4, 3)), convert(name, colors).reshape(2, 3, 4, 3)
    )


@every_conversion
def test_the_colors_given_are_left_alone(name):
    colors = argument(name, hard_colors(torch.float32))
    before = colors.clone()
    convert(name, colors)
    assert torch.equal(colors, before)


@every_conversion
def test_autocast_costs_no_digits(name):
    colors = argument(name, hard_colors(torch.float32))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = convert(name, colors)
    same(under, convert(name, colors))
