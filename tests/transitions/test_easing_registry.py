import math

import pytest
from refusals import refuses

from latent_anchors.transitions import (
    Transition,
    check_transition,
    cosine,
    linear,
    minimum_jerk,
    name_of,
    named,
    register_easing,
    smoothness,
)


def square(progress: float) -> float:
    return progress**2


def test_named_and_name_of_are_inverse():
    assert name_of(named("cosine")) == "cosine"
    assert named("cosine") is cosine


def test_smoothness_is_declared_for_every_easing():
    names = ["step-end", "linear", "smoothstep", "cosine", "pchip", "minimum-jerk", "quintic"]
    assert [smoothness(named(name)) for name in names] == [-1, 0, 1, 1, 1, 2, 2]


def test_an_unknown_name_is_refused_with_those_that_exist():
    with refuses(
        ValueError, "'cosin'; expected one of 'linear', 'smoothstep', .*Did you mean 'cosine'"
    ):
        named("cosin")


def test_a_registered_transition_has_a_name_and_a_smoothness():
    register_easing("test-square", square, smoothness=0)
    assert named("test-square") is square
    assert (name_of(square), smoothness(square)) == ("test-square", 0)


@pytest.mark.parametrize("ask", [name_of, smoothness])
def test_a_transition_without_a_name_is_refused_with_how_to_name_it(ask):
    with refuses(
        ValueError, r"<lambda>.* has no name; give it one with transitions.register_easing\("
    ):
        ask(lambda progress: progress)


def test_a_name_cannot_be_registered_twice():
    with refuses(ValueError, "'linear' is taken"):
        register_easing("linear", square, smoothness=0)


@pytest.mark.parametrize("name", ["", " padded", "log:square"])
def test_a_name_that_no_header_can_hold_is_refused(name):
    with refuses(ValueError, f"The name is '{name}'; expected text without ':'"):
        register_easing(name, square, smoothness=0)


@pytest.mark.parametrize(("order", "error"), [(-2, ValueError), (0.5, TypeError)])
def test_smoothness_counts_derivatives(order, error):
    with refuses(error, "smoothness is"):
        register_easing("test-odd", square, smoothness=order)


def overshoot(progress: float) -> float:
    return progress * (1 + 2 * (1 - progress))


@pytest.mark.parametrize("transition", [minimum_jerk, overshoot, float], ids=lambda f: f.__name__)
def test_any_function_with_exact_ends_is_a_transition(transition):
    check_transition(transition)
    assert isinstance(transition, Transition)


def test_a_name_is_not_a_transition():
    with refuses(TypeError, "'smoothstep' is not a transition; expected a function of progress"):
        check_transition("smoothstep")


@pytest.mark.parametrize("function", [math.cos, lambda progress: 1 - 2 ** (-10 * progress)])
def test_a_function_that_misses_an_end_is_refused(function):
    with refuses(ValueError, "maps 0 and 1 to .*; expected exactly 0 and 1"):
        check_transition(function)


def test_a_transition_has_one_name():
    with refuses(ValueError, "The transition is 'linear' already; expected one without a name"):
        register_easing("another", linear, smoothness=0)
