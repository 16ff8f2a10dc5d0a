"""What must hold of sixty seeds of each muted concept, none left out."""

import pytest
from evidence.results import EVEN, metrics, to_gray

from latent_anchors.colorspace import HUES

LEAST = {True: 0.97, False: 0.91}
"""Of the mean selectivity: the measure fits the hues between less well."""


def neighbors(hue: str) -> tuple[str, str]:
    names = [*HUES]
    place = names.index(hue)
    return names[place - 1], names[(place + 1) % 12]


@pytest.mark.parametrize("hue", HUES)
def test_in_every_seed_the_concept_is_muted_and_nothing_else(hue: str):
    found = metrics(f"mute_red/{hue}")
    assert found[f"error/muted/{hue}"]["min"] >= 0.8 * to_gray(hue)
    for group in (*neighbors(hue), "far", "grays"):
        assert found[f"error/muted/{group}"]["max"] <= 0.01
    assert found["error/baseline/grid"]["max"] < 1e-4
    assert found["error/muted/far"]["n"] == 60


@pytest.mark.parametrize("hue", HUES)
def test_graded_damage_follows_similarity(hue: str):
    r2 = metrics(f"mute_red_graded/{hue}")["selectivity_r2/muted"]
    assert r2["mean"] >= LEAST[hue in EVEN]
    assert r2["std"] <= 0.01
    assert r2["n"] == 60
