"""Score: how well a concept's alignment separates samples with it from those without."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._numerics import as_floats
from latent_anchors._supervision import Given, as_tensor
from latent_anchors.evaluation import Metric, alignment, auc, margin, summarize
from latent_anchors.regularizers import Pooling


@dataclass(frozen=True, repr=False)
class Score:
    """How a concept's alignment separates samples with it from those without, over runs.

    Attributes:
        auc: The share of pairs of a sample with and one without the concept that are in the right
            order (:func:`~latent_anchors.evaluation.auc`); 1/2 where the alignment tells nothing.
        margin: The 5 % quantile of those with it less the 95 % quantile of those without it. See
            :func:`~latent_anchors.evaluation.margin`.
        alignment: The mean alignment of those with it.
        n_with: How many samples have it.
        n_without: How many do not.

    Examples:
        >>> one = summarize([0.9])
        >>> Score(auc=one, margin=one, alignment=one, n_with=3, n_without=5)
        Score(auc=0.900, margin=0.900, alignment=0.900)
    """

    auc: Metric
    margin: Metric
    alignment: Metric
    n_with: int
    n_without: int

    def __repr__(self) -> str:
        shown = (f.name for f in fields(self) if not f.name.startswith("n_"))
        return f"Score({', '.join(f'{name}={_shown(getattr(self, name))}' for name in shown)})"


def pooled_alignment(
    latents: Sequence[Tensor],
    direction: Tensor,
    pool: Pooling | None,
    mask: Bool[Tensor, "*positions"] | None,
) -> Float[Tensor, "*samples"]:
    """Alignments, pooled over positions at each site, then averaged over the sites.

    NaN where the mask excludes a position, or all positions of a line.
    """
    sites = [_pooled(alignment(z, direction), pool, mask) for z in latents]
    return torch.stack(sites).mean(0)


def _pooled(values: Tensor, pool: Pooling | None, mask: Tensor | None) -> Tensor:
    if mask is None:
        return values if pool is None else 1 - pool(1 - values, None)
    if mask.shape != values.shape:
        raise ValueError(
            f"The mask has shape {tuple(mask.shape)}, the alignments have {tuple(values.shape)}; "
            "expected exactly that, since nothing is broadcast. Give one value for each position."
        )
    if pool is None:
        return values.masked_fill(~mask, torch.nan)
    # poolings take penalties, of which the least is the best
    pooled = 1 - pool((1 - values).masked_fill(~mask, 0.0), mask)
    return pooled.masked_fill(~mask.any(-1), torch.nan)


def score_of(
    name: str,
    alignments: Float[Tensor, "runs *samples"],
    has_it: Given,
    counted: Bool[Tensor, "*samples"] | None,
) -> Score:
    """The score of alignments ``(runs, ...)``, given which samples have the concept and count."""
    what = f"has_it of concept {name!r}"
    with_it = _yes_or_no(what, has_it, alignments)
    counted = torch.ones_like(with_it) if counted is None else counted
    concept, others = alignments[:, with_it & counted], alignments[:, ~with_it & counted]
    n_with, n_without = concept.shape[1], others.shape[1]
    if not n_with or not n_without:
        raise ValueError(
            f"{what} says yes for {n_with} samples and no for {n_without}; expected some of each."
        )
    found = (auc(concept, others), margin(concept, others), concept.mean(-1))
    metrics = [summarize(as_floats(each)) for each in found]
    return Score(*metrics, n_with=n_with, n_without=n_without)


def flattened(
    name: str, latents: Sequence[Tensor], degrees: Given, counted: Bool[Tensor, "*samples"] | None
) -> tuple[list[Tensor], Float[Tensor, " n"]]:
    """The latents ``(runs, n, dim)`` of each site and their degrees: positions are samples."""
    first = latents[0]
    given = as_tensor(f"The degrees of concept {name!r}", degrees, first.device)
    given = given.to(torch.promote_types(first.dtype, torch.float32))  # half rounds years to eights
    for what, shape in [("degrees have", given.shape), *_shape_of(counted)]:
        if any(shape != z.shape[1:-1] for z in latents):
            places = [tuple(z.shape[1:-1]) for z in latents]
            raise ValueError(
                f"The {what} shape {tuple(shape)}, and the latents of concept {name!r} at its "
                f"sites {places} without runs and dim; expected one for each sample, and for each "
                "position of lines. Expand labels of lines to their positions."
            )
    inside = torch.ones_like(given, dtype=torch.bool) if counted is None else counted
    return [z[:, inside] for z in latents], given[inside]


def _shape_of(counted: Tensor | None) -> list[tuple[str, torch.Size]]:
    return [] if counted is None else [("mask has", counted.shape)]


def _yes_or_no(what: str, given: Given, alignments: Tensor) -> Tensor:
    values = as_tensor(what, given, alignments.device)
    if values.shape != alignments.shape[1:]:
        raise ValueError(
            f"{what} has shape {tuple(values.shape)}, the alignments have "
            f"{tuple(alignments.shape[1:])}; expected one for each sample. For labels of whole "
            "lines, give the concept a pool."
        )
    if not bool(((values == 0) | (values == 1)).all()):
        raise ValueError(
            f"{what} has other values than 0 and 1; expected yes or no for each sample. "
            "Write degree > 0.5."
        )
    return values != 0


def _shown(metric: Metric) -> str:
    if metric.mean is None:
        return "no value"
    half = "" if metric.ci95 is None else f" [{metric.ci95[0]:.3f}, {metric.ci95[1]:.3f}]"
    return f"{metric.mean:.3f}{half}"
