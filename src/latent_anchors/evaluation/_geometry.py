"""Geometry: where colors came to lie."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._numerics import cosine, missing, ordinary
from latent_anchors._runs import with_axis_of_runs
from latent_anchors._sites import At
from latent_anchors._vectors import as_direction
from latent_anchors.colorspace import HUES, named_colors
from latent_anchors.evaluation._errors import as_evaluated, like
from latent_anchors.models import record


def latents(
    model: nn.Module, colors: Float[Tensor, "n 3"], at: At = "latent"
) -> Float[Tensor, "runs n dim"]:
    """Latents of some colors, in evaluation mode; NaN where they are not finite.

    Args:
        model: A model (one run) or a population; edits in force count.
        colors: RGB ``(n, 3)``, in [0, 1].
        at: The site.

    Returns:
        ``(runs, n, dim)``.

    Raises:
        ValueError: If the site does not exist.
        RuntimeError: If the site never ran.

    Examples:
        >>> import torch
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> latents(SphericalAutoencoder(), torch.rand(5, 3)).shape
        torch.Size([1, 5, 4])
    """
    with as_evaluated(model), record(model, at) as recorded:
        model(colors.to(like(model, colors)))
    z = missing(recorded[at])
    return with_axis_of_runs(model, z)


def alignment(
    model: nn.Module,
    color: str,
    direction: Sequence[float] | Tensor,
    at: At = "latent",
) -> Float[Tensor, " runs"]:
    """Cosine between a color's latent and an anchor.

    Args:
        model: A model or a population.
        color: One of the named colors.
        direction: The anchor ``(dim,)``.
        at: The site.

    Returns:
        ``(runs,)``, from -1 to 1.

    Raises:
        ValueError: If there is no such color, or the direction is zero or not finite.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> alignment(SphericalAutoencoder(), "red", [1, 0, 0, 0]).abs() <= 1
        tensor([True])
    """
    z = latents(model, named_colors(color), at)[:, 0]
    return cosine(ordinary(z), as_direction(direction))


def alignments(
    model: nn.Module, direction: Sequence[float] | Tensor, at: At = "latent"
) -> dict[str, Float[Tensor, " runs"]]:
    """Cosines between an anchor and the latents of the twelve named hues.

    Args:
        model: A model or a population.
        direction: The anchor ``(dim,)``.
        at: The site.

    Returns:
        By hue ``(runs,)``, from -1 to 1.

    Raises:
        ValueError: If the direction is zero or not finite.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> [*alignments(SphericalAutoencoder(), [1, 0, 0, 0])][:3]
        ['red', 'orange', 'yellow']
    """
    z = latents(model, named_colors(*HUES), at)
    return dict(zip(HUES, cosine(ordinary(z), as_direction(direction)).unbind(1), strict=True))
