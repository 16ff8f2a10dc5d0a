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
from latent_anchors.interventions._falloffs import PULL, bezier_curve

# every member, with the alignment up to which it is 0
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
with_threshold = pytest.mark.parametrize(("falloff", "zero_up_to"), FALLOFFS.values(), ids=FALLOFFS)
members = pytest.mark.parametrize("falloff", [f for f, _ in FALLOFFS.values()], ids=FALLOFFS)
cosines = st.floats(-1, 1)


def double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@with_threshold
@given(alignment=cosines)
def test_a_falloff_is_from_0_to_1_and_0_up_to_its_threshold(falloff, zero_up_to, alignment):
    (value,) = falloff(double(alignment))
    assert 0 <= value <= 1 + 1e-12
    assert alignment > zero_up_to or value == 0


@members
def test_it_is_1_at_full_alignment(falloff):
    assert falloff(double(1.0)).tolist() == pytest.approx([1.0])


@members
@given(a=cosines, b=cosines)
def test_it_does_not_decrease_with_alignment(falloff, a, b):
    less, more = falloff(double(*sorted((a, b))))
    assert less <= more + 1e-12


@with_threshold
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_and_0_below_the_threshold(falloff, zero_up_to, dtype):
    places = [-1.0, 0.0, max(zero_up_to, -1.0), 0.99, 1.0]
    alignment = torch.tensor(places, dtype=dtype, requires_grad=True)
    value = falloff(alignment)
    assert value.dtype == dtype
    if value.requires_grad:
        value.sum().backward()
        assert alignment.grad.isfinite().all()
        assert not alignment.grad[alignment.detach() < zero_up_to].any()


@members
def test_gradients_agree_with_finite_differences(falloff):
    alignment = double(0.93, 0.95, 0.98).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: falloff(a) + 0 * a, alignment)


@members
def test_any_leading_axes_and_vmap_give_the_same(falloff, generator):
    alignment = 2 * torch.rand(2, 3, 5, generator=generator) - 1
    flat = falloff(alignment.flatten()).reshape(alignment.shape)
    assert torch.equal(falloff(alignment), flat)
    assert torch.equal(torch.vmap(falloff)(alignment), flat)


@members
def test_a_falloff_is_saved_with_its_edit(falloff, tmp_path):
    assert isinstance(falloff, Falloff)
    la.save(Suppression([1.0, 0.0], falloff), tmp_path)
    assert la.load(tmp_path).falloff == falloff


def test_power_0_is_a_hard_gate():
    alignment = torch.tensor([0.4999, 0.5, 0.5001, 1.0])
    assert BoundedFalloff(threshold=0.5)(alignment).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_power_2_is_a_quarter_halfway():
    halfway = torch.tensor(0.8)
    assert BoundedFalloff(threshold=0.6, power=2.0)(halfway) == pytest.approx(0.25)


@given(threshold=st.floats(-1, 0.9), start=st.floats(0, 1), end=st.floats(1, 9))
def test_a_bezier_falloff_has_the_slopes_given(threshold, start, end):
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
        (lambda: BoundedFalloff(1.0), "threshold is 1.0, so the edit would never act"),
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
def test_values_out_of_range_are_refused(make, message):
    with refuses(ValueError, message):
        make()


@given(end_slope=st.floats(1.01, 50), t=st.floats(0.001, 0.999))
def test_the_curve_is_the_cubic_between_its_tangents(end_slope, t):
    # written out point by point: the ends, and how far the inner points lie towards the corner
    corner = torch.tensor([1 - 1 / end_slope, 0.0], dtype=torch.float64)
    start, end = torch.zeros_like(corner), torch.ones_like(corner)
    first, second = start.lerp(corner, PULL), end.lerp(corner, PULL)
    rest = 1 - t
    x, y = rest**3 * start + 3 * rest**2 * t * first + 3 * rest * t**2 * second + t**3 * end
    assert BezierFalloff(0.0, end_slope)(x) == pytest.approx(float(y), abs=1e-9)


def test_inner_points_lie_at_the_root_of_one_half_of_the_way_to_the_corner():
    # at t = 1/2 between (0, 0), (r/2, 0), (1 - r/2, 1 - r), (1, 1)
    root = 0.5**0.5
    x, y = (1 + 3 * (root / 2 + 1 - root / 2)) / 8, (1 + 3 * (1 - root)) / 8
    assert BezierFalloff(0.0, end_slope=2.0)(double(x)) == pytest.approx(y, abs=1e-9)


def test_a_bezier_curve_is_the_same_in_float32():
    x = torch.linspace(0, 1, 101)
    curve = BezierFalloff(0.0, end_slope=20.0)
    torch.testing.assert_close(curve(x).double(), curve(x.double()), rtol=1e-4, atol=1e-6)


def test_the_curve_is_constant_beyond_its_ends():
    x = torch.tensor([-3.0, -0.1, 1.1, 1.9, 3.0], requires_grad=True)
    y = bezier_curve(x, 0.0, 20.0)
    assert y.tolist() == [0.0, 0.0, 1.0, 1.0, 1.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0] * 5


CONE = ConeFalloff(inner=10.0, outer=30.0)


def at_degrees(*degrees):
    return torch.tensor(degrees, dtype=torch.float64).deg2rad().cos()


def test_a_cone_is_1_within_the_inner_angle_and_0_beyond_the_outer():
    assert CONE(at_degrees(0.0, 9.999, 30.001, 180.0)).tolist() == [1.0, 1.0, 0.0, 0.0]


@given(progress=st.floats(0.001, 0.999))
def test_a_cone_is_symmetric_between_its_angles(progress):
    there, back = CONE(at_degrees(10 + 20 * progress, 30 - 20 * progress))
    assert float(there + back) == pytest.approx(1)


def test_a_cone_is_flat_at_both_ends():
    # the first two derivatives vanish at both ends: after 1 % of the way it has risen by some p^3
    near = CONE(at_degrees(29.8, 10.2))
    assert near.tolist() == pytest.approx([1e-5, 1 - 1e-5], abs=1e-6)


@pytest.mark.parametrize(
    ("inner", "outer", "message"),
    [
        (30.0, 30.0, "inner is 30 and outer is 30 degrees; expected inner below outer"),
        (-1.0, 30.0, "inner is -1.0; expected a number from 0.0 to 180.0"),
        (0.0, math.nan, "outer is nan; expected a number from 0.0 to 180.0"),
    ],
)
def test_angles_of_a_cone_that_are_out_of_range_are_refused(inner, outer, message):
    with refuses(ValueError, message):
        ConeFalloff(inner, outer)


@pytest.mark.parametrize("end_slope", [3.0, 6.0])
def test_second_derivatives_of_a_curve_are_right(end_slope):
    curve = BezierFalloff(threshold=0.0, end_slope=end_slope, start_slope=0.2)
    x = torch.tensor([0.3, 0.6, 0.8], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(curve, (x,))


@pytest.mark.parametrize("power", [1.0, 2.0, 8.0])
def test_a_cosine_above_1_by_rounding_is_full_alignment(power):
    narrow = BoundedFalloff(threshold=math.cos(math.radians(0.1)), power=power)
    assert narrow(torch.tensor([1.0 + 2e-7, 1.0])).tolist() == [1.0, 1.0]
