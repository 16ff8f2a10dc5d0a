import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.interventions import Suppression, bounded_falloff

cosines = st.floats(-1, 1)
thresholds = st.floats(-1, 0.99)


@given(alignment=cosines, threshold=thresholds, power=st.floats(0, 10))
def test_a_falloff_lies_between_0_and_1_and_is_0_up_to_its_threshold(alignment, threshold, power):
    value = bounded_falloff(torch.tensor(alignment, dtype=torch.float64), threshold, power)
    assert 0 <= value <= 1
    assert alignment > threshold or value == 0


@given(threshold=thresholds, power=st.floats(0, 10))
def test_in_full_alignment_it_is_1(threshold, power):
    one = torch.tensor(1.0, dtype=torch.float64)
    assert bounded_falloff(one, threshold, power) == pytest.approx(1)


@given(a=cosines, b=cosines, threshold=thresholds, power=st.floats(0, 10))
def test_who_is_better_aligned_is_not_spared_more(a, b, threshold, power):
    ordered = torch.tensor(sorted((a, b)), dtype=torch.float64)
    less, more = bounded_falloff(ordered, threshold, power)
    assert less <= more


def test_at_power_0_it_is_a_gate():
    alignment = torch.tensor([0.4999, 0.5, 0.5001, 1.0])
    assert bounded_falloff(alignment, threshold=0.5).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_halfway_to_full_alignment_a_square_is_a_quarter():
    assert bounded_falloff(torch.tensor(0.8), threshold=0.6, power=2.0) == pytest.approx(0.25)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 3.0])
def test_gradients_are_finite_up_to_the_threshold_and_on_it(power):
    alignment = torch.tensor([-1.0, 0.0, 0.5, 1.0], requires_grad=True)
    bounded_falloff(alignment, 0.5, power).sum().backward()
    assert alignment.grad[:3].tolist() == [0, 0, 0]
    assert alignment.grad.isfinite().all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 1.0}, "threshold is 1.0, so that the edit would never act"),
        ({"threshold": math.nan}, "threshold is nan; expected a number from -1.0 to 1.0"),
        ({"power": -1.0}, "power is -1.0; expected at least 0"),
        ({"power": math.inf}, "power is inf; expected a finite number"),
    ],
)
def test_a_falloff_that_cannot_be_is_refused(settings, message):
    with refuses(ValueError, message):
        Suppression([1.0, 0.0], **settings)
