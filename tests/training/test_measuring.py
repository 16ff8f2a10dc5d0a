import math

import pytest
import torch
from refusals import refuses
from training.tiny import ANCHOR, timeline, train, trained

from latent_anchors import Objective
from latent_anchors.curriculum import Below, Playhead, Stop, Trigger
from latent_anchors.training import Every, History, Progress
from latent_anchors.training._measuring import measured

OBJECTIVE = Objective([ANCHOR], losses=["recon"], other_tracks=["lr"])
POPULATION = trained().population


def history():
    """Two runs over three steps; labels are rare, and the first step was told before."""
    means = {
        "anchor": torch.tensor([[9.0, 9.0], [1.0, 0.0], [4.0, 0.0]]),
        "recon": torch.tensor([[9.0, 9.0], [0.2, 0.4], [0.4, math.nan]]),
    }
    masses = {
        "anchor": torch.tensor([[1.0, 1.0], [2.0, 0.0], [1.0, 0.0]]),
        "recon": torch.full((3, 2), 8.0),
    }
    return History(means, masses, {}, {"anchor": "anchor", "recon": "recon"})


def found(measure=1, frozen=()):
    progress = Progress(3, POPULATION[:2], history())
    return measured(measure, OBJECTIVE, progress, since=1, frozen=frozen)


def watching(name, runs=3):
    return Playhead(timeline(), [Trigger(name, Below(-9.0), Stop())], runs)


def test_parts_are_their_means_since_they_were_last_told_weighed_by_labels():
    anchor, recon = found()["anchor"], found()["recon"]
    assert anchor[0] == 2.0
    assert recon[0] == pytest.approx(0.3)
    assert math.isnan(anchor[1])  # nobody said anything
    assert math.isnan(recon[1])


def test_a_function_brings_numbers_for_all_runs_or_for_each():
    brought = {"one": 2.0, "each": torch.tensor([1.0, 3.0]), "none": None, "list": [1, None]}
    told = found(Every(1, lambda _: brought))
    assert {name: told[name] for name in brought} == {
        "one": [2.0, 2.0],
        "each": [1.0, 3.0],
        "none": [None, None],
        "list": [1, None],
    }


def test_nothing_is_told_of_a_frozen_run():
    told = found(Every(1, lambda _: {"one": 2.0}), frozen=[0])
    assert all(each[0] is None for each in told.values())
    assert told["one"][1] == 2.0


@pytest.mark.parametrize("given", [3.0, None, {"recon": 1.0}])
def test_what_is_no_measurement_by_a_name_of_its_own_is_refused(given):
    with refuses(ValueError, r"measure gave .*; expected measurements by name.*'anchor', 'recon'"):
        found(Every(1, lambda _: given))


def test_a_measurement_of_other_runs_is_refused():
    with refuses(ValueError, "'grid' was measured for 3 runs; expected one number for each of 2"):
        found(Every(1, lambda _: {"grid": [1.0, 2.0, 3.0]}))


def test_triggers_and_measurements_need_each_other():
    with refuses(ValueError, "Triggers watch 'recon', and measure is None; expected both"):
        train(time=watching("recon"))
    for time in (timeline(), Playhead(timeline(), runs=3)):
        with refuses(ValueError, "Triggers watch nothing, and measure is 5; expected both"):
            train(time=time, measure=5)


def test_what_is_watched_is_a_part_or_brought_by_a_function():
    with refuses(ValueError, "Unknown term or loss 'grid'; expected one of 'anchor', 'recon'"):
        train(time=watching("grid"), measure=5)
    with refuses(ValueError, "watches 'grid', but what was measured is 'anchor', 'recon', 'other'"):
        train(time=watching("grid"), measure=Every(5, lambda _: {"other": 1.0}))
    assert len(train(time=watching("anchor"), measure=5).history["recon"]) == 20


def test_a_period_is_a_whole_number_of_steps():
    with refuses(ValueError, "The period of measure is 0; expected at least 1"):
        train(time=watching("recon"), measure=0)
