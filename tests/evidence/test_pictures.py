"""What must hold of sixteen seeds of networks that learn pictures, none left out."""

import pytest
from evidence.results import metrics


@pytest.mark.parametrize("hue", ["red", "orange", "azure"])
def test_in_every_seed_the_hue_turns_gray_and_the_rest_stays(hue: str):
    found = metrics(f"pictures/{hue}")
    assert found["to_gray/muted"]["min"] >= 0.9
    assert found["touched/muted/far"]["max"] <= 0.001
    assert found["to_gray/muted"]["n"] == 16


def test_pictures_are_learned_nearly_as_well_as_without_anchors():
    assert metrics("pictures/red")["reconstruction/ratio"]["mean"] <= 1.2


def test_by_weights_red_is_gray_and_the_rest_is_there():
    found = metrics("pictures_removed/red")
    assert found["to_gray/removed"]["min"] >= 0.9
    assert found["error/removed/far"]["mean"] <= 2 * found["error/baseline/far"]["mean"]
