import colorsys
import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.colorspace import (
    COLOR_NAMES,
    GRAYS,
    HUES,
    hue_between,
    hue_difference,
    hue_distance,
    hue_mean,
    hue_of,
    named_colors,
)

hue = st.floats(0, 1, exclude_max=True)
anything = st.floats(-5, 5)


def turns(x):
    return torch.tensor(x, dtype=torch.float64)


@given(a=anything, b=anything)
def test_hue_distance_never_exceeds_half_a_turn(a, b):
    assert 0 <= hue_distance(turns(a), turns(b)) <= 0.5


@given(a=hue, b=hue)
def test_hue_distance_is_the_shorter_of_the_two_ways_round(a, b):
    expected = min(abs(a - b), 1 - abs(a - b))
    assert hue_distance(turns(a), b).item() == pytest.approx(expected, abs=1e-12)


@given(a=hue, b=hue)
def test_going_the_difference_leads_from_one_hue_to_the_other(a, b):
    way = hue_difference(turns(a), b)
    assert -0.5 <= way < 0.5
    assert hue_distance(b + way, a) < 1e-12


@given(a=anything, b=anything, c=anything)
def test_detours_are_never_shorter(a, b, c):
    a, b, c = turns(a), turns(b), turns(c)
    assert hue_distance(a, c) <= hue_distance(a, b) + hue_distance(b, c) + 1e-12


def test_differences_next_to_nothing_are_not_lost():
    assert hue_difference(torch.tensor(1e-10), 0.0).item() == pytest.approx(1e-10)


@given(low=hue, high=hue, x=hue)
def test_a_hue_lies_between_two_or_on_the_way_back(low, high, x):
    assume(low != high)
    there, back = hue_between(turns(x), low, high), hue_between(turns(x), high, low)
    assert there | back
    assert bool(there & back) == (x in (low, high))


@given(low=hue, high=hue)
def test_both_ends_lie_between(low, high):
    assert hue_between(turns([low, high]), low, high).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_between_a_hue_and_itself_lies_that_hue_alone(dtype):
    around = torch.tensor([i / 12 for i in range(12)], dtype=dtype)
    for i in range(12):
        assert hue_between(around, i / 12, i / 12).nonzero().tolist() == [[i]]


def test_the_whole_circle_is_from_zero_to_one_and_one_is_zero():
    around = torch.arange(8) / 8
    assert hue_between(around, 0.0, 1.0).all()
    assert hue_between(around, 0.75, 1.0).tolist() == [True, *[False] * 5, True, True]


def test_hues_between_may_be_mapped():
    around = torch.arange(8) / 8
    mapped = torch.func.vmap(lambda one: hue_between(one, 0.75, 0.25))(around)
    assert torch.equal(mapped, hue_between(around, 0.75, 0.25))


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.5), (0.5, 30.0), (math.nan, 0.5)])
def test_ends_in_degrees_are_refused(low, high):
    with refuses(ValueError, r"(low|high) is .*; expected a number from 0.0 to 1.0"):
        hue_between(torch.zeros(1), low, high)


@given(x=hue, spread=st.floats(0, 0.2))
def test_the_mean_lies_halfway_even_across_red(x, spread):
    mean = hue_mean(turns([x - spread, x + spread]))
    assert 0 <= mean < 1
    assert hue_distance(mean, x) < 1e-9


@given(x=hue, by=hue)
def test_turning_all_hues_turns_their_mean(x, by):
    hues = turns([x, x + 0.1, x + 0.15])
    assert hue_distance(hue_mean(hues + by), hue_mean(hues) + by) < 1e-9


def test_weights_pull_the_mean_and_those_without_weight_do_not():
    hues = turns([[0.0, 0.25], [0.5, 0.25]])
    weights = turns([[1.0, 3.0], [0.0, 2.0]])
    expected = turns([math.atan2(3, 1) / math.tau, 0.25])
    torch.testing.assert_close(hue_mean(hues, weights), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_hues_that_cancel_have_no_mean_and_no_gradient(dtype):
    hues = torch.tensor([[0.1, 0.6], [0.0, 0.1]], dtype=dtype, requires_grad=True)
    mean = hue_mean(hues)
    mean.sum().backward()
    assert mean.isnan().tolist() == [True, False]
    assert hues.grad[0].tolist() == [0, 0]
    assert hues.grad.isfinite().all()


def test_nothing_with_weight_has_no_mean():
    assert hue_mean(torch.tensor([0.1, 0.2]), torch.zeros(2)).isnan()


def test_the_hues_go_round_in_equal_steps_from_red():
    assert [hue_of(name) for name in HUES] == [i / 12 for i in range(12)]


def test_every_second_hue_is_a_corner_of_the_cube_and_every_fourth_a_primary():
    assert [*HUES][::4] == ["red", "green", "blue"]
    assert [*HUES][::2] == ["red", "yellow", "green", "cyan", "blue", "magenta"]
    corners = named_colors(*[*HUES][::2])
    assert torch.equal(corners, corners.round())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_named_colors_are_exact(dtype):
    hues = [[round(2 * x) / 2 for x in colorsys.hsv_to_rgb(hue, 1, 1)] for hue in HUES.values()]
    grays = [[value] * 3 for value in GRAYS.values()]
    assert named_colors(*COLOR_NAMES, dtype=dtype).tolist() == hues + grays


def test_the_default_dtype_is_that_of_torch():
    assert named_colors("red").dtype == torch.get_default_dtype()


def test_no_names_are_no_colors():
    assert named_colors().shape == (0, 3)


def test_a_name_that_is_no_hue_is_refused_with_the_nearest():
    with refuses(ValueError, r"Unknown hue 'purpel'; expected one of 'red', .*'rose'\."):
        hue_of("purpel")
    with refuses(ValueError, "Did you mean 'violet'"):
        hue_of("violett")
    with refuses(ValueError, "Unknown hue 'gray'"):
        hue_of("gray")


def test_a_name_that_is_no_color_is_refused_with_the_nearest():
    with refuses(ValueError, "Unknown color 'light gray'.*Did you mean 'light_gray'"):
        named_colors("red", "light gray")


def test_names_cannot_be_overwritten():
    with pytest.raises(TypeError):
        HUES["red"] = 0.5
