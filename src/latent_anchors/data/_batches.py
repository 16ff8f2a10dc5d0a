"""A batch that knows what was said about its samples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, eq=False)
class LabeledBatch:
    """Inputs, labels, and whatever else a loss or a mask needs.

    Attributes:
        inputs: What the model takes ``(batch, ...)``.
        labels: By name ``(batch,)``, in [0, 1]; 0 means that nobody said.
        extras: By name ``(batch, ...)``: targets, masks, weights.

    Examples:
        >>> import torch
        >>> batch = LabeledBatch(torch.rand(4, 3), {"red": torch.zeros(4)})
        >>> batch.map(lambda tensor: tensor[:2]).labels["red"]
        tensor([0., 0.])
    """

    inputs: Tensor
    labels: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    extras: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])

    def map(self, function: Callable[[Tensor], Tensor]) -> "LabeledBatch":
        """The same function applied to every tensor, as for moving or slicing.

        Examples:
            >>> import torch
            >>> LabeledBatch(torch.ones(2)).map(torch.neg).inputs
            tensor([-1., -1.])
        """
        labels = {name: function(label) for name, label in self.labels.items()}
        extras = {name: function(extra) for name, extra in self.extras.items()}
        return LabeledBatch(function(self.inputs), labels, extras)
