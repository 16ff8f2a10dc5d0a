"""Labeled samples in every batch, though labels are rare."""

import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from latent_anchors._checks import check_count

IGNORED = -100

OWN = ("labels", "shift_labels", "next_sentence_label")
"""Columns that losses of transformers' models read."""


class RareLabelCollator:
    """A collator that adds labeled samples to each batch, from which nothing is to be predicted.

    Where one line in a hundred is labeled, most batches have no labeled line, and in the others one
    line has all the weight of a term: its pull comes in jerks, as strong as labels are frequent.
    With a labeled sample in every batch it is even, and the same for a concept with few labels as
    for one with many. The model's own loss does not see the samples added: their ``"labels"``,
    ``"shift_labels"`` and ``"next_sentence_label"`` are -100. In evaluation an
    :class:`AnchoredTrainer` adds none; in a loop of your own, give the ``collator`` itself there.
    Which ones are added follows from the batch's tokens, so that a training that resumes goes on
    bit for bit.

    Args:
        collator: Makes a batch with ``"labels"``, whose row k is sample k, such as a
            :class:`LabelCollator`; or another of these, of another concept.
        labeled: The labeled samples, with all that the collator needs.
        count: How many are added to each batch, at most as many as there are.

    Raises:
        ValueError: If there are fewer labeled samples than are to be added; in use, if samples
            become fewer or more rows.
        KeyError: In use, if a sample has no ``"input_ids"`` or the batch no ``"labels"``.
        TypeError: In use, if these are real numbers, of which a loss ignores none.

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
        drawn = random.Random(_digest(samples)).sample(self.labeled, self.count)
        every = [*samples, *drawn]
        # a collator may take apart what it is given
        batch = dict(self.collator([dict(sample) for sample in every]))
        _check_rows(batch, len(every), _added(self.collator))
        added = slice(len(samples), len(every))
        return batch | {name: _ignored(batch[name], added) for name in OWN if name in batch}


def _ignored(labels: Tensor, added: slice) -> Tensor:
    """Labels of which some are not counted by a loss of whole numbers."""
    if labels.is_floating_point():
        raise TypeError(
            f"Labels of type {labels.dtype} were given; expected whole numbers, of which losses "
            f"ignore {IGNORED}. Of real numbers a loss would take it for a target: label samples "
            "within the batches instead."
        )
    labels = labels.clone()  # they may be the tokens themselves
    labels[added] = IGNORED
    return labels


def without_added(collator: Callable[..., Any]) -> Callable[..., Any]:
    """The collator that pads, for evaluation: no row more than samples."""
    while isinstance(collator, RareLabelCollator):
        collator = collator.collator
    return collator


def _added(collator: object) -> int:
    """How many samples are added further in."""
    own = collator.count if isinstance(collator, RareLabelCollator) else 0
    inner: object = getattr(collator, "collator", None)
    return own if inner is None else own + _added(inner)


def _check_rows(batch: Mapping[str, Any], samples: int, added: int) -> None:
    if "labels" not in batch:
        raise KeyError(
            f"The batch has no 'labels', only {sorted(batch)}; expected them, so that nothing is "
            "to be predicted from the samples added."
        )
    if len(batch["labels"]) != samples + added:
        raise ValueError(
            f"{samples} samples became {len(batch['labels'])} rows of labels; expected one for "
            f"each{f' and {added} added' if added else ''}, in order, so that nothing is to be "
            "predicted from the samples added. Use a collator that pads instead of one that packs "
            "or makes pairs."
        )


def _digest(samples: Sequence[Mapping[str, Any]]) -> int:
    """A number that follows from the samples' tokens."""
    if lacking := [sample for sample in samples if "input_ids" not in sample]:
        raise KeyError(
            f"A sample has no 'input_ids', only {sorted(lacking[0])}; expected tokens, from which "
            "it follows which labeled samples are added."
        )
    ids = [torch.as_tensor(sample["input_ids"]) for sample in samples]
    return zlib.crc32(pad_sequence(ids, batch_first=True).cpu().numpy().tobytes())
