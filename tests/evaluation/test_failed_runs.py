"""A run that is not finite is a failure, never a number; the others are as they are alone."""

import pytest
import torch

from latent_anchors import evaluation
from latent_anchors.evaluation import Evaluation, agreement, correlation, explained, summarize
from latent_anchors.models import Population, SphericalAutoencoder

MEASURES = {
    "selectivity_r2": lambda p: evaluation.selectivity_r2(p, "red"),
    "vibrancy_r2": evaluation.vibrancy_r2,
    "height_order": evaluation.height_order,
    "color_errors": lambda p: evaluation.color_errors(p, torch.rand(5, 3)).mean(-1),
    "latents": lambda p: evaluation.latents(p, torch.rand(5, 3)).mean((-1, -2)),
}


@pytest.fixture(scope="module")
def population():
    torch.manual_seed(0)
    runs = [SphericalAutoencoder(channels=3, latent_dim=4) for _ in range(3)]
    with torch.no_grad():
        for parameter in runs[1].parameters():
            parameter.fill_(torch.nan)
    return Population.from_models(runs)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_a_run_that_is_not_finite_has_no_value_and_leaves_the_others_theirs(measure, population):
    torch.manual_seed(1)
    together = measure(population)
    torch.manual_seed(1)
    alone = measure(Population.from_models([population[0], population[2]]))
    assert together[1].isnan().all()
    torch.testing.assert_close(together[[0, 2]], alone)
    assert summarize(together.tolist()).n == 2


@pytest.mark.parametrize("lost", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("measure", [correlation, explained, lambda x, y: agreement(x, y).r2])
def test_what_is_not_finite_correlates_with_nothing(measure, lost):
    x, y = torch.linspace(0, 1, 9), torch.linspace(0, 1, 9).square()
    assert measure(x, y).isfinite()
    x[3] = lost
    assert measure(x, y).isnan()
    assert measure(y, x).isnan()


def test_a_failed_run_counts_in_no_measure_and_no_share():
    found = Evaluation({"a": torch.tensor([1.0, torch.nan]), "b": torch.tensor([True, True])})
    assert found.failed() == (1,)
    assert {name: metric.n for name, metric in found.metrics().items()} == {"a": 1, "b": 1}
    whole = Evaluation({"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([True, False])})
    assert whole.failed() == ()
    assert whole.metrics()["b"].mean == 0.5


@pytest.mark.parametrize("name", ["crumpled", "anything"])
def test_a_share_is_what_is_boolean_whatever_its_name(name):
    holds = torch.tensor([True, False, True])
    share = Evaluation({name: holds}).metrics()[name]
    mean = Evaluation({name: holds.float()}).metrics()[name]
    assert share == summarize([1.0, 0.0, 1.0], share=True)
    assert mean == summarize([1.0, 0.0, 1.0])
    assert share.ci95 != mean.ci95
