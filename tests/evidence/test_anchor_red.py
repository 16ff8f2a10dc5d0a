"""What must hold of sixty seeds of each concept, on the results that the evidence session wrote."""

import json
from pathlib import Path

import pytest

from latent_anchors.colorspace import HUES

RESULTS = Path(__file__).parents[2] / "results" / "evidence"
EVEN = [*HUES][::2]
"""Primaries and secondaries, which lie a distance of 1/4 (squared, per channel) from mid-gray."""


def metrics(hue: str) -> dict:
    return json.loads((RESULTS / hue / "results.json").read_text())["metrics"]


def test_red_agrees_with_the_published_recipe():
    found = metrics("red")
    r2 = found["selectivity_r2/muted"]
    assert abs(r2["mean"] - 0.952) <= 0.011
    assert 0.017 <= r2["std"] <= 0.032
    assert abs(found["labels/red"]["mean"] - 82) <= 3
    assert found["error/baseline/grid"]["max"] < 1e-4
    assert found["error/muted/red"]["mean"] > 0.2


@pytest.mark.parametrize("hue", HUES)
def test_every_hue_is_anchored_and_muted_with_the_same_settings(hue: str):
    found = metrics(hue)
    assert found["selectivity_r2/muted"]["mean"] >= (0.93 if hue in EVEN else 0.87)
    assert found["error/baseline/grid"]["max"] < 2e-4
    to_gray = 1 / 4 if hue in EVEN else 1 / 6
    assert found[f"error/muted/{hue}"]["mean"] >= 0.8 * to_gray


@pytest.mark.parametrize("hue", HUES)
def test_no_value_is_missing(hue: str):
    assert all(metric["n"] == 60 for metric in metrics(hue).values())
