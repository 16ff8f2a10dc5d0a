"""How near lines come to a direction, and whether it has latched onto all of them."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._checks import check_angle
from latent_anchors._numerics import missing
from latent_anchors._supervision import Given, as_mask
from latent_anchors._typing import PerSample

HALF = 0.5


def opening_angles(
    alignments: Float[Tensor, "*runs line position"], mask: Given | None = None
) -> Float[Tensor, "*runs line position"]:
    r"""How wide a gate has to be to be open at each position, in degrees.

    .. math:: \theta_{it} = \min_{s \le t} \arccos \alpha_{is}

    over the positions :math:`s` that count, with the ``alignments`` :math:`\alpha`: the angle of
    the closest position so far. A quantile of it over the positions of labeled lines says within
    how many degrees a gate is open at such a share of them
    (:class:`~latent_anchors.interventions.Onwards`), whatever the concept and its labels.

    Args:
        alignments: Cosines with the direction ``(..., line, position)``; see
            :func:`~latent_anchors.evaluation.alignment`.
        mask: Which positions count ``(line, position)``, bool or 0 and 1; all if None.

    Returns:
        ``(..., line, position)``, from 0 to 180, falling along a line; NaN where a position does
        not count, and from one that is not finite onwards.

    Raises:
        ValueError: If the mask has another shape, or numbers are no cosines.

    References:
        The nearest position of a line, as for the pooled anchors of the color transformers of
        ``sca2`` (2026), there as a soft minimum of one minus the cosine.

    Examples:
        >>> rows = torch.tensor([[0.5, 1.0, 0.0], [1.0, 0.0, 0.5]])
        >>> opening_angles(rows, mask=torch.tensor([[1, 1, 1], [0, 1, 1]])).round()
        tensor([[60.,  0.,  0.],
                [nan, 90., 60.]])
    """
    counts = _counted(alignments, mask)
    counted = missing(alignments).masked_fill(~counts, -1.0)
    _check_cosines(counted)
    closest = counted.cummax(-1).values
    return closest.clamp(-1.0, 1.0).acos().rad2deg().masked_fill(~counts, torch.nan)


def latched(
    alignments: Float[Tensor, "*runs line position"],
    has_it: Given,
    mask: Given | None = None,
    within: int | float = 45,
) -> Bool[Tensor, "*runs"]:
    r"""Whether lines without the concept lie on its direction, too, with some position.

    .. math:: \frac{1}{|O|} \sum_{i \in O} \big[\max_t \cos(z_{it}, v) > \cos \theta\big] \ge
        \tfrac{1}{2}

    over the lines :math:`O` without the concept in which a position counts, the positions :math:`t`
    that count, and ``within`` :math:`\theta`. A penalty that is content with one position of a
    line, such as one pooled by a :class:`~latent_anchors.regularizers.SoftMinimum`, can be
    satisfied by a token that stands in every line: a start token, a colon. Muting then hits all
    lines alike. The cure is to pool by the mean over positions that know the concept, or to keep
    all positions out (:meth:`Concept.keep_out <latent_anchors.concepts.Concept.keep_out>`). To see
    which token it is, look at ``alignments[~has_it].mean(0)``.

    Args:
        alignments: Cosines with the direction ``(..., line, position)``; see
            :func:`~latent_anchors.evaluation.alignment`.
        has_it: Whether each line has the concept ``(line,)``, bool or 0 and 1.
        mask: Which positions count ``(line, position)``, bool or 0 and 1; all if None.
        within: Degrees from the direction, above 0 and at most 90.

    Returns:
        ``(...)``; true of a run that has failed, in which one that counts is not finite.

    Raises:
        ValueError: If labels or mask have another shape, all lines have the concept or no position
            that counts, numbers are no cosines, or the angle is out of its range.

    References:
        What the color transformers of ``sca2`` (2026) call a latch: an anchored axis on a token of
        the syntax.

    Examples:
        >>> rows = torch.tensor([[0.9, 0.2], [0.9, 0.1], [0.9, -0.1]])
        >>> latched(rows, has_it=torch.tensor([1, 0, 0]))
        tensor(True)
        >>> latched(rows, torch.tensor([1, 0, 0]), mask=torch.tensor([[0, 1], [0, 1], [0, 1]]))
        tensor(False)
    """
    has = as_mask("has_it", has_it, alignments.device)
    _check(alignments, has, within)
    counted = _counted(alignments, mask)
    counts = counted[~has]
    angles = opening_angles(alignments, mask)[..., ~has, :][..., counts.any(-1), :]
    if not angles.shape[-2]:
        raise ValueError(
            "No position counts in the lines without the concept; expected one at least. Look at "
            "the mask."
        )
    failed = (~alignments.isfinite() & counted).flatten(-2).any(-1)
    return ((angles < within).any(-1).float().mean(-1) >= HALF) | failed


def _counted(alignments: PerSample, mask: Given | None) -> Bool[Tensor, "line position"]:
    places = alignments.shape[-2:]
    if mask is None:
        return torch.ones(places, dtype=torch.bool, device=alignments.device)
    counted = as_mask("mask", mask, alignments.device)
    if counted.shape != places:
        raise ValueError(
            f"The mask has shape {tuple(counted.shape)}; expected {tuple(places)}, one value for "
            "each position of each line."
        )
    return counted


def _check(alignments: PerSample, has: Bool[Tensor, " line"], within: int | float) -> None:
    if has.shape != alignments.shape[-2:-1]:
        raise ValueError(
            f"has_it has shape {tuple(has.shape)} and the alignments {tuple(alignments.shape)}; "
            "expected one value for each line, (line,) beside (..., line, position)."
        )
    if bool(has.all()):
        raise ValueError(
            f"All {len(has)} lines have the concept; expected some without it, which tell whether "
            "the direction is on everything."
        )
    check_angle("within", float(within), 90.0)


def _check_cosines(counted: PerSample) -> None:
    # cosines may exceed 1 by rounding, the more in half precision
    if bool((counted.abs() > 1.01).any()):
        raise ValueError(
            f"The alignments run from {float(counted.min()):g} to {float(counted.max()):g}; "
            "expected cosines, from -1 to 1. Compute them with evaluation.alignment."
        )
