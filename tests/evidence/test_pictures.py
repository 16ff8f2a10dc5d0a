"""What must hold of sixteen seeds of networks that learn pictures, none left out."""

import pytest
from evidence.results import metrics

HUES = ("red", "orange", "azure")
MISSED = pytest.mark.xfail(strict=True, reason="the goal, which some networks miss")


def goals(goal: float, azure: float):
    """The goal for each hue, and what azure reaches instead."""
    missed = pytest.param("azure", goal, marks=MISSED)
    return [("red", goal), ("orange", goal), missed, ("azure", azure)]


@pytest.mark.parametrize(("hue", "least"), goals(0.9, azure=0.88))
def test_in_every_seed_the_hue_turns_gray(hue: str, least: float):
    assert metrics(f"pictures/{hue}")["to_gray/muted"]["min"] >= least


@pytest.mark.parametrize(("hue", "most"), goals(0.001, azure=0.003))
def test_in_every_seed_the_rest_stays(hue: str, most: float):
    touched = metrics(f"pictures/{hue}")["touched/muted/far"]
    assert touched["max"] <= most
    assert touched["n"] == 16


@pytest.mark.parametrize("hue", HUES)
def test_in_every_seed_pictures_are_learned_as_well_as_without_anchors(hue: str):
    assert metrics(f"pictures/{hue}")["reconstruction/ratio"]["max"] <= 1.05


def test_by_weights_red_is_gray_in_every_seed():
    assert metrics("pictures_removed/red")["to_gray/removed"]["min"] >= 0.9


@pytest.mark.parametrize("most", [1.45, pytest.param(1.05, marks=MISSED)])
def test_by_weights_the_rest_is_there(most: float):
    found = metrics("pictures_removed/red")
    assert found["error/removed/far"]["mean"] <= most * found["error/baseline/far"]["mean"]
