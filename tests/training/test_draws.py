"""Blocks of draws, whose labels are looked at when they are drawn."""

import pytest
from refusals import refuses
from training.tiny import SAMPLER, timeline, train

EXECUTIONS = ("together", "in_turn")


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


@pytest.mark.parametrize("execution", EXECUTIONS)
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "is NaN at 50 of"),
        (-100.0, "runs from -100 to .*ignore_index"),
        (2.0, "to 2;"),
    ],
)
def test_labels_that_are_none_are_refused_in_whatever_block_they_are(execution, value, words):
    bad, time = Spoiled(value, 150), timeline(160)
    assert train(batches=bad, time=time, steps=100, execution=execution).failures == ()
    with refuses(ValueError, f"steps 100 to 199 of seed 1: Label 'red' of term 'anchor' {words}"):
        train(batches=bad, time=time, execution=execution)
