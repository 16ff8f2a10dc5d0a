import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors.transitions import MovingValue, minimum_jerk

few = settings(max_examples=15)  # each of them is slow under the shape checks

OVERSHOOTS = ["allow", "clamp", "lengthen"]
targets = st.floats(0.01, 10.0)
moves = st.lists(st.tuples(st.integers(0, 40), targets, st.floats(1.0, 60.0)), max_size=5)
every_choice = pytest.mark.parametrize("overshoot", OVERSHOOTS)
every_space = pytest.mark.parametrize("space", ["linear", "log"])


def retargeted(moving: MovingValue, moves) -> tuple[MovingValue, int]:
    """The value after several changes of target, and the step of the last one."""
    now = 0
    for wait, target, duration in moves:
        now += wait
        moving.retarget(now, target, duration)
    return moving, now


def under_way(overshoot="allow", bounds=(-math.inf, math.inf), **state) -> MovingValue:
    moving = MovingValue(1.0, bounds=bounds, overshoot=overshoot)
    rest = {"start": 0.0, "velocity": 0.0, "acceleration": 0.0, "duration": 1.0, "space": "linear"}
    moving.load_state_dict({**rest, **state})
    return moving


@pytest.mark.parametrize(
    ("position", "velocity", "values"),
    [
        (0.0, 0.0, [0.103515625, 0.5, 0.896484375]),
        (0.0, 3.0, [0.657227, 0.96875, 1.010742]),
        (2.0, -2.0, [1.527344, 1.1875, 1.027344]),
        (1.0, 5.0, [1.922852, 1.78125, 1.19043]),
    ],
)
def test_a_value_in_motion_has_the_published_values(position, velocity, values):
    moving = under_way(position=position, velocity=velocity, target=1.0)
    assert [moving(tau) for tau in (0.25, 0.5, 0.75)] == pytest.approx(values, abs=5.1e-7)


DEMO = {9: 0.123168, 24: 0.3, 39: 0.476832, 40: 0.482549, 49: 0.519393, 59: 0.582126}
DEMO |= {60: 0.590313, 66: 0.625175, 67: 0.626125, 68: 0.62522, 79: 0.487086, 99: 0.044417}
DEMO |= {109: 0.0, 120: 7.8e-5, 144: 0.5, 169: 1.0}


def test_the_published_demonstration_has_its_values_after_each_step():
    moving, values = MovingValue(0.1), {}
    for step in range(200):
        for at, target in {0: 0.5, 40: 0.75, 60: 0.0, 120: 1.0}.items():
            if step == at:
                moving.retarget(step, target, 50)
        values[step] = moving(step + 1)
    assert {step: values[step] for step in DEMO} == pytest.approx(DEMO, abs=5.1e-7)
    assert max(range(60, 120), key=values.get) == 67


@every_choice
@every_space
@few
@given(moves=moves, wait=st.floats(0, 40), target=targets, duration=st.floats(1.0, 60.0))
def test_retargeting_keeps_value_velocity_and_acceleration(
    overshoot, space, moves, wait, target, duration
):
    moving, now = retargeted(MovingValue(1.0, space=space, overshoot=overshoot), moves)
    step = now + wait
    before = [moving(step), moving.velocity(step), moving.acceleration(step)]
    moving.retarget(step, target, duration)
    after = [moving(step), moving.velocity(step), moving.acceleration(step)]
    assert after == pytest.approx(before, rel=1e-9, abs=1e-9)


@every_choice
@every_space
@few
@given(moves=moves)
def test_a_value_arrives_and_rests_at_exactly_its_target(overshoot, space, moves):
    moving, _ = retargeted(MovingValue(1.0, space=space, overshoot=overshoot), moves)
    goal = moves[-1][1] if moves else 1.0
    for step in (moving.arrival + 1e-6, moving.arrival + 1, 1e9):
        assert (moving(step), moving.velocity(step), moving.acceleration(step)) == (goal, 0, 0)


@every_choice
@every_space
@few
@given(moves=moves)
def test_a_value_never_leaves_its_bounds(overshoot, space, moves):
    bounds = (0.01, 10.0)
    moving = MovingValue(1.0, space=space, bounds=bounds, overshoot=overshoot)
    moving, now = retargeted(moving, moves)
    assert all(0.01 <= moving(now + step) <= 10.0 for step in range(120))


@pytest.mark.parametrize("overshoot", ["clamp", "lengthen"])
@every_space
@few
@given(moves=moves, wait=st.integers(0, 40), target=targets)
def test_a_value_overshoots_only_if_allowed(overshoot, space, moves, wait, target):
    moving, now = retargeted(MovingValue(1.0, space=space, overshoot=overshoot), moves)
    step = now + wait
    start = moving(step)
    moving.retarget(step, target, 50)
    passed = [(moving(step + k) - target) * (start - target) for k in range(120)]
    assert min(passed) >= -1e-12


def test_a_fast_value_overshoots_if_allowed_or_clamps_or_arrives_late():
    fast = {"position": 0.0, "velocity": 3.0, "target": 1.0}
    peak = {
        choice: max(under_way(choice, **fast)(k / 100) for k in range(500)) for choice in OVERSHOOTS
    }
    assert peak == pytest.approx({"allow": 1.0128, "clamp": 1.0, "lengthen": 1.0}, abs=5e-5)
    assert [under_way(choice, **fast).arrival for choice in OVERSHOOTS] == [1.0, 1.0, 1.25]


@pytest.mark.parametrize("overshoot", OVERSHOOTS)
def test_a_trajectory_is_invariant_to_offset_and_time_scale(overshoot):
    here = under_way(overshoot, position=0.0, velocity=3.0, target=1.0)
    state = {"position": 10.0, "velocity": 1.5, "target": 11.0, "duration": 2.0}
    there = under_way(overshoot, **state)
    for k in range(30):
        assert there(k / 10) == pytest.approx(10 + here(k / 20), abs=1e-9)


@given(velocity=st.floats(0.0, 2.5))
def test_a_move_that_does_not_overshoot_is_not_lengthened(velocity):
    moving = under_way("lengthen", position=0.0, velocity=velocity, target=1.0)
    assert moving.arrival == 1.0


def test_a_value_that_has_stopped_has_no_velocity():
    moving = under_way("clamp", position=0.0, velocity=3.0, target=1.0)
    assert (moving(0.7), moving.velocity(0.7), moving.acceleration(0.7)) == (1.0, 0.0, 0.0)
    moving.retarget(0.7, 2.0, 10)
    assert moving(5.7) == pytest.approx(1.5)


@pytest.mark.parametrize("overshoot", ["allow", "lengthen"])
def test_a_value_that_moves_towards_a_bound_does_not_cross_it(overshoot):
    moving = under_way(overshoot, bounds=(0.0, 3.0), position=0.1, velocity=-2.0, target=2.0)
    values = [moving(k / 1000) for k in range(3000)]
    assert min(values) == 0.0 if overshoot == "allow" else 0.0 < min(values) < 0.1


def test_a_moving_value_at_its_target_returns_to_it():
    moving = under_way("lengthen", position=1.0, velocity=5.0, target=1.0)
    assert moving(1 / 3) == pytest.approx(1.9877, abs=5e-5)
    assert under_way("clamp", position=1.0, velocity=5.0, target=1.0)(1 / 3) == 1.0


def test_in_log_space_a_value_moves_by_factors():
    rate = MovingValue(1.0, space="log")
    rate.retarget(0, 1e-4, 10)
    assert [rate(5), rate(10)] == pytest.approx([1e-2, 1e-4])
    assert rate.velocity(5) == pytest.approx(1.875 * math.log(1e-4) / 10)


@given(moves=moves, wait=st.floats(0, 40))
def test_log_space_is_linear_space_of_the_logarithm(moves, wait):
    logs = [(gap, math.log(target), duration) for gap, target, duration in moves]
    linear, now = retargeted(MovingValue(0.0), logs)
    logarithmic, _ = retargeted(MovingValue(1.0, space="log"), moves)
    assert math.log(logarithmic(now + wait)) == pytest.approx(linear(now + wait), abs=1e-9)


@given(duration=st.floats(1.0, 100.0), share=st.floats(0.0, 1.0))
def test_from_rest_a_value_follows_minimum_jerk(duration, share):
    moving = MovingValue(2.0)
    moving.retarget(10, 5.0, duration)
    step = 10 + share * duration
    expected = 2.0 + 3.0 * minimum_jerk((step - 10) / duration)
    assert moving(step) == pytest.approx(expected, abs=1e-12)


def test_the_same_target_in_the_same_time_changes_nothing_on_the_way():
    moving = MovingValue(0.0)
    moving.retarget(0, 1.0, 10)
    state = moving.state_dict()
    moving.retarget(4, 1.0, 10)
    assert moving.state_dict() == state
    moving.retarget(4, 1.0, 20)
    assert moving.arrival == 24.0


def test_a_target_at_which_the_value_rests_changes_nothing():
    moving = MovingValue(0.5)
    state = moving.state_dict()
    for duration in (0, 10):
        moving.retarget(7, 0.5, duration)
    assert moving.state_dict() == state


def test_with_duration_zero_a_value_jumps_and_rests():
    moving = MovingValue(0.0)
    moving.retarget(0, 1.0, 10)
    moving.retarget(5, 1.0, 0)
    assert (moving(5), moving.velocity(5), moving.arrival) == (1.0, 0.0, 5.0)


@every_choice
@every_space
@few
@given(moves=moves)
def test_a_restored_value_continues_bit_for_bit(overshoot, space, moves):
    options = {"space": space, "bounds": (0.001, 20.0), "overshoot": overshoot}
    moving, now = retargeted(MovingValue(1.0, **options), moves)
    other = MovingValue(2.0, **options)
    other.load_state_dict(json.loads(json.dumps(moving.state_dict())))
    steps = [now + step for step in range(100)]
    assert [other(step) for step in steps] == [moving(step) for step in steps]
    assert other.state_dict() == moving.state_dict()


def test_the_repr_of_a_moving_value_has_its_target():
    moving = MovingValue(0.1, space="log", bounds=(0.0, 1.0), overshoot="clamp")
    assert repr(moving) == (
        "MovingValue(target=0.1, arrival=0.0, space='log', bounds=(0.0, 1.0), overshoot='clamp')"
    )


@pytest.mark.parametrize(
    "ask", [MovingValue.__call__, MovingValue.velocity, MovingValue.acceleration]
)
@pytest.mark.parametrize("step", [2, math.nan])
def test_steps_before_the_latest_target_are_refused(ask, step):
    moving = MovingValue(0.0)
    moving.retarget(3, 1.0, 10)
    with refuses(ValueError, "The step is (2|nan); expected at least 3, .* not kept"):
        ask(moving, step)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"space": "cubic"}, "Unknown space 'cubic'"),
        ({"overshoot": "bounce"}, "Unknown overshoot 'bounce'; expected one of 'allow', 'clamp'"),
        ({"bounds": (1.0, 1.0)}, r"The bounds are \(1.0, 1.0\); expected a lower one below"),
        ({"bounds": (2.0, 3.0)}, "value is 1.0; expected a number from 2.0 to 3.0"),
    ],
)
def test_unknown_choices_and_values_out_of_bounds_are_refused(options, message):
    with refuses(ValueError, message):
        MovingValue(1.0, **options)


@pytest.mark.parametrize(
    ("target", "duration", "message"),
    [
        (math.nan, 5, "The target is nan; expected a finite number"),
        (2.0, 5, "The target is 2.0; expected a number from -1.0 to 1.0"),
        (0.0, 5, "The target is 0.0 in log space; expected a number above 0"),
        (0.5, -5, "duration is -5.0; expected a number from 0"),
        (0.5, math.inf, "duration is inf; expected a finite number"),
    ],
)
def test_an_invalid_target_is_refused_and_changes_nothing(target, duration, message):
    moving = MovingValue(0.1, space="log", bounds=(-1.0, 1.0))
    with refuses(ValueError, message):
        moving.retarget(0, target, duration)
    assert moving(5) == 0.1


def test_a_change_too_large_for_a_float_is_refused():
    moving = MovingValue(-1e308)
    with refuses(ValueError, r"The change to 1e\+308 is inf"):
        moving.retarget(0, 1e308, 5)
    assert moving.target == -1e308


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speed": 1.0}, "has the keys .*'speed'; expected 'start', 'position', 'velocity'"),
        ({"velocity": math.nan}, "velocity in the state is nan; expected a finite"),
        ({"duration": -1.0}, "duration in the state is -1.0; expected a number from 0"),
        ({"target": 7.0}, "target in the state is 7.0; expected a number from 0.0 to 5.0"),
        ({"position": 7.0}, "position in the state is 7.0; expected a number from 0.0 to 5.0"),
    ],
)
def test_an_invalid_state_is_refused(change, message):
    moving = MovingValue(0.1, bounds=(0.0, 5.0))
    with refuses(ValueError, message):
        moving.load_state_dict({**moving.state_dict(), **change})


@pytest.mark.parametrize("bound", [-1.0, 1.0])
def test_a_value_at_a_bound_that_moves_outwards_stops(bound):
    moving = MovingValue(bound, bounds=(-1.0, 1.0), overshoot="lengthen")
    state = {**moving.state_dict(), "velocity": 0.1 * bound, "target": 0.0, "duration": 10.0}
    moving.load_state_dict(state)
    path = [moving(step / 10) for step in range(101)]
    assert path[0] == bound
    assert max(abs(b - a) for a, b in pairwise(path)) < 0.05
    assert sorted(path, reverse=bound > 0) == path
    assert path[-1] == 0.0


@pytest.mark.parametrize("velocity", [-5.0, 5.0])
def test_a_clamped_value_at_its_target_stays_there(velocity):
    moving = under_way("clamp", position=1.0, velocity=velocity, target=1.0)
    assert {moving(k / 8) for k in range(17)} == {1.0}


@pytest.mark.parametrize("overshoot", OVERSHOOTS)
def test_with_duration_zero_a_value_is_at_its_target_at_once(overshoot):
    moving = MovingValue(0.0, bounds=(-1.0, 1.0), overshoot=overshoot)
    moving.retarget(0, 0.5, 0)
    assert moving(0) == moving(3) == 0.5


def test_the_state_of_a_value_in_another_space_is_refused():
    logarithmic = MovingValue(0.1, space="log")
    logarithmic.retarget(0, 0.5, 10)
    with refuses(ValueError, "state is of a value in space 'log'; expected 'linear'"):
        MovingValue(0.1).load_state_dict(logarithmic.state_dict())


def test_a_step_of_low_precision_does_not_round_the_value():
    moving = MovingValue(0.0)
    moving.retarget(0, 1.0, 1000)
    with unchecked():
        assert moving(np.float16(333)) == moving(333)
