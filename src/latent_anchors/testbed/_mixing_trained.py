"""Rivals that are trained for red in mixing lines, so that it has weights to itself."""

from collections.abc import Callable

import torch
from torch import Tensor

from latent_anchors.baselines import (
    GradientRouting,
    SelectiveMasking,
    Task,
    reserved_units,
)
from latent_anchors.evaluation._removal_frontier import Edited
from latent_anchors.models import NormalizedTransformer, Site

ROUTED, RESERVED, HEAD = 4, 8, 8
"""One in so many units of a block is red's, with either rival; and dimensions of a head."""

ELSEWHERE, RETAIN = -0.25, 0.5
"""What labeled lines' gradients are multiplied by in other units; the chance of a retain pass."""

BESIDE = 64
"""Labeled lines beside each batch."""

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
"""How much of red's units is taken away."""


def lines_trained_for_it(
    model: NormalizedTransformer, task: Callable[[int], Task]
) -> dict[str, list[Edited]]:
    """Transformers of each rival, trained on mixing lines so that red has units to itself.

    First comes one with red, then those without more and more of it, for the frontier.

    Settings are those that removed most where two in a hundred of the other lines were wrong, with
    seed 500, of ten of each; of three of SGTM that were near each other, with seed 501 as well.

    Args:
        model: Where both begin; unchanged.
        task: From how many labeled lines are beside each batch to what is given: that of
            :func:`line_task`, with as many steps and the rate of ours.

    Examples:
        >>> from functools import partial
        >>> from latent_anchors import testbed
        >>> language = testbed.MixingLanguage(levels=3)
        >>> sampler = testbed.red_sampler(language, language.pairs(), batch_size=64)
        >>> fresh = testbed.MixingSize().network(language)()
        >>> task = partial(testbed.line_task, sampler, 0, 20, 10, 0.01, fresh.constraint)
        >>> [*lines_trained_for_it(fresh, task)]
        ['gradient routing', 'masking (SGTM)']
    """
    down = [Site(f"{block}.down", side="input") for block in model.sites[1:]]
    units = range(_units(model) // ROUTED)
    routing = GradientRouting(down, units, labeled_elsewhere=ELSEWHERE)
    masking = SelectiveMasking(_reserved(model), retain=RETAIN)
    routed, masked = (method.fit(model, task(BESIDE)) for method in (routing, masking))
    blocked = [routed.at(strength).removed for strength in STRENGTHS]
    return {
        "gradient routing": [routed.model, *blocked],
        "masking (SGTM)": [masked.model, masked.removed],
    }


def _reserved(model: NormalizedTransformer) -> dict[str, Tensor]:
    """Of each block an attention head, and units of the feed-forward part."""
    reserved: dict[str, Tensor] = {}
    for block in model.sites[1:]:
        out = model.get_parameter(f"{block}.attention.out.weight")
        reads = torch.zeros_like(out, dtype=torch.bool)
        reads[:, :HEAD] = True
        three = [part * len(reads) + k for part in range(3) for k in range(HEAD)]
        reserved |= reserved_units(model, three, [f"{block}.attention.qkv"])
        reserved[f"{block}.attention.out.weight"] = reads
        units = range(_units(model) // RESERVED)
        reserved |= reserved_units(model, units, [f"{block}.up"], [f"{block}.down"])
    return reserved


def _units(model: NormalizedTransformer) -> int:
    """Of a block's feed-forward part."""
    return len(model.get_parameter(f"{model.sites[1]}.up.weight"))
