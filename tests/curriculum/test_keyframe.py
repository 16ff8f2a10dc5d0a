import json
import math

import pytest
from refusals import refuses

from latent_anchors.curriculum import Keyframe
from latent_anchors.transitions import minimum_jerk, smoothstep


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
