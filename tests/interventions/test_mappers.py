import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.interventions import BezierMapper, LinearMapper, Mapper

MAPPERS = [
    LinearMapper(),
    LinearMapper(threshold=0.5, ceiling=0.75**0.5),
    BezierMapper(),
    BezierMapper(ceiling=0.5, end_slope=0.2),
    BezierMapper(threshold=0.5, ceiling=0.75**0.5, end_slope=0.2),
    BezierMapper(threshold=0.5, ceiling=0.75, end_slope=0.5),  # a straight line
]
members = pytest.mark.parametrize("mapper", MAPPERS, ids=str)
cosines = st.floats(-1, 1)


def double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@members
@given(alignment=cosines)
def test_alignment_stays_up_to_the_threshold_and_shrinks_above(mapper, alignment):
    (left,) = mapper(double(alignment))
    assert isinstance(mapper, Mapper)
    assert left == alignment if alignment <= mapper.threshold else left <= alignment + 1e-12


@members
def test_full_alignment_becomes_the_ceiling(mapper):
    assert mapper(double(1.0)).tolist() == pytest.approx([mapper.ceiling])


@members
@given(a=cosines, b=cosines)
def test_the_order_of_alignments_is_kept(mapper, a, b):
    less, more = mapper(double(*sorted((a, b))))
    assert less <= more + 1e-12


@members
def test_gradients_are_finite_and_agree_with_finite_differences(mapper):
    ends = double(-1.0, mapper.threshold, 1.0).requires_grad_()
    mapper(ends).sum().backward()
    assert ends.grad.isfinite().all()
    between = double(-0.3, 0.7, 0.9, 0.99).requires_grad_()
    assert torch.autograd.gradcheck(mapper, between)


@members
def test_any_leading_axes_and_vmap_give_the_same(mapper, generator):
    alignment = 2 * torch.rand(2, 3, 5, generator=generator) - 1
    flat = mapper(alignment.flatten()).reshape(alignment.shape)
    assert torch.equal(mapper(alignment), flat)
    assert torch.equal(torch.vmap(mapper)(alignment), flat)


def test_the_bezier_mapper_leaves_its_threshold_smoothly_and_the_linear_one_with_a_kink():
    above = double(0.5 + 1e-6)
    for mapper, slope in [(BezierMapper(0.5, 0.75), 1.0), (LinearMapper(0.5, 0.75), 0.5)]:
        assert (mapper(above) - 0.5) / 1e-6 == pytest.approx(slope, abs=1e-3)


def test_a_bezier_that_ends_as_steep_as_the_straight_line_is_that_line():
    alignment = torch.linspace(-1, 1, 41, dtype=torch.float64)
    straight = BezierMapper(0.5, 0.75, end_slope=0.5)(alignment)
    torch.testing.assert_close(straight, LinearMapper(0.5, 0.75)(alignment))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LinearMapper(0.5, 0.5), "threshold is 0.5 and ceiling is 0.5; expected cosines"),
        (lambda: BezierMapper(0.5, 1.0), "threshold is 0.5 and ceiling is 1; expected cosines"),
        (lambda: LinearMapper(-0.1, 0.5), "threshold is -0.1; expected a number from 0.0 to 1.0"),
        (lambda: LinearMapper(0.1, math.nan), "ceiling is nan; expected a number from 0.0 to 1.0"),
        (
            lambda: BezierMapper(0.0, 0.5, 0.51),
            "start_slope is 1 and end_slope is 0.51, .*0.5;.* turn back",
        ),
    ],
)
def test_values_out_of_range_are_refused(make, message):
    with refuses(ValueError, message):
        make()
