"""Dose and response: what an edit does at several strengths, where it should and elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_between
from latent_anchors._hooks import Where
from latent_anchors._numerics import as_floats, in_full_precision, length
from latent_anchors._records import plain
from latent_anchors._runs import StackedRuns, eval_mode, one_for_each, seeds_of
from latent_anchors._sites import At, as_sites
from latent_anchors._supervision import Given, as_mask
from latent_anchors._typing import Inputs
from latent_anchors.evaluation._latents import latents_by_site
from latent_anchors.evaluation._metrics import Metric, summarize
from latent_anchors.interventions import EditModule, intervene

Measure: TypeAlias = Callable[[Any], Tensor | float]
"""From a model, or a population, to one number, or one for each run ``(runs,)``."""

Edits: TypeAlias = nn.Module | Mapping[At, nn.Module]
"""One edit with a strength, or a population of them; or such an edit for each site."""


@dataclass(frozen=True)
class DoseResponse:
    """What an edit does at several strengths, over runs.

    :func:`~latent_anchors.viz.plot_dose_response` draws it.

    Attributes:
        strengths: The doses that were asked for.
        displacement: How far latents were moved at each, in units of their length.
        effect: What was measured of the concept.
        collateral: What was measured elsewhere; None if nothing was.
        failed: At each strength the runs of which some number is not finite; they have no values
            there.

    Examples:
        >>> moved, right = summarize([0.5]), summarize([0.1])
        >>> DoseResponse((1.0,), (moved,), (right,), None, ((),)).to_json()["strengths"]
        [1.0]
    """

    strengths: tuple[float, ...]
    displacement: tuple[Metric, ...]
    effect: tuple[Metric, ...]
    collateral: tuple[Metric, ...] | None
    failed: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, object]:
        """All of it in numbers and lists.

        Examples:
            >>> one = (summarize([0.5, None]),)
            >>> DoseResponse((1.0,), one, one, None, ((1,),)).to_json()["failed"]
            [[1]]
        """
        return plain(self)


def dose_response(
    model: nn.Module,
    edit: Edits,
    strengths: Sequence[float],
    *,
    measure: Measure,
    inputs: Inputs,
    at: At | Sequence[At] = "latent",
    collateral: Measure | None = None,
    mask: Given | None = None,
    where: Where | None = None,
) -> DoseResponse:
    r"""Measure what an edit does at several strengths: where it should, and elsewhere.

    .. math::
        d(b) = \frac{\sum_i \lVert z_i(b) - z_i \rVert}{\sum_i \lVert z_i \rVert}

    is the realized displacement at strength :math:`b`, with the latents :math:`z_i` of the inputs
    without the edit and :math:`z_i(b)` under it; the mean over the sites. It need not follow the
    strength that is asked for: falloffs leave most latents alone, normalizations and later sites
    take part of it back. The measures are taken in evaluation mode, without gradients, while the
    edit is in force. To steer farther than strength 1, give the edit a longer vector or a greater
    factor: strengths are fractions of it.

    Args:
        model: A model, or a population.
        edit: An edit with a strength, or a population of them, one for each run; or such an edit
            for each site.
        strengths: From 0 to 1, increasing; 0 is the model as it is.
        measure: Of the concept: from the model to a number, or one for each run ``(runs,)``.
        inputs: What the model takes, to see how far latents are moved.
        at: The site or sites; left out where edits are given by site.
        collateral: The same elsewhere: what should not change.
        mask: Which of the inputs' latents count for the displacement, ``(...)``, bool or 0 and 1.
        where: On which positions the edit acts; see :func:`~latent_anchors.intervene`.

    Raises:
        ValueError: If strengths do not increase or are not from 0 to 1, a measure is not one number
            for each run, the mask has another shape or counts nothing, or a site does not exist.
        TypeError: If an edit has no strength.
        RuntimeError: If the model does not run while something is measured.

    References:
        The gap between asked and realized displacement: Turner et al., "Activation addition:
        steering language models without optimization", 2023, who scale vectors by the norm of the
        residual stream.

    Examples:
        >>> from latent_anchors.interventions import Suppression
        >>> model, x = nn.Sequential(nn.Identity()), torch.tensor([[3.0, 4.0], [0.0, 5.0]])
        >>> found = dose_response(
        ...     model, Suppression([1, 0]), [0.0, 0.5, 1.0], at="0", inputs=x,
        ...     measure=lambda model: model(x)[0, 0], collateral=lambda model: model(x)[1, 1],
        ... )
        >>> [metric.mean for metric in found.effect], [m.mean for m in found.collateral]
        ([3.0, 1.5, 0.0], [5.0, 5.0, 5.0])
        >>> [round(metric.mean, 3) for metric in found.displacement]
        [0.0, 0.15, 0.3]
    """
    tried = [float(strength) for strength in strengths]
    _check_strengths(tried)
    sites = [*edit] if isinstance(edit, Mapping) else as_sites(at)
    before = latents_by_site(model, inputs, sites)
    measures = {"effect": measure} | ({} if collateral is None else {"collateral": collateral})
    columns: dict[str, list[Metric]] = {"displacement": [], **{name: [] for name in measures}}
    failed: list[tuple[int, ...]] = []
    for strength in tried:
        edits = _at_strength(edit, strength)
        with intervene(model, edits, at, where):
            after = latents_by_site(model, inputs, sites)
        found = {"displacement": _displaced(before, after, mask)}
        for name, of in measures.items():
            with eval_mode(model), intervene(model, edits, at, where):
                found[name] = one_for_each(name, of(model), len(seeds_of(model)))
        finite = torch.stack([values.isfinite() for values in found.values()]).all(0)
        failed.append(tuple(run for run, there in enumerate(as_floats(finite)) if not there))
        for name, values in found.items():
            columns[name].append(summarize(as_floats(values.masked_fill(~finite, torch.nan))))
    return DoseResponse(
        tuple(tried),
        tuple(columns["displacement"]),
        tuple(columns["effect"]),
        tuple(columns["collateral"]) if collateral is not None else None,
        tuple(failed),
    )


def _check_strengths(strengths: Sequence[float]) -> None:
    for strength in strengths:
        check_between("strength", strength, 0.0, 1.0)
    if not strengths or any(b <= a for a, b in pairwise(strengths)):
        raise ValueError(
            f"The strengths are {[*strengths]}; expected at least one, each greater than the one "
            "before, such as [0, 0.25, 0.5, 0.75, 1]."
        )


def _at_strength(edit: Edits, strength: float) -> Any:
    if isinstance(edit, Mapping):
        return {at: _at_strength(each, strength) for at, each in edit.items()}
    if isinstance(edit, EditModule):
        return edit.at(strength)
    if isinstance(edit, StackedRuns) and isinstance(edit.stacked, EditModule):
        each = deepcopy(edit)
        cast("EditModule", each.stacked).strength.fill_(strength)
        return each
    raise TypeError(
        f"The edit is {edit!r}, which has no strength; expected one such as Suppression, or a "
        "population of them. Make yours a subclass of EditModule."
    )


def _displaced(
    before: Mapping[At, Tensor], after: Mapping[At, Tensor], mask: Given | None
) -> Float[Tensor, " runs"]:
    shares: list[Tensor] = []
    for site, latents in before.items():
        z = in_full_precision(latents)
        moved, whole = length(in_full_precision(after[site]) - z), length(z)
        counted = torch.ones_like(whole[0], dtype=torch.bool)
        if mask is not None:
            counted = as_mask("mask", mask, z.device)
        if counted.shape != whole.shape[1:]:
            raise ValueError(
                f"The mask has shape {tuple(counted.shape)}, and there are latents of shape "
                f"{tuple(z.shape[1:])} at {site!r}; expected {tuple(whole.shape[1:])}, one value "
                "for each latent."
            )
        if not bool(counted.any()):
            raise ValueError(
                f"The mask counts none of the {counted.numel()} latents at {site!r}; expected at "
                "least one. Look at the mask."
            )
        moved, whole = (each[:, counted].double().sum(-1) for each in (moved, whole))
        shares.append(torch.where((moved == 0) & (whole == 0), 0.0, moved / whole))
    return torch.stack([share.cpu() for share in shares]).mean(0)
