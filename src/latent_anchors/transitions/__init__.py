"""How a value travels from one keyframe to the next.

A transition maps progress to progress, both from 0 to 1. It knows nothing of steps, values or
clocks, so any two are interchangeable. They differ in how gently they start and arrive, which
:func:`smoothness` tells. Any function may serve; one with a name can be written down.

Most rest at both ends. In a track, :func:`pchip` and :func:`quintic` pass through the keys between
others instead, without a stop.

:class:`MovingValue` is a value on its way that can be sent elsewhere at any step, without a jolt.
"""

from latent_anchors.transitions._easing import cosine as cosine
from latent_anchors.transitions._easing import linear as linear
from latent_anchors.transitions._easing import minimum_jerk as minimum_jerk
from latent_anchors.transitions._easing import smoothstep as smoothstep
from latent_anchors.transitions._easing import step_end as step_end
from latent_anchors.transitions._moving import MovingValue as MovingValue
from latent_anchors.transitions._names import name_of as name_of
from latent_anchors.transitions._names import named as named
from latent_anchors.transitions._names import register_easing as register_easing
from latent_anchors.transitions._names import smoothness as smoothness
from latent_anchors.transitions._passing import hermite as hermite
from latent_anchors.transitions._passing import max_slope as max_slope
from latent_anchors.transitions._passing import pchip as pchip
from latent_anchors.transitions._passing import quintic as quintic
from latent_anchors.transitions._tabulate import tabulate as tabulate
from latent_anchors.transitions._transition import Transition as Transition
from latent_anchors.transitions._transition import check_transition as check_transition

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
    "tabulate",
]
