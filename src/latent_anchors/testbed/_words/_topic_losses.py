"""Losses of a language model by topic: what it forgets of one, and what that costs the others."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latent_anchors.testbed._words._definitions import ADJACENT

Batch: TypeAlias = Mapping[str, Tensor]
"""Padded lines: ``input_ids``, and ``labels`` that are -100 where nothing is predicted."""

BatchEdit: TypeAlias = Callable[[nn.Module, Batch], AbstractContextManager[Any]]
"""From a model and a batch to a block in which an edit is in force."""

IGNORED = -100


@dataclass(frozen=True, eq=False)
class TopicLosses:
    """Losses of lines, with the topic of each.

    Attributes:
        summed: Over the tokens of each line, in nats ``(line,)``.
        tokens: How many there are ``(line,)``.
        topics: Of each line.

    Examples:
        >>> losses = TopicLosses(torch.tensor([6.0, 2.0]), torch.tensor([3, 2]), ("food", "act"))
        >>> losses.mean(["food"]), losses.mean(["food", "act"])
        (tensor(2.), tensor(1.6000))
    """

    summed: Float[Tensor, " line"]
    tokens: Int[Tensor, " line"]
    topics: Sequence[str]

    def mean(self, some: Collection[str]) -> Tensor:
        """Mean over all tokens of some topics, in nats ``()``.

        Examples:
            >>> losses = TopicLosses(torch.tensor([6.0, 2.0]), torch.tensor([3, 2]), ("a", "b"))
            >>> losses.mean(["b"])
            tensor(1.)
        """
        chosen = torch.tensor([topic in some for topic in self.topics])
        return self.summed[chosen].sum() / self.tokens[chosen].sum()

    def groups(self, topic: str) -> dict[str, Tensor]:
        """Means of the topic, of those adjacent to it (:data:`ADJACENT`), and of all others.

        Examples:
            >>> ones = torch.ones(4, dtype=torch.int)
            >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
            >>> [*one.groups("animal")]
            ['topic', 'adjacent', 'other']
        """
        near = ADJACENT[topic]
        kinds = {"topic": {topic}, "adjacent": {*near}, "other": {*self.topics} - {topic, *near}}
        return {kind: self.mean(some) for kind, some in kinds.items()}


@torch.no_grad()
def topic_losses(
    model: nn.Module,
    batches: Sequence[Batch],
    topics: Sequence[str],
    edit: BatchEdit | None = None,
) -> TopicLosses:
    """Losses of lines under a language model, as it is or under an edit.

    Args:
        model: From ``input_ids`` to an output with ``logits``.
        batches: The lines, batch by batch.
        topics: Of all lines, in order.
        edit: From the model and a batch to a block in which the edit is in force.

    Examples:
        >>> from types import SimpleNamespace
        >>> class Guess(nn.Module):
        ...     def forward(self, ids):
        ...         return SimpleNamespace(logits=torch.zeros(*ids.shape, 10))
        >>> ids = torch.tensor([[1, 2, 3], [1, 4, 0]])
        >>> batch = {"input_ids": ids, "labels": ids.masked_fill(ids == 0, -100)}
        >>> topic_losses(Guess(), [batch], ["food", "act"]).summed
        tensor([4.6052, 2.3026])
    """
    summed: list[Tensor] = []
    for batch in batches:
        with nullcontext() if edit is None else edit(model, batch):
            logits = model(batch["input_ids"]).logits[:, :-1]
        losses = nn.functional.cross_entropy(
            logits.mT.float(), batch["labels"][:, 1:], reduction="none", ignore_index=IGNORED
        )
        summed.append(losses.sum(1))
    counts = [batch["labels"][:, 1:].ne(IGNORED).sum(1) for batch in batches]
    return TopicLosses(torch.cat(summed), torch.cat(counts), tuple(topics))


@dataclass(frozen=True, eq=False)
class TopicStudy:
    r"""What edits of a language model make it forget of a topic, and what that costs other topics.

    .. math:: F = \frac{L_e - L_w}{L_o - L_w}

    is the forgetting, with the losses :math:`L` of the topic in the edited model, the whole one and
    the oracle, which never saw the topic: 1 is as if never seen.

    Attributes:
        topic: The topic.
        whole: Losses of the model as it is.
        oracle: Losses of the model that was trained without the topic.
        edited: Losses under each edit, by its name.
        plain: Losses of a model that was trained without an anchor, alike in all else.

    References:
        The normalized robustness of Lee et al., "Distillation robustifies unlearning", 2025, whose
        oracle is trained without what is to be forgotten, too.

    Examples:
        >>> def losses(*summed):
        ...     names, ones = ("animal", "food", "plant", "act"), torch.ones(4, dtype=torch.int)
        ...     return TopicLosses(torch.tensor(summed), ones, names)
        >>> whole, oracle = losses(4.0, 4.0, 4.0, 4.0), losses(5.0, 4.0, 4.25, 4.0)
        >>> study = TopicStudy("animal", whole, oracle, {"x": losses(4.5, 4.25, 4.0, 4.125)})
        >>> {name: float(each) for name, each in study.curves().items()}
        {'forgetting': 0.5, 'adjacent': 0.0, 'other': 0.125}
    """

    topic: str
    whole: TopicLosses
    oracle: TopicLosses
    edited: Mapping[str, TopicLosses]
    plain: TopicLosses | None = None

    @classmethod
    def of(
        cls,
        topic: str,
        model: nn.Module,
        oracle: nn.Module,
        batches: Sequence[Batch],
        topics: Sequence[str],
        edits: Mapping[str, BatchEdit],
        plain: nn.Module | None = None,
    ) -> "TopicStudy":
        """Measure a model, its oracle, and the model under each edit, on the same lines.

        See :func:`topic_losses` for the arguments.

        Examples:
            >>> TopicStudy.of.__name__
            'of'
        """
        return cls(
            topic,
            topic_losses(model, batches, topics),
            topic_losses(oracle, batches, topics),
            {name: topic_losses(model, batches, topics, edit) for name, edit in edits.items()},
            None if plain is None else topic_losses(plain, batches, topics),
        )

    def curves(self) -> dict[str, Float[Tensor, " edit"]]:
        """Each edit's forgetting, and its cost in nats.

        Returns:
            ``"forgetting"``; of the topics ``"adjacent"`` to it, by how much the edited model is
            above the oracle; of all ``"other"`` ones, by how much it is above the whole model.

        Examples:
            >>> ones = torch.ones(4, dtype=torch.int)
            >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
            >>> sorted(TopicStudy("animal", one, one, {"x": one}).curves())
            ['adjacent', 'forgetting', 'other']
        """
        before, never = self.whole.groups(self.topic), self.oracle.groups(self.topic)
        after = [losses.groups(self.topic) for losses in self.edited.values()]
        topic, near, other = (torch.stack([each[kind] for each in after]) for kind in before)
        return {
            "forgetting": (topic - before["topic"]) / (never["topic"] - before["topic"]),
            "adjacent": near - never["adjacent"],
            "other": other - before["other"],
        }

    def measures(self, edit: str) -> dict[str, Float[Tensor, ""]]:
        """What :meth:`curves` has of one edit, and of each under its name; and of the model itself.

        Of that the topic's loss, by how much the oracle's is above it and, if there is a plain
        model, the price of the anchor: by how much the loss of all lines is above that one's.

        Examples:
            >>> ones = torch.ones(4, dtype=torch.int)
            >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
            >>> float(TopicStudy("animal", one, one, {"x": one}).measures("x")["other/x"])
            0.0
        """
        found: dict[str, Tensor] = {}
        for name, curve in self.curves().items():
            by_edit = dict(zip(self.edited, curve, strict=True))
            found |= {name: by_edit[edit]} | {f"{name}/{one}": v for one, v in by_edit.items()}
        before, never = (losses.mean([self.topic]) for losses in (self.whole, self.oracle))
        found |= {"loss": before, "never_seen": never - before}
        if self.plain is not None:
            whole, plain = (losses.mean(losses.topics) for losses in (self.whole, self.plain))
            found["price"] = whole - plain
        return found

    def rises(self, edit: str) -> dict[str, Float[Tensor, " 2"]]:
        """By how much each topic's loss is above the whole model's: under an edit, and never seen.

        Examples:
            >>> ones = torch.ones(4, dtype=torch.int)
            >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
            >>> TopicStudy("animal", one, one, {"x": one}).rises("x")["food"]
            tensor([0., 0.])
        """
        each = (self.edited[edit], self.oracle)
        return {
            name: torch.stack([losses.mean([name]) - self.whole.mean([name]) for losses in each])
            for name in sorted({*self.whole.topics})
        }


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
