"""Seeds divided among several splits of the data, and their results put together again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from latent_anchors.training import Failure


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
        order = torch.tensor([seed for _, seeds in self for seed in seeds]).argsort()
        return {name: torch.cat([each[name] for each in found])[order] for name in found[0]}
