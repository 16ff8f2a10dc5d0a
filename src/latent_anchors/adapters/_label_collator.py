"""Labels of tokens and of lines, on top of another collator."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from latent_anchors._checks import listed


class LabelCollator:
    """A collator that adds labels of tokens and lines to what another one makes.

    A column of sequences holds one label for each token: it is padded as the tokens are, on either
    side, by the batch's ``"attention_mask"``. A column of numbers holds one label for each line.
    The other collator sees neither.

    Args:
        collator: Makes a batch of all other columns.
        labels: The columns.
        padding: The label of padding: 0, "not labeled"; or a term's ``ignore_index``, such as -100,
            for terms whose ``reduction`` counts places.

    Raises:
        KeyError: If a sample lacks a label.
        ValueError: If a line has not as many labels as tokens, or samples become fewer rows.

    Examples:
        >>> def pads(samples):
        ...     ids = [torch.tensor(sample["input_ids"]) for sample in samples]
        ...     ids = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
        ...     return {"input_ids": ids, "attention_mask": (ids > 0).long()}
        >>> lines = [
        ...     {"input_ids": [5, 6, 7], "animal": [0, 1, 1], "topic": 1},
        ...     {"input_ids": [8], "animal": [1], "topic": 0},
        ... ]
        >>> batch = LabelCollator(pads, ["animal", "topic"])(lines)
        >>> batch["animal"].tolist(), batch["topic"].tolist()
        ([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], [1.0, 0.0])
    """

    def __init__(
        self,
        collator: Callable[[list[Any]], Mapping[str, Any]],
        labels: Sequence[str],
        padding: int | float = 0.0,
    ) -> None:
        self.collator = collator
        self.labels: tuple[str, ...] = (labels,) if isinstance(labels, str) else tuple(labels)
        self.padding: float = padding

    def __call__(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The batch of some samples, with their labels in float32."""
        plain = [{k: v for k, v in one.items() if k not in self.labels} for one in samples]
        batch = dict(self.collator(plain))
        rows = {len(v) for v in batch.values() if isinstance(v, Tensor) and v.ndim}
        if rows and len(samples) not in rows:
            raise ValueError(
                f"{len(samples)} samples became {listed(sorted(rows))} rows; expected one for "
                "each, in order, whose labels are known. Use a collator that pads instead of one "
                "that packs."
            )
        return batch | {name: self._label(name, samples, batch) for name in self.labels}

    def _label(
        self, name: str, samples: Sequence[Mapping[str, Any]], batch: Mapping[str, Any]
    ) -> Tensor:
        lacking = [index for index, sample in enumerate(samples) if name not in sample]
        if lacking:
            raise KeyError(
                f"Samples {listed(lacking)} lack label {name!r}; expected it beside "
                f"{listed(samples[lacking[0]])}. Trainer drops columns that its model does not "
                "take: remove_unused_columns=False keeps them, and an AnchoredTrainer those that a "
                "term reads or that extras=[...] names."
            )
        given = [torch.as_tensor(sample[name], dtype=torch.float32) for sample in samples]
        tokens = any(label.ndim > 0 for label in given)
        return self._padded(name, given, batch) if tokens else torch.stack(given)

    def _padded(self, name: str, given: Sequence[Tensor], batch: Mapping[str, Any]) -> Tensor:
        mask = _tokens(batch)
        for index, (label, counted) in enumerate(zip(given, mask, strict=True)):
            count = int(counted.sum())
            if label.shape != (count,):
                raise ValueError(
                    f"Label {name!r} of sample {index} has shape {tuple(label.shape)}, its line "
                    f"{count} tokens that count; expected one label for each. Label tokens as the "
                    "tokenizer makes them, special ones included, and give padding no label."
                )
        padded = torch.full(mask.shape, float(self.padding))
        padded[mask] = torch.cat([*given])
        return padded


def _tokens(batch: Mapping[str, Any]) -> Tensor:
    """Which places of the padded lines are tokens ``(batch, position)``: all without a mask."""
    mask = batch.get("attention_mask")
    return torch.ones_like(batch["input_ids"]).bool() if mask is None else mask.bool()
