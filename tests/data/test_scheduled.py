import pickle
from copy import deepcopy

import pytest
import torch
from data.scheduling import DEGREE, TIMELINE, N, narrow
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.data import BernoulliLabels, Sampler, ScheduledWeights, SoftLabels, count_labels
from latent_anchors.data import _scheduled as shares_file


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


COLORS = torch.linspace(0, 1, 3 * N).reshape(N, 3)
LABELS = {"hard": BernoulliLabels(DEGREE), "soft": SoftLabels(DEGREE)}
WEIGHTS = ScheduledWeights(narrow, TIMELINE, tracks=["width", "stage"])


def sampler(weights=WEIGHTS, batch_size=6):
    return Sampler(COLORS, LABELS, batch_size, weights, {"row": torch.arange(N)})


SAMPLER = sampler()
steps = st.integers(0, 450)


def parts(batch):
    return {"inputs": batch.inputs, **batch.labels, **batch.extras}


def same(one, other):
    return all(torch.equal(parts(one)[name], parts(other)[name]) for name in parts(one))


@given(seed=st.integers(0, 2**40), step=steps)
def test_a_batch_is_drawn_as_from_the_weights_of_its_step_alone(seed, step):
    constant = sampler(narrow(TIMELINE(step)))
    assert same(SAMPLER.batch(seed, step), constant.batch(seed, step))


@given(seed=st.integers(0, 2**40), step=steps)
def test_a_row_given_with_the_step_draws_what_the_timeline_draws(seed, step):
    assert same(SAMPLER.batch(seed, step, TIMELINE(step)), SAMPLER.batch(seed, step))


@given(seed=st.integers(0, 99), step=steps, other=steps)
def test_another_row_draws_as_the_weights_of_that_row(seed, step, other):
    constant = sampler(narrow(TIMELINE(other)))
    assert same(SAMPLER.batch(seed, step, TIMELINE(other)), constant.batch(seed, step))


@given(order=st.permutations(range(115, 125)))
def test_batches_resume_at_any_step_in_any_order(order):
    fresh = sampler()
    assert all(same(fresh.batch(3, step), SAMPLER.batch(3, step)) for step in order)


def test_a_run_sees_the_same_alone_and_among_many():
    among = {seed: SAMPLER.block(seed, 1) for seed in (5, 1, 9)}
    assert all(same(sampler().block(seed, 1), block) for seed, block in among.items())


def test_weights_that_never_change_draw_as_the_constant_does():
    still = ScheduledWeights(lambda _: DEGREE, TIMELINE)
    for index in (0, 3):
        assert torch.equal(sampler(still).rows(7, index), sampler(DEGREE).rows(7, index))


def test_weights_that_never_change_are_held_once_and_others_step_by_step():
    still = ScheduledWeights(lambda _: DEGREE, TIMELINE)
    alike = shares_file.shares_at(still, 5 * shares_file.values_planned(still, [3]), 0, N)
    assert alike.shape == (N,)
    planned = shares_file.values_planned(WEIGHTS, [0, 119])
    assert shares_file.shares_at(WEIGHTS, planned, 0, N).shape == (2, N)


def test_a_piece_is_at_most_128_mebibytes():
    assert [each.stop - each.start for each in shares_file.pieces(5, 2**23)] == [2, 2, 1]


def test_steps_at_once_draw_as_single_steps_do():
    at_once = ScheduledWeights(narrow, TIMELINE, ["width", "stage"], vectorized=True)
    assert torch.equal(sampler(at_once).rows(0, 1), SAMPLER.rows(0, 1))


def test_what_is_drawn_grows_with_the_track():
    many = sampler(batch_size=200)
    seen = [int(many.batch(0, step).extras["row"].unique().numel()) for step in (0, 60, 119, 250)]
    assert seen[0] == 1
    assert seen == sorted(seen)
    assert seen[-1] == N


def test_a_row_of_more_samples_than_are_held_at_once_is_a_piece_of_its_own():
    assert len(shares_file.pieces(3, shares_file.MOST + 1)) == 3
    assert shares_file.pieces(3, shares_file.MOST // 3) == [slice(0, 3)]


def test_a_large_data_set_draws_the_same_in_pieces(monkeypatch):
    whole = SAMPLER.rows(2, 1)
    for most in (1, 7 * N, 64 * N):
        monkeypatch.setattr(shares_file, "MOST", most)
        assert torch.equal(sampler().rows(2, 1), whole)


def test_the_weights_of_a_block_are_made_once_for_all_runs():
    calls = []
    counted = ScheduledWeights(
        lambda row: calls.append(row) or narrow(row), TIMELINE, ["width", "stage"]
    )
    many = sampler(counted)
    many.block(0, 0)
    once = len(calls)
    for seed in range(1, 5):
        many.block(seed, 0)
    assert len(calls) == once


def test_another_timeline_may_be_followed():
    other = Timeline(
        {"stage": Track([Keyframe(0, 0.5)]), "width": Track([Keyframe(0, 0.3)])}, steps=5
    )
    expected = sampler(narrow(other(0)))
    assert same(SAMPLER.following(other).block(1, 2), expected.block(1, 2))
    assert same(SAMPLER.following(TIMELINE).block(1, 2), SAMPLER.block(1, 2))


def test_labels_of_scheduled_draws_are_counted():
    soft = sum(float(SAMPLER.batch(4, step).labels["soft"].sum()) for step in range(150))
    counted = count_labels(SAMPLER, "soft", seeds=[4], steps=range(150))
    assert float(counted.used) == pytest.approx(soft)


@pytest.mark.parametrize("copied", [deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_scheduled_sampler_reaches_a_worker_as_it_was(copied):
    SAMPLER.batch(2, 5)
    assert same(copied(SAMPLER).batch(2, 130), SAMPLER.batch(2, 130))


def vanishing(row):
    return DEGREE * (row["stage"] < 1)


def test_a_step_at_which_nothing_has_weight_is_refused_by_number():
    late = sampler(ScheduledWeights(vanishing, TIMELINE, ["stage"]))
    assert late.batch(0, 99).inputs.shape == (6, 3)
    with refuses(ValueError, "The weights at step 120 run from 0 to 0; expected finite numbers"):
        late.batch(0, 100)
    with refuses(ValueError, "The weights at step 7 run from 0 to 0; expected finite numbers"):
        late.batch(0, 7, {"stage": 1.0})


@pytest.mark.parametrize("wrong", [-1.0, torch.nan, torch.inf])
def test_weights_that_are_no_shares_are_refused_with_their_step(wrong):
    late = ScheduledWeights(lambda row: DEGREE if row["stage"] < 1 else wrong * DEGREE, TIMELINE)
    with refuses(ValueError, "The weights at step 120 run from .*not all of them 0"):
        sampler(late).rows(0, 1)


def test_a_function_that_weighs_other_samples_is_refused_at_once():
    with refuses(ValueError, r"The weights from step 0 on have shape \(1, 9\); expected \(1, 10\)"):
        sampler(ScheduledWeights(lambda _: torch.ones(9), TIMELINE))
    with refuses(ValueError, r"have shape \(1, 1, 10\); expected \(1, 10\).*vectorized=True"):
        sampler(ScheduledWeights(lambda _: DEGREE[None], TIMELINE))


def test_a_row_or_a_timeline_for_weights_that_follow_none_is_refused():
    constant = sampler(DEGREE)
    with refuses(ValueError, "A row was given, but the weights follow none.*ScheduledWeights"):
        constant.batch(0, 0, {})
    with refuses(ValueError, "A timeline was given, but the weights follow none"):
        constant.following(TIMELINE)
    with refuses(ValueError, "Unknown track 'width'"):
        SAMPLER.following(Timeline({}))


def test_rows_that_were_played_are_followed_in_the_timelines_place():
    planned = [TIMELINE(step) for step in range(100, 200)]
    assert same(SAMPLER.block(4, 1, planned), SAMPLER.block(4, 1))
    late = [dict(row, width=0.5) if step >= 60 else row for step, row in enumerate(planned)]
    changed = SAMPLER.block(4, 1, late)
    for offset in (0, 59, 60, 99):
        at_once = SAMPLER.batch(4, 100 + offset, late[offset])
        assert same(changed.map(lambda tensor, i=offset: tensor[i]), at_once)
    assert not same(changed, SAMPLER.block(4, 1))


def test_the_tracks_that_a_sampler_follows_are_those_of_its_weights():
    assert SAMPLER.follows == ("width", "stage")
    assert sampler(DEGREE).follows == ()


def test_rows_are_given_to_weights_that_follow_some_one_for_each_step():
    with refuses(ValueError, "1 rows were given for a block of 100 steps; expected one for each"):
        SAMPLER.block(0, 0, [TIMELINE(0)])
    with refuses(ValueError, "A row was given, but the weights follow none"):
        sampler(DEGREE).block(0, 0, [TIMELINE(0)] * 100)


def test_a_vectorized_function_gives_a_row_of_weights_for_each_row():
    few = ScheduledWeights(lambda _: torch.ones(N), TIMELINE, vectorized=True)
    for ask in (lambda: few.table([0, 1, 2]), lambda: few(TIMELINE(0))):
        with refuses(ValueError, r"gave weights of shape \(10,\) for \d rows?; expected"):
            ask()
