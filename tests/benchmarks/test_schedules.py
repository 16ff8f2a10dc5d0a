"""Schedules beside the same arithmetic written directly, in one run on one thread."""

from itertools import pairwise

import numpy as np
import pytest
from side_by_side import medians

from latent_anchors.curriculum import Keyframe, Timeline, Track

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
