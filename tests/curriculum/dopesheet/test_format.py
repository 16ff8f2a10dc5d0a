from dataclasses import replace

import pytest
from curriculum.strategies import LAST_STEP, easings, made, steps
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import Dopesheet, Keyframe, Phase, Timeline, Track, read_dopesheet
from latent_anchors.transitions import linear, pchip

few = settings(max_examples=15)  # each of them is slow under the shape checks

names = st.text("abc é-&", min_size=1, max_size=8).filter(lambda name: name == name.strip())


@st.composite
def columnar(draw):
    """Timelines whose tracks have one easing each."""

    def track():
        leave, space = draw(easings), draw(st.sampled_from(["linear", "log"]))
        values = st.floats(1e-12, 1e6) if space == "log" else st.floats(-1e6, 1e6)
        keyed = sorted(draw(st.sets(steps, min_size=1, max_size=6)))
        return made(Track, [Keyframe(step, draw(values), leave) for step in keyed], space)

    starts = sorted(draw(st.sets(steps, max_size=3)))
    return made(
        Timeline,
        {name: track() for name in draw(st.lists(names, unique=True, max_size=3))},
        [Phase(draw(names), start) for start in starts],
        draw(st.dictionaries(steps, st.lists(names, min_size=1, max_size=2), max_size=3)),
        draw(st.sampled_from([None, LAST_STEP + 50])),
    )


@few
@given(timeline=columnar())
def test_a_timeline_survives_a_round_trip_through_a_sheet(timeline):
    sheet = made(Dopesheet.from_timeline, timeline)
    assert sheet.timeline() == timeline
    assert made(read_dopesheet, sheet.to_csv()).timeline() == timeline


def test_a_sheet_leaves_out_defaults():
    timeline = Timeline({"lr": Track([Keyframe(0, 0.5)]), "z": Track([Keyframe(3, 1.0, linear)])})
    assert Dopesheet.from_timeline(timeline).to_csv() == "STEP,lr,z::linear\n0,0.5,\n3,,1.0\n"


def test_the_transition_of_the_last_key_is_unused_and_not_written():
    keys = [Keyframe(0, 0.5, linear), Keyframe(9, 1.0)]
    sheet = Dopesheet.from_timeline(Timeline({"lr": Track(keys)}))
    assert sheet.columns == ("STEP", "lr::linear")
    keys[1] = replace(keys[1], leave=linear)
    assert sheet.timeline() == Timeline({"lr": Track(keys)})


@pytest.mark.parametrize(
    "keys",
    [
        [Keyframe(0, 0.0, linear), Keyframe(5, 1.0), Keyframe(9, 2.0)],
        [Keyframe(0, 0.0, pchip), Keyframe(5, 1.0, pchip, rest=True), Keyframe(9, 2.0)],
    ],
)
def test_a_column_has_one_easing(keys):
    with refuses(ValueError, "keys of track 'lr' have the easings .*; a column .* has one easing"):
        Dopesheet.from_timeline(Timeline({"lr": Track(keys)}))


def test_a_transition_without_a_name_cannot_be_written():
    keys = [Keyframe(0, 0.0, lambda progress: progress), Keyframe(5, 1.0)]
    with refuses(ValueError, "has no name; give it one"):
        Dopesheet.from_timeline(Timeline({"lr": Track(keys)}))


@pytest.mark.parametrize(
    ("timeline", "message"),
    [
        (Timeline({"lr:log": Track([Keyframe(0, 1.0)])}), "a track is 'lr:log'; .* without ':'"),
        (Timeline({"": Track([Keyframe(0, 1.0)])}), "The name of a track is ''"),
        (Timeline({}, [Phase(" hues", 0)]), "a phase is ' hues'; expected one without outer"),
        (Timeline({}, actions={0: ["a,b"]}), "an? action is 'a,b'; .* and without ','"),
        (Timeline({"STEP": Track([Keyframe(0, 1.0)])}), "'STEP', which is a column of every"),
    ],
)
def test_a_name_that_no_cell_can_hold_is_refused(timeline, message):
    with refuses(ValueError, message):
        Dopesheet.from_timeline(timeline)
