"""Schedules beside the same arithmetic written directly, in one run on one thread."""

from itertools import pairwise

import numpy as np
import pytest
from side_by_side import medians

from latent_anchors.curriculum import Above, Keyframe, Playhead, Retarget, Timeline, Track, Trigger

STEPS, TRACKS = 20_000, 10
KEYS = [(0, 0.0), (4_000, 1.0), (9_000, 0.25), (15_000, 0.75), (STEPS - 1, 0.5)]
TIMELINE = Timeline({f"t{i}": Track([Keyframe(*key) for key in KEYS]) for i in range(TRACKS)})


def polynomial(tau: float) -> float:
    return tau * tau * tau * (10.0 + tau * (6.0 * tau - 15.0))


def segment(step: int, t0: int, span: int, y0: float, change: float) -> float:
    """The polynomial between two keys at a step, as one would write it by hand."""
    tau = (step - t0) / span
    return y0 + change * (tau * tau * tau * (10.0 + tau * (6.0 * tau - 15.0)))


def direct() -> np.ndarray:
    """All tracks by slices of numpy, as one would write it by hand for these very keys."""
    steps, values = np.arange(STEPS, dtype=float), np.empty((STEPS, TRACKS))
    for column in range(TRACKS):
        for (t0, y0), (t1, y1) in pairwise(KEYS):
            tau = (steps[t0 : t1 + 1] - t0) / (t1 - t0)
            values[t0 : t1 + 1, column] = y0 + (y1 - y0) * polynomial(tau)
    return values


def test_a_table_costs_at_most_six_times_the_arithmetic_written_directly():
    np.testing.assert_allclose(TIMELINE.table(range(STEPS)), direct(), atol=1e-12)
    steps = np.arange(STEPS)
    table, by_hand = medians(lambda: TIMELINE.table(steps), direct, rounds=15)
    print(f"\ntable: {table / by_hand:.2f} times direct numpy ({1e3 * table:.1f} ms)")
    assert table <= 6 * by_hand


@pytest.mark.parametrize("step", [500, 10_000])
def test_a_row_costs_at_most_five_polynomials_per_track(step: int):
    def rows() -> None:
        for _ in range(1_000):
            TIMELINE(step)

    def segments() -> None:
        for _ in range(1_000 * TRACKS):
            segment(step, 4_000, 5_000, 1.0, -0.75)

    def polynomials() -> None:
        for _ in range(1_000 * TRACKS):
            polynomial(0.3)

    row, once, bare = medians(rows, segments, polynomials, rounds=15)
    print(f"\nrow: {row / once:.2f} times one segment per track, {row / bare:.2f} bare polynomials")
    assert row <= 5 * bare


def test_a_replay_step_by_step_is_shown_beside_the_table():
    steps = np.arange(STEPS)
    table, replay = medians(
        lambda: TIMELINE.table(steps), lambda: [TIMELINE(step) for step in range(STEPS)], rounds=3
    )
    print(f"\nreplay: {replay / table:.1f} times the table")
    assert table < replay


def played(steps: int) -> Playhead:
    """A playhead that retargets a track at every other step, after so many steps."""
    trigger = Trigger("x", Above(1.0, clear=0.5), Retarget("t0", 0.3, over=5), times=None)
    playhead = Playhead(
        Timeline({"t0": Track([Keyframe(0, 0.0), Keyframe(50_000, 1.0)])}), [trigger]
    )
    play(playhead, steps)
    return playhead


def play(playhead: Playhead, steps: int) -> None:
    """Play so many further steps."""
    for _ in range(steps):
        step = playhead.step
        playhead.row(step)
        playhead.observe(step, {"x": 2.0 * (step % 2)})


def test_a_step_after_ten_thousand_retargets_costs_no_more_than_at_first():
    early, late = played(0), played(20_000)
    assert len(late.log) == 10_000
    first, last = medians(lambda: play(early, 200), lambda: play(late, 200), rounds=15)
    print(f"\nplayhead: a step after 10,000 retargets costs {last / first:.2f} of one at first")
    assert last <= 1.5 * first
