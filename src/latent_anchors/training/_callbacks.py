"""Callbacks, what they see of a training, and snapshots that one of them takes."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_count
from latent_anchors._sites import At
from latent_anchors.models import Population, record
from latent_anchors.training._history import FitResult, History


@dataclass(frozen=True, eq=False)
class Progress:
    """What a callback sees.

    Attributes:
        step: How many steps are done.
        population: As it is now; not to be written to.
        history: What happened so far, by name ``(step, runs)``.

    Examples:
        >>> Progress.__match_args__[:3]
        ('step', 'population', 'history')
    """

    step: int
    population: Population
    history: History
    _fit: Callable[[], FitResult] | None = field(default=None, repr=False)

    def so_far(self) -> FitResult:
        """A copy of the training up to here: to save, and to go on with later.

        Raises:
            RuntimeError: If this was made by hand.

        Examples:
            >>> from latent_anchors import save
            >>> saving = Every(500, lambda progress: save(progress.so_far(), "results/fit"))
            >>> saving.steps
            500
        """
        if self._fit is None:
            raise RuntimeError(
                "This progress was made by hand, so that there is no training to go on with; "
                "expected that which fit gives to its callbacks."
            )
        return self._fit()


@dataclass(frozen=True, eq=False)
class Every:
    """A callback and its period in steps; it is called at the end, too.

    Attributes:
        steps: The period.
        call: What is called.

    Raises:
        ValueError: If the period is less than 1.
        TypeError: If it is not a whole number.

    Examples:
        >>> Every(100, print).steps
        100
    """

    steps: int
    call: Callable[[Progress], object]

    def __post_init__(self) -> None:
        check_count("The period of a callback", self.steps)


def call_those_due(callbacks: Sequence[Every], progress: Progress, steps: int) -> None:
    """Call each callback whose period ends here, and all of them at the last step."""
    for every in callbacks:
        if progress.step % every.steps == 0 or progress.step == steps:
            every.call(progress)


def latents_in_eval_mode(population: Population, inputs: Tensor, at: At) -> Tensor:
    """Latents ``(runs, n, ...)`` in evaluation mode; the population is left as it is."""
    # dropout would draw from the global generator
    copy = deepcopy(population).eval()
    like = next(population.parameters())
    # tokens stay whole numbers
    given = inputs.to(like) if inputs.is_floating_point() else inputs.to(like.device)
    with torch.no_grad(), record(copy, at) as latents:
        copy(given)
    return latents[at].clone()


class Snapshots:
    """A callback that keeps the latents of some inputs each time it is called.

    Give it to :func:`fit` as ``callbacks=[Every(100, snapshots)]``. The latents of
    run 0 are then ``snapshots.latents[:, 0]``, at ``snapshots.steps``.

    Args:
        inputs: Whose latents are kept ``(n, ...)``.
        at: The site.

    Examples:
        >>> from latent_anchors.models import Population, SphericalAutoencoder
        >>> from latent_anchors.training import History
        >>> population = Population.make(SphericalAutoencoder, seeds=range(2))
        >>> snapshots = Snapshots(torch.eye(3))
        >>> for step in (100, 200):
        ...     snapshots(Progress(step, population, History({}, {}, {}, {})))
        >>> snapshots.steps, snapshots.latents.shape
        ([100, 200], torch.Size([2, 2, 3, 4]))
    """

    def __init__(self, inputs: Tensor, at: At = "latent") -> None:
        self.inputs: Tensor = inputs
        self.at: At = at
        self.steps: list[int] = []
        self._taken: list[Tensor] = []

    def __call__(self, progress: Progress) -> None:
        """Keep the latents that the inputs have now.

        Args:
            progress: As :func:`fit` gives it.

        Raises:
            ValueError: If there is a snapshot of this step, or of a later one.
        """
        if self.steps and progress.step <= self.steps[-1]:
            raise ValueError(
                f"A snapshot of step {progress.step} follows that of step {self.steps[-1]}; "
                "expected a later step. Make new Snapshots for another training."
            )
        self._taken.append(latents_in_eval_mode(progress.population, self.inputs, self.at).cpu())
        self.steps.append(progress.step)

    @property
    def latents(self) -> Float[Tensor, "frames runs n ... dim"]:
        """All snapshots, on the CPU.

        Returns:
            ``(frames, runs, n, ..., dim)``, a frame for each of the ``steps``.

        Raises:
            RuntimeError: If it was never called.

        Examples:
            >>> try:
            ...     Snapshots(torch.eye(3)).latents
            ... except RuntimeError as error:
            ...     print(error)
            No snapshot was taken; expected one at least. Give callbacks=[Every(100, snapshots)].
        """
        if not self._taken:
            raise RuntimeError(
                "No snapshot was taken; expected one at least. "
                "Give callbacks=[Every(100, snapshots)]."
            )
        return torch.stack(self._taken)
