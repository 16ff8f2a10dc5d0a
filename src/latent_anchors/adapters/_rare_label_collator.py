"""Labeled samples in every batch, though labels are rare."""

import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from latent_anchors._checks import check_count

IGNORED = -100


class RareLabelCollator:
    """A collator that adds labeled samples to each batch, from which nothing is to be predicted.

    Where one line in a hundred is labeled, most batches have no labeled line, and in the others one
    line has all the weight of a term: its pull comes in jerks, as strong as labels are frequent.
    With a labeled sample in every batch it is even, and the same for a concept with few labels as
    for one with many. The model's own loss does not see the samples added: their ``"labels"`` are
    -100. Which ones are added follows from the batch's tokens, so that a training that resumes goes
    on bit for bit.

    Args:
        collator: Makes a batch with ``"input_ids"`` and ``"labels"``, such as a
            :class:`LabelCollator`.
        labeled: The labeled samples, with all that the collator needs.
        count: How many are added to each batch, at most as many as there are.

    Raises:
        ValueError: If there are fewer labeled samples than are to be added.
        KeyError: In use, if a batch has no ``"input_ids"`` or no ``"labels"``.

    Examples:
        >>> def stack(samples):
        ...     ids = torch.tensor([sample["input_ids"] for sample in samples])
        ...     return {"input_ids": ids, "labels": ids.clone()}
        >>> import torch
        >>> collator = RareLabelCollator(stack, [{"input_ids": [5, 6]}])
        >>> collator([{"input_ids": [7, 8]}])["labels"].tolist()
        [[7, 8], [-100, -100]]
    """

    def __init__(
        self,
        collator: Callable[[list[Any]], Mapping[str, Any]],
        labeled: Sequence[Mapping[str, Any]],
        count: int = 1,
    ) -> None:
        check_count("count", count)
        if len(labeled) < count:
            raise ValueError(
                f"There are {len(labeled)} labeled samples, and count is {count}; expected at "
                "least as many. Label more samples, or add fewer."
            )
        self.collator = collator
        self.labeled: tuple[Mapping[str, Any], ...] = tuple(labeled)
        self.count: int = count

    def __call__(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The batch of some samples, and behind them the labeled ones."""
        drawn = random.Random(_digest(self._collated(samples)["input_ids"]))
        batch = self._collated([*samples, *drawn.sample(self.labeled, self.count)])
        batch["labels"][-self.count :] = IGNORED
        return batch

    def _collated(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        # a collator may take apart what it is given
        batch = dict(self.collator([dict(sample) for sample in samples]))
        lacking = [name for name in ("input_ids", "labels") if name not in batch]
        if lacking:
            raise KeyError(
                f"The batch has no {lacking[0]!r}, only {sorted(batch)}; expected both input_ids "
                "and labels, so that nothing is to be predicted from the samples added."
            )
        return batch


def _digest(ids: Tensor) -> int:
    """A number that follows from tokens."""
    return zlib.crc32(ids.detach().cpu().numpy().tobytes())
