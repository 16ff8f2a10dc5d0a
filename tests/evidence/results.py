"""What the evidence session wrote, and which concepts it is about."""

import json
from pathlib import Path

from latent_anchors.colorspace import HUES

RESULTS = Path(__file__).parents[2] / "results" / "evidence"
EVEN = [*HUES][::2]
"""Primaries and secondaries, which lie a distance of 1/4 (squared, per channel) from mid-gray."""


def metrics(folder: str) -> dict:
    return json.loads((RESULTS / folder / "results.json").read_text())["metrics"]


def to_gray(hue: str) -> float:
    """Mean squared error of showing a hue as mid-gray."""
    return 1 / 4 if hue in EVEN else 1 / 6
