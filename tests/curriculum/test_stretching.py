import numpy as np
import pytest
from curriculum.strategies import timelines
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import Keyframe, Phase, Timeline, Track

few = settings(max_examples=15)  # each of them is slow under the shape checks


@few
@given(timeline=timelines(), times=st.integers(1, 7))
def test_stretching_commutes_with_evaluation(timeline, times):
    own = np.arange(len(timeline))
    stretched = timeline.with_steps(times * (len(timeline) - 1) + 1)
    np.testing.assert_allclose(
        stretched.table(own * times), timeline.table(own), rtol=1e-10, atol=1e-8
    )
    phases = [stretched.phase(step * times) for step in own.tolist()]
    names = [phase and phase.name for phase in phases]
    assert names == [p and p.name for p in map(timeline.phase, own.tolist())]
    happened = {step / times: names for step, names in stretched.actions_by_step.items()}
    assert happened == timeline.actions_by_step


@given(timeline=timelines())
def test_a_timeline_in_its_own_number_of_steps_is_itself(timeline):
    assert timeline.with_steps(len(timeline)) == timeline


@few
@given(timeline=timelines(), times=st.integers(1, 7))
def test_shrinking_undoes_stretching(timeline, times):
    stretched = timeline.with_steps(times * (len(timeline) - 1) + 1)
    assert stretched.with_steps(len(timeline)) == timeline


@pytest.mark.parametrize(("step", "placed"), [(0, 0), (3, 2), (4, 2), (5, 2), (7, 4), (10, 5)])
def test_a_step_goes_to_the_nearest_one_and_from_halfway_to_the_even_one(step, placed):
    halved = Timeline({"lr": Track([Keyframe(step, 1.0)])}, steps=11).with_steps(6)
    assert (halved["lr"].keyframes[0].step, len(halved)) == (placed, 6)


def test_a_timeline_of_one_step_stays_at_it():
    timeline = Timeline({"lr": Track([Keyframe(0, 1.0)])}, [Phase("all", 0)], {0: ["save"]})
    assert timeline.with_steps(9) == Timeline(
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
def test_a_timeline_is_not_shrunk_until_things_merge(timeline, message):
    with refuses(ValueError, message):
        timeline.with_steps(10)


@pytest.mark.parametrize(("wanted", "error"), [(0, ValueError), (9.5, TypeError)])
def test_a_timeline_has_a_whole_number_of_steps(wanted, error):
    with refuses(error, "steps is"):
        Timeline({}, steps=5).with_steps(wanted)
