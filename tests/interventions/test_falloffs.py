import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

import latent_anchors as la
from latent_anchors.interventions import (
    BezierFalloff,
    BoundedFalloff,
    ConeFalloff,
    Falloff,
    Suppression,
    constant_falloff,
)

# every member, with the alignment up to which it spares
FALLOFFS = {
    "a gate": (BoundedFalloff(), 0.0),
    "a narrow gate": (BoundedFalloff(threshold=0.9), 0.9),
    "linear": (BoundedFalloff(threshold=0.5, power=1.0), 0.5),
    "a root": (BoundedFalloff(threshold=-0.5, power=0.5), -0.5),
    "a high power": (BoundedFalloff(power=10.0), 0.0),
    "Bezier": (BezierFalloff(threshold=0.5, end_slope=6.0), 0.5),
    "steep Bezier": (BezierFalloff(threshold=0.0, end_slope=100.0), 0.0),
    "Bezier that eases out": (BezierFalloff(0.0, end_slope=0.0, start_slope=3.0), 0.0),
    "straight Bezier": (BezierFalloff(0.5, end_slope=2.0, start_slope=2.0), 0.5),
    "a cone": (ConeFalloff(inner=10.0, outer=25.0), math.cos(math.radians(25.0))),
    "a pointed cone": (ConeFalloff(inner=0.0, outer=90.0), 0.0),
    "the widest cone": (ConeFalloff(inner=60.0, outer=180.0), -1.0),
    "constant_falloff": (constant_falloff, -1.1),
}
with_threshold = pytest.mark.parametrize(("falloff", "spared"), FALLOFFS.values(), ids=FALLOFFS)
members = pytest.mark.parametrize("falloff", [f for f, _ in FALLOFFS.values()], ids=FALLOFFS)
cosines = st.floats(-1, 1)


def double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@with_threshold
@given(alignment=cosines)
def test_a_falloff_lies_between_0_and_1_and_spares_up_to_its_threshold(falloff, spared, alignment):
    (value,) = falloff(double(alignment))
    assert 0 <= value <= 1 + 1e-12
    assert alignment > spared or value == 0


@members
def test_in_full_alignment_it_is_1(falloff):
    assert falloff(double(1.0)).tolist() == pytest.approx([1.0])


@members
@given(a=cosines, b=cosines)
def test_who_is_better_aligned_is_not_spared_more(falloff, a, b):
    less, more = falloff(double(*sorted((a, b))))
    assert less <= more + 1e-12


@with_threshold
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_and_0_where_it_spares(falloff, spared, dtype):
    places = [-1.0, 0.0, max(spared, -1.0), 0.99, 1.0]
    alignment = torch.tensor(places, dtype=dtype, requires_grad=True)
    value = falloff(alignment)
    assert value.dtype == dtype
    if value.requires_grad:
        value.sum().backward()
        assert alignment.grad.isfinite().all()
        assert not alignment.grad[alignment.detach() < spared].any()


@members
def test_slopes_are_those_of_small_differences(falloff):
    alignment = double(0.93, 0.95, 0.98).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: falloff(a) + 0 * a, alignment)


@members
def test_leading_axes_are_free_and_mapped(falloff, generator):
    alignment = 2 * torch.rand(2, 3, 5, generator=generator) - 1
    flat = falloff(alignment.flatten()).reshape(alignment.shape)
    assert torch.equal(falloff(alignment), flat)
    assert torch.equal(torch.vmap(falloff)(alignment), flat)


@members
def test_a_falloff_is_saved_with_its_edit(falloff, tmp_path):
    assert isinstance(falloff, Falloff)
    la.save(Suppression([1.0, 0.0], falloff), tmp_path)
    assert la.load(tmp_path).falloff == falloff


def test_at_power_0_it_is_a_gate():
    alignment = torch.tensor([0.4999, 0.5, 0.5001, 1.0])
    assert BoundedFalloff(threshold=0.5)(alignment).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_halfway_to_full_alignment_a_square_is_a_quarter():
    halfway = torch.tensor(0.8)
    assert BoundedFalloff(threshold=0.6, power=2.0)(halfway) == pytest.approx(0.25)


@given(threshold=st.floats(-1, 0.9), start=st.floats(0, 1), end=st.floats(1, 9))
def test_a_bezier_falloff_has_the_slopes_that_were_chosen(threshold, start, end):
    chord, tiny = 1 / (1 - threshold), 1e-7 * (1 - threshold)
    curve = BezierFalloff(threshold, end * chord + 0.5, start * chord)
    ends = curve(double(threshold, threshold + tiny, 1 - tiny, 1.0))
    if start < 0.999:
        assert (ends[1] - ends[0]) / tiny == pytest.approx(start * chord, abs=0.05 * chord)
        assert (ends[3] - ends[2]) / tiny == pytest.approx(end * chord + 0.5, rel=0.05)


def test_a_straight_bezier_is_the_linear_falloff():
    alignment = torch.linspace(-1, 1, 41, dtype=torch.float64)
    straight = BezierFalloff(0.5, end_slope=2.0, start_slope=2.0)(alignment)
    torch.testing.assert_close(straight, BoundedFalloff(0.5, power=1.0)(alignment))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BoundedFalloff(1.0), "threshold is 1.0, so that the edit would never act"),
        (lambda: BoundedFalloff(math.nan), "threshold is nan; expected a number from -1.0 to 1.0"),
        (lambda: BoundedFalloff(power=-1.0), "power is -1.0; expected at least 0"),
        (lambda: BoundedFalloff(power=math.inf), "power is inf; expected a finite number"),
        (lambda: BezierFalloff(0.5, 1.0), "end_slope is 1, .* line between the ends has slope 2"),
        (lambda: BezierFalloff(0.5, 9.0, 3.0), "start_slope is 3 .*Change a slope, or the thresh"),
        (lambda: BezierFalloff(0.5, math.inf), "expected finite slopes"),
        (lambda: BezierFalloff(0.5, 3.0, -1.0), "slopes of at least 0"),
        (lambda: BezierFalloff(2.0, 3.0), "threshold is 2.0; expected a number from -1.0 to 1.0"),
    ],
)
def test_a_falloff_that_cannot_be_is_refused(make, message):
    with refuses(ValueError, message):
        make()
