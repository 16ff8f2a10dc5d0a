"""Callbacks, and what they see of a training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from latent_anchors._checks import check_count
from latent_anchors.models import Population
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
