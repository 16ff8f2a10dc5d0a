"""Blocks of draws, whose labels are looked at when they are drawn."""

import pytest
from refusals import refuses
from training.tiny import ANCHOR, SAMPLER, timeline, train

from latent_anchors import Objective
from latent_anchors.training import Every
from latent_anchors.training._fit.batch_blocks import BatchBlocks
from latent_anchors.training._fit.schedule import make_schedule

EXECUTIONS = ("vmap", "sequential")


class Spoiled:
    """Labels that are none from a step on, for one of the runs."""

    def __init__(self, value, step, seed=1):
        self.value, self.step, self.seed = value, step, seed

    def block(self, seed, index):
        batch = SAMPLER.block(seed, index)
        if seed == self.seed:
            steps = slice(max(0, self.step - 100 * index), None)
            batch.labels["red"][steps, 0] = self.value
        return batch


def draws(value):
    objective = Objective([ANCHOR], losses=["recon"], other_tracks=["lr"])
    plan = make_schedule(timeline(160), objective, runs=2, steps=None)
    return BatchBlocks(Spoiled(value, 150), [3, 1], plan, objective)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "is NaN at 50 of"),
        (-100.0, "runs from -100 to .*ignore_index"),
        (2.0, "runs from 0 to 2;"),
    ],
)
def test_labels_that_are_none_are_refused_when_their_block_is_drawn(value, words):
    assert len(draws(value).at(99)) == 2
    with refuses(ValueError, f"steps 100 to 199 of seed 1: Label 'red' of term 'anchor' {words}"):
        draws(value).at(100)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_a_training_stops_at_labels_that_are_none(execution):
    bad = Spoiled(float("nan"), 150)
    done = []
    with refuses(ValueError, "steps 100 to 199 of seed 1: Label 'red' .* is NaN"):
        train(
            batches=bad,
            time=timeline(160),
            seeds=[1],
            execution=execution,
            callbacks=[Every(50, lambda progress: done.append(progress.step))],
        )
    assert done == [50, 100]
