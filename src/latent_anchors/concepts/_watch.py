"""Watch: the score of a concept while a model trains."""

from dataclasses import dataclass

from torch import nn

from latent_anchors._supervision import Given
from latent_anchors._typing import Inputs
from latent_anchors.concepts._concept import Concept
from latent_anchors.concepts._score import Score
from latent_anchors.training import Progress


@dataclass(frozen=True)
class ScoreHistory:
    """Scores of a concept at several steps of a training.

    :func:`~latent_anchors.viz.plot_scores` draws it.

    Attributes:
        name: The name of the concept.
        steps: How many steps were done at each measurement.
        scores: One for each of the ``steps``.

    Raises:
        ValueError: If there are not as many scores as steps.

    Examples:
        >>> from latent_anchors.evaluation import summarize
        >>> score = Score(*[summarize([0.9])] * 3, n_with=3, n_without=5)
        >>> ScoreHistory("red", steps=(0, 100), scores=(score, score)).scores[-1].auc.mean
        0.9
    """

    name: str
    steps: tuple[int, ...]
    scores: tuple[Score, ...]

    def __post_init__(self) -> None:
        if len(self.steps) != len(self.scores):
            raise ValueError(
                f"There are {len(self.steps)} steps and {len(self.scores)} scores of "
                f"{self.name!r}; expected one score for each step."
            )


class Watch:
    """Scores of a concept, measured while a model trains.

    Give it to :func:`~latent_anchors.fit` as ``callbacks=[Every(100, watch)]``, or call
    :meth:`measure` in a loop of your own. The model is read in eval mode, without gradients, and
    stays as it is.

    Args:
        concept: The concept to score.
        inputs: What the model takes: a tensor, a tuple of arguments, or a mapping by name. Not
            samples that are trained on, if the score is to say something about new ones.
        has_it: Whether each sample has the concept ``(...)``, bool or 0 and 1.
        mask: Which positions count ``(...)``.

    Raises:
        TypeError: If the first argument is no concept.

    Examples:
        >>> import torch
        >>> from latent_anchors.concepts import axis
        >>> red = Concept("red", axis(0, dim=2), at="0")
        >>> model, x = nn.Sequential(nn.Identity()), torch.eye(2)
        >>> watch = Watch(red, x, has_it=torch.tensor([1, 0]))
        >>> for step in range(0, 300, 100):
        ...     score = watch.measure(step, model)
        >>> watch.history.steps, score
        ((0, 100, 200), Score(auc=1.000, margin=1.000, alignment=1.000))
    """

    def __init__(
        self, concept: Concept, inputs: Inputs, has_it: Given, mask: Given | None = None
    ) -> None:
        if not isinstance(concept, Concept):  # pyright: ignore[reportUnnecessaryIsInstance] -- users mix up arguments
            raise TypeError(
                f"The concept is of type {type(concept).__name__}; expected a Concept. Mind the "
                "order: concept, inputs, has_it."
            )
        self.concept: Concept = concept
        self.inputs: Inputs = inputs
        self.has_it: Given = has_it
        self.mask: Given | None = mask
        self._scores: dict[int, Score] = {}

    def __call__(self, progress: Progress) -> None:
        """Measure the population of a :func:`~latent_anchors.fit`."""
        self.measure(progress.step, progress.population)

    def measure(self, step: int, model: nn.Module) -> Score:
        """Score the concept now, and keep the score in the history.

        Args:
            step: How many steps are done; more than at the last measurement.
            model: The model that trains, or a population.

        Returns:
            What :meth:`Concept.score` gives.

        Raises:
            ValueError: If this step, or a later one, was measured before; or inputs and labels do
                not fit (see :meth:`Concept.score`).

        Examples:
            >>> import torch
            >>> red = Concept("red", torch.tensor([1.0, 0.0]), at="0")
            >>> watch = Watch(red, torch.eye(2), has_it=torch.tensor([1, 0]))
            >>> watch.measure(0, nn.Sequential(nn.Identity())).auc.mean
            1.0
        """
        last = max(self._scores, default=None)
        if last is not None and step <= last:
            raise ValueError(
                f"Step {step} is measured after step {last}; expected a later one. Make a new "
                "Watch for another training."
            )
        score = self.concept.score(model, self.inputs, self.has_it, self.mask)
        self._scores[step] = score
        return score

    @property
    def history(self) -> ScoreHistory:
        """All scores so far, as a record that does not change any more.

        Examples:
            >>> import torch
            >>> red = Concept("red", torch.tensor([1.0, 0.0]), at="0")
            >>> Watch(red, torch.eye(2), has_it=torch.tensor([1, 0])).history
            ScoreHistory(name='red', steps=(), scores=())
        """
        return ScoreHistory(self.concept.name, tuple(self._scores), tuple(self._scores.values()))
