"""The divisors of a whole batch, so that the gradients of its parts add up to its own."""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from typing import Any, TypeAlias

import torch
from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors.training import Objective, ObjectiveOutput, mean_over_processes

Columns: TypeAlias = Mapping[str, Any]
"""A batch as collators make it: tensors by name ``(batch, ...)``."""

Divisor: TypeAlias = Callable[[Columns], Tensor | None]
"""From a micro-batch to what its mean is divided by ``()``; None for its samples."""


class WholeBatch:
    r"""An objective for micro-batches, each divided by its share of the whole batch's divisors.

    .. math:: L = \sum_k w_k \frac{\sum_b T_{kb}}{\sum_b D_{kb}}

    over the micro-batches :math:`b` of an optimizer's step, on all processes. A loop averages over
    processes, and most over micro-batches, too: so each is divided by the mean of the divisors.
    These are known before the model runs, from labels and masks; a part without either goes by
    samples.

    Args:
        objective: It stays as it is; a copy is called.
        divided_by: What a loss divides by that is a mean over something else than samples, such as
            tokens: a function of a micro-batch, by the name of the loss. It may return None.
        scaled: Losses that are shares of the whole batch's already.
    """

    def __init__(
        self,
        objective: Objective,
        divided_by: Mapping[str, Divisor] | None = None,
        scaled: Collection[str] = (),
    ) -> None:
        if objective.reduce_mass is not None:
            raise ValueError(
                "The objective has a reduce_mass of its own; expected none, since divisors are "
                "summed up over processes and micro-batches already. Leave reduce_mass out."
            )
        self.objective: Objective = copy(objective)
        self.objective.reduce_mass = self._shares
        self._divided_by: dict[str, Divisor] = dict(divided_by or {})
        self.scaled: Collection[str] = scaled

    def begin(
        self, batches: Sequence[Columns], averaged: int, device: torch.device | None = None
    ) -> None:
        """Sum up what the micro-batches of a step divide by, on all processes.

        Args:
            batches: Those of this process, of at least one.
            averaged: Over how many the loop takes the mean: all of them, or 1 if it takes the sum.
            device: Where processes exchange numbers; where the batches are if None.

        Raises:
            ValueError: If a term has neither label nor mask and samples are not of one size.
        """
        sizes = [_size(batch) for batch in batches]
        own = torch.stack([self._measures(batch) for batch in batches]).sum(0).to(device)
        mean = mean_over_processes(torch.cat([own, own.new_tensor([sizes[0]])]))
        if self._free:
            self._check_alike([*sizes, float(mean[-1])])
        self.mean: Tensor = mean[:-1] / averaged

    def __call__(self, batch: Columns, **given: Any) -> ObjectiveOutput:
        """The objective of one micro-batch, whose gradient is a summand of the whole batch's."""
        self._now = self._measures(batch)
        return self.objective(labels=batch, masks=batch, **given)

    def _shares(self, divisors: Tensor) -> Tensor:
        """Divisors in proportion: those of the micro-batch times mean over own measure."""
        now, mean = self._now.to(divisors), self.mean.to(divisors)
        # where nobody counts the sum is 0, whatever it is divided by
        shares = torch.where(now > 0, divisors * mean / now.clamp_min(1e-30), 1.0)
        scaled = [name in self.scaled for name in self.objective.names]
        return shares.masked_fill(torch.tensor(scaled, device=shares.device), 1.0)

    def _measures(self, batch: Columns) -> Tensor:
        """What each part's divisor is proportional to ``(parts,)``."""
        device = _tensors(batch)[0].device
        terms = [term.divisor(batch, batch) for term in self.objective.terms]
        losses = [self._divided_by.get(name, _by_samples)(batch) for name in self.objective.losses]
        samples = torch.tensor(float(_samples(batch)), device=device)
        return torch.stack(
            [samples if each is None else each.to(samples) for each in (*terms, *losses)]
        )

    @property
    def _free(self) -> list[str]:
        """Terms that count whatever leaves their site."""
        return [term.name for term in self.objective.terms if term.label is term.mask is None]

    def _check_alike(self, sizes: Sequence[float]) -> None:
        """Samples of several sizes differ in places, which only a mask would count."""
        if max(sizes) - min(sizes) > 1e-6 * max(sizes):
            raise ValueError(
                f"Terms {listed(self._free)} have neither label nor mask, and the samples of this "
                f"step hold from {min(sizes):g} to {max(sizes):g} numbers; expected samples of one "
                "size, or a mask that says which places count: Term(..., mask='attention_mask')."
            )


def _tensors(batch: Columns) -> list[Tensor]:
    return [value for value in batch.values() if isinstance(value, Tensor) and value.ndim > 0]


def _by_samples(_: Columns) -> None:
    return None


def _samples(batch: Columns) -> int:
    return len(_tensors(batch)[0])


def _size(batch: Columns) -> float:
    return sum(each.numel() for each in _tensors(batch)) / max(_samples(batch), 1)
