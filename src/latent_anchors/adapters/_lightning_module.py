"""What a LightningModule has, returns and logs, as far as an objective can use it."""

# the types of Lightning are open in places
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Mapping
from inspect import signature
from typing import Any, cast

from lightning.pytorch import LightningModule, Trainer

from latent_anchors._checks import listed
from latent_anchors.adapters._logged_means import PREFIX, LoggedMeans
from latent_anchors.training import Objective, TimelineLR

LOSS = "loss"
"""What Lightning calls the loss in a mapping that ``training_step`` returns."""


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
    """Refuse a module that steps by itself, or takes its batches by itself."""
    if "dataloader_iter" in signature(module.training_step).parameters:
        raise ValueError(
            f"training_step of {type(module).__name__} takes dataloader_iter, so that its batch "
            "cannot be looked at before; expected training_step(self, batch, batch_idx). Let "
            "Lightning fetch the batch."
        )
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


def losses_of(objective: Objective, result: Any) -> dict[str, Any]:
    """The objective's losses among what ``training_step`` returned."""
    names = objective.losses
    values: Mapping[str, Any] = result if isinstance(result, Mapping) else {LOSS: result}
    if len(names) == 1:
        return {names[0]: values.get(LOSS)}
    missing = [name for name in names if name not in values]
    if missing:
        raise KeyError(
            f"training_step returned {listed(values)}; expected {listed(missing)}, too, as the "
            "objective names several losses. Return them in the mapping, beside 'loss'."
        )
    return {name: values[name] for name in names}


def log_means(trainer: Trainer, module: LightningModule, means: LoggedMeans) -> None:
    """Log where loggers write, and for other callbacks at the end of an epoch."""
    inner = cast("Any", trainer)  # whose connectors give it more than it declares
    every, step = inner.log_every_n_steps, trainer.global_step
    written = every > 0 and (step % every == 0 or trainer.should_stop)
    if not (written or trainer.is_last_batch or step == trainer.max_steps):
        return
    # Lightning would go on logging the last mean of a part that is left out this time
    for item in inner._results.values():
        if item.meta.fx == "on_train_batch_end" and item.meta.name.startswith(PREFIX):
            item.reset()
    module.log_dict(means.read(keep=not written))
