"""What is emphasized, and when.

A :class:`Track` is one scheduled quantity, defined by keyframes: a pure function of the step. A
:class:`Timeline` holds all tracks of a training with its phases and actions; ``timeline(step)`` is
a row, the values of all tracks by name. A timeline can be written as a dope sheet, the animators'
table, and read with :func:`read_dopesheet`. Timelines are made from others with :func:`join`,
:func:`repeat`, :func:`scale`, :func:`shift`, :func:`stretch` and :func:`warm_up`.

A :class:`Playhead` plays a timeline and lets each :class:`Trigger` react to measurements: end or
extend a phase, retarget a track, run an action, stop.
"""

from latent_anchors.curriculum._compose import join, repeat, scale, shift, stretch, warm_up
from latent_anchors.curriculum._dopesheet._sheet import Dopesheet, read_dopesheet
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._playhead._actions import (
    EndPhase,
    ExtendPhase,
    Retarget,
    RunAction,
    Stop,
)
from latent_anchors.curriculum._playhead._conditions import Above, Below, Plateau, Predicate
from latent_anchors.curriculum._playhead._playhead import PlayedRow, Playhead
from latent_anchors.curriculum._playhead._trigger_state import Fired
from latent_anchors.curriculum._playhead._triggers import Trigger
from latent_anchors.curriculum._timeline import Phase, Row, Timeline
from latent_anchors.curriculum._track import Track

__all__ = [
    "Above",
    "Below",
    "Dopesheet",
    "EndPhase",
    "ExtendPhase",
    "Fired",
    "Keyframe",
    "Phase",
    "Plateau",
    "PlayedRow",
    "Playhead",
    "Predicate",
    "Retarget",
    "Row",
    "RunAction",
    "Stop",
    "Timeline",
    "Track",
    "Trigger",
    "join",
    "read_dopesheet",
    "repeat",
    "scale",
    "shift",
    "stretch",
    "warm_up",
]
