"""An objective of terms and losses, and a loop that trains many runs at once.

The user's own loop is the main loop; :func:`fit` only saves typing. In a loop,
:func:`apply_hyperparameters` writes a timeline's values into any optimizer; a trainer that wants
torch's scheduler takes a :class:`TimelineLR`.
"""

from latent_anchors.training._callbacks import Every, Progress, Snapshots
from latent_anchors.training._constraints import Constraint, constrain
from latent_anchors.training._fit.batch_blocks import Batches
from latent_anchors.training._fit.fit import fit
from latent_anchors.training._history import Failure, FitResult, History, TrainState
from latent_anchors.training._losses.distillation import (
    DistillationLoss,
    LatentMatchingLoss,
    Teacher,
)
from latent_anchors.training._losses.divergence import forward_kl
from latent_anchors.training._losses.edited_output import EditedOutputLoss
from latent_anchors.training._losses.forward import Forward, Loss, reconstruction
from latent_anchors.training._losses.latent_hold import LatentHoldLoss
from latent_anchors.training._losses.retain import RetainLoss
from latent_anchors.training._losses.tokens import NextToken, TokenCrossEntropy, next_token
from latent_anchors.training._losses.under_edit import UnderEdit
from latent_anchors.training._objective import Objective
from latent_anchors.training._objective_output import ObjectiveOutput, ObjectivePart
from latent_anchors.training._processes import mean_over_processes
from latent_anchors.training._schedulers import TimelineLR, apply_hyperparameters

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
    "RetainLoss",
    "Snapshots",
    "Teacher",
    "TimelineLR",
    "TokenCrossEntropy",
    "TrainState",
    "UnderEdit",
    "apply_hyperparameters",
    "constrain",
    "fit",
    "forward_kl",
    "mean_over_processes",
    "next_token",
    "reconstruction",
]
