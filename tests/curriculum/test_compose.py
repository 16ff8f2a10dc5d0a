import numpy as np
import pytest
from curriculum.strategies import LAST_STEP, easings, made, steps, timelines, tracks
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
    stretch,
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
        lambda plan: stretch([plan], 9),
        lambda plan: Dopesheet.from_timeline([plan]),
        lambda plan: Playhead([plan]),
    ],
)
def test_a_list_of_timelines_is_not_a_timeline(ask):
    with refuses(TypeError, r"The timeline is \[Timeline\(.*; expected a Timeline, (or|such as) "):
        ask(Timeline({}, [Phase("hues", 0)]))


@few
@given(timelines=alike(2))
def test_each_joined_timeline_starts_at_its_own_beginning(timelines):
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
def test_a_repeated_timeline_is_periodic(timelines, times, step):
    (timeline,) = timelines
    repeated = repeat(timeline, times)
    assert len(repeated) == times * len(timeline)
    assert repeated(step % len(repeated)) == timeline(step % len(timeline))


def test_a_timeline_joined_to_nothing_is_itself():
    timeline = Timeline({"lr": Track([Keyframe(0, 0.1)])}, [Phase("hues", 3)])
    assert join(timeline) == repeat(timeline, 1) == timeline


def test_phases_of_a_repeated_timeline_have_the_same_names():
    timeline = Timeline({}, [Phase("hues", 0), Phase("all", 4)], {4: ["save"]}, steps=10)
    twice = repeat(timeline, 2)
    assert [(phase.name, phase.start) for phase in twice.phases] == [
        *(("hues", 0), ("all", 4)),
        *(("hues", 10), ("all", 14)),
    ]
    assert twice.actions_by_step == {4: ("save",), 14: ("save",)}


def test_a_phase_lasts_until_the_next_one_starts_in_whichever_timeline():
    late = Timeline({}, [Phase("all", 5)], steps=10)
    joined = join(Timeline({}, [Phase("hues", 0)], steps=10), late)
    assert [phase.name for phase in map(joined.phase, [9, 14, 15])] == ["hues", "hues", "all"]


def test_the_order_of_the_first_ones_tracks_is_kept():
    parts = {"lr": Track([Keyframe(0, 0.1)]), "anchor": Track([Keyframe(0, 1.0)])}
    turned = Timeline(dict(reversed(parts.items())))
    assert join(Timeline(parts), turned).names == ("lr", "anchor")


def test_timelines_with_different_tracks_are_refused():
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


PLAN = Timeline(
    {"lr": Track([Keyframe(3, 0.5), Keyframe(9, 0.1)], "log"), "anchor": Track([Keyframe(0, 1)])},
    [Phase("hues", 0), Phase("all", 5)],
    {9: ["save"]},
)


@given(track=tracks(), factor=st.floats(0.001, 1000.0), step=st.floats(0, 150))
def test_a_scaled_track_has_scaled_values(track, factor, step):
    timeline = Timeline({"lr": track, "other": track}, steps=200)
    scaled = scale(timeline, {"lr": factor})
    largest = max(abs(key.value) for key in track.keyframes)
    assert scaled["lr"](step) == pytest.approx(
        factor * track(step), rel=1e-9, abs=1e-12 * largest * factor
    )
    assert scaled["other"] == track


def test_a_linear_track_can_be_scaled_by_zero_or_a_negative_factor():
    assert scale(PLAN, {"anchor": 0})["anchor"](5) == 0.0
    assert scale(PLAN, {"anchor": -2})["anchor"](5) == -2.0


def test_scaling_changes_no_phase_and_no_action():
    scaled = scale(PLAN, {"lr": 2.0})
    assert (scaled.phases, scaled.actions_by_step) == (PLAN.phases, PLAN.actions_by_step)
    assert len(scaled) == len(PLAN)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"lt": 2.0}, "Unknown track 'lt'; expected one of 'lr', 'anchor'."),
        ({"lr": 0.0}, "is in log space; expected a value above 0"),
        ({"anchor": float("inf")}, "The value at step 0 is inf; expected a finite number"),
    ],
)
def test_a_factor_whose_products_no_track_can_hold_is_refused(factors, message):
    with refuses(ValueError, message):
        scale(PLAN, factors)


@few
@given(timeline=timelines(), by=st.integers(0, 50))
def test_a_shifted_timeline_waits_and_then_has_the_same_values(timeline, by):
    shifted, own = shift(timeline, by), np.arange(len(timeline))
    assert len(shifted) == len(timeline) + by
    np.testing.assert_array_equal(shifted.table(own + by), timeline.table(own))
    assert all(shifted(step) == timeline(0) for step in range(by))
    assert [(p.name, p.start - by) for p in shifted.phases] == [
        (p.name, p.start) for p in timeline.phases
    ]
    happened = {step - by: names for step, names in shifted.actions_by_step.items()}
    assert happened == timeline.actions_by_step


@pytest.mark.parametrize(("by", "error"), [(-1, ValueError), (0.5, TypeError)])
def test_a_timeline_is_shifted_later_by_an_integer(by, error):
    with refuses(error, "by is"):
        shift(PLAN, by)


@few
@given(
    track=tracks(),
    ramp=st.integers(1, 40),
    start=st.floats(1e-6, 1e3),
    leave=easings,
    length=steps,
)
def test_a_warm_up_leads_to_the_first_value_and_changes_nothing_after(
    track, ramp, start, leave, length
):
    timeline = Timeline({"lr": track, "other": track}, steps=150 + length)
    warmed, own = warm_up(timeline, "lr", ramp, start=start, leave=leave), np.arange(150)
    assert len(warmed) == len(timeline) + ramp
    np.testing.assert_array_equal(warmed.table(own + ramp), timeline.table(own))
    assert warmed["lr"](0) == start
    low, high = sorted([start, track(0)])
    assert all(low <= warmed["lr"](step) <= high for step in range(ramp))
    assert {warmed["other"](step) for step in range(ramp)} == {track(0)}


def test_a_warm_up_delays_phases_and_actions():
    warmed = warm_up(PLAN, "lr", 100, start=1e-8)
    assert warmed.phases == (Phase("hues", 100), Phase("all", 105))
    assert warmed.actions_by_step == {109: ("save",)}


@pytest.mark.parametrize(
    ("name", "ramp", "start", "error", "message"),
    [
        ("lt", 5, 0.1, ValueError, "Unknown track 'lt'"),
        ("lr", 0, 0.1, ValueError, "steps is 0; expected at least 1"),
        ("lr", 2.5, 0.1, TypeError, "steps is 2.5; expected a whole number"),
        ("lr", 5, 0.0, ValueError, "is in log space; expected a value above 0"),
    ],
)
def test_an_invalid_warm_up_is_refused(name, ramp, start, error, message):
    with refuses(error, message):
        warm_up(PLAN, name, ramp, start=start)


@few
@given(timeline=timelines(), times=st.integers(1, 7))
def test_stretching_commutes_with_evaluation(timeline, times):
    own = np.arange(len(timeline))
    stretched = stretch(timeline, times * (len(timeline) - 1) + 1)
    np.testing.assert_allclose(
        stretched.table(own * times), timeline.table(own), rtol=1e-10, atol=1e-8
    )
    phases = [stretched.phase(step * times) for step in own.tolist()]
    names = [phase and phase.name for phase in phases]
    assert names == [p and p.name for p in map(timeline.phase, own.tolist())]
    happened = {step / times: names for step, names in stretched.actions_by_step.items()}
    assert happened == timeline.actions_by_step


@given(timeline=timelines())
def test_a_timeline_stretched_to_its_own_length_is_itself(timeline):
    assert stretch(timeline, len(timeline)) == timeline


@few
@given(timeline=timelines(), times=st.integers(1, 7))
def test_shrinking_undoes_stretching(timeline, times):
    stretched = stretch(timeline, times * (len(timeline) - 1) + 1)
    assert stretch(stretched, len(timeline)) == timeline


@pytest.mark.parametrize(("step", "placed"), [(0, 0), (3, 2), (4, 2), (5, 2), (7, 4), (10, 5)])
def test_a_stretched_step_is_rounded_half_to_even(step, placed):
    halved = stretch(Timeline({"lr": Track([Keyframe(step, 1.0)])}, steps=11), 6)
    assert (halved["lr"].keyframes[0].step, len(halved)) == (placed, 6)


def test_a_timeline_of_one_step_keeps_its_step():
    timeline = Timeline({"lr": Track([Keyframe(0, 1.0)])}, [Phase("all", 0)], {0: ["save"]})
    assert stretch(timeline, 9) == Timeline(
        {"lr": timeline["lr"]}, timeline.phases, {0: ["save"]}, steps=9
    )


@pytest.mark.parametrize(
    ("timeline", "message"),
    [
        (
            Timeline({"lr": Track([Keyframe(0, 1.0), Keyframe(1, 2.0)])}, steps=100),
            "In 10 steps, the keys of track 'lr' at steps 0 and 1 would both be at step 0; ask",
        ),
        (
            Timeline({}, [Phase("hues", 20), Phase("all", 24)], steps=100),
            "the phases at steps 20 and 24 would both be at step 2",
        ),
        (
            Timeline({}, actions={20: ["save"], 24: ["look"]}, steps=100),
            "the actions at steps 20 and 24 would both be at step 2",
        ),
    ],
)
def test_shrinking_is_refused_where_two_keys_phases_or_actions_would_merge(timeline, message):
    with refuses(ValueError, message):
        stretch(timeline, 10)


@pytest.mark.parametrize(("wanted", "error"), [(0, ValueError), (9.5, TypeError)])
def test_the_stretched_length_is_a_positive_integer(wanted, error):
    with refuses(error, "steps is"):
        stretch(Timeline({}, steps=5), wanted)
