"""Means that a training logs."""

import pytest
import torch

import latent_anchors as la
from latent_anchors.adapters._logged_means import LoggedMeans, watched_scores
from latent_anchors.concepts import Watch
from latent_anchors.training import ObjectiveOutput, ObjectivePart


def output(mean: float, weight: float = 0.5) -> ObjectiveOutput:
    part = ObjectivePart(*torch.tensor([mean, weight, 1.0, 1.0]))
    return ObjectiveOutput(torch.tensor(mean * weight), {"red": part})


def test_a_part_is_averaged_over_the_steps_that_had_labels_and_its_share_over_all():
    means = LoggedMeans(["red"])
    for divisor, parts in ((2.0, (0.2, 0.4)), (0.0, (0.0, 0.0)), (1.0, (0.3, 0.5))):
        means.begin(torch.tensor([divisor]))
        for mean in parts:
            means.add(output(mean), averaged=2)
    logged = means.read(keep=True)
    assert (
        means.read()
        == logged
        == pytest.approx(
            {"objective/red": 0.35, "objective/red/weighted": 0.35 / 3, "objective/total": 0.35 / 3}
        )
    )
    assert means.read() == {}


def test_a_step_without_labels_measures_nothing():
    means = LoggedMeans(["red"])
    means.begin(torch.tensor([0.0]))
    means.add(output(0.0), averaged=1)
    assert means.of_step() == {"total": 0.0, "red": None, "red/weighted": 0.0}
    assert "objective/red" not in means.read()


def test_scores_of_a_step_are_measured_once_and_are_those_of_that_step():
    red = la.Concept("red", la.axis(0, dim=2), at="0")
    model, has_it = torch.nn.Sequential(torch.nn.Identity()), torch.tensor([1, 0])
    watch = Watch(red, torch.eye(2), has_it)
    right = watched_scores(watch, 0, model)
    model[0] = torch.nn.Linear(2, 2)
    model[0].load_state_dict({"weight": -torch.eye(2), "bias": torch.zeros(2)})
    wrong = watched_scores(watch, 5, model)
    assert (right["red_alignment"], wrong["red_alignment"]) == (1.0, -1.0)
    assert watched_scores(watch, 5, model) == wrong
    assert watch.history.steps == (0, 5)
    # a training that was resumed from before, or begun anew
    assert watched_scores(watch, 3, model) == wrong
    assert watch.history.steps == (0, 5)
