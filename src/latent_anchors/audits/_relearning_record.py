"""The record of an audit of relearning: ratios, capability at fixed budgets, curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from statistics import median

from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_between, listed
from latent_anchors._numerics import as_floats
from latent_anchors._records import plain
from latent_anchors.evaluation import Evaluation, Metric, summarize_ratios

CONTROL = "relearning/control"
RATIOS = ("relearning/ratio", CONTROL)
"""How the names of ratios begin."""

BUDGETS = (10, 50, 100, 500)
"""Numbers of steps after which the field compares networks."""


@dataclass(frozen=True, eq=False)
class Relearning:
    """What an audit of relearning found, seed by seed.

    Attributes:
        seeds: One for each run.
        limit: Most steps of fine-tuning; what takes longer counts as that.
        found: By name ``(runs,)``: ratios, steps, and whether the limit was reached first.
        curves: What was measured under each seed's best attacker, by network ``(steps, runs)``.
        best: Which attacker that was, by network: its start, optimizer and learning rate.

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
        """Each measure's median over runs; NaN where no run has a value.

        Examples:
            >>> import torch
            >>> found = Evaluation({"relearning/ratio": torch.tensor([0.5, 1.0, 9.0])})
            >>> Relearning((0, 1, 2), 900.0, found, {}, {}).medians()["relearning/ratio"]
            1.0
        """
        medians: dict[str, float] = {}
        failed = set(self.found.failed())
        for name, values in self.found.items():
            each = enumerate(as_floats(values))
            there = [value for run, value in each if run not in failed and not isnan(value)]
            medians[name] = median(there) if there else nan
        return medians

    def ratios(self) -> dict[str, Metric]:
        """Each ratio over runs: geometric mean, factor of spread, interval.

        With a control C there is ``NAME / control``, too, of each ratio beside a reference: what
        the control does not explain.

        Examples:
            >>> import torch
            >>> ones = torch.ones(2)
            >>> found = {"relearning/ratio": 4 * ones, "relearning/control": 2 * ones}
            >>> audit = Relearning((0, 1), 900.0, Evaluation(found), {}, {})
            >>> {name: round(each.mean, 3) for name, each in audit.ratios().items()}
            {'relearning/ratio': 4.0, 'relearning/control': 2.0, 'relearning/ratio / control': 2.0}
        """
        found = {name: self.found[name] for name in self.found if name.startswith(RATIOS)}
        if CONTROL in found:
            beside = [name for name in found if name.startswith(RATIOS[0])]
            found |= {f"{name} / control": found[name] / found[CONTROL] for name in beside}
        failed = set(self.found.failed())
        return {
            name: summarize_ratios(
                [None if k in failed else value for k, value in enumerate(as_floats(values))]
            )
            for name, values in found.items()
        }

    def after(self, budgets: Sequence[int] | None = None) -> dict[str, Float[Tensor, " runs"]]:
        """What was measured after a fixed number of steps, by budget and network.

        It is read from the curves, of which the last value lasts.

        Args:
            budgets: Numbers of steps; 10, 50, 100 and 500, as far as the limit goes, if None.

        Returns:
            ``relearning/after/BUDGET/NETWORK``, ``(runs,)``.

        Raises:
            ValueError: If a budget is negative or above the limit, up to which nothing is known.

        Examples:
            >>> import torch
            >>> curves = {"edited": torch.tensor([[0.9], [0.2], [0.1]])}
            >>> Relearning((0,), 900.0, Evaluation({}), curves, {}).after([1])
            {'relearning/after/1/edited': tensor([0.2000])}
        """
        if budgets is None:
            budgets = [budget for budget in BUDGETS if budget <= self.limit]
        for budget in budgets:
            check_between("budget", float(budget), 0.0, float(self.limit))
        return {
            f"relearning/after/{budget}/{name}": curve[min(budget, len(curve) - 1)]
            for budget in budgets
            for name, curve in self.curves.items()
        }

    def with_control(self, control: "Relearning") -> "Relearning":
        """The record with the same attackers' steps to teach something else, edited / whole.

        A network that is harder to teach anything has a control above 1, and forgot less than its
        ratios say.

        Args:
            control: What :func:`relearning` found on the other task, the network before the edit
                being the only reference.

        Returns:
            A new record, with ``relearning/control`` and whether that is censored.

        Raises:
            ValueError: If it has other seeds.

        Examples:
            >>> import torch
            >>> found = {"ratio": torch.tensor([1.5]), "censored": torch.tensor([False])}
            >>> found = Evaluation({f"relearning/{name}": each for name, each in found.items()})
            >>> audit = Relearning((0,), 900.0, found, {}, {})
            >>> audit.with_control(audit).found["relearning/control"]
            tensor([1.5000])
        """
        if control.seeds != self.seeds:
            raise ValueError(
                f"The control has seeds {listed(control.seeds)} and the audit "
                f"{listed(self.seeds)}; expected the same, so that each is compared with its own."
            )
        names = {"relearning/ratio": CONTROL, "relearning/censored": "relearning/censored/control"}
        found = {new: control.found[old] for old, new in names.items()}
        return replace(self, found=self.found | found)

    def median_curves(self) -> dict[str, Float[Tensor, " steps"]]:
        """The median of what was measured at each step, by network.

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
