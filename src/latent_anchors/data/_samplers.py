"""Samplers: what is seen at a step, as a pure function of the seed and the step."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latent_anchors._checks import check_count, listed
from latent_anchors._streams import BLOCK, stream
from latent_anchors.data._batches import LabeledBatch
from latent_anchors.data._labels import LabelDraw


class Sampler:
    """Batches with replacement from a data set in memory, uniform or weighted, with drawn labels.

    Everything is a pure function of the seed and the step: nothing to save in order to resume, and
    a run sees the same numbers alone, among sixty and on any device. Which rows are drawn does not
    depend on the labels. Steps are drawn 100 at a time.

    Args:
        inputs: The data set ``(n, ...)``.
        labels: By name, how each is drawn.
        batch_size: Samples in a batch.
        weights: How often each sample is drawn ``(n,)``, in proportion; all alike if None.
        extras: By name ``(n, ...)``: what else travels with a sample.

    Raises:
        ValueError: If there are no samples; if weights are negative, not finite, all zero or too
            few; or if labels or extras do not have one row for each sample.
        TypeError: If the batch size is not a whole number.

    Examples:
        >>> from latent_anchors.data import Bernoulli
        >>> sampler = Sampler(torch.eye(3), {"first": Bernoulli(torch.eye(3)[0])}, batch_size=2)
        >>> batch = sampler.batch(seed=0, step=1000)
        >>> bool((batch.labels["first"] == batch.inputs[:, 0]).all())
        True
    """

    def __init__(
        self,
        inputs: Tensor,
        labels: Mapping[str, LabelDraw] | None = None,
        batch_size: int = 64,
        weights: Float[Tensor, " n"] | None = None,
        extras: Mapping[str, Tensor] | None = None,
    ) -> None:
        check_count("batch_size", batch_size)
        self.inputs: Tensor = inputs
        self.batch_size: int = batch_size
        self.labels: dict[str, LabelDraw] = dict(labels or {})
        self.extras: dict[str, Tensor] = dict(extras or {})
        check_count("The number of samples", len(inputs))
        for name, given in [*self.labels.items(), *self.extras.items()]:
            _check_rows(name, len(given), len(inputs))
        every = torch.ones(len(inputs)) if weights is None else weights
        self.cumulative: Tensor = _cumulative(every, len(inputs))
        self._recent = lru_cache(maxsize=8)(self.block)

    def block(self, seed: int, index: int) -> LabeledBatch:
        """All the batches of a block of steps, with a leading axis of steps.

        Args:
            seed: The run's.
            index: Steps ``100 * index`` up to the next block.

        Returns:
            Tensors ``(100, batch, ...)``.

        Examples:
            >>> Sampler(torch.eye(3), batch_size=2).block(seed=0, index=0).inputs.shape
            torch.Size([100, 2, 3])
        """
        rows = self.rows(seed, index)
        labels = {
            name: draw.draw(rows, stream(seed, f"label/{name}", index))
            for name, draw in self.labels.items()
        }
        extras = {name: extra[rows] for name, extra in self.extras.items()}
        return LabeledBatch(self.inputs[rows], labels, extras)

    def rows(self, seed: int, index: int) -> Int[Tensor, "steps batch"]:
        """Which samples are drawn in a block of steps, by inverting the cumulative weights.

        Args:
            seed: The run's.
            index: Of the block.

        Returns:
            ``(100, batch)``, from 0 to n - 1.

        Examples:
            >>> bool((Sampler(torch.eye(3)).rows(0, 0) < 3).all())
            True
        """
        chance = torch.rand(
            (BLOCK, self.batch_size), generator=stream(seed, "rows", index), dtype=torch.float64
        )
        return torch.searchsorted(self.cumulative, chance, right=True)

    def batch(self, seed: int, step: int) -> LabeledBatch:
        """One batch, at any step in any order.

        Args:
            seed: The run's.
            step: From 0.

        Returns:
            Tensors ``(batch, ...)``.

        Raises:
            ValueError: If the step is negative.
            TypeError: If it is not a whole number.

        Examples:
            >>> Sampler(torch.eye(3), batch_size=2).batch(seed=0, step=7).inputs.shape
            torch.Size([2, 3])
        """
        check_count("step", step, least=0)
        index, offset = divmod(step, BLOCK)
        return self._recent(seed, index).map(lambda tensor: tensor[offset])

    def batches(self, seed: int, steps: Iterable[int]) -> Iterator[LabeledBatch]:
        """The batches of some steps, in order, for a loop of one's own.

        Args:
            seed: The run's.
            steps: Such as ``range(1501)``, or ``range(500, 1501)`` to resume.

        Examples:
            >>> sampler = Sampler(torch.eye(3))
            >>> sum(1 for _ in sampler.batches(seed=0, steps=range(5)))
            5
        """
        return (self.batch(seed, step) for step in steps)

    def __getstate__(self) -> dict[str, object]:
        # what was drawn recently stays behind when the sampler goes to a worker
        return {name: value for name, value in self.__dict__.items() if name != "_recent"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._recent = lru_cache(maxsize=8)(self.block)

    def __repr__(self) -> str:
        return (
            f"Sampler({len(self.inputs)} samples, batch_size={self.batch_size}, "
            f"labels={listed(self.labels)})"
        )


def _cumulative(weights: Tensor, n: int) -> Tensor:
    _check_rows("weights", len(weights), n)
    if not bool((weights.isfinite() & (weights >= 0)).all()) or float(weights.sum()) <= 0:
        raise ValueError(
            f"The weights run from {weights.min():g} to {weights.max():g}; expected finite numbers "
            "of at least 0, not all of them 0. Give each sample its share of the draws."
        )
    cumulative = weights.double().cumsum(0)
    return cumulative / cumulative[-1]


def _check_rows(name: str, given: int, n: int) -> None:
    if given != n:
        raise ValueError(
            f"{name!r} has {given} rows and the inputs have {n}; expected one for each sample."
        )
