"""An objective of terms and losses, and a loop that trains many runs at once.

The user's own loop is the main loop; :func:`fit` only saves typing. In a loop,
:func:`apply_hyperparameters` writes a timeline's values into any optimizer; a trainer that wants
torch's scheduler takes a :class:`TimelineLR`.
"""

from latent_anchors.training._callbacks import Every as Every
from latent_anchors.training._callbacks import Progress as Progress
from latent_anchors.training._constraints import Constraint as Constraint
from latent_anchors.training._constraints import constrain as constrain
from latent_anchors.training._fit.batch_blocks import Batches as Batches
from latent_anchors.training._fit.fit import fit as fit
from latent_anchors.training._history import Failure as Failure
from latent_anchors.training._history import FitResult as FitResult
from latent_anchors.training._history import History as History
from latent_anchors.training._history import TrainState as TrainState
from latent_anchors.training._losses.distillation import DistillationLoss as DistillationLoss
from latent_anchors.training._losses.distillation import LatentMatchingLoss as LatentMatchingLoss
from latent_anchors.training._losses.distillation import Teacher as Teacher
from latent_anchors.training._losses.edited_output import EditedOutputLoss as EditedOutputLoss
from latent_anchors.training._losses.forward import Forward as Forward
from latent_anchors.training._losses.forward import Loss as Loss
from latent_anchors.training._losses.forward import reconstruction as reconstruction
from latent_anchors.training._losses.latent_hold import LatentHoldLoss as LatentHoldLoss
from latent_anchors.training._losses.tokens import NextToken as NextToken
from latent_anchors.training._losses.tokens import TokenCrossEntropy as TokenCrossEntropy
from latent_anchors.training._losses.tokens import next_token as next_token
from latent_anchors.training._objective import Objective as Objective
from latent_anchors.training._objective import ObjectiveOutput as ObjectiveOutput
from latent_anchors.training._objective import ObjectivePart as ObjectivePart
from latent_anchors.training._schedulers import TimelineLR as TimelineLR
from latent_anchors.training._schedulers import apply_hyperparameters as apply_hyperparameters
from latent_anchors.training._snapshots import Snapshots as Snapshots

__all__ = [
    "Batches",
    "Constraint",
    "DistillationLoss",
    "EditedOutputLoss",
    "Every",
    "Failure",
    "FitResult",
    "Forward",
    "History",
    "LatentHoldLoss",
    "LatentMatchingLoss",
    "Loss",
    "NextToken",
    "Objective",
    "ObjectiveOutput",
    "ObjectivePart",
    "Progress",
    "Snapshots",
    "Teacher",
    "TimelineLR",
    "TokenCrossEntropy",
    "TrainState",
    "apply_hyperparameters",
    "constrain",
    "fit",
    "next_token",
    "reconstruction",
]
