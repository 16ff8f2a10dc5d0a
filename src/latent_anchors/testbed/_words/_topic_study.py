"""What edits of a language model make it forget of a topic, and what that costs other topics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors.testbed._words._topic_losses import Batch, BatchEdit, TopicLosses, topic_losses


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
        oracle: TopicLosses,
        batches: Sequence[Batch],
        edits: Mapping[str, BatchEdit],
        plain: TopicLosses | None = None,
    ) -> "TopicStudy":
        """Measure a model, and the model under each edit, on the lines that its oracle has read.

        Args:
            topic: The topic.
            model: From ``input_ids`` to an output with ``logits``.
            oracle: What the oracle loses on the lines.
            batches: The lines, batch by batch.
            edits: By name, from the model and a batch to a block in which the edit is in force.
            plain: What a model without an anchor loses on them.

        Examples:
            >>> from types import SimpleNamespace
            >>> class Guess(nn.Module):
            ...     def forward(self, ids):
            ...         return SimpleNamespace(logits=torch.zeros(*ids.shape, 10))
            >>> ids = torch.tensor([[1, 2], [1, 4], [1, 5]])
            >>> batch = {"input_ids": ids, "labels": ids}
            >>> topics = ("animal", "food", "act")
            >>> oracle = TopicLosses(torch.full((3,), 5.0), torch.ones(3), topics)
            >>> study = TopicStudy.of("animal", Guess(), oracle, [batch], {})
            >>> study.whole.mean(["animal"])
            tensor(2.3026)
        """
        whole = topic_losses(model, batches, oracle.topics)
        after = {
            name: topic_losses(model, batches, oracle.topics, edit) for name, edit in edits.items()
        }
        return cls(topic, whole, oracle, after, plain)

    def curves(self) -> dict[str, Float[Tensor, " edit"]]:
        """Each edit's forgetting, and its cost in nats.

        Returns:
            ``"forgetting"``; of the topics ``"adjacent"`` to it, if any, by how much the edited
            model is above the oracle; of all ``"other"`` ones, by how much it is above the whole
            model.

        Examples:
            >>> ones = torch.ones(4, dtype=torch.int)
            >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
            >>> sorted(TopicStudy("animal", one, one, {"x": one}).curves())
            ['adjacent', 'forgetting', 'other']
        """
        before, never = self.whole.groups(self.topic), self.oracle.groups(self.topic)
        each = [losses.groups(self.topic) for losses in self.edited.values()]
        after = {kind: torch.stack([one[kind] for one in each]) for kind in before}
        forgetting = (after["topic"] - before["topic"]) / (never["topic"] - before["topic"])
        beside = {"adjacent": never, "other": before}
        rises = {kind: after[kind] - of[kind] for kind, of in beside.items() if kind in after}
        return {"forgetting": forgetting, **rises}

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
