"""Means that a training logs."""

import pytest
import torch

from latent_anchors.adapters._logged_means import LoggedMeans
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
