"""What must hold of sixty seeds of each anchored concept."""

import pytest
from evidence.results import EVEN, metrics, to_gray

from latent_anchors.colorspace import HUES


def test_red_agrees_with_the_published_recipe():
    found = metrics("anchor_red/red")
    r2 = found["selectivity_r2/muted"]
    assert abs(r2["mean"] - 0.952) <= 0.011
    assert 0.017 <= r2["std"] <= 0.032
    assert abs(found["labels/red"]["mean"] - 82) <= 3
    assert found["error/baseline/grid"]["max"] < 1e-4
    assert found["error/muted/red"]["mean"] > 0.2


@pytest.mark.parametrize("hue", HUES)
def test_every_hue_is_anchored_and_muted_with_the_same_settings(hue: str):
    found = metrics(f"anchor_red/{hue}")
    assert found["selectivity_r2/muted"]["mean"] >= (0.93 if hue in EVEN else 0.87)
    assert found["error/baseline/grid"]["max"] < 2e-4
    assert found[f"error/muted/{hue}"]["mean"] >= 0.8 * to_gray(hue)


@pytest.mark.parametrize("hue", HUES)
def test_no_value_is_missing(hue: str):
    assert all(metric["n"] == 60 for metric in metrics(f"anchor_red/{hue}").values())
