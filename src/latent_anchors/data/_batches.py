"""A batch of samples with their labels; torch maps over its tensors as over a dict's."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from torch import Tensor
from torch.utils._pytree import Context, register_pytree_node

from latent_anchors._supervision import as_tensor


@dataclass(frozen=True, eq=False)
class LabeledBatch:
    """Inputs, labels, and what else a loss or a mask needs.

    Attributes:
        inputs: What the model takes ``(batch, ...)``.
        labels: By name ``(batch,)``, in [0, 1]; 0 means unlabeled.
        extras: By name ``(batch, ...)``: targets, masks, weights.

    Raises:
        TypeError: If the inputs are no tensor, or labels or extras are no mapping of tensors;
            arrays of numpy's become tensors.

    Examples:
        >>> import torch
        >>> batch = LabeledBatch(torch.rand(4, 3), {"red": torch.zeros(4)})
        >>> batch.map(lambda tensor: tensor[:2]).labels["red"]
        tensor([0., 0.])
    """

    inputs: Tensor
    labels: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    extras: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])

    def __post_init__(self) -> None:
        if not isinstance(self.inputs, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass arrays all the same
            raise TypeError(
                f"The inputs of a batch are of type {type(self.inputs).__name__}; expected a "
                "tensor, as the model takes it. Write torch.as_tensor(inputs)."
            )
        for kind in ("labels", "extras"):
            object.__setattr__(self, kind, _named(kind, getattr(self, kind)))

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


def _named(kind: str, given: object) -> Mapping[str, Tensor]:
    """Tensors by name; a mapping of nothing else is left as it is."""
    if not isinstance(given, Mapping):
        raise TypeError(
            f"The {kind} of a batch are of type {type(given).__name__}; expected a mapping from "
            f"names to tensors, such as {kind}={{'red': values}}."
        )
    named = cast("Mapping[str, object]", given)
    if all(isinstance(values, Tensor) for values in named.values()):
        return cast("Mapping[str, Tensor]", given)
    return {name: as_tensor(f"{name!r} of the {kind}", values) for name, values in named.items()}


def _children(batch: LabeledBatch) -> tuple[list[object], Context]:
    return [batch.inputs, dict(batch.labels), dict(batch.extras)], None


def _batch_of(children: Iterable[object], _: Context) -> LabeledBatch:
    """A batch of the same names, unchecked: torch also puts what are no tensors into its trees."""
    batch = object.__new__(LabeledBatch)
    for name, child in zip(("inputs", "labels", "extras"), children, strict=True):
        object.__setattr__(batch, name, child)
    return batch


# no public name for this in torch 2.6 to 2.13; torch.vmap and torch.compile look it up here
register_pytree_node(
    LabeledBatch,
    _children,
    _batch_of,
    serialized_type_name="latent_anchors.data.LabeledBatch",
)
