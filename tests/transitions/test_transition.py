import math

import pytest
from refusals import refuses

from latent_anchors.transitions import Transition, check_transition, minimum_jerk


def overshoot(progress: float) -> float:
    return progress * (1 + 2 * (1 - progress))


@pytest.mark.parametrize("transition", [minimum_jerk, overshoot, float], ids=lambda f: f.__name__)
def test_any_function_with_exact_ends_is_a_transition(transition):
    check_transition(transition)
    assert isinstance(transition, Transition)


def test_a_name_is_no_transition():
    with refuses(TypeError, "'smoothstep' is no transition; expected a function of progress"):
        check_transition("smoothstep")


@pytest.mark.parametrize("function", [math.cos, lambda progress: 1 - 2 ** (-10 * progress)])
def test_a_function_that_misses_an_end_is_refused(function):
    with refuses(ValueError, "maps 0 and 1 to .*; expected exactly 0 and 1"):
        check_transition(function)
