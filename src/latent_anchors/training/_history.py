"""What happened in a training: each part, step by step and run by run."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_name
from latent_anchors.models import Population
from latent_anchors.training._state import TrainState


@dataclass(frozen=True)
class Failure:
    """A run that went non-finite and was frozen where it last was finite.

    Attributes:
        run: Its position in the population.
        step: The first step with a number that is not finite.
        what: The term or loss in which it showed, or ``"gradient"``.

    Examples:
        >>> Failure(run=3, step=812, what="recon").what
        'recon'
    """

    run: int
    step: int
    what: str


@dataclass(frozen=True, eq=False)
class History:
    """Each term and loss over the training, as ``[steps, runs]``.

    Attributes:
        means: By name ``(steps, runs)``; NaN once a run is frozen.
        masses: Sums of labels, by name ``(steps, runs)``.
        rows: Values of the tracks, by name ``(steps, runs)``.
        track_of: The track that weighs each term or loss.

    Raises:
        ValueError: If a name is asked for that is no term or loss.

    Examples:
        >>> import torch
        >>> one = {"anchor": torch.ones(2, 1)}
        >>> History(one, one, one, {"anchor": "anchor"})["anchor"]
        tensor([[1.],
                [1.]])
    """

    means: Mapping[str, Tensor]
    masses: Mapping[str, Tensor]
    rows: Mapping[str, Tensor]
    track_of: Mapping[str, str]

    def __getitem__(self, name: str) -> Float[Tensor, "steps runs"]:
        check_name("term or loss", name, tuple(self.means))
        return self.means[name]

    def labels_used(self, name: str) -> Float[Tensor, " runs"]:
        """Labels that a term really used: those seen while it had weight.

        Args:
            name: Of the term.

        Returns:
            ``(runs,)``, sums of labels.

        Raises:
            ValueError: If there is no such term.

        Examples:
            >>> import torch
            >>> one = {"anchor": torch.ones(2, 1)}
            >>> rows = {"anchor": torch.tensor([[1.0], [0.0]])}
            >>> History(one, one, rows, {"anchor": "anchor"}).labels_used("anchor")
            tensor([1.])
        """
        check_name("term or loss", name, tuple(self.masses))
        weighed = self.rows[self.track_of[name]].to(self.masses[name].device) > 0
        return (self.masses[name] * weighed).sum(0)


@dataclass(frozen=True, eq=False)
class FitResult:
    """A training up to its last step, or to the one at which it was stopped.

    Given to :func:`fit` in a model's place, it goes on from there.

    Attributes:
        population: The trained runs.
        history: What happened on the way.
        failures: Runs that went non-finite, in order of their step.
        state: What else it takes to go on.

    Examples:
        >>> FitResult.__match_args__
        ('population', 'history', 'failures', 'state')
    """

    population: Population
    history: History
    failures: tuple[Failure, ...]
    state: TrainState
