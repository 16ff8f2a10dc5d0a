"""Label draws: the label of a sample each time it is drawn."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from typing_extensions import Protocol, runtime_checkable

from latent_anchors._numerics import in_full_precision
from latent_anchors._supervision import as_tensor, within


@runtime_checkable
class LabelDraw(Protocol):
    """Rows of a data set in, labels out.

    Examples:
        >>> isinstance(SoftLabels(torch.zeros(2)), LabelDraw)
        True
    """

    def __len__(self) -> int:
        """How many samples the data set has."""
        ...

    def draw(
        self, rows: Int[Tensor, "*batch"], generator: torch.Generator
    ) -> Float[Tensor, "*batch_and_places"]:
        """One label for each row, or for each of its places.

        Args:
            rows: Which samples ``(...)``.
            generator: Where chance comes from.

        Returns:
            ``(...)``, or with axes of places behind, in [0, 1].

        Examples:
            >>> SoftLabels(torch.tensor([0.0, 0.5])).draw(torch.tensor([1]), torch.Generator())
            tensor([0.5000])
        """
        ...


@dataclass(frozen=True, eq=False)
class BernoulliLabels:
    """Hard, noisy labels: 1 with a sample's own probability, else 0, drawn each time it is seen.

    Where a sample has places, such as those of a picture or the tokens of a line, each may have a
    label of its own.

    Attributes:
        probability: For each sample ``(n,)``, or each place of each sample ``(n, ...)``, in [0, 1].

    Raises:
        ValueError: If a probability is outside of [0, 1].
        TypeError: If they are no tensor and no array of numpy's, or not floating point.

    Examples:
        >>> always_or_never = BernoulliLabels(torch.tensor([1.0, 0.0]))
        >>> always_or_never.draw(torch.tensor([0, 1, 0]), torch.Generator())
        tensor([1., 0., 1.])
        >>> by_place = BernoulliLabels(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        >>> by_place.draw(torch.tensor([1]), torch.Generator())
        tensor([[0., 1.]])
    """

    probability: Float[Tensor, "n ..."]

    def __post_init__(self) -> None:
        object.__setattr__(self, "probability", _degrees("probability", self.probability))

    def __len__(self) -> int:
        return len(self.probability)

    def draw(
        self, rows: Int[Tensor, "*batch"], generator: torch.Generator
    ) -> Float[Tensor, "*batch_and_places"]:
        """1 or 0 for each row, or for each of its places.

        Args:
            rows: Which samples ``(...)``.
            generator: Where chance comes from.

        Returns:
            ``(...)``, or with the axes of places behind, 0 or 1.

        Examples:
            >>> BernoulliLabels(torch.ones(1)).draw(torch.tensor([0]), torch.Generator())
            tensor([1.])
        """
        probability = self.probability[rows]
        # in half precision chance is so coarse that rare labels would be drawn too often
        full = in_full_precision(probability)
        chance = torch.rand(full.shape, generator=generator, dtype=full.dtype)
        return (chance < full).to(probability.dtype)


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """Fixed labels: always the same number for a sample, such as its degree.

    Attributes:
        label: For each sample ``(n,)``, or each place of each sample ``(n, ...)``, in [0, 1].

    Raises:
        ValueError: If a label is outside of [0, 1].
        TypeError: If they are no tensor and no array of numpy's, or not floating point.

    Examples:
        >>> SoftLabels(torch.tensor([0.25, 1.0])).draw(torch.tensor([0]), torch.Generator())
        tensor([0.2500])
    """

    label: Float[Tensor, "n ..."]

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", _degrees("label", self.label))

    def __len__(self) -> int:
        return len(self.label)

    def draw(
        self, rows: Int[Tensor, "*batch"], generator: torch.Generator
    ) -> Float[Tensor, "*batch_and_places"]:
        """The label of each row, or of each of its places; the generator is left alone.

        Args:
            rows: Which samples ``(...)``.
            generator: Unused: there is no chance in it.

        Returns:
            ``(...)``, or with the axes of places behind, in [0, 1].

        Examples:
            >>> SoftLabels(torch.ones(1)).draw(torch.tensor([0, 0]), torch.Generator())
            tensor([1., 1.])
        """
        del generator
        return self.label[rows]


def _degrees(name: str, given: object) -> Tensor:
    """Numbers from 0 to 1, one for each sample or place, from a tensor or an array of numpy's."""
    values = as_tensor(f"The {name}", given)
    if not values.is_floating_point():
        raise TypeError(
            f"The {name} is of type {values.dtype}; expected floating point. Use .float()."
        )
    if values.ndim < 1 or not within(values):
        runs = f" and runs from {values.min():g} to {values.max():g}" if values.numel() else ""
        raise ValueError(
            f"The {name} has shape {tuple(values.shape)}{runs}; expected one number from 0 to 1 "
            "for each sample, or each place of each. Scale it, for instance 0.08 * degree**8."
        )
    return values


def noisy_or(
    first: Float[Tensor, "*batch"], second: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    r"""Chance that at least one of two independent draws is 1.

    .. math:: 1 - (1 - p)(1 - q)

    with the ``first`` :math:`p` and the ``second`` :math:`q`.

    Args:
        first: Chances ``(...)``, such as those of each line's first color.
        second: Chances ``(...)``, such as those of its second.

    Returns:
        ``(...)``, from 0 to 1.

    References:
        The either-slot labels of ``sca2`` (2026).

    Examples:
        >>> noisy_or(torch.tensor([0.5, 0.0]), torch.tensor([0.5, 0.25]))
        tensor([0.7500, 0.2500])
    """
    return 1 - (1 - first) * (1 - second)
