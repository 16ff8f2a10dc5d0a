"""The one place where the parts meet; it only saves typing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Literal, Protocol, TypeAlias, get_args, runtime_checkable

import torch
from torch import nn
from tqdm.auto import tqdm

from latent_anchors._checks import check_name, listed
from latent_anchors._streams import BLOCK, mixed
from latent_anchors.curriculum import Timeline
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training._callbacks import Every, Progress, call_those_due
from latent_anchors.training._gradients import of_all_runs, of_one_run
from latent_anchors.training._history import Fit, Log
from latent_anchors.training._lanes import Lane, Stretch
from latent_anchors.training._losses import Loss
from latent_anchors.training._objective import Objective
from latent_anchors.training._optimizers import (
    Drive,
    MakeOptimizer,
    check_per_run,
    check_separable,
)
from latent_anchors.training._plan import Plan, make_plan, stretches

Execution: TypeAlias = Literal["together", "in_turn"]


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
    lanes = _lanes(population, objective, losses, optimizer, execution, plan)
    log = Log.empty(plan.table, plan.names, objective.track_of, population)
    with tqdm(total=plan.steps, disable=not progress, unit="step") as bar:
        for first, stop in stretches(plan.steps, callbacks):
            _play(lanes, batches, population, plan, log, first, stop)
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


def _lanes(
    population: Population,
    objective: Objective,
    losses: Mapping[str, Loss],
    make_optimizer: MakeOptimizer,
    execution: Execution,
    plan: Plan,
) -> list[Lane]:
    """One lane for all runs, or one for each."""
    together = execution == "together"
    if together:
        check_separable(make_optimizer)
    make_gradients = of_all_runs if together else of_one_run
    gradients = make_gradients(population.stacked, objective, losses, plan.names)
    runs = list(range(len(population)))
    lanes: list[Lane] = []
    for group in [runs] if together else [[run] for run in runs]:
        parameters, buffers = _lane_tensors(population, None if together else group[0])
        drive = Drive(make_optimizer(parameters.values()), per_run=together)
        noise = mixed(population.seeds[group[0]], "noise")
        lanes.append(Lane(group, parameters, buffers, gradients, drive, objective.names, noise))
        if together:
            for name in _hyperparameters(drive, plan):
                check_per_run(name, plan.values(name), make_optimizer)
    return lanes


def _lane_tensors(
    population: Population, run: int | None
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The population's own tensors for all runs, or leaves of one run's; frozen ones as buffers."""
    trained: dict[str, torch.Tensor] = {}
    fixed: dict[str, torch.Tensor] = {}
    for name, tensor in population.tensors().items():
        own = tensor if run is None else tensor.detach()[run].clone()
        (trained if tensor.requires_grad else fixed)[name] = own.requires_grad_(
            tensor.requires_grad
        )
    return trained, fixed


def _hyperparameters(drive: Drive, plan: Plan) -> list[str]:
    settings = {*plan.elsewhere} & {*drive.optimizer.defaults}
    return [name for name in plan.names if name in settings]


def _play(
    lanes: Sequence[Lane],
    batches: Batches,
    population: Population,
    plan: Plan,
    log: Log,
    first: int,
    stop: int,
) -> None:
    """One stretch in every lane; what single runs learnt goes back into the population."""
    block, offset = divmod(first, BLOCK)
    drawn = [batches.block(seed, block) for seed in population.seeds]
    weights = plan.table[first:stop].to(log.means)
    for lane in lanes:
        within = slice(offset, offset + stop - first)
        runs = slice(lane.runs[0], lane.runs[-1] + 1)
        lane.play(
            Stretch(
                first,
                _lane_batches([drawn[run] for run in lane.runs], within, lane, log.means.device),
                weights[..., runs] if lane.stacked else weights[..., lane.runs[0]],
                {
                    name: plan.values(name)[first:stop, runs]
                    for name in _hyperparameters(lane.drive, plan)
                },
                log.means[first:stop, :, runs],
                log.masses[first:stop, :, runs],
            )
        )
        if not lane.stacked:
            _write_back(population, lane)


def _lane_batches(
    drawn: Sequence[LabeledBatch], within: slice, lane: Lane, device: torch.device
) -> list[LabeledBatch]:
    """The batches of a stretch, step by step; stacked over runs where the lane is."""
    if not lane.stacked:
        whole = drawn[0].map(lambda tensor: tensor[within].to(device))
    else:
        names = (tuple(drawn[0].labels), tuple(drawn[0].extras))
        whole = LabeledBatch(
            torch.stack([batch.inputs[within] for batch in drawn], 1).to(device),
            {n: torch.stack([b.labels[n][within] for b in drawn], 1).to(device) for n in names[0]},
            {n: torch.stack([b.extras[n][within] for b in drawn], 1).to(device) for n in names[1]},
        )
    return [whole.map(lambda tensor, i=i: tensor[i]) for i in range(len(whole.inputs))]


def _write_back(population: Population, lane: Lane) -> None:
    with torch.no_grad():
        stacked = population.tensors()
        for name, tensor in {**lane.parameters, **lane.buffers}.items():
            stacked[name][lane.runs[0]].copy_(tensor)
