"""A concept as one object: place it, see where it lies, mute it, remove it.

:class:`Concept` holds a name, a direction or plane and the sites, and composes what the other rooms
do: penalties while the model trains, edits at inference, surgery on the weights, measures of where
it came to lie. :class:`ConceptBank` holds many at the same sites. :class:`Watch` measures where one
lies while a model trains.
"""

from latent_anchors.concepts._concept import Concept
from latent_anchors.concepts._concept_bank import ConceptBank
from latent_anchors.concepts._concept_directions import axis
from latent_anchors.concepts._score import Score
from latent_anchors.concepts._watch import ScoreHistory, Watch

__all__ = ["Concept", "ConceptBank", "Score", "ScoreHistory", "Watch", "axis"]
