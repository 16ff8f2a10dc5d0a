"""Every figure looks as it did when somebody looked at it last."""

from pathlib import Path

import pytest
from matplotlib.testing.compare import compare_images
from viz.pictures import KEPT, THEMED, keep

TOLERANCE = 1.0
"""Root mean square, of 255; without a line that should be there it is more."""

LOOSER = dict.fromkeys(("plot_reconstructions", "plot_swatches"), 6.0)
"""Versions of matplotlib differ in where the pixels of an image end."""


@pytest.mark.parametrize(("name", "theme"), THEMED)
def test_a_figure_looks_as_it_did(name: str, theme: str, tmp_path: Path):
    path = keep(name, theme, tmp_path)
    found = compare_images(str(KEPT / path.name), str(path), LOOSER.get(name, TOLERANCE))
    assert found is None, f"{found}\nIf it was meant: `nox -s pictures`, and look at them."


def test_nothing_else_is_kept():
    names = [f"{name}_{theme}.png" for name, theme in THEMED]
    assert sorted(path.name for path in KEPT.iterdir()) == sorted(names)
