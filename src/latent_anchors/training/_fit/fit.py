"""``fit``: a training loop for one or many runs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from time import monotonic
from typing import TypeVar, get_args

import torch
from torch import nn
from tqdm.auto import tqdm

from latent_anchors._checks import check_name, listed
from latent_anchors._hooks import in_force
from latent_anchors.curriculum import Playhead, Timeline
from latent_anchors.models import Population
from latent_anchors.training._callbacks import Every, Progress, call_those_due
from latent_anchors.training._constraints import Constraint
from latent_anchors.training._fit.batch_blocks import BatchBlocks, Batches
from latent_anchors.training._fit.loop import Training
from latent_anchors.training._fit.measure import check_measure
from latent_anchors.training._fit.optimizers import MakeOptimizer
from latent_anchors.training._fit.run_group import Execution, make_run_groups
from latent_anchors.training._fit.schedule import check_actions, make_schedule
from latent_anchors.training._fit.trace import Backend, check_backend
from latent_anchors.training._history import FitResult, Log
from latent_anchors.training._losses.forward import Loss
from latent_anchors.training._objective import Objective
from latent_anchors.training._python_state.watched import Watched

_Model = TypeVar("_Model", bound=nn.Module)


def fit(
    make_model: Callable[[], nn.Module] | Population | FitResult,
    objective: Objective,
    timeline: Timeline | Playhead | Sequence[Timeline | Playhead],
    batches: Batches,
    *,
    losses: Mapping[str, Loss],
    seeds: Iterable[int] = (0,),
    optimizer: MakeOptimizer = torch.optim.Adam,
    steps: int | None = None,
    device: torch.device | str | None = None,
    execution: Execution = "vmap",
    constraint: Constraint | None = None,
    backend: Backend = "eager",
    callbacks: Sequence[Every] = (),
    actions: Mapping[str, Callable[[Progress], object]] | None = None,
    measure: int | Every | None = None,
    progress: bool = True,
) -> FitResult:
    r"""Train one run per seed, all at once by default.

    Run k alone equals run k among sixty: weights, batches and labels bit for bit, and each step
    within float tolerance. A run that goes non-finite is frozen and reported; the others go on.

    With a :class:`~latent_anchors.curriculum.Playhead`, ``fit`` passes it the measurements; its
    triggers act from the next step on: on the weights, the batches of a sampler with scheduled
    weights, the actions and the length. Its log says afterwards what fired.

    A training that was stopped, by ``steps``, goes on bit for bit as if it had not been: give its
    :class:`FitResult` in the model's place, and everything else as it was given before. To be able
    to, whatever happens, let a callback save ``progress.so_far()``.

    Args:
        make_model: Makes one model, under each run's own seed; or a population to be trained
            further, which is copied and keeps its seeds; or a :class:`FitResult` to go on with.
            All layers are in training mode, also those that were made otherwise.
        objective: Terms and losses.
        timeline: Weights and hyperparameters; or one timeline per run, alike in names. Or a
            playhead for as many runs as there are, or one for each run, which may only retarget
            tracks. When a training goes on, the playhead takes the state that it had then.
        batches: Such as a sampler.
        losses: A function for each loss that the objective names.
        seeds: One for each run.
        optimizer: Makes an optimizer from parameters. Tracks that bear the name of one of its
            settings, such as ``"lr"``, are written into it before each step.
        steps: How many, from the first one on; as long as the timeline if None. A playhead with
            triggers ends the training at its own end, or before.
        device: Where to train; where the models are made if None. The objective moves there.
        execution: ``"vmap"`` for all runs at once, or ``"sequential"`` for one after another: for
            larger models, dropout, or penalties whose control flow depends on data.
        constraint: Applied to one run's parameters before the first step and after each, such as
            ``UnitNorm``: from parameters and buffers by name to the parameters that change. With
            ``"vmap"`` it is mapped over the runs.
        backend: What runs the step with ``execution="vmap"``. ``"compiled"`` hands it to
            ``torch.compile``: half a minute, then a step in a quarter of the time for a few tiny
            networks, and in two thirds for sixty. It pays from some ten thousand steps on. Numbers
            agree within rounding, not bit for bit. Without a C++ compiler it warns and goes on.
            ``"cuda_graph"``, on a GPU, launches a step's operations as one.
        callbacks: Called with the progress.
        actions: What to call, just before the step, for each action of the timeline or of a
            trigger, by its name.
        measure: The period in steps at which triggers receive measurements: the mean of each term
            and loss since the last one, by name. With ``Every(25, function)`` they also receive
            what the function returns for the progress: numbers by name, one for all runs or one
            for each. They receive them at the end of each phase, too, and none of frozen runs.
        progress: Whether to show a bar.

    Returns:
        Trained population, history and failures.

    Raises:
        ValueError: If the backend does not fit; if losses, tracks, timelines, sites or shapes do
            not match; if weights are negative; if the optimizer mixes runs; if the constraint
            returns unknown names or other shapes; or if triggers and what is measured, or a
            training and what it is to go on with, do not match.
        KeyError: If the batches lack a label or a mask.
        RuntimeError: If an edit is in force in the model, or the runs cannot be trained together;
            the message says why.

    Examples:
        >>> from latent_anchors import curriculum, data, models
        >>> sheet = curriculum.read_dopesheet("STEP,lr,recon\n0,0.01,1\n9,0.01,1\n")
        >>> colors = data.Sampler(torch.rand(64, 3), batch_size=8)
        >>> objective = Objective([], losses=["recon"], other_tracks=["lr"])
        >>> from latent_anchors.training import reconstruction
        >>> trained = fit(models.SphericalAutoencoder, objective, sheet.timeline(), colors,
        ...               losses={"recon": reconstruction}, seeds=range(3), progress=False)
        >>> trained.history["recon"].shape
        torch.Size([10, 3])
    """
    began = monotonic()
    check_name("execution", execution, get_args(Execution))
    _check_losses(losses, objective)
    population = _population(make_model, seeds, device)
    place = _device(population)
    check_backend(backend, execution, place)
    objective.to(place)  # else each step would copy directions, and synchronize
    schedule = make_schedule(timeline, objective, len(population), steps)
    handlers = dict(actions or {})
    check_actions(schedule.named_actions, handlers)
    check_measure(measure, schedule, objective)
    _check_batch(population, objective, batches)
    watched = Watched(population.stacked, objective, losses, constraint)
    groups = make_run_groups(population, watched, optimizer, execution, schedule, backend)
    blocks = BatchBlocks(batches, population.seeds, schedule, objective)
    log = Log(schedule.names, objective.track_of, population)
    training = Training(
        population, watched, execution, schedule, groups, blocks, log, measure, began
    )
    if isinstance(make_model, FitResult):
        training.recall(make_model)
    else:
        training.begin()
    _run(training, callbacks, handlers, progress)
    return training.finish()


def _run(
    training: Training,
    callbacks: Sequence[Every],
    handlers: Mapping[str, Callable[[Progress], object]],
    progress: bool,
) -> None:
    callbacks, schedule = tuple(callbacks), training.schedule
    periods = [every.steps for every in callbacks]
    with tqdm(
        total=schedule.steps, initial=training.step, disable=not progress, unit="step"
    ) as bar:
        while training.step < schedule.steps:
            training.act(handlers)
            done = training.advance(periods)
            training.observe()
            call_those_due(callbacks, training.progress, schedule.steps)
            bar.total = schedule.steps
            bar.update(done)


def _population(
    make_model: Callable[[], nn.Module] | Population | FitResult,
    seeds: Iterable[int],
    device: torch.device | str | None,
) -> Population:
    if isinstance(make_model, Population | FitResult):
        given = make_model.population if isinstance(make_model, FitResult) else make_model
        population = deepcopy(_without_edits(given))
    else:
        population = Population.make(lambda: _without_edits(make_model()), seeds)
    return population.to(device).train()


def _without_edits(model: _Model) -> _Model:
    """Refuse edits in force, which the copies that are trained would not have."""
    edits = in_force(model)
    if edits:
        raise RuntimeError(
            f"The edit {edits[0].edit!r} is in force at {edits[0].site.name!r} in the model that "
            "fit was given; expected none, since fit trains a copy, and copies carry no edits. "
            "To train under an edit, wrap the loss: training.UnderEdit(loss, edit, at)."
        )
    return model


def _device(population: Population) -> torch.device:
    return next(iter(population.tensors().values())).device


def _check_losses(losses: Mapping[str, Loss], objective: Objective) -> None:
    if set(losses) != set(objective.losses):
        raise ValueError(
            f"Functions were given for the losses {listed(losses)}; the objective names "
            f"{listed(objective.losses)}. Give one for each: losses={{'recon': reconstruction}}."
        )


def _check_batch(population: Population, objective: Objective, batches: Batches) -> None:
    device = _device(population)
    first = batches.block(population.seeds[0], 0).map(lambda tensor: tensor[0].to(device))
    objective.check(population[0], first)
