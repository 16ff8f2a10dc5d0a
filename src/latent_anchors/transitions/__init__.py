"""How a value travels from one keyframe to the next.

A transition maps progress to progress, both from 0 to 1. It knows nothing of steps, values or
clocks, so any two are interchangeable. They differ in how smoothly they start and end
(:func:`smoothness`). Any function will do; one with a name can be saved (:func:`register_easing`).

Most come to rest at both ends. In a track, :func:`pchip` and :func:`quintic` pass through the inner
keys without stopping.

:class:`MovingValue` is a value that can get a new target at any step, without a jump.
"""

from latent_anchors.transitions._easing import (
    Transition,
    cosine,
    linear,
    minimum_jerk,
    smoothstep,
    step_end,
)
from latent_anchors.transitions._easing_registry import (
    check_transition,
    name_of,
    named,
    register_easing,
    smoothness,
)
from latent_anchors.transitions._hermite import hermite, max_slope, pchip, quintic
from latent_anchors.transitions._moving_value import MovingValue

__all__ = [
    "MovingValue",
    "Transition",
    "check_transition",
    "cosine",
    "hermite",
    "linear",
    "max_slope",
    "minimum_jerk",
    "name_of",
    "named",
    "pchip",
    "quintic",
    "register_easing",
    "smoothness",
    "smoothstep",
    "step_end",
]
