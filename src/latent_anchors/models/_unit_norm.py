"""The constraint that rows or columns of parameters have length 1."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors._numerics import in_full_precision, length, unit


@dataclass(frozen=True)
class UnitNorm:
    r"""A constraint: rows or columns of some parameters have length 1.

    .. math:: w \leftarrow w / \lVert w \rVert_2

    Zero vectors stay zero. Axes are counted from the end, ``-1`` for the rows of a matrix and
    ``-2`` for its columns, so that they are the same if runs are stacked.

    Args:
        axes: For each parameter by name, the axis along which its vectors lie.

    Raises:
        ValueError: If an axis is not negative.

    References:
        Loshchilov et al., "nGPT: Normalized Transformer with Representation Learning on the
        Hypersphere", ICLR 2025.

    Examples:
        >>> import torch
        >>> rows = UnitNorm({"embedding.weight": -1})
        >>> rows({"embedding.weight": torch.tensor([[3.0, 4.0], [0.0, 0.0]])})
        {'embedding.weight': tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])}
    """

    axes: Mapping[str, int]

    def __post_init__(self) -> None:
        for name, axis in self.axes.items():
            if axis >= 0:
                raise ValueError(
                    f"UnitNorm was given axis {axis} for {name!r}; expected a negative axis, "
                    "counted from the end, as stacked runs add one in front. Use -1 for "
                    "the rows of a matrix, -2 for its columns."
                )

    def __call__(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The constrained parameters, scaled to length 1.

        Args:
            parameters: Parameters by name ``(...)``; may contain others.

        Returns:
            The constrained ones, of the same shapes ``(...)``.

        Raises:
            KeyError: If one is missing.
            ValueError: If one does not have the axis.

        Examples:
            >>> import torch
            >>> UnitNorm({"weight": -2})({"weight": torch.tensor([[3.0], [4.0]]), "bias": 1})
            {'weight': tensor([[0.6000],
                    [0.8000]])}
        """
        return {
            name: _unit(name, self._found(name, parameters), axis)
            for name, axis in self.axes.items()
        }

    def _found(self, name: str, parameters: Mapping[str, Tensor]) -> Tensor:
        if name not in parameters:
            raise KeyError(
                f"UnitNorm needs parameter {name!r}; the model has {listed(parameters)}."
            )
        return parameters[name]


def _unit(name: str, weight: Tensor, axis: int) -> Tensor:
    if weight.ndim < -axis:
        raise ValueError(
            f"UnitNorm was given axis {axis} for {name!r} of shape {tuple(weight.shape)}; expected "
            f"one from {-weight.ndim} to -1."
        )
    rows = weight.movedim(axis, -1)
    # squares of an exploded row overflow: NaN shows, and zeros would not
    overflown = length(in_full_precision(rows)).isinf().unsqueeze(-1)
    return unit(rows).masked_fill(overflown, torch.nan).movedim(-1, axis)
