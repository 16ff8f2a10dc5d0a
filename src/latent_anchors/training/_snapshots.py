"""Snapshots of latents: what a model computes for some inputs while it trains."""

from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._sites import At
from latent_anchors.models import Population, record
from latent_anchors.training._callbacks import Progress


def latents_in_eval_mode(population: Population, inputs: Tensor, at: At) -> Tensor:
    """Latents ``(runs, n, ...)`` in evaluation mode; the population is left as it is."""
    # dropout would draw from the global generator
    copy = deepcopy(population).eval()
    with torch.no_grad(), record(copy, at) as latents:
        copy(inputs.to(next(population.parameters())))
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
    def latents(self) -> Float[Tensor, "frames runs n dim"]:
        """All snapshots, on the CPU.

        Returns:
            ``(frames, runs, n, dim)``, a frame for each of the ``steps``.

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
