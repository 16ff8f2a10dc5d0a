import numpy as np
import pytest
from curriculum.strategies import LAST_STEP, made, steps, tracks
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import (
    Dopesheet,
    Keyframe,
    Phase,
    Playhead,
    Timeline,
    Track,
    join,
    repeat,
    scale,
    shift,
    warm_up,
)

few = settings(max_examples=15)  # each of them is slow under the shape checks

lengths = st.sampled_from([None, LAST_STEP + 1, LAST_STEP + 30])


@st.composite
def alike(draw, number=3):
    """Timelines with the same tracks in the same spaces."""
    spaces = {"lr": "log", "anchor": "linear"}
    return [
        made(
            Timeline,
            {name: draw(tracks(space)) for name, space in spaces.items()},
            [Phase("hues", start) for start in sorted(draw(st.sets(steps, max_size=2)))],
            draw(st.dictionaries(steps, st.just(["save"]), max_size=2)),
            draw(lengths),
        )
        for _ in range(number)
    ]


@pytest.mark.parametrize(
    "ask",
    [
        lambda plan: join([plan, plan]),
        lambda plan: join(plan, [plan]),
        lambda plan: repeat([plan], 1),
        lambda plan: repeat([plan], 2),
        lambda plan: scale([plan], {}),
        lambda plan: shift([plan], 1),
        lambda plan: warm_up([plan], "lr", 1, start=0),
        lambda plan: Dopesheet.from_timeline([plan]),
        lambda plan: Playhead([plan]),
    ],
)
def test_a_list_of_timelines_is_none(ask):
    with refuses(TypeError, r"The timeline is \[Timeline\(.*; expected a Timeline, (or|such as) "):
        ask(Timeline({}, [Phase("hues", 0)]))


@few
@given(timelines=alike(2))
def test_each_timeline_is_played_from_its_own_beginning(timelines):
    first, second = timelines
    joined = join(first, second)
    assert len(joined) == len(first) + len(second)
    for at, timeline in ((0, first), (len(first), second)):
        own = np.arange(len(timeline))
        np.testing.assert_array_equal(joined.table(at + own), timeline.table(own))
        happened = [joined.actions(at + step) for step in range(len(timeline))]
        assert happened == [timeline.actions(step) for step in range(len(timeline))]


@settings(max_examples=4)
@given(timelines=alike())
def test_how_timelines_are_grouped_does_not_matter(timelines):
    first, second, third = timelines
    assert join(join(first, second), third) == join(first, join(second, third))
    assert join(first, second, third) == join(join(first, second), third)


@few
@given(timelines=alike(1), times=st.integers(1, 4), step=st.integers(0, 500))
def test_a_repeated_timeline_goes_round(timelines, times, step):
    (timeline,) = timelines
    repeated = repeat(timeline, times)
    assert len(repeated) == times * len(timeline)
    assert repeated(step % len(repeated)) == timeline(step % len(timeline))


def test_a_timeline_joined_to_nothing_is_itself():
    timeline = Timeline({"lr": Track([Keyframe(0, 0.1)])}, [Phase("hues", 3)])
    assert join(timeline) == repeat(timeline, 1) == timeline


def test_names_of_phases_come_again():
    timeline = Timeline({}, [Phase("hues", 0), Phase("all", 4)], {4: ["save"]}, steps=10)
    twice = repeat(timeline, 2)
    assert [(phase.name, phase.start) for phase in twice.phases] == [
        *(("hues", 0), ("all", 4)),
        *(("hues", 10), ("all", 14)),
    ]
    assert twice.actions_by_step == {4: ("save",), 14: ("save",)}


def test_a_phase_goes_on_until_the_next_one_starts():
    late = Timeline({}, [Phase("all", 5)], steps=10)
    joined = join(Timeline({}, [Phase("hues", 0)], steps=10), late)
    assert [phase.name for phase in map(joined.phase, [9, 14, 15])] == ["hues", "hues", "all"]


def test_the_order_of_the_first_ones_tracks_is_kept():
    parts = {"lr": Track([Keyframe(0, 0.1)]), "anchor": Track([Keyframe(0, 1.0)])}
    turned = Timeline(dict(reversed(parts.items())))
    assert join(Timeline(parts), turned).names == ("lr", "anchor")


def test_timelines_of_other_tracks_are_refused():
    one, other = (Timeline({name: Track([Keyframe(0, 0.1)])}) for name in ("lr", "anchor"))
    with refuses(ValueError, "has the tracks 'lr', the next 'anchor'; expected the same"):
        join(one, other)


def test_a_track_has_one_space():
    one, other = (Timeline({"lr": Track([Keyframe(0, 0.1)], space)}) for space in ("linear", "log"))
    with refuses(ValueError, "'lr' is in linear space and then in log space; expected one"):
        join(one, other)


@pytest.mark.parametrize(("times", "error"), [(0, ValueError), (1.5, TypeError)])
def test_a_timeline_is_repeated_a_whole_number_of_times(times, error):
    with refuses(error, "times is"):
        repeat(Timeline({}, steps=3), times)
