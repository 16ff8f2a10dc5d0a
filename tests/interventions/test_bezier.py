import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.interventions import BezierFalloff
from latent_anchors.interventions._bezier import PULL, ease


@given(end_slope=st.floats(1.01, 50), t=st.floats(0.001, 0.999))
def test_the_curve_is_the_cubic_between_its_tangents(end_slope, t):
    # written out point by point: the ends, and how far the inner points lie towards the corner
    corner = torch.tensor([1 - 1 / end_slope, 0.0], dtype=torch.float64)
    start, end = torch.zeros_like(corner), torch.ones_like(corner)
    first, second = start.lerp(corner, PULL), end.lerp(corner, PULL)
    rest = 1 - t
    x, y = rest**3 * start + 3 * rest**2 * t * first + 3 * rest * t**2 * second + t**3 * end
    assert BezierFalloff(0.0, end_slope)(x) == pytest.approx(float(y), abs=1e-9)


def test_float32_gives_the_same_curve():
    x = torch.linspace(0, 1, 101)
    curve = BezierFalloff(0.0, end_slope=20.0)
    torch.testing.assert_close(curve(x).double(), curve(x.double()), rtol=1e-4, atol=1e-6)


def test_past_its_ends_the_curve_goes_on_level():
    x = torch.tensor([-3.0, -0.1, 1.1, 1.9, 3.0], requires_grad=True)
    y = ease(x, 0.0, 20.0)
    assert y.tolist() == [0.0, 0.0, 1.0, 1.0, 1.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0] * 5
