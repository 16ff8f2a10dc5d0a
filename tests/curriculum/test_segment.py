import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import Keyframe, Track
from latent_anchors.transitions import linear, minimum_jerk


def back(progress: float) -> float:
    """Passes its target and returns."""
    return progress * (1 + 2 * (1 - progress))


def test_a_transition_that_overshoots_takes_the_value_past_its_key():
    track = Track([Keyframe(0, 0.0, leave=back), Keyframe(4, 1.0)])
    assert track(3) == pytest.approx(1.125)
    assert track.table([3]).tolist() == [track(3)]


@given(start=st.floats(0.0, 10.0), span=st.integers(1, 10**9))
def test_a_falling_weight_is_never_negative_however_long_it_falls(start, span):
    track = Track([Keyframe(0, start, leave=minimum_jerk), Keyframe(span, 0.0)])
    last = span - 1
    assert track(last) >= 0.0
    assert track.table([last])[0] >= 0.0


def test_log_space_moves_by_equal_factors_where_linear_space_moves_by_equal_steps():
    keys = [Keyframe(0, 1.0, leave=linear), Keyframe(4, 1e-4)]
    in_log = Track(keys, space="log").table(range(5))
    in_linear = Track(keys).table(range(5))
    np.testing.assert_allclose(in_log[1:] / in_log[:-1], 0.1)
    np.testing.assert_allclose(np.diff(in_linear), (1e-4 - 1.0) / 4)


def test_a_change_too_large_for_a_float_is_refused():
    with refuses(ValueError, "The change from -1e.308 to 1e.308 is inf; expected a finite"):
        Track([Keyframe(0, -1e308), Keyframe(1, 1e308)])
