import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.evaluation import latched, opening_angles

HAS_IT = torch.tensor([1, 1, 0, 0, 0, 0])


def lines(angles):
    """Cosines of 6 lines of 3 positions in 2 runs; the first position's angles are given."""
    rows = torch.full((2, 6, 3), -0.2)
    rows[1, :, 0] = torch.tensor(angles).deg2rad().cos()
    return rows


@given(n=st.integers(0, 4))
def test_a_direction_is_latched_if_half_of_the_other_lines_touch_it(n):
    found = latched(lines([10.0, 10.0] + n * [44.0] + (4 - n) * [46.0]), HAS_IT)
    assert found.tolist() == [False, n >= 2]


@given(n=st.integers(0, 4))
def test_within_a_right_angle_is_half_of_all_directions(n):
    rows = lines([180.0, 180.0] + n * [89.0] + (4 - n) * [91.0])[1, :, :1]
    assert latched(rows, HAS_IT, within=90) == (n >= 2)


def test_each_run_is_judged_by_itself_however_many_axes_of_runs_there_are():
    generator = torch.Generator().manual_seed(0)
    rows = torch.rand(3, 5, 6, 2, generator=generator) * 0.9
    mask = torch.tensor([[1, 1], [1, 0], [1, 1], [0, 0], [0, 1], [1, 0]])
    found = latched(rows, HAS_IT, mask)
    alone = [[bool(latched(one, HAS_IT, mask)) for one in several] for several in rows]
    assert found.tolist() == alone
    assert found.any()
    assert not found.all()


def test_lines_with_the_concept_and_positions_that_do_not_count_say_nothing():
    rows = lines([90.0, 90.0, 10.0, 10.0, 10.0, 10.0])
    assert latched(rows, HAS_IT)[1]
    assert not latched(rows, 1 - HAS_IT)[1]
    behind = torch.tensor([0, 1, 1]).expand(6, 3)
    assert not latched(rows, HAS_IT, behind)[1]
    assert not latched(rows, HAS_IT, within=9.0)[1]


@given(angles=st.lists(st.floats(1, 179), min_size=1, max_size=6), skipped=st.integers(0, 5))
def test_a_gate_is_open_where_it_is_as_wide_as_the_closest_angle_so_far(angles, skipped):
    counts = torch.tensor([k != skipped for k in range(len(angles))])
    rows = torch.tensor([angles]).deg2rad().cos()
    found = opening_angles(rows, counts[None])[0]
    for k, angle in enumerate(found.tolist()):
        so_far = [a for s, a in enumerate(angles[: k + 1]) if s != skipped]
        if k == skipped:
            assert math.isnan(angle)
        else:
            assert angle == pytest.approx(min(so_far), abs=0.05)


def test_rounding_beyond_1_is_no_angle_below_0():
    assert opening_angles(torch.full((1, 2), 1.0000001)).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_alignment_that_is_not_finite_has_no_angle_and_counts_as_a_failure(value):
    rows = lines(6 * [90.0])
    rows[1, 3, 0] = value
    rows[1, 3, 1] = 0.1
    assert opening_angles(rows).isnan().nonzero().tolist() == [[1, 3, 0], [1, 3, 1], [1, 3, 2]]
    assert latched(rows, HAS_IT).tolist() == [False, True]
    assert not latched(rows, HAS_IT, torch.tensor([0, 1, 1]).expand(6, 3)).any()


def test_lines_in_which_no_position_counts_say_nothing():
    rows, mask = lines([90.0, 90.0, 10.0, 90.0, 90.0, 90.0]), torch.ones(6, 3, dtype=torch.bool)
    assert not latched(rows, HAS_IT, mask)[1]
    mask[4:] = False
    assert latched(rows, HAS_IT, mask)[1]


def test_numbers_that_are_no_cosines_are_refused():
    with refuses(ValueError, "The alignments run from -5 to 3; expected cosines"):
        opening_angles(torch.tensor([[3.0, -5.0]]))


@pytest.mark.parametrize(
    ("has_it", "options", "says"),
    [
        (
            HAS_IT[1:],
            {},
            r"has_it has shape \(5,\) .* expected one value for each line",
        ),
        (
            HAS_IT > -1,
            {},
            "All 6 lines have the concept; expected some without it",
        ),
        (HAS_IT, {"mask": HAS_IT}, r"The mask has shape \(6,\); expected \(6, 3\)"),
        (HAS_IT, {"within": 120.0}, "within is 120"),
        (HAS_IT, {"within": 0}, "within is 0 degrees"),
        (HAS_IT, {"mask": HAS_IT[:, None].expand(6, 3)}, "No position counts in the lines without"),
    ],
)
def test_what_cannot_be_compared_is_refused(has_it, options, says):
    with refuses(ValueError, says):
        latched(lines(6 * [90.0]), has_it, **options)


def test_a_run_has_failed_also_where_a_line_with_the_concept_is_not_finite():
    rows = lines([80.0] * 6)
    rows[1, 0, 1] = torch.nan
    assert latched(rows, HAS_IT).tolist() == [False, True]
    mask = torch.ones(6, 3, dtype=torch.int)
    mask[0, 1] = 0
    assert latched(rows, HAS_IT, mask).tolist() == [False, False]
