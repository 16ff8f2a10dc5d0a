"""Rare labels: a few labeled samples that come again and again, as often as they should pull."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import accumulate

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from latent_anchors._checks import check_between, check_count, check_name
from latent_anchors._streams import BLOCK, stream
from latent_anchors.data._batches import LabeledBatch
from latent_anchors.data._samplers import Sampler

CACHED = ("_labeled", "_recent")


class RareLabels:
    """Batches of a sampler, in which its labeled samples come again, as often as one likes.

    With ten labels in a whole training, a term sees each of them once, too rarely to place a
    concept. Here all samples that are labeled within a run's first ``steps`` are known beforehand;
    each sample of a batch gives way to one of those labeled with a name, any of them alike, with a
    chance of ``often[name]``.

    Labeled is what has a label above 0. It comes again with all its labels, so that samples with
    several add to the shares of each, and nothing else has one of these names; other labels are as
    the sampler draws them. A label that a run does not have takes nobody's place. All is a pure
    function of the seed and the step, and the other samples are those of the sampler, bit for bit.

    Args:
        sampler: With labels; its weights follow no timeline.
        steps: In how many of a run's steps labels are gathered.
        often: By the label's name, the share of all samples, from 0 to 1; 1 in sum at most.

    Raises:
        ValueError: If a name is no label of the sampler, shares are out of their range, there is no
            step, or the sampler's weights follow a timeline.

    Examples:
        >>> from latent_anchors.data import BernoulliLabels
        >>> sampler = Sampler(torch.arange(9.0), {"few": BernoulliLabels(torch.full((9,), 0.01))})
        >>> rare = RareLabels(sampler, steps=3, often={"few": 0.25})
        >>> bool(0.2 < rare.block(seed=0, index=0).labels["few"].mean() < 0.3)
        True
    """

    def __init__(self, sampler: Sampler, steps: int, often: Mapping[str, int | float]) -> None:
        check_count("steps", steps)
        for name, share in often.items():
            check_name("label", name, [*sampler.labels])
            check_between(f"The share of {name!r}", share, 0.0, 1.0)
        check_between("The sum of the shares", sum(often.values()), 0.0, 1.0)
        if sampler.follows:
            raise ValueError(
                "The weights of the sampler follow a timeline, but labels are gathered before the "
                "training begins; expected a sampler whose weights are always the same."
            )
        self.sampler: Sampler = sampler
        self.steps: int = steps
        self.often: dict[str, int | float] = dict(often)
        self._remember()

    def block(self, seed: int, index: int) -> LabeledBatch:
        """All the batches of a block of steps, with a leading axis of steps.

        Args:
            seed: The run's.
            index: Steps ``100 * index`` up to the next block.

        Returns:
            Tensors ``(100, batch, ...)``.

        Examples:
            >>> RareLabels(Sampler(torch.eye(3)), steps=1, often={}).block(0, 0).inputs.shape
            torch.Size([100, 64, 3])
        """
        batch = _without(self.often, self.sampler.block(seed, index))
        generator = stream(seed, "rare labels", index)
        size = (2, *batch.inputs.shape[:2])
        chance, which = torch.rand(size, generator=generator, dtype=torch.float64)
        first = 0.0
        for name, end in zip(self.often, accumulate(self.often.values()), strict=True):
            labeled = self._labeled(seed, name)
            if len(labeled.inputs):
                chosen = (which * len(labeled.inputs)).long()
                batch = _replaced(batch, (first <= chance) & (chance < end), labeled, chosen)
            first = end
        return batch

    def batch(self, seed: int, step: int) -> LabeledBatch:
        """One batch, at any step in any order.

        Args:
            seed: The run's.
            step: From 0.

        Returns:
            Tensors ``(batch, ...)``.

        Raises:
            ValueError: If the step is negative.
            TypeError: If the step is not a whole number.

        Examples:
            >>> RareLabels(Sampler(torch.eye(3)), steps=1, often={}).batch(0, 7).inputs.shape
            torch.Size([64, 3])
        """
        check_count("step", step, least=0)
        index, offset = divmod(step, BLOCK)
        return self._recent(seed, index).map(lambda tensor: tensor[offset].clone())

    def batches(self, seed: int, steps: Iterable[int]) -> Iterator[LabeledBatch]:
        """The batches of some steps, in order, for your own loop.

        Args:
            seed: The run's.
            steps: Such as ``range(1501)``.

        Examples:
            >>> rare = RareLabels(Sampler(torch.eye(3)), steps=1, often={})
            >>> sum(1 for _ in rare.batches(seed=0, steps=range(5)))
            5
        """
        return (self.batch(seed, step) for step in steps)

    def _gathered(self, seed: int, name: str) -> LabeledBatch:
        """All samples that are labeled so within the steps, one after another."""
        found = [
            _labeled_ones(self.sampler.block(seed, index), name, self.steps - index * BLOCK)
            for index in range(-(-self.steps // BLOCK))
        ]
        return LabeledBatch(
            torch.cat([each.inputs for each in found]),
            {key: torch.cat([each.labels[key] for each in found]) for key in found[0].labels},
            {key: torch.cat([each.extras[key] for each in found]) for key in found[0].extras},
        )

    def _remember(self) -> None:
        self._labeled = lru_cache(maxsize=None)(self._gathered)
        self._recent = lru_cache(maxsize=8)(self.block)

    def __getstate__(self) -> dict[str, object]:
        # what was drawn stays behind when it goes to a worker
        return {name: value for name, value in self.__dict__.items() if name not in CACHED}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._remember()

    def __repr__(self) -> str:
        return f"RareLabels({self.sampler!r}, steps={self.steps}, often={self.often})"


def _without(names: Iterable[str], batch: LabeledBatch) -> LabeledBatch:
    none = {name: torch.zeros_like(batch.labels[name]) for name in names}
    return LabeledBatch(batch.inputs, {**batch.labels, **none}, batch.extras)


def _labeled_ones(block: LabeledBatch, name: str, steps: int) -> LabeledBatch:
    """Of the first steps of a block, the samples that have the label, at some place at least."""
    few = block.map(lambda tensor: tensor[:steps].flatten(0, 1))
    labeled = (few.labels[name] > 0).reshape(len(few.inputs), -1).any(1)
    return few.map(lambda tensor: tensor[labeled])


def _replaced(
    batch: LabeledBatch,
    places: Bool[Tensor, "steps batch"],
    by: LabeledBatch,
    chosen: Int[Tensor, "steps batch"],
) -> LabeledBatch:
    def put(into: Shaped[Tensor, "steps batch ..."], of: Shaped[Tensor, "n ..."]) -> Tensor:
        placed = into.clone()
        placed[places] = of[chosen[places]]
        return placed

    return LabeledBatch(
        put(batch.inputs, by.inputs),
        {name: put(label, by.labels[name]) for name, label in batch.labels.items()},
        {name: put(extra, by.extras[name]) for name, extra in batch.extras.items()},
    )
