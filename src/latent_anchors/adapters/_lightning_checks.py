"""What of Lightning's goes with an objective and a timeline, and what is refused."""

# the types of Lightning are open in places
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import Any

from lightning.pytorch import LightningModule, Trainer

from latent_anchors.training import Objective, TimelineLR


def given_scheduler(trainer: Trainer) -> Any:
    """The scheduler of the module's own, if it has one."""
    for config in trainer.lr_scheduler_configs:
        ours = isinstance(config.scheduler, TimelineLR)
        if ours and (config.interval, config.frequency) != ("step", 1):
            raise ValueError(
                f"A TimelineLR is stepped every {config.frequency} {config.interval}; expected "
                "every step, as its timeline counts steps. Return {'scheduler': TimelineLR(...), "
                "'interval': 'step'} from configure_optimizers."
            )
    return next((config.scheduler for config in trainer.lr_scheduler_configs), None)


def check_automatic(module: LightningModule) -> None:
    """Refuse a module that steps by itself."""
    if not module.automatic_optimization:
        raise ValueError(
            f"{type(module).__name__} has automatic_optimization=False; expected True, since "
            "AnchoringCallback adds to the loss that Lightning differentiates. Where you step "
            "yourself, call the objective yourself: "
            "objective(latents, labels, timeline(step), task=loss).total."
        )


def check_losses(objective: Objective) -> None:
    """Refuse an objective that would leave out what ``training_step`` returns."""
    if not objective.losses:
        raise ValueError(
            "The objective names no loss; expected one, which training_step returns: "
            "Objective([...], losses=['task']), with a track or a constant for its weight."
        )
