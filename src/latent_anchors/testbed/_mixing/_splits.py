"""Pairs held out of training, both orders together, and splits for seeds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Int
from torch import Tensor

from latent_anchors._checks import check_between
from latent_anchors._streams import stream
from latent_anchors.training import Failure


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


@dataclass(frozen=True)
class SeedSplits:
    """Which seeds are trained on which split of the data: seed ``s`` on split ``s % count``.

    Iterating gives the number of each split and its seeds; splits without seeds are left out.

    Attributes:
        seeds: All seeds of an example.
        count: How many splits there are.

    Examples:
        >>> list(SeedSplits((0, 1, 2, 3), count=3))
        [(0, (0, 3)), (1, (1,)), (2, (2,))]
    """

    seeds: tuple[int, ...]
    count: int = 1

    def __iter__(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        for number in range(self.count):
            if seeds := tuple(seed for seed in self.seeds if seed % self.count == number):
                yield number, seeds

    def failures(self, seeds: Sequence[int], *failures: Iterable[Failure]) -> list[Failure]:
        """Failures on one split, their runs renumbered as positions among all seeds.

        Args:
            seeds: Those of the split.
            *failures: Those of each fit.

        Examples:
            >>> failed = [Failure(run=1, step=8, what="tokens")]
            >>> SeedSplits((0, 1, 2, 3), count=3).failures((0, 3), failed)
            [Failure(run=3, step=8, what='tokens')]
        """
        return [
            replace(failure, run=self.seeds.index(seeds[failure.run]))
            for each in failures
            for failure in each
        ]

    def join(self, found: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """Measures of every split, in one tensor per name, in the order of all seeds.

        Args:
            found: For each split, in the order of iteration, its measures by name ``(runs, ...)``.

        Examples:
            >>> a, b, c = torch.tensor([0.0, 3]), torch.tensor([1.0]), torch.tensor([2.0])
            >>> SeedSplits((0, 1, 2, 3), count=3).join([{"error": x} for x in (a, b, c)])
            {'error': tensor([0., 1., 2., 3.])}
        """
        places = [self.seeds.index(seed) for _, seeds in self for seed in seeds]
        order = torch.tensor(places).argsort()
        return {name: torch.cat([each[name] for each in found])[order] for name in found[0]}
