"""How a value travels from one keyframe to the next.

A transition maps progress to progress, both from 0 to 1. It knows nothing of steps, values or
clocks, so any two are interchangeable. They differ in how gently they start and arrive, which
:func:`smoothness` tells. Any function may serve; one with a name can be written down.
"""

from ._easing import cosine as cosine
from ._easing import linear as linear
from ._easing import minimum_jerk as minimum_jerk
from ._easing import smoothstep as smoothstep
from ._easing import step_end as step_end
from ._names import name_of as name_of
from ._names import named as named
from ._names import register as register
from ._names import smoothness as smoothness
from ._tabulate import tabulate as tabulate
from ._transition import Transition as Transition
from ._transition import check_transition as check_transition

__all__ = [
    "Transition",
    "check_transition",
    "cosine",
    "linear",
    "minimum_jerk",
    "name_of",
    "named",
    "register",
    "smoothness",
    "smoothstep",
    "step_end",
    "tabulate",
]
