"""What is emphasized, and when.

A :class:`Track` is one scheduled quantity, pinned down by keyframes: a pure function of the step.
A :class:`Timeline` holds all tracks of a training with its phases and actions; ``timeline(step)``
is a row, the values of all tracks by name. Both can be written as a dope sheet, the animators'
table, and read with :func:`read_dopesheet`. Timelines are made from others with :func:`join`,
:func:`repeat`, :func:`scale`, :func:`shift` and :func:`warm_up`.

A :class:`Playhead` plays a timeline and lets each :class:`Trigger` react to what is measured: end a
phase early or extend it, retarget a track, fire an action, stop.
"""

from latent_anchors.curriculum._actions import EndPhase as EndPhase
from latent_anchors.curriculum._actions import ExtendPhase as ExtendPhase
from latent_anchors.curriculum._actions import Retarget as Retarget
from latent_anchors.curriculum._actions import RunAction as RunAction
from latent_anchors.curriculum._actions import Stop as Stop
from latent_anchors.curriculum._composing import scale as scale
from latent_anchors.curriculum._composing import shift as shift
from latent_anchors.curriculum._composing import warm_up as warm_up
from latent_anchors.curriculum._conditions import Above as Above
from latent_anchors.curriculum._conditions import Below as Below
from latent_anchors.curriculum._conditions import Plateau as Plateau
from latent_anchors.curriculum._conditions import Predicate as Predicate
from latent_anchors.curriculum._dopesheet import Dopesheet as Dopesheet
from latent_anchors.curriculum._joining import join as join
from latent_anchors.curriculum._joining import repeat as repeat
from latent_anchors.curriculum._keyframe import Keyframe as Keyframe
from latent_anchors.curriculum._phase import Phase as Phase
from latent_anchors.curriculum._playhead import PlayedRow as PlayedRow
from latent_anchors.curriculum._playhead import Playhead as Playhead
from latent_anchors.curriculum._reading import read_dopesheet as read_dopesheet
from latent_anchors.curriculum._standing import Fired as Fired
from latent_anchors.curriculum._timeline import Row as Row
from latent_anchors.curriculum._timeline import Timeline as Timeline
from latent_anchors.curriculum._track import Track as Track
from latent_anchors.curriculum._triggers import Trigger as Trigger

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
    "warm_up",
]
