"""The record of an audit of relearning."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import as_floats
from latent_anchors._records import plain
from latent_anchors.evaluation import Evaluation, Metric


@dataclass(frozen=True, eq=False)
class Relearning:
    """What an audit of relearning found, seed by seed.

    Attributes:
        seeds: One for each run.
        limit: The steps within which a network has to get there; later ones count as that.
        found: By name ``(runs,)``: ratios, steps, and 1 where an attack did not get there.
        curves: The concept's error under each seed's best attacker, by network ``(steps, runs)``,
            with all colors shown.
        best: Who that was, by network: where it started, its optimizer and rate.

    Examples:
        >>> import torch
        >>> ratios = Evaluation({"relearning/ratio": torch.tensor([0.5, 2.0])})
        >>> Relearning((0, 1), 900.0, ratios, {}, {}).medians()
        {'relearning/ratio': 1.25}
    """

    seeds: tuple[int, ...]
    limit: float
    found: Evaluation
    curves: Mapping[str, Float[Tensor, "steps runs"]]
    best: Mapping[str, tuple[str, ...]]

    def metrics(self) -> dict[str, Metric]:
        """Each measure over runs, with its interval.

        Examples:
            >>> import torch
            >>> found = Evaluation({"relearning/censored": torch.tensor([False, False])})
            >>> metric = Relearning((0, 1), 900.0, found, {}, {}).metrics()["relearning/censored"]
            >>> [round(end, 2) for end in metric.ci95]
            [0.0, 0.66]
        """
        return self.found.metrics()

    def medians(self) -> dict[str, float]:
        """Each measure's median over runs.

        Examples:
            >>> import torch
            >>> found = Evaluation({"relearning/ratio": torch.tensor([0.5, 1.0, 9.0])})
            >>> Relearning((0, 1, 2), 900.0, found, {}, {}).medians()["relearning/ratio"]
            1.0
        """
        return {name: median(as_floats(values)) for name, values in self.found.items()}

    def median_curves(self) -> dict[str, Float[Tensor, " steps"]]:
        """The median error of the concept at each step, by network.

        Returns:
            By network ``(steps,)``, at least 0.

        Examples:
            >>> import torch
            >>> curves = {"edited": torch.tensor([[0.2, 0.4, 0.3], [0.1, 0.0, 0.3]])}
            >>> Relearning((0, 1, 2), 900.0, Evaluation({}), curves, {}).median_curves()["edited"]
            tensor([0.3000, 0.1000])
        """
        return {name: curve.nanquantile(0.5, dim=1) for name, curve in self.curves.items()}

    def to_json(self) -> dict[str, object]:
        """All of it in numbers, texts and lists.

        Examples:
            >>> import torch
            >>> found = Evaluation({"relearning/ratio": torch.tensor([0.5])})
            >>> Relearning((0,), 900.0, found, {}, {}).to_json()["medians"]
            {'relearning/ratio': 0.5}
        """
        return plain(
            {
                "seeds": self.seeds,
                "limit": self.limit,
                "metrics": self.metrics(),
                "medians": self.medians(),
                "curves": {name: as_floats(c) for name, c in self.median_curves().items()},
                "best": self.best,
            }
        )
