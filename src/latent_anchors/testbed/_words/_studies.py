"""Studies of several runs, and of several methods, as measures and curves."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors.audits import Relearning
from latent_anchors.testbed._words._topic_study import TopicStudy


def join_studies(
    studies: Sequence[TopicStudy], edit: str
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Studies of several runs in one: measures and rises of one edit, and the curves of all.

    Args:
        studies: One for each run.
        edit: Which edit's measures and rises.

    Returns:
        Measures ``(runs,)``, curves ``(edits, runs)``, and rises by topic ``(2, runs)``, those that
        the oracle misses most first.

    Examples:
        >>> from latent_anchors.testbed import TopicLosses
        >>> ones = torch.ones(4, dtype=torch.int)
        >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
        >>> study = TopicStudy("animal", one, one, {"x": one, "y": one})
        >>> [len(each) for each in join_studies([study], "x")]
        [11, 3, 4]
    """

    def joined(each: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        return {name: torch.stack([one[name] for one in each], -1) for name in each[0]}

    rises = joined([study.rises(edit) for study in studies])
    ordered = sorted(rises, key=lambda name: -float(rises[name][1].mean()))
    measures = joined([study.measures(edit) for study in studies])
    curves = joined([study.curves() for study in studies])
    return measures, curves, {name: rises[name] for name in ordered}


def costs_at(
    studies: Mapping[str, Sequence[TopicStudy]], forgetting: float = 1.0
) -> dict[str, Float[Tensor, " runs"]]:
    """What each method costs where it forgets so much, by group of topics and method.

    See :meth:`TopicStudy.cost_at`.

    Args:
        studies: Of each method, one for each run.
        forgetting: How much.

    Examples:
        >>> from latent_anchors.testbed import TopicLosses
        >>> ones = torch.ones(4, dtype=torch.int)
        >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
        >>> study = TopicStudy("animal", one, one, {"x": one})
        >>> [*costs_at({"ours": [study]})]
        ['cost/adjacent/ours', 'cost/other/ours']
    """
    found: dict[str, Tensor] = {}
    for name, each in studies.items():
        costs = [study.cost_at(forgetting) for study in each]
        for kind in costs[0]:
            found[f"cost/{kind}/{name}"] = torch.stack([cost[kind] for cost in costs])
    return found


def frontier_of(
    studies: Mapping[str, Sequence[TopicStudy]],
) -> dict[str, tuple[Float[Tensor, "edit runs"], Float[Tensor, "edit runs"]]]:
    """Of each method what its edits forget, and how far other topics rise, edit by edit.

    Args:
        studies: Of each method, one for each run.

    Examples:
        >>> from latent_anchors.testbed import TopicLosses
        >>> ones = torch.ones(4, dtype=torch.int)
        >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
        >>> study = TopicStudy("animal", one, one, {"x": one})
        >>> frontier_of({"ours": [study]})["ours"][1]
        tensor([[0.]])
    """
    curves = {name: [study.curves() for study in each] for name, each in studies.items()}
    return {
        name: (
            torch.stack([one["forgetting"] for one in each], -1),
            torch.stack([one["other"] for one in each], -1),
        )
        for name, each in curves.items()
    }


def join_audits(
    audits: Sequence[Relearning],
) -> tuple[dict[str, Float[Tensor, " runs"]], dict[str, Float[Tensor, "runs steps"]]]:
    """Audits of one run each in one: measures, and curves, of which each lasts until the longest.

    Args:
        audits: One for each run, with the same networks.

    Examples:
        >>> from latent_anchors.audits import Relearning
        >>> from latent_anchors.evaluation import Evaluation
        >>> found = Evaluation({"relearning/ratio": torch.tensor([0.5])})
        >>> audits = [
        ...     Relearning((0,), 9.0, found, {"edited": torch.ones(n, 1)}, {}) for n in (2, 3)
        ... ]
        >>> measures, curves = join_audits(audits)
        >>> measures["relearning/ratio"], curves["edited"].shape
        (tensor([0.5000, 0.5000]), torch.Size([2, 3]))
    """
    longest = max(len(curve) for audit in audits for curve in audit.curves.values())
    measures = {
        name: torch.cat([audit.found[name] for audit in audits]) for name in audits[0].found
    }
    curves = {
        name: torch.cat([_lasting(audit.curves[name], longest) for audit in audits], 1).mT
        for name in audits[0].curves
    }
    return measures, curves


def _lasting(curve: Tensor, steps: int) -> Tensor:
    return torch.cat([curve, curve[-1:].expand(steps - len(curve), -1)])
