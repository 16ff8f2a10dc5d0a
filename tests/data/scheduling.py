"""A timeline over which weights move, and samples to weigh."""

import torch

from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.transitions import step_end

N = 10
DEGREE = torch.linspace(0, 1, N)

TIMELINE = Timeline(
    {
        "lr": Track([Keyframe(0, 0.1), Keyframe(400, 0.01)], space="log"),
        "width": Track([Keyframe(50, 0.1), Keyframe(250, 1.0)]),
        "stage": Track([Keyframe(0, 0.0, leave=step_end), Keyframe(120, 1.0)]),
    }
)


def narrow(row):
    """Few at first, then all: takes a row of floats or one of tensors."""
    return (1 - DEGREE / row["width"]).clamp(min=0) + row["stage"] * DEGREE
