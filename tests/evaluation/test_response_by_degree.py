import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors.colorspace import hue_degree
from latent_anchors.evaluation import (
    DegreeBin,
    is_monotone_decreasing,
    response_by_degree,
    wilson_interval,
)
from latent_anchors.testbed import MixingLanguage

answers = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40)


@given(answers)
def test_every_answer_is_counted_once_and_shares_are_those_of_a_loop(answers):
    right, degree = (torch.tensor(column) for column in zip(*answers, strict=True))
    response = response_by_degree(right, degree)
    assert sum(part.n for part in response) == len(answers)
    for part in response:
        inside = [ok for ok, d in answers if part.low <= d + 1e-6 * (d < 1) < part.high + (d == 1)]
        if part.n and len(inside) == part.n:
            assert part.share == pytest.approx(sum(inside) / len(inside))


def test_a_degree_at_the_end_of_a_bin_belongs_to_the_next_and_1_to_the_last():
    degree = torch.arange(11) / 10
    for dtype in (torch.float32, torch.float64):
        response = response_by_degree(torch.ones(11, dtype=torch.bool), degree.to(dtype))
        assert [part.n for part in response] == [1] * 9 + [2]


def test_runs_are_counted_together_with_the_interval_of_a_share():
    right = torch.tensor([[True, True], [False, True], [False, True]])
    low, high = response_by_degree(right, torch.tensor([0.1, 0.9]), bins=2)
    assert (low.n, high.n) == (3, 3)
    assert (low.share, high.share) == (pytest.approx(1 / 3), 1.0)
    assert high.ci95 == wilson_interval(1.0, 3)


def test_an_empty_bin_has_neither_share_nor_interval():
    _, empty = response_by_degree(torch.tensor([True]), torch.tensor([0.1]), bins=2)
    assert empty == DegreeBin(0.5, 1.0, 0, None, None)


def responses(*shares, n=1000):
    """Bins of these shares."""
    return tuple(
        DegreeBin(0.1 * k, 0.1 * k + 0.1, n, share, wilson_interval(share, n))
        for k, share in enumerate(shares)
    )


def test_a_response_that_falls_never_rises_and_its_reverse_does():
    falling = responses(1.0, 0.9, 0.5, 0.0)
    assert is_monotone_decreasing(falling)
    assert not is_monotone_decreasing(falling[::-1])


def test_a_rise_within_the_interval_of_its_bin_is_none():
    assert is_monotone_decreasing(responses(0.50, 0.52))
    assert not is_monotone_decreasing(responses(0.50, 0.56))
    assert is_monotone_decreasing(responses(0.50, 0.56, n=20))


def test_many_small_rises_add_up():
    assert not is_monotone_decreasing(responses(0.50, 0.52, 0.54, 0.56))


def test_empty_bins_say_nothing():
    empty = DegreeBin(0.4, 0.5, 0, None, None)
    high, low = responses(1.0, 0.0)
    assert is_monotone_decreasing((empty, high, empty, low))
    assert not is_monotone_decreasing((low, empty, high))


def test_red_is_muted_in_proportion_to_the_reddest_operand():
    language = MixingLanguage(5)
    pairs = language.pairs()
    redness = hue_degree(language.colors, 0.0)[pairs].amax(1)
    response = response_by_degree(redness < 0.6, redness)
    assert [part.share for part in response if part.high < 0.65] == [1.0] * 6
    assert {part.share for part in response if part.low > 0.55} <= {0.0, None}
    assert is_monotone_decreasing(response)


def test_degrees_and_bins_that_cannot_be_are_refused():
    right = torch.tensor([True])
    for degree in (-0.1, 1.5, math.nan):
        with refuses(ValueError, "The degrees run from .*expected numbers from 0 to 1"):
            response_by_degree(right, torch.tensor([degree]))
    with refuses(ValueError, "bins is 0; expected at least 1"):
        response_by_degree(right, torch.tensor([0.5]), bins=0)
    with refuses(TypeError, "bins is 2.0; expected a whole number"):
        response_by_degree(right, torch.tensor([0.5]), bins=2.0)


def test_answers_are_right_or_not():
    with unchecked(), refuses(TypeError, "answers have type torch.float32; expected booleans"):
        response_by_degree(torch.tensor([0.9, 0.1]), torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_degrees_of_half_precision_fall_into_the_bins_that_they_begin(dtype):
    degree = (torch.arange(10) / 10).to(dtype)
    response = response_by_degree(torch.ones(10, dtype=torch.bool), degree)
    assert [part.n for part in response] == [1] * 10
