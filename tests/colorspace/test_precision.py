"""What every function of colors or hues promises of half precision, and of NaN."""

import inspect
import math

import pytest
import torch
from colors import BACK, THERE, argument
from refusals import refuses

from latent_anchors import colorspace
from latent_anchors.colorspace import rgb_grid, rgb_to_lab, rgb_to_oklab
from latent_anchors.colorspace._precision import HALF, ratio, root, turns

MADE = {"HsvGrid", "hsv_grid", "rgb_grid", "rgb_midpoints", "named_colors", "hue_of"}
"""What makes colors, or tells names of them, and is given none."""

PER_CHANNEL = {"rgb_to_linear", "linear_to_rgb"}
"""Where a channel depends on no other one, as in colour-science."""

GRID = torch.cat([rgb_grid(3), torch.tensor([[0.25] * 3, [1 / 255] * 3, [1 / 255, 0, 0]])])
OTHERS = GRID.flip(0)


def hues_of(rgb):
    return colorspace.rgb_to_hsv(rgb)[:, 0]


CONVERSIONS = (THERE | BACK).items()


def two_hues(rgb):
    return hues_of(rgb)[:, None] * torch.tensor([1.0, 0.7])


# By name: the function, with whatever else it needs, and what it is given of colors in RGB.
TRIED = {
    **{
        name: (function, lambda rgb, name=name: (argument(name, rgb),))
        for name, function in (THERE | BACK).items()
    },
    "delta_e_76": (colorspace.delta_e_76, lambda rgb: (rgb_to_lab(rgb), rgb_to_lab(OTHERS))),
    "delta_e_2000": (colorspace.delta_e_2000, lambda rgb: (rgb_to_lab(rgb), rgb_to_lab(OTHERS))),
    "delta_e_ok": (colorspace.delta_e_ok, lambda rgb: (rgb_to_oklab(rgb), rgb_to_oklab(OTHERS))),
    "hsv_similarity": (colorspace.hsv_similarity, lambda rgb: (rgb, OTHERS)),
    "hue_degree": (lambda rgb: colorspace.hue_degree(rgb, hue=0.4), lambda rgb: (rgb,)),
    "vibrancy": (colorspace.vibrancy, lambda rgb: (rgb,)),
    "grayness": (colorspace.grayness, lambda rgb: (rgb,)),
    "hue_difference": (colorspace.hue_difference, lambda rgb: (hues_of(rgb), hues_of(OTHERS))),
    "hue_distance": (colorspace.hue_distance, lambda rgb: (hues_of(rgb), hues_of(OTHERS))),
    "hue_mean": (
        colorspace.hue_mean,
        lambda rgb: (two_hues(rgb), rgb[:, :2] + 0.1),
    ),
    "hue_between": (lambda hue: colorspace.hue_between(hue, 0.1, 0.4), lambda rgb: (hues_of(rgb),)),
}
every_one = pytest.mark.parametrize("name", TRIED)
continuous = pytest.mark.parametrize("name", sorted({*TRIED} - {"hue_between"}))
in_half = pytest.mark.parametrize("dtype", sorted(HALF, key=str), ids=str)


def test_every_function_of_colors_or_hues_is_tried():
    public = {name: getattr(colorspace, name) for name in colorspace.__all__}
    functions = {name for name, value in public.items() if callable(value)}
    assert functions - MADE == set(TRIED)
    assert all(inspect.signature(public[name]).parameters for name in TRIED)


@every_one
@in_half
def test_half_precision_gives_what_float32_does_rounded_once(name, dtype):
    function, given = TRIED[name]
    halves = [x.to(dtype) for x in given(GRID)]
    found, wanted = function(*halves), function(*(x.float() for x in halves))
    if wanted.is_floating_point():
        wanted = wanted.to(dtype)
        # a hue that rounding moves onto a whole turn is 0 again, a difference of 1/2 is -1/2
        wanted = torch.where(found == wanted - 1, found, wanted)
    assert (found.dtype, torch.equal(found, wanted)) == (wanted.dtype, True)


@continuous
@pytest.mark.parametrize("dtype", [*sorted(HALF, key=str), torch.float32, torch.float64], ids=str)
def test_a_color_with_a_channel_that_is_nan_has_nothing_else(name, dtype):
    function, given = TRIED[name]
    arguments = [x.to(dtype) for x in given(GRID)]
    clean = function(*arguments)
    for which, x in enumerate(arguments):
        for channel in range(x.shape[-1] if x.ndim > 1 else 1):
            spoiled = [each.clone() for each in arguments]
            (spoiled[which][0] if x.ndim > 1 else spoiled[which])[channel] = math.nan
            found = function(*spoiled)
            missing = found[0].isnan()
            assert bool(missing.all()) if name not in PER_CHANNEL else int(missing.sum()) == 1
            torch.testing.assert_close(found[1:], clean[1:], rtol=0, atol=0)


@continuous
@in_half
def test_slopes_in_half_precision_are_finite(name, dtype):
    function, given = TRIED[name]
    arguments = [x.detach().to(dtype).requires_grad_() for x in given(GRID)]
    for part in function(*arguments).reshape(len(GRID), -1).unbind(-1):
        slopes = torch.autograd.grad(part.sum(), arguments, retain_graph=True)
        assert all(bool(slope.isfinite().all()) for slope in slopes)
        assert {slope.dtype for slope in slopes} == {dtype}


@in_half
@pytest.mark.parametrize("space", ["oklab", "oklch", "lab", "lch", "xyz", "hsv", "hsl", "linear"])
def test_there_and_back_in_half_precision_costs_no_more_than_its_digits(space, dtype):
    rgb = GRID.to(dtype)
    again = BACK[f"{space}_to_rgb"](THERE[f"rgb_to_{space}"](rgb))
    torch.testing.assert_close(again, rgb, rtol=0, atol=24 * torch.finfo(dtype).eps)


@in_half
def test_hues_and_differences_that_rounding_moves_out_of_their_range_come_back(dtype):
    nearly_red = torch.tensor([[1.0, 0.0, 2.0**-14]]).to(dtype)
    assert colorspace.rgb_to_hsv(nearly_red)[0, 0] == 0
    assert colorspace.hue_mean(torch.tensor([1 - 2.0**-14, 2.0**-14]).to(dtype)) < 1
    a, b = torch.tensor([2.0**-14, 0.5]).to(dtype)
    assert colorspace.hue_difference(b, a) == -0.5


def test_a_color_that_is_infinitely_light_is_not_alike():
    gray, light = torch.tensor([[50.0, 0.0, 0.0], [math.inf, 0.0, 0.0]])
    assert not colorspace.delta_e_2000(gray, light).isfinite()
    assert colorspace.delta_e_76(gray, light) == math.inf


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
@in_half
def test_mapping_and_forward_mode_see_the_same_function(dtype):
    rgb = GRID[1:].to(dtype)
    assert torch.equal(torch.func.vmap(rgb_to_oklab)(rgb), rgb_to_oklab(rgb))
    _, slope = torch.func.jvp(rgb_to_oklab, (rgb,), (torch.ones_like(rgb),))
    assert slope.isfinite().all()


def test_mixed_precisions_give_the_finer_one():
    single, half = GRID, GRID.half()
    assert colorspace.hsv_similarity(half, single).dtype == torch.float32
    assert colorspace.hsv_similarity(colors=half, concept=half).dtype == torch.float16


TAKES_COLORS = [getattr(colorspace, name) for name in colorspace.__all__ if "_to_" in name] + [
    colorspace.vibrancy,
    colorspace.grayness,
    lambda colors: colorspace.hue_degree(colors, 0.5),
]


@pytest.mark.parametrize("function", TAKES_COLORS)
def test_channels_that_are_not_last_are_refused(function):
    with refuses(ValueError, r"shape \(3, 8\); expected three channels last.*movedim"):
        function(torch.zeros(3, 8))


@pytest.mark.parametrize("function", TAKES_COLORS)
def test_whole_numbers_are_refused(function):
    with refuses(TypeError, r"torch.uint8; expected floats from 0 to 1.*Divide"):
        function(torch.zeros(8, 3, dtype=torch.uint8))


def test_a_ratio_to_almost_nothing_is_nothing():
    b = torch.tensor([0.0, 1e-9, -4.0], requires_grad=True)
    quotient = ratio(torch.tensor([1.0, 1.0, 1.0]), b)
    quotient.sum().backward()
    assert quotient.tolist() == [0, 0, -0.25]
    assert b.grad.tolist() == [0, 0, -1 / 16]


def test_a_root_of_what_is_not_positive_is_nothing():
    x = torch.tensor([-1.0, 0.0, 4.0], requires_grad=True)
    root(x).sum().backward()
    assert root(x).tolist() == [0, 0, 2]
    assert x.grad.tolist() == [0, 0, 0.25]


def test_turns_never_reach_a_whole_one():
    x = torch.tensor([-1e-9, 1.0, 2.75, -0.25])
    assert turns(x).tolist() == [0, 0, 0.75, 0.75]
