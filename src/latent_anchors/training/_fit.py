"""The one place where the parts meet; it only saves typing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Protocol, get_args, runtime_checkable

import torch
from torch import nn
from tqdm.auto import tqdm

from latent_anchors._checks import check_name, listed
from latent_anchors._streams import BLOCK
from latent_anchors.curriculum import Timeline
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training._callbacks import Every, Progress, call_those_due
from latent_anchors.training._captured import Remembering
from latent_anchors.training._execution import Execution, make_lanes, play
from latent_anchors.training._history import Fit, Log
from latent_anchors.training._losses import Loss
from latent_anchors.training._objective import Objective
from latent_anchors.training._optimizers import MakeOptimizer
from latent_anchors.training._plan import check_actions, make_plan, stretches


@runtime_checkable
class Batches(Protocol):
    """Where batches come from: a pure function of the seed and the block of steps.

    Examples:
        >>> from latent_anchors.data import Sampler
        >>> callable(Sampler(torch.eye(3)).block)
        True
    """

    def block(self, seed: int, index: int) -> LabeledBatch:
        """The batches of a block of steps, with a leading axis of 100 steps.

        Args:
            seed: The run's.
            index: Of the block, which begins at step ``100 * index``.

        Examples:
            >>> from latent_anchors.data import Sampler
            >>> Sampler(torch.eye(3), batch_size=8).block(seed=0, index=2).inputs.shape
            torch.Size([100, 8, 3])
        """
        ...


def fit(
    make_model: Callable[[], nn.Module] | Population,
    objective: Objective,
    timeline: Timeline | Sequence[Timeline],
    batches: Batches,
    *,
    losses: Mapping[str, Loss],
    seeds: Iterable[int] = (0,),
    optimizer: MakeOptimizer = torch.optim.Adam,
    steps: int | None = None,
    device: torch.device | str | None = None,
    execution: Execution = "together",
    callbacks: Sequence[Every] = (),
    actions: Mapping[str, Callable[[Progress], None]] | None = None,
    progress: bool = True,
) -> Fit:
    r"""Train one run per seed, all at once.

    Run k alone equals run k among sixty: weights, batches and labels bit for bit, and each step
    within float tolerance. A run that goes non-finite is frozen and reported; the others go on.

    Args:
        make_model: Makes one model, under each run's own seed; or a population to go on training,
            which is copied and keeps its seeds.
        objective: Terms and losses.
        timeline: Weights and hyperparameters; or one timeline per run, alike in names.
        batches: Such as a sampler.
        losses: A function for each loss that the objective names.
        seeds: One for each run.
        optimizer: Makes an optimizer from parameters. Tracks that bear the name of one of its
            settings, such as ``"lr"``, are written into it before each step.
        steps: How many; as long as the timeline if None.
        device: Where to train; where the models are made if None.
        execution: All runs ``"together"`` in one stack, or ``"in_turn"``, one after another: for
            larger models, dropout, or penalties whose course depends on data.
        callbacks: Called with the progress.
        actions: What to call, just before the step, for each action of the timeline, by its name.
        progress: Whether to show a bar.

    Returns:
        Trained population, history and failures.

    Raises:
        ValueError: If losses, tracks, timelines, sites or shapes do not match, if weights are
            negative, or if the optimizer mixes runs.
        KeyError: If the batches lack a label or a mask.
        RuntimeError: If the runs cannot be trained together; the message says why.

    Examples:
        >>> from latent_anchors import curriculum, data, models
        >>> sheet = curriculum.read_dopesheet("STEP,lr,recon\n0,0.01,1\n9,0.01,1\n")
        >>> colors = data.Sampler(torch.rand(64, 3), batch_size=8)
        >>> objective = Objective([], losses=["recon"], elsewhere=["lr"])
        >>> from latent_anchors.training import reconstruction
        >>> trained = fit(models.SphericalAutoencoder, objective, sheet.timeline(), colors,
        ...               losses={"recon": reconstruction}, seeds=range(3), progress=False)
        >>> trained.history["recon"].shape
        torch.Size([10, 3])
    """
    check_name("execution", execution, get_args(Execution))
    _check_losses(losses, objective)
    population = _population(make_model, seeds, device)
    plan = make_plan(timeline, objective, len(population), steps)
    _check_batch(population, objective, batches)
    lanes = make_lanes(population, objective, losses, optimizer, execution, plan)
    log = Log.empty(plan.table, plan.names, objective.track_of, population)

    @lru_cache(maxsize=1)
    def draw(index: int) -> list[LabeledBatch]:
        return [batches.block(seed, index) for seed in population.seeds]

    handlers = dict(actions or {})
    check_actions(plan, handlers)
    for loss in losses.values():
        if isinstance(loss, Remembering):
            loss.begin(population)
    with tqdm(total=plan.steps, disable=not progress, unit="step") as bar:
        for first, stop in stretches(plan.steps, callbacks, plan.actions):
            for name in plan.actions.get(first, ()):
                handlers[name](Progress(first, population, log.until(first)))
            play(lanes, draw(first // BLOCK), losses, population, plan, log, first, stop)
            call_those_due(callbacks, Progress(stop, population, log.until(stop)), plan.steps)
            bar.update(stop - first)
    failures = [failure for lane in lanes for failure in lane.failures]
    failures.sort(key=lambda failure: (failure.step, failure.run))
    return Fit(population, log.until(plan.steps), tuple(failures))


def _population(
    make_model: Callable[[], nn.Module] | Population,
    seeds: Iterable[int],
    device: torch.device | str | None,
) -> Population:
    if isinstance(make_model, Population):
        population = deepcopy(make_model)
    else:
        population = Population.make(make_model, seeds)
    return population.to(device).train()


def _check_losses(losses: Mapping[str, Loss], objective: Objective) -> None:
    if set(losses) != set(objective.losses):
        raise ValueError(
            f"Functions were given for the losses {listed(losses)}; the objective names "
            f"{listed(objective.losses)}. Give one for each: losses={{'recon': reconstruction}}."
        )


def _check_batch(population: Population, objective: Objective, batches: Batches) -> None:
    model = population[0]
    device = next(model.parameters()).device
    first = batches.block(population.seeds[0], 0).map(lambda tensor: tensor[0].to(device))
    objective.check(model, first)
