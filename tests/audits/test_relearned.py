"""The record of relearning: intervals, medians, JSON."""

import json

import pytest
import torch

from latent_anchors.audits import Relearning
from latent_anchors.evaluation import Evaluation

FOUND = {
    "relearning/ratio": torch.tensor([0.5, 0.7, 9.0]),
    "relearning/censored": torch.zeros(3, dtype=torch.bool),
    "relearning/censored/few": torch.zeros(3, dtype=torch.bool),
    "relearning/control": torch.tensor([1.0, torch.inf, 2.0]),
}
CURVES = {"edited": torch.tensor([[0.3, 0.2, 0.9], [0.0, torch.nan, 0.1]])}
RECORD = Relearning((5, 6, 7), 900.0, Evaluation(FOUND), CURVES, {"edited": ("a", "b", "c")})


@pytest.mark.parametrize("name", ["relearning/censored", "relearning/censored/few"])
def test_shares_have_wilsons_interval_that_is_wide_where_nothing_happened(name: str):
    low, high = RECORD.metrics()[name].ci95
    assert low == pytest.approx(0.0, abs=1e-9)
    assert 0.5 < high < 0.6


def test_one_outlier_moves_the_mean_and_not_the_median():
    assert RECORD.medians()["relearning/ratio"] == pytest.approx(0.7)
    assert RECORD.metrics()["relearning/ratio"].mean == pytest.approx(3.4)


def test_a_ratio_to_nothing_does_not_exist():
    assert RECORD.metrics()["relearning/control"].per_seed == (1.0, None, 2.0)


def test_curves_are_medians_over_runs_of_what_there_is():
    assert torch.allclose(RECORD.median_curves()["edited"], torch.tensor([0.3, 0.05]))


def test_the_record_is_strict_json():
    told = json.loads(json.dumps(RECORD.to_json(), allow_nan=False))
    assert told["seeds"] == [5, 6, 7]
    assert told["metrics"]["relearning/ratio"]["n"] == 3
    assert told["best"] == {"edited": ["a", "b", "c"]}
    assert told["curves"]["edited"] == pytest.approx([0.3, 0.05])
