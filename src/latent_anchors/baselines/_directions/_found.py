"""What a method finds afterwards: a direction, the method's own edit, and a gate."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._numerics import dot, in_full_precision
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction, check_width
from latent_anchors.interventions import Erasure


@dataclass(frozen=True, eq=False)
class Found:
    """A direction that was found on labeled latents, with the edit of the method that found it.

    The direction serves whatever takes one: ``la.Concept(name, found.direction, at)``, an edit of
    :mod:`~latent_anchors.interventions`, or :class:`~latent_anchors.interventions.Onwards` with an
    angle. The gate is a mask for ``where=`` of :func:`~latent_anchors.intervene`.

    Attributes:
        direction: The unit vector that reads the concept ``(dim,)``; it points to the samples with
            it. Given at any length, by which the threshold is divided, too.
        edit: The erasure of the method, an affine map ``(..., dim)`` to ``(..., dim)``.
        threshold: Halfway between the mean readings of the samples with and without the concept.

    Raises:
        ValueError: If the direction is zero or not finite.

    Examples:
        >>> import torch
        >>> from latent_anchors.baselines import mean_difference
        >>> z = torch.tensor([[0.0, 1.0], [0.0, 3.0], [4.0, 1.0], [4.0, 3.0]])
        >>> found = mean_difference(z, torch.tensor([0, 0, 1, 1]))
        >>> found.direction, found.threshold
        (tensor([1., 0.]), 2.0)
    """

    direction: Direction
    edit: Erasure
    threshold: float

    def __post_init__(self) -> None:
        unit = as_direction(self.direction)
        if not torch.equal(unit.to(self.direction), self.direction):
            given = float(dot(self.direction.double(), unit.double()))  # its length
            object.__setattr__(self, "threshold", self.threshold / given)
        object.__setattr__(self, "direction", unit)

    def above(self, latents: Latents) -> Bool[Tensor, "*batch"]:
        """Which latents read above the threshold: where a gated edit acts.

        Args:
            latents: ``(..., dim)``, before the edit.

        Returns:
            ``(...)``.

        Raises:
            ValueError: If the latents have another width.
            TypeError: If they are integers.

        Examples:
            >>> import torch
            >>> from latent_anchors.baselines import mean_difference
            >>> z = torch.tensor([[0.0, 1.0], [0.0, 3.0], [4.0, 1.0], [4.0, 3.0]])
            >>> mean_difference(z, torch.tensor([0, 0, 1, 1])).above(z)
            tensor([False, False,  True,  True])
        """
        check_width("Found", latents, len(self.direction))
        full = in_full_precision(latents)
        return dot(full, self.direction.to(full)) > self.threshold


def found_by(erasure: Erasure, z: Float[Tensor, "n dim"], labels: Float[Tensor, " n"]) -> Found:
    """The direction that an erasure reads first, turned to the samples with the concept."""
    if not bool(erasure.right.any()):
        raise ValueError(
            f"The mean latent of {len(z)} samples is the same with and without the concept; "
            "expected a difference. Check that latents and labels are in the same order."
        )
    direction = as_direction(erasure.right[0])
    along = dot(z.double(), direction.double())
    shares = labels / labels.sum(), (1 - labels) / (1 - labels).sum()
    with_it, without = (float((share * along).sum()) for share in shares)
    side = 1.0 if with_it >= without else -1.0
    return Found(side * direction, erasure, side * (with_it + without) / 2)
