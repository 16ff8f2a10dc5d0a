import json
import math
import pickle

import numpy as np
import pytest
from curriculum.strategies import timelines
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors.curriculum import Keyframe, Phase, Timeline, Track

LR = Track([Keyframe(0, 0.0), Keyframe(10, 1.0)])
ANCHOR = Track([Keyframe(5, 0.1), Keyframe(20, 0.01)], space="log")
TIMELINE = Timeline(
    {"lr": LR, "anchor": ANCHOR},
    [Phase("hues", 3), Phase("all", 10), Phase("hues", 12)],
    {10: ["anchor", "save"], 4: ["look"]},
)


@given(timeline=timelines(), step=st.integers(0, 200))
def test_a_row_holds_the_value_of_every_track_in_their_order(timeline, step):
    row = timeline(step)
    assert tuple(row) == timeline.names
    assert dict(row) == {name: timeline[name](step) for name in timeline.names}


@given(timeline=timelines(), order=st.permutations(range(0, 120, 7)))
def test_rows_in_any_order_are_those_of_a_replay(timeline, order):
    replayed = {step: timeline(step) for step in range(0, 120, 7)}
    assert {step: timeline(step) for step in order} == replayed


@given(timeline=timelines())
def test_a_table_holds_the_rows(timeline):
    rows = [list(timeline(step).values()) for step in range(len(timeline))]
    table = timeline.table(range(len(timeline)))
    assert table.shape == (len(timeline), len(timeline.names))
    np.testing.assert_allclose(table, np.reshape(rows, table.shape), rtol=1e-12, atol=1e-8)


@given(timeline=timelines())
def test_a_timeline_survives_json_and_pickling(timeline):
    assert Timeline.from_json(json.loads(json.dumps(timeline.to_json()))) == timeline
    assert pickle.loads(pickle.dumps(timeline)) == timeline


def test_a_timeline_ends_with_the_last_key_phase_or_action():
    assert len(TIMELINE) == TIMELINE.steps == 21
    assert len(Timeline({"lr": LR}, [Phase("late", 40)])) == 41
    assert len(Timeline({"lr": LR}, actions={60: ["save"]})) == 61
    assert len(Timeline({"lr": LR}, steps=100)) == 100


def test_beyond_the_end_every_track_holds():
    assert TIMELINE(10**6) == TIMELINE(20) == {"lr": 1.0, "anchor": 0.01}


def test_a_phase_lasts_until_the_next_and_several_can_have_one_name():
    names = [phase and phase.name for phase in map(TIMELINE.phase, [0, 2, 3, 9, 10, 11, 12, 99])]
    assert names == [None, None, "hues", "hues", "all", "all", "hues", "hues"]
    assert TIMELINE.phases[2] == Phase("hues", 12)


def test_actions_happen_at_exactly_their_step():
    happened = {step: TIMELINE.actions(step) for step in range(21) if TIMELINE.actions(step)}
    assert happened == {4: ("look",), 10: ("anchor", "save")} == TIMELINE.actions_by_step


@pytest.mark.parametrize("change", ["row", "actions_by_step"])
def test_a_timelines_rows_and_actions_are_read_only(change):
    handed = TIMELINE(3) if change == "row" else TIMELINE.actions_by_step
    with pytest.raises(TypeError, match="does not support item assignment"):
        handed["lr"] = 2.0


def test_changing_the_arguments_afterwards_does_not_change_a_timeline():
    tracks, actions = {"lr": LR}, {4: ["look"]}
    timeline = Timeline(tracks, actions=actions)
    tracks["anchor"] = ANCHOR
    actions[4].append("save")
    assert (timeline.names, timeline.actions(4)) == (("lr",), ("look",))


def test_timelines_are_equal_when_they_hold_the_same_in_the_same_order():
    def made(**changes):
        parts = {"tracks": {"lr": LR, "anchor": ANCHOR}, "phases": [Phase("all", 0)], "steps": 30}
        return Timeline(**{**parts, **changes})

    others = [
        made(tracks={"anchor": ANCHOR, "lr": LR}),
        made(phases=[]),
        made(actions={3: ["look"]}),
        made(steps=31),
    ]
    assert made() == made()
    assert len({made(), made(), *others}) == 5
    assert made() != "a timeline"


def test_a_timelines_repr_lists_its_parts():
    assert repr(TIMELINE) == (
        "Timeline(steps=21, tracks=['lr', 'anchor'], phases=['hues', 'all', 'hues'], "
        "actions={4: ('look',), 10: ('anchor', 'save')})"
    )


@pytest.mark.parametrize("step", [-1, math.nan])
@pytest.mark.parametrize(
    "ask", [TIMELINE, TIMELINE.phase, TIMELINE.actions, lambda step: TIMELINE.table([3, step])]
)
def test_there_is_nothing_before_the_first_step(ask, step):
    with refuses(ValueError, "The step is (-1|nan).*; expected 0 or more"):
        ask(step)


def test_an_unknown_track_is_refused_with_those_that_exist():
    with refuses(KeyError, "Unknown track 'anchro'; expected one of 'lr', 'anchor'"):
        TIMELINE["anchro"]


@pytest.mark.parametrize("steps", [2.5, True])
def test_a_length_is_an_integer_and_not_a_bool(steps):
    with refuses(TypeError, f"steps is {steps}; expected a whole number"):
        Timeline({}, steps=steps)


@pytest.mark.parametrize(("start", "error"), [(-1, ValueError), (0.5, TypeError)])
def test_a_phase_starts_at_a_whole_step_that_is_not_negative(start, error):
    with refuses(error, f"The start of phase 'hues' is {start}"):
        Phase("hues", start)


def test_a_phase_has_a_name():
    with refuses(ValueError, "The phase at step 4 has no name"):
        Phase("", 4)


TRACKS = {"lr": Track([Keyframe(0, 0.1), Keyframe(10, 0.2)])}


def test_a_number_is_not_a_track():
    with refuses(TypeError, r"Track 'lr' is 0.1; .* A constant is Track\(\[Keyframe\(0, value"):
        Timeline({"lr": 0.1})


@pytest.mark.parametrize("start", [2, 5])
def test_phases_start_in_increasing_order(start):
    with refuses(ValueError, f"'b', start={start}.* after .*'a', start=5.*increasing starts"):
        Timeline(TRACKS, [Phase("a", 5), Phase("b", start)])


@pytest.mark.parametrize(("step", "error"), [(-1, ValueError), (0.5, TypeError)])
def test_actions_happen_at_whole_steps_that_are_not_negative(step, error):
    with refuses(error, rf"The step of the actions \['save'\] is {step}"):
        Timeline(TRACKS, actions={step: ["save"]})


def test_the_actions_of_a_step_are_a_list_and_not_a_string():
    with refuses(TypeError, r"at step 3 are 'save'; expected a list: \['save'\]"):
        Timeline(TRACKS, actions={3: "save"})


def test_an_action_has_a_name():
    with refuses(ValueError, r"at step 3 are \['save', ''\]; give each a name"):
        Timeline(TRACKS, actions={3: ["save", ""]})


def test_a_timeline_is_long_enough_for_everything_in_it():
    with refuses(ValueError, "steps is 10, but the last .* at step 10; expected at least 11"):
        Timeline(TRACKS, steps=10)


def test_the_length_of_a_timeline_is_a_positive_integer():
    with refuses(TypeError, "steps is 20.5; expected a whole number"):
        Timeline(TRACKS, steps=20.5)
    with refuses(ValueError, "steps is 0; expected at least 1"):
        Timeline({}, steps=0)


def test_phases_and_actions_may_come_from_iterators():
    phases = (Phase(name, start) for name, start in [("a", 0), ("b", 5)])
    with unchecked():
        timeline = Timeline({}, phases, {3: iter(["look", "save"])}, steps=10)
    assert [phase.name for phase in timeline.phases] == ["a", "b"]
    assert timeline.actions(3) == ("look", "save")
    with unchecked(), refuses(ValueError, r"at step 3 are \['save', ''\]; give each a name"):
        Timeline({}, actions={3: iter(["save", ""])})


@pytest.mark.parametrize(
    ("part", "says"),
    [("tracks", "The track 'lr' comes twice"), ("actions", "The step with actions 3 comes twice")],
)
def test_written_by_hand_what_comes_twice_is_refused(part, says):
    data = Timeline({"lr": Track([Keyframe(0, 0.1)])}, actions={3: ["x"]}).to_json()
    with refuses(ValueError, f"{says}; expected each once"):
        Timeline.from_json({**data, part: 2 * data[part]})
