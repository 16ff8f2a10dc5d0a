"""Pairs held out of training: both orders together, as a pure function of the seed."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from latent_anchors._checks import check_between
from latent_anchors._streams import stream


@dataclass(frozen=True, eq=False)
class MixingSplit:
    """Ordered pairs of colors that are trained on, and those that never are.

    Attributes:
        seen: ``(pairs, 2)``, color indices; all pairs of a color with itself among them.
        held_out: ``(pairs, 2)``, with each pair its other order.

    Examples:
        >>> from latent_anchors.testbed import MixingLanguage
        >>> split = MixingLanguage(levels=3).split(seed=0, always=[("red", "blue")])
        >>> len(split.seen), len(split.held_out)
        (105, 20)
    """

    seen: Int[Tensor, "seen 2"]
    held_out: Int[Tensor, "held_out 2"]


def split_pairs(
    pairs: Int[Tensor, "pairs 2"], seed: int, held_out: float, always: Int[Tensor, "always 2"]
) -> MixingSplit:
    """Hold out a share of the unordered pairs of unlike colors, those of ``always`` first."""
    check_between("held_out", held_out, 0.0, 1.0)
    first, second = pairs.unbind(1)
    once = pairs[first < second]
    size = int(pairs.max()) + 1
    keys, wanted = _keys(once, size), _keys(always, size)
    _check_held(always, wanted, keys)
    rank = torch.randperm(len(once), generator=stream(seed, "split"))
    rank[torch.isin(keys, wanted)] = -1
    count = max(round(held_out * len(once)), int((rank < 0).sum()))
    out = torch.isin(_keys(pairs, size), keys[rank.argsort(stable=True)[:count]])
    return MixingSplit(pairs[~out], pairs[out])


def _keys(pairs: Int[Tensor, "pairs 2"], size: int) -> Int[Tensor, " pairs"]:
    """One number for both orders of a pair."""
    return pairs.amin(1) * size + pairs.amax(1)


def _check_held(always: Tensor, wanted: Tensor, keys: Tensor) -> None:
    absent = always[~torch.isin(wanted, keys)]
    if len(absent):
        raise ValueError(
            f"Colors {absent.tolist()} were to be held out always, but are no closed pair of two "
            "colors; expected pairs whose answer is on the grid. Choose others, or an odd number "
            "of levels."
        )
