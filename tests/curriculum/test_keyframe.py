import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors.curriculum import Keyframe, Track
from latent_anchors.transitions import linear, minimum_jerk, smoothstep


def test_the_default_transition_is_minimum_jerk():
    assert Keyframe(3, 1).leave is minimum_jerk


def test_a_keys_value_is_a_float():
    assert type(Keyframe(3, 1).value) is float


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (-1, ValueError, "step is -1; expected at least 0"),
        (0.5, TypeError, "step is 0.5; expected a whole number"),
        (True, TypeError, "step is True; expected a whole number"),
    ],
)
def test_a_key_stands_at_a_whole_step_that_is_not_negative(step, error, message):
    with refuses(error, message):
        Keyframe(step, 1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_key_has_a_finite_value(value):
    with refuses(ValueError, "The value at step 7 is .*; expected a finite number"):
        Keyframe(7, value)


def test_a_transition_is_a_function_and_not_its_name():
    with refuses(TypeError, "'linear' is not a transition"):
        Keyframe(0, 1.0, leave="linear")


def test_a_key_survives_json():
    key = Keyframe(7, 0.1, leave=smoothstep)
    assert Keyframe.from_json(json.loads(json.dumps(key.to_json()))) == key


def test_a_key_with_an_unnamed_transition_cannot_be_written():
    key = Keyframe(7, 0.1, leave=lambda progress: progress)
    with refuses(ValueError, r"Keyframe\(7, 0.1, leave=<lambda>\) cannot be written: .* no name"):
        key.to_json()


def back(progress: float) -> float:
    """Passes its target and returns."""
    return progress * (1 + 2 * (1 - progress))


def test_a_transition_that_overshoots_takes_the_value_past_its_key():
    track = Track([Keyframe(0, 0.0, leave=back), Keyframe(4, 1.0)])
    assert track(3) == pytest.approx(1.125)
    assert track.table([3]).tolist() == [track(3)]


def scalar_only(progress: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * progress)


@pytest.mark.parametrize("leave", [minimum_jerk, scalar_only, int], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(6,), (2, 3), (0,), ()])
def test_a_table_holds_what_single_calls_give_also_for_a_function_of_one_number(leave, shape):
    track, steps = Track([Keyframe(0, 0.0, leave), Keyframe(7, 1.0)]), math.prod(shape)
    table = track.table(np.arange(steps).reshape(shape))
    assert (table.shape, table.dtype) == (shape, np.float64)
    assert table.ravel().tolist() == [track(step) for step in range(steps)]


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


@pytest.mark.parametrize("value", ["1_000", "3", b"1", True])
def test_text_and_truth_are_no_values(value):
    with refuses(TypeError, "value at step 2 is .*expected a number"):
        Keyframe(2, value)
    with unchecked():
        assert Keyframe(2, np.float32(0.5)).value == 0.5


def test_whether_a_key_rests_is_true_or_false():
    with refuses(TypeError, "rest is 'false'; expected True or False"):
        Keyframe(2, 1.0, rest="false")
