"""The result of a training: history of each term and loss, failures, and state to go on from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from latent_anchors._checks import check_name
from latent_anchors._numerics import in_full_precision
from latent_anchors.models import Population


@dataclass(frozen=True)
class Failure:
    """A run that went non-finite and was frozen where it last was finite.

    Attributes:
        run: Its position in the population.
        step: The first step with a number that is not finite.
        what: The term or loss in which it showed, ``"gradient"``, or ``"buffer"``.

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
        >>> history = History(one, one, one, {"anchor": "anchor"})
        >>> history
        History(anchor: steps=2, runs=1)
        >>> history["anchor"]
        tensor([[1.],
                [1.]])
    """

    means: Mapping[str, Tensor]
    masses: Mapping[str, Tensor]
    rows: Mapping[str, Tensor]
    track_of: Mapping[str, str]

    @override
    def __repr__(self) -> str:
        steps, runs = next(iter(self.means.values())).shape if self.means else (0, 0)
        return f"History({', '.join(self.means)}: {steps=}, {runs=})"

    def __getitem__(self, name: str) -> Float[Tensor, "steps runs"]:
        check_name("term or loss", name, tuple(self.means))
        return self.means[name]

    def labels_used(self, name: str) -> Float[Tensor, " runs"]:
        """Labels that a term really used: those seen while it had weight.

        Args:
            name: Of the term.

        Returns:
            ``(runs,)``, sums of labels; of a loss, of samples.

        Raises:
            ValueError: If there is no such term, or its weight is constant, so that no track says
                when it counted.

        Examples:
            >>> import torch
            >>> one = {"anchor": torch.ones(2, 1)}
            >>> rows = {"anchor": torch.tensor([[1.0], [0.0]])}
            >>> History(one, one, rows, {"anchor": "anchor"}).labels_used("anchor")
            tensor([1.])
        """
        check_name("term or loss", name, tuple(self.masses))
        check_name("track of the weight", self.track_of[name], tuple(self.rows))
        weighed = self.rows[self.track_of[name]].to(self.masses[name].device) > 0
        return (self.masses[name] * weighed).sum(0)


@dataclass(frozen=True, eq=False)
class TrainState:
    """What :func:`fit` needs to go on, besides the population and the history.

    Attributes:
        step: How many steps are done.
        execution: How its runs are executed.
        optimizers: The state of each optimizer: one for all runs together, or one for each.
        noise: The state ``(bytes,)`` of the generator beside each optimizer.
        memory: Tensors of losses that change while training, by name ``(runs, ...)``.
        playheads: The state of each playhead.
        made_of: The parts of the training, in words and digests, by their place.

    Examples:
        >>> TrainState(0, "vmap", (), (), {}, (), {}).step
        0
    """

    step: int
    execution: str
    optimizers: Sequence[Mapping[str, Any]] = field(repr=False)
    noise: Sequence[Tensor] = field(repr=False)
    memory: Mapping[str, Tensor] = field(repr=False)
    playheads: Sequence[Mapping[str, Any]] = field(repr=False)
    made_of: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, eq=False)
class FitResult:
    """A training up to its last step, or to the one at which it was stopped.

    Given to :func:`fit` in a model's place, it goes on from there.

    Attributes:
        population: The trained runs.
        history: Each term and loss, step by step.
        failures: Runs that went non-finite, in order of their step.
        state: What else is needed to go on.
        train_seconds: How long :func:`fit` took, all parts of the training together.

    Examples:
        >>> FitResult.__match_args__
        ('population', 'history', 'failures', 'state', 'train_seconds')
    """

    population: Population
    history: History
    failures: tuple[Failure, ...]
    state: TrainState
    train_seconds: float = 0.0


class Log:
    """Tensors ``(steps, parts or tracks, runs)`` that a training writes into, which can grow.

    In the place of the population's parameters, and in their type but no less than float32, in
    which counts stay whole; the rows in float64 on the CPU.
    """

    def __init__(
        self, tracks: Sequence[str], track_of: Mapping[str, str], population: Population
    ) -> None:
        self.tracks, self.track_of = tracks, track_of
        like = in_full_precision(next(iter(population.parameters())).detach())
        self.means = like.new_empty(0, len(track_of), len(population))
        self.masses = self.means.clone()
        self.table = torch.empty(0, len(tracks), len(population), dtype=torch.float64)

    def room(self, steps: int) -> None:
        """Make it long enough for so many steps."""
        if steps > len(self.means):
            self.means = _longer(self.means, steps)
            self.masses = _longer(self.masses, steps)
            self.table = _longer(self.table, steps)

    def until(self, step: int) -> History:
        """What was written so far."""
        return History(
            {name: self.means[:step, i] for i, name in enumerate(self.track_of)},
            {name: self.masses[:step, i] for i, name in enumerate(self.track_of)},
            {name: self.table[:step, i] for i, name in enumerate(self.tracks)},
            self.track_of,
        )

    def recall(self, history: History, steps: int) -> None:
        """Go on from an earlier history of so many steps."""
        self.room(steps)
        for i, name in enumerate(self.track_of):
            self.means[:steps, i] = history.means[name]
            self.masses[:steps, i] = history.masses[name]
        for i, name in enumerate(self.tracks):
            self.table[:steps, i] = history.rows[name]


def _longer(tensor: Tensor, steps: int) -> Tensor:
    longer = tensor.new_full((steps, *tensor.shape[1:]), torch.nan)
    longer[: len(tensor)] = tensor
    return longer
