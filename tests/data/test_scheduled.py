import pytest
import torch
from data.scheduling import DEGREE, TIMELINE, N, narrow
from refusals import refuses

from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.data import ScheduledWeights


class Counted:
    def __init__(self):
        self.rows = []

    def __call__(self, row):
        self.rows.append(dict(row))
        return narrow(row)


def test_weights_at_a_step_are_the_function_of_its_row():
    weights = ScheduledWeights(narrow, TIMELINE)
    for step in (0, 119, 120, 250, 9999):
        assert torch.equal(weights(TIMELINE(step)), narrow(TIMELINE(step)))


def test_a_table_holds_the_weights_of_its_steps_in_any_order():
    weights = ScheduledWeights(narrow, TIMELINE)
    steps = [250, 0, 120, 250, 0]
    expected = torch.stack([weights(TIMELINE(step)) for step in steps])
    torch.testing.assert_close(weights.table(steps), expected, rtol=1e-6, atol=0)


def test_many_steps_at_once_have_the_weights_of_single_ones():
    at_once = ScheduledWeights(narrow, TIMELINE, ["width", "stage"], vectorized=True)
    single = ScheduledWeights(narrow, TIMELINE)
    steps = range(0, 300, 7)
    assert at_once.table(steps).shape == (43, N)
    torch.testing.assert_close(at_once.table(steps).float(), single.table(steps))
    assert at_once(TIMELINE(60)).shape == (N,)


def test_the_function_sees_the_tracks_named_and_each_of_their_rows_once():
    counted = Counted()
    ScheduledWeights(counted, TIMELINE, tracks=["width", "stage"]).table(range(40))
    assert counted.rows == [{"width": 0.1, "stage": 0.0}]
    counted = Counted()
    ScheduledWeights(counted, TIMELINE).table(range(40))
    assert len(counted.rows) == 40
    assert list(counted.rows[0]) == ["lr", "width", "stage"]


def test_a_function_that_takes_many_steps_is_called_once():
    counted = Counted()
    ScheduledWeights(counted, TIMELINE, vectorized=True).table(range(100, 200))
    assert [row["width"].shape for row in counted.rows] == [(100, 1)]


def test_the_names_are_those_of_the_tracks_that_are_read():
    assert ScheduledWeights(narrow, TIMELINE).names == ("lr", "width", "stage")
    assert ScheduledWeights(narrow, TIMELINE, ["width"]).names == ("width",)


@pytest.mark.parametrize("vectorized", [False, True])
def test_a_function_of_nothing_is_a_constant(vectorized):
    always = DEGREE[None] if vectorized else DEGREE
    weights = ScheduledWeights(lambda _: always, Timeline({}), (), vectorized)
    assert torch.equal(weights.table(range(3)), DEGREE.expand(3, -1))


def test_a_track_that_is_not_there_is_refused():
    with refuses(ValueError, "Unknown track 'widht'; expected one of .*Did you mean 'width'"):
        ScheduledWeights(narrow, TIMELINE, tracks=["widht"])


def test_a_function_that_reads_an_unknown_track_gets_an_error_that_lists_them():
    weights = ScheduledWeights(narrow, TIMELINE, tracks=["width"])
    with refuses(KeyError, "Unknown track 'stage'; expected one of 'width'"):
        weights.table(range(3))
    with refuses(KeyError, "Unknown track 'width'; expected one of 'lr'"):
        weights({"lr": 0.1})


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_the_table_of_a_constant_track_is_made_in_one_call(value):
    counted = Counted()
    timeline = Timeline({"width": Track([Keyframe(0, 1.0)]), "stage": Track([Keyframe(0, value)])})
    assert ScheduledWeights(counted, timeline).table(range(100)).shape == (100, N)
    assert len(counted.rows) == 1
