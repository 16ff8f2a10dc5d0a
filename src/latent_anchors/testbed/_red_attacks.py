"""The attacks on networks from which red was removed, fixed beforehand: data, weights, rates."""

import torch
from jaxtyping import Int
from torch import Tensor

from latent_anchors.colorspace import hue_degree, hue_of
from latent_anchors.testbed._mixing._language import MixingLanguage
from latent_anchors.testbed._mixing._splits import MixingSplit
from latent_anchors.testbed._mixing._trained_weights import WEIGHTS
from latent_anchors.testbed._red_lines import RED, red_groups, redness

COLORS = [0, 2, 4]
"""Where in a line its colors stand, the answer last."""

SPARED, NEAR = 0.7, 0.5
"""Redness under which a cut spares a color, and from which a color is near red."""

FEW = 8

ATTACK_RATES = (0.006, 0.002, 0.0006, 0.06, 0.02, 0.0002)
"""Learning rates of every attack; first the one that brings red back to all, which saves time."""

RED_ATTACKS = tuple(
    (data, weights) for data in ("all", "few", "none", "adjacent") for weights in WEIGHTS
)
"""Every attack: the lines that are trained on, and the weights that are."""


def red_attack_lines(
    language: MixingLanguage, split: MixingSplit
) -> dict[str, Int[Tensor, "pairs 2"]]:
    """What an attacker may train on, by the redness of a line's reddest color, its answer included.

    * ``all``: every line of the training;
    * ``few``: eight lines with an operand over 0.8, evenly spaced among those, and nothing else;
    * ``none``: lines without a color of 0.7 or more, which a cut spares; an oracle that never saw
      red is trained on these;
    * ``adjacent``: lines whose reddest color is between 0.5 and 0.8, such as orange;
    * ``control``: of ``none``, lines with an operand whose degree of cyan is over 0.8: those that
      something else is taught about.

    Args:
        language: The language of the pairs.
        split: The pairs that were trained on.

    Returns:
        By name, operands ``(pairs, 2)``.

    Examples:
        >>> language = MixingLanguage(levels=5)
        >>> lines = red_attack_lines(language, language.split(seed=0, held_out=0.2))
        >>> {name: len(pairs) for name, pairs in lines.items()}
        {'all': 1783, 'few': 8, 'none': 1562, 'adjacent': 499, 'control': 91}
    """
    seen = split.seen
    reddest = redness(language)[language.lines(seen)[:, COLORS]].amax(-1)
    red = red_groups(language, split)["red_seen"]
    cyan = hue_degree(language.colors, hue_of("cyan"))[seen].amax(-1) > RED
    spaced = torch.linspace(0, len(red) - 1, min(FEW, len(red))).round().long()
    spared = reddest < SPARED
    return {
        "all": seen,
        "few": red[spaced],
        "none": seen[spared],
        "adjacent": seen[(reddest >= NEAR) & (reddest <= RED)],
        "control": seen[spared & cyan],
    }
