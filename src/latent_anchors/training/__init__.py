"""Where the parts meet: an objective, and a loop that trains many runs at once.

The user's own loop is the main loop; :func:`fit` only saves typing. In it :func:`drive` writes a
timeline's values into any optimizer; a trainer that wants torch's scheduler takes a `TimelineLR`.
"""

from latent_anchors.training._callbacks import Every as Every
from latent_anchors.training._callbacks import Progress as Progress
from latent_anchors.training._captured import Captured as Captured
from latent_anchors.training._collapse import Collapse as Collapse
from latent_anchors.training._constraints import Constraint as Constraint
from latent_anchors.training._constraints import constrain as constrain
from latent_anchors.training._draws import Batches as Batches
from latent_anchors.training._driving import drive as drive
from latent_anchors.training._fallback import Fallback as Fallback
from latent_anchors.training._fit import fit as fit
from latent_anchors.training._history import Failure as Failure
from latent_anchors.training._history import Fit as Fit
from latent_anchors.training._history import History as History
from latent_anchors.training._imitation import Imitation as Imitation
from latent_anchors.training._losses import Forward as Forward
from latent_anchors.training._losses import Loss as Loss
from latent_anchors.training._losses import reconstruction as reconstruction
from latent_anchors.training._next_token import NextToken as NextToken
from latent_anchors.training._next_token import next_token as next_token
from latent_anchors.training._objective import Objective as Objective
from latent_anchors.training._parts import Part as Part
from latent_anchors.training._parts import Parts as Parts
from latent_anchors.training._scheduler import TimelineLR as TimelineLR
from latent_anchors.training._snapshots import Snapshots as Snapshots
from latent_anchors.training._state import State as State
from latent_anchors.training._surprise import Surprise as Surprise
from latent_anchors.training._teacher import Teacher as Teacher

__all__ = [
    "Batches",
    "Captured",
    "Collapse",
    "Constraint",
    "Every",
    "Failure",
    "Fallback",
    "Fit",
    "Forward",
    "History",
    "Imitation",
    "Loss",
    "NextToken",
    "Objective",
    "Part",
    "Parts",
    "Progress",
    "Snapshots",
    "State",
    "Surprise",
    "Teacher",
    "TimelineLR",
    "constrain",
    "drive",
    "fit",
    "next_token",
    "reconstruction",
]
