"""Studies of several runs, and of several methods, as measures and curves."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors.audits import Relearning
from latent_anchors.evaluation import Frontier
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

    Raises:
        ValueError: If studies are of several topics, or of other edits or in another order.

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

    _check_alike("studies", [[study.topic, *study.edited] for study in studies])
    rises = joined([study.rises(edit) for study in studies])
    ordered = sorted(rises, key=lambda name: -float(rises[name][1].mean()))
    measures = joined([study.measures(edit) for study in studies])
    curves = joined([study.curves() for study in studies])
    return measures, curves, {name: rises[name] for name in ordered}


def frontier_of(studies: Mapping[str, Sequence[TopicStudy]], kind: str = "other") -> Frontier:
    """Of each method what its edits forget, and how far other topics rise, edit by edit.

    The first strength is the whole model, which forgets nothing and costs nothing.

    Args:
        studies: Of each method, one for each run.
        kind: What rises: the topics ``"adjacent"`` to the one that is forgotten, or all ``"other"``
            ones; in nats above the whole model.

    Raises:
        ValueError: As for :func:`join_studies`.

    Examples:
        >>> from latent_anchors.testbed import TopicLosses
        >>> ones = torch.ones(4, dtype=torch.int)
        >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
        >>> study = TopicStudy("animal", one, one, {"x": one})
        >>> frontier_of({"ours": [study]})["ours"][1].shape
        torch.Size([2, 1])
    """
    for each in studies.values():
        _check_alike("studies", [[study.topic, *study.edited] for study in each])
    return Frontier(
        {
            name: (
                torch.stack([_forgetting(study) for study in each], -1),
                torch.stack([_rise(study, kind) for study in each], -1),
            )
            for name, each in studies.items()
        }
    )


def costs_at(
    studies: Mapping[str, Sequence[TopicStudy]], forgetting: float = 1.0
) -> dict[str, Float[Tensor, " runs"]]:
    """What each method costs where it forgets so much, by group of topics and method.

    See :meth:`Frontier.collateral_at <latent_anchors.evaluation.Frontier.collateral_at>`.

    Args:
        studies: Of each method, one for each run.
        forgetting: How much; 1 is as much as the oracle.

    Examples:
        >>> from latent_anchors.testbed import TopicLosses
        >>> ones = torch.ones(4, dtype=torch.int)
        >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
        >>> study = TopicStudy("animal", one, one, {"x": one})
        >>> [*costs_at({"ours": [study]})]
        ['cost/adjacent/ours', 'cost/other/ours']
    """
    some = next(iter(studies.values()))[0]
    kinds = [kind for kind in some.whole.groups(some.topic) if kind != "topic"]
    costs = {kind: frontier_of(studies, kind).collateral_at(forgetting) for kind in kinds}
    return {f"cost/{kind}/{name}": costs[kind][name] for name in studies for kind in costs}


def forgetting_at(
    studies: Mapping[str, Sequence[TopicStudy]], collateral: float
) -> dict[str, Float[Tensor, " runs"]]:
    """What each method forgets of a topic where other topics rise by so much at most.

    See :meth:`Frontier.removal_at <latent_anchors.evaluation.Frontier.removal_at>`.

    Args:
        studies: Of each method, one for each run.
        collateral: How much, in nats above the whole model.

    Examples:
        >>> from latent_anchors.testbed import TopicLosses
        >>> ones = torch.ones(4, dtype=torch.int)
        >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
        >>> [*forgetting_at({"ours": [TopicStudy("animal", one, one, {"x": one})]}, 0.02)]
        ['forgetting_at_0.02/ours']
    """
    found = frontier_of(studies).removal_at(collateral)
    return {f"forgetting_at_{collateral:g}/{name}": each for name, each in found.items()}


def join_audits(
    audits: Sequence[Relearning],
) -> tuple[dict[str, Float[Tensor, " runs"]], dict[str, Float[Tensor, "runs steps"]]]:
    """Audits of one run each in one: measures, and curves, of which each lasts until the longest.

    Args:
        audits: One for each run, with the same networks.

    Raises:
        ValueError: If they have other measures or networks.

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
    _check_alike("audits", [[*audit.found, *audit.curves] for audit in audits])
    longest = max(len(curve) for audit in audits for curve in audit.curves.values())
    measures = {
        name: torch.cat([audit.found[name] for audit in audits]) for name in audits[0].found
    }
    curves = {
        name: torch.cat([_lasting(audit.curves[name], longest) for audit in audits], 1).mT
        for name in audits[0].curves
    }
    return measures, curves


def _check_alike(kind: str, names: Sequence[Sequence[str]]) -> None:
    others = [each for each in names if [*each] != [*names[0]]]
    if not names or others:
        given = f"hold {listed(names[0])}, and one {listed(others[0])}" if others else "are none"
        raise ValueError(
            f"The {kind} {given}; expected at least one, and the same in each, in the same order."
        )


def _forgetting(study: TopicStudy) -> Float[Tensor, " edits"]:
    """From none on."""
    return torch.cat([torch.zeros(1), study.curves()["forgetting"]])


def _rise(study: TopicStudy, kind: str) -> Float[Tensor, " edits"]:
    """Of some topics above the whole model, from none on."""
    every = (study.whole, *study.edited.values())
    losses = torch.stack([each.groups(study.topic)[kind] for each in every])
    return losses - losses[0]


def _lasting(curve: Tensor, steps: int) -> Tensor:
    return torch.cat([curve, curve[-1:].expand(steps - len(curve), -1)])
