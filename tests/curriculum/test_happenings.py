import pytest
from refusals import refuses

from latent_anchors.curriculum import Keyframe, Phase, Timeline, Track

LR = {"lr": Track([Keyframe(0, 0.1), Keyframe(10, 0.2)])}


def test_a_number_is_no_track():
    with refuses(TypeError, r"Track 'lr' is 0.1; .* A constant is Track\(\[Keyframe\(0, value"):
        Timeline({"lr": 0.1})


@pytest.mark.parametrize("start", [2, 5])
def test_phases_follow_one_another(start):
    with refuses(ValueError, f"'b', start={start}.* after .*'a', start=5.*increasing starts"):
        Timeline(LR, [Phase("a", 5), Phase("b", start)])


@pytest.mark.parametrize(("step", "error"), [(-1, ValueError), (0.5, TypeError)])
def test_actions_happen_at_whole_steps_that_are_not_negative(step, error):
    with refuses(error, rf"The step of the actions \['save'\] is {step}"):
        Timeline(LR, actions={step: ["save"]})


def test_one_string_is_not_the_actions_of_a_step():
    with refuses(TypeError, r"at step 3 are 'save'; expected a list: \['save'\]"):
        Timeline(LR, actions={3: "save"})


def test_an_action_has_a_name():
    with refuses(ValueError, r"at step 3 are \['save', ''\]; give each a name"):
        Timeline(LR, actions={3: ["save", ""]})


def test_a_timeline_is_long_enough_for_everything_in_it():
    with refuses(ValueError, "steps is 10, but the last .* at step 10; expected at least 11"):
        Timeline(LR, steps=10)


def test_the_steps_of_a_timeline_are_counted():
    with refuses(TypeError, "steps is 20.5; expected a whole number"):
        Timeline(LR, steps=20.5)
    with refuses(ValueError, "steps is 0; expected at least 1"):
        Timeline({}, steps=0)
