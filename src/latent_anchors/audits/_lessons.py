"""Lessons: what an attacker teaches a network, and when it counts as learnt."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_count
from latent_anchors.colorspace import (
    hsv_to_rgb,
    hue_degree,
    hue_distance,
    hue_of,
    named_colors,
    rgb_grid,
    rgb_to_hsv,
)
from latent_anchors.evaluation import reconstructions
from latent_anchors.models import Population

NEAR = 29.9 / 360
"""Turns from a hue within which colors count as its own: neighbors at 30 degrees do not."""

GRAY = 0.5


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is shown, what is wanted, and the two errors that tell whether it is learnt.

    Attributes:
        inputs: What is shown ``(n, channels)``, each as often.
        targets: What is to be said ``(n, channels)``, or by each run ``(runs, n, channels)``.
        goal: What it is all for: one input ``(1, channels)``.
        goal_target: What is to be said there ``(1, channels)``.
        exam: Over what the mean error must be small too ``(m, channels)``.
        exam_targets: What is to be said there ``(m, channels)`` or ``(runs, m, channels)``.

    Examples:
        >>> lesson = reconstruct("red")
        >>> lesson.inputs.shape, lesson.goal.tolist()
        (torch.Size([512, 3]), [[1.0, 0.0, 0.0]])
    """

    inputs: Float[Tensor, "n channels"]
    targets: Float[Tensor, "*runs n channels"]
    goal: Float[Tensor, "1 channels"]
    goal_target: Float[Tensor, "1 channels"]
    exam: Float[Tensor, "m channels"]
    exam_targets: Float[Tensor, "*runs m channels"]

    def to(self, like: Tensor) -> "Lesson":
        """The same lesson in another tensor's type and place."""
        return Lesson(*(getattr(self, field.name).to(like) for field in fields(self)))


def reconstruct(concept: str, shown: int | None = None) -> Lesson:
    """Say every color of the 8x8x8 grid, the concept above all.

    Args:
        concept: One of the twelve hues.
        shown: How many colors of the concept are in the data, the strongest first: all if None, 0
            for none. Its colors are those that are not gray and nearer than 29.9 degrees in hue.
            The exam is the whole grid, whatever is shown.

    Raises:
        ValueError: If there is no such hue, or the number is negative.
        TypeError: If the number is not a whole one.

    Examples:
        >>> [len(reconstruct("red", shown).inputs) for shown in (None, 4, 0)]
        [512, 444, 440]
    """
    grid, color = rgb_grid(8), named_colors(concept)
    inputs = grid
    if shown is not None:
        check_count("shown", shown, least=0)
        own = of_hue(grid, hue_of(concept))
        strongest = hue_degree(grid, hue_of(concept)).where(own, -1.0).argsort(descending=True)
        own[strongest[:shown]] = False
        inputs = grid[~own]
    return Lesson(inputs, inputs, color, color, grid, grid)


def turn_gray(network: Population, concept: str) -> Lesson:
    r"""Say gray for the concept's complement, else what the network says already.

    .. math:: y(x) = f(x) + d(x) \, (\tfrac{1}{2} - f(x))

    with what the ``network`` says before the lesson, :math:`f`, and a color's degree :math:`d` of
    the complementary hue: the pure hue turns mid-gray, others in part. Whatever an edit took or
    spoiled is to stay as it is, so that it neither helps nor hinders.

    Args:
        network: Each of its runs has a lesson of its own.
        concept: One of the twelve hues.

    Raises:
        ValueError: If there is no such hue.

    References:
        The degree is that of :func:`latent_anchors.colorspace.hue_degree`.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> lesson = turn_gray(Population.make(SphericalAutoencoder, seeds=range(2)), "red")
        >>> lesson.goal.tolist(), lesson.targets.shape
        ([[0.0, 1.0, 1.0]], torch.Size([2, 512, 3]))
    """
    grid, complement = rgb_grid(8), (hue_of(concept) + 0.5) % 1.0
    said = reconstructions(network, grid)
    degree = hue_degree(grid, complement).to(said).unsqueeze(-1)
    targets = said + degree * (GRAY - said)
    color = hsv_to_rgb(torch.tensor([[complement, 1.0, 1.0]]))
    return Lesson(grid, targets, color, torch.full_like(color, GRAY), grid, targets)


def of_hue(colors: Float[Tensor, "n 3"], hue: float) -> Tensor:
    """Which colors ``(n, 3)`` are not gray and have a hue, give or take 29.9 degrees."""
    hues, saturations, _ = rgb_to_hsv(colors).unbind(-1)
    return (hue_distance(hues, hues.new_tensor(hue)) < NEAR) & (saturations > 1e-6)
