"""Many runs as one module: their parameters stacked along a first axis."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._hooks import (
    Edit,
    EditHook,
    HeldLock,
    Hook,
    InForce,
    Reading,
    RecorderHook,
    Table,
)
from latent_anchors._runs import StackedRuns, as_function, tensors_of, with_axis_of_runs
from latent_anchors._sites import At, Site, resolve
from latent_anchors._streams import seeded
from latent_anchors.models._functional_forward import one_at_a_time, run_with
from latent_anchors.models._settings import check_settings


class Population(StackedRuns):
    """Many runs as one module: the parameters of run k are row k of the stacked ones.

    ``population(inputs)`` passes the same inputs ``(...)`` through every run and returns
    ``(runs, ...)``; ``population[k]`` is an ordinary model, a copy; ``population[a:b]`` is a
    smaller population. It is accepted wherever a model is: recording, interventions, evaluation,
    further training. Edits attached to it act on the latents of each run; a population of edits
    has one edit per run.

    Args:
        stacked: One module with parameters and buffers that are stacked already; usually made by
            :meth:`from_models` or :meth:`make`.
        seeds: One seed per run.

    Raises:
        ValueError: If the first axis of a parameter has another length than ``seeds``.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> population = Population.make(SphericalAutoencoder, seeds=range(3))
        >>> population(torch.rand(8, 3)).shape
        torch.Size([3, 8, 3])
        >>> type(population[0]).__name__
        'SphericalAutoencoder'
    """

    def __init__(self, stacked: nn.Module, seeds: Iterable[int]) -> None:
        super().__init__(stacked, seeds)
        self._hooks: Table = OrderedDict()
        for name, tensor in self.tensors().items():
            if tensor.shape[:1] != (len(self.seeds),):
                raise ValueError(
                    f"Parameter {name!r} has shape {tuple(tensor.shape)}; expected one row for "
                    f"each of the {len(self.seeds)} seeds. Use Population.from_models to stack."
                )

    @classmethod
    def make(cls, make_model: Callable[[], nn.Module], seeds: Iterable[int]) -> "Population":
        """Make one model per seed, and stack them.

        Run k has the same weights alone and among many. The global random state is restored.

        Args:
            make_model: Called once per seed, without arguments.
            seeds: One seed per run.

        Examples:
            >>> population = Population.make(lambda: nn.Linear(1, 1), seeds=[7])
            >>> again = Population.make(lambda: nn.Linear(1, 1), seeds=[6, 7])
            >>> bool(torch.equal(population[0].weight, again[1].weight))
            True
        """
        seeds = tuple(seeds)
        models: list[nn.Module] = []
        for seed in seeds:
            with seeded(seed, "weights"):
                models.append(make_model())
        return cls.from_models(models, seeds)

    @classmethod
    def from_models(
        cls, models: Sequence[nn.Module], seeds: Iterable[int] | None = None
    ) -> "Population":
        """Stack copies of models of one architecture.

        Args:
            models: One per run; they differ only in the values of parameters and buffers.
            seeds: One per run; their positions if None.

        Raises:
            ValueError: If there are no models, or they differ in architecture or settings.

        Examples:
            >>> len(Population.from_models([nn.Linear(1, 2), nn.Linear(1, 2)]))
            2
        """
        if not models:
            raise ValueError("No models were given; expected at least one to stack.")
        shapes = [{n: tuple(t.shape) for n, t in tensors_of(model).items()} for model in models]
        for index, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise ValueError(
                    f"Model {index} has parameters {shape}, model 0 has {shapes[0]}; expected one "
                    "architecture. Make a population for each."
                )
        check_settings(models)
        rows = [tensors_of(model) for model in models]
        stacked = deepcopy(models[0])
        for name, tensor in tensors_of(stacked).items():
            tensor.data = torch.stack([row[name].detach() for row in rows])
        return cls(stacked, range(len(models)) if seeds is None else seeds)

    def __iter__(self) -> Iterator[nn.Module]:
        return (self[index] for index in range(len(self)))

    def tensors(self) -> dict[str, Tensor]:
        """Stacked parameters and buffers, by their names in one model.

        Returns:
            Tensors ``(runs, ...)``; they are those of the population, not copies.

        Examples:
            >>> population = Population.make(lambda: nn.Linear(2, 1), seeds=range(3))
            >>> population.tensors()["weight"].shape
            torch.Size([3, 1, 2])
        """
        return tensors_of(self)

    def hook_table(self, site: Site) -> Table:
        """The table of edits and recorders; used by ``record`` and ``intervene``.

        Raises:
            ValueError: If the site does not exist.

        Examples:
            >>> from latent_anchors.models import Site
            >>> population = Population.make(lambda: nn.Sequential(nn.Linear(2, 1)), seeds=[0])
            >>> len(population.hook_table(Site("0")))
            0
        """
        resolve(self.stacked, site)
        return self._hooks

    @override
    def forward(self, *inputs: Tensor) -> Float[Tensor, "runs *output"]:
        """Outputs ``(runs, ...)`` of every run on the same inputs."""
        all_hooks = [hook for hook in self._hooks.values() if isinstance(hook, Hook)]
        hooks = [hook for hook in all_hooks if hook.acts_in(self)]
        edits = [hook for hook in hooks if isinstance(hook, EditHook)]
        recorders = [hook for hook in hooks if isinstance(hook, RecorderHook)]
        record = list(dict.fromkeys(hook.site for hook in recorders))

        def one(
            tensors: dict[str, Tensor], states: dict[int, dict[str, Tensor]], run: Tensor
        ) -> _Outcome:
            own = [
                (hook.site, partial(hook.edited, edit=_edit_of_run(hook, states), run=run))
                for hook in edits
            ]
            return run_with(self.stacked, tensors, inputs, record, own)

        with InForce([HeldLock(one_at_a_time)]):
            states = {h.key: h.edit.tensors() for h in edits if isinstance(h.edit, Population)}
            runs = torch.arange(len(self), device=next(iter(self.tensors().values())).device)
            output, latents = torch.vmap(one, randomness="different")(self.tensors(), states, runs)
        for hook in recorders:
            if hook.site in latents:
                hook.show(Reading(latents[hook.site], hook.site))
        return output

    @override
    def extra_repr(self) -> str:
        return f"runs={len(self)}"


_Outcome = tuple[Tensor, dict[At, Tensor]]


def stacked_outputs(model: nn.Module, *inputs: Tensor) -> Float[Tensor, "runs *output"]:
    """The outputs of a model or a population, always with a first axis of runs.

    Args:
        model: A model (one run) or a population.
        inputs: Inputs of one model ``(...)``.

    Returns:
        Outputs ``(runs, ...)``.

    Examples:
        >>> stacked_outputs(nn.Linear(2, 1), torch.rand(5, 2)).shape
        torch.Size([1, 5, 1])
    """
    return with_axis_of_runs(model, model(*inputs))


def _edit_of_run(hook: EditHook, states: Mapping[int, Mapping[str, Tensor]]) -> Edit | None:
    """The edit of one run, if the edit is a population; None otherwise."""
    if not isinstance(hook.edit, Population):
        return None
    return as_function(hook.edit.stacked, states[hook.key])
