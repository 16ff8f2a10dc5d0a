import pytest
from refusals import refuses

from latent_anchors.curriculum import ExtendPhase, Retarget, RunAction


def test_an_extension_has_a_positive_number_of_steps():
    with refuses(ValueError, "The steps by which to extend is 0; expected at least 1"):
        ExtendPhase(0)
    with refuses(TypeError, "The steps by which to extend is 0.5; expected a whole"):
        ExtendPhase(0.5)


def test_an_action_has_a_name():
    with refuses(ValueError, "The action to run has no name"):
        RunAction("")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((float("nan"), 3), "The new value of 'lr' is nan; expected a finite"),
        ((0.1, -1), "over is -1; expected at least 0"),
        ((0.1, 3, "pass"), "Unknown overshoot 'pass'; expected one of 'allow', 'clamp', 'length"),
    ],
)
def test_a_new_target_is_a_finite_number_and_its_duration_not_negative(given, message):
    with refuses(ValueError, message):
        Retarget("lr", *given)


def test_a_track_can_be_retargeted_by_a_factor_or_a_difference():
    assert Retarget("lr", 0.5, 9, of="factor").words == (
        "'lr' goes to 0.5 times its value over 9 steps"
    )
    assert Retarget("lr", 0.5, 9, of="difference").words == "'lr' goes by +0.5 over 9 steps"
    assert Retarget("lr", -0.5, 9, of="difference").goal(2.0) == 1.5
    with refuses(ValueError, "Unknown of 'times'; expected one of 'value', 'factor'"):
        Retarget("lr", 0.5, 9, of="times")
