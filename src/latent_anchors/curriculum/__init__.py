"""What is emphasized, and when.

A :class:`Track` is one scheduled quantity, pinned down by keyframes: a pure function of the step.
A :class:`Timeline` holds all tracks of a training with its phases and actions; ``timeline(step)``
is a row, the values of all tracks by name. Both can be written as a dope sheet, the animators'
table, and read with :func:`read_dopesheet`.
"""

from latent_anchors.curriculum._dopesheet import Dopesheet as Dopesheet
from latent_anchors.curriculum._keyframe import Keyframe as Keyframe
from latent_anchors.curriculum._phase import Phase as Phase
from latent_anchors.curriculum._reading import read_dopesheet as read_dopesheet
from latent_anchors.curriculum._timeline import Row as Row
from latent_anchors.curriculum._timeline import Timeline as Timeline
from latent_anchors.curriculum._track import Track as Track

__all__ = ["Dopesheet", "Keyframe", "Phase", "Row", "Timeline", "Track", "read_dopesheet"]
