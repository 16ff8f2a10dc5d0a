"""Losses of a language model by topic: what it forgets of one, and what that costs the others."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latent_anchors._runs import eval_mode
from latent_anchors.testbed._words._texts._definitions import ADJACENT

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

        Raises:
            TypeError: If a name is given instead of several.

        Examples:
            >>> losses = TopicLosses(torch.tensor([6.0, 2.0]), torch.tensor([3, 2]), ("a", "b"))
            >>> losses.mean(["b"])
            tensor(1.)
        """
        if isinstance(some, str):
            raise TypeError(f"some is {some!r}; expected names of topics. Write [{some!r}].")
        chosen = torch.tensor([topic in some for topic in self.topics])
        return self.summed[chosen].sum() / self.tokens[chosen].sum()

    def groups(self, topic: str) -> dict[str, Tensor]:
        """Means of the topic, of those adjacent to it (:data:`ADJACENT`) if any, and of all others.

        Examples:
            >>> ones = torch.ones(4, dtype=torch.int)
            >>> one = TopicLosses(torch.ones(4), ones, ("animal", "food", "plant", "act"))
            >>> [*one.groups("animal")]
            ['topic', 'adjacent', 'other']
        """
        near = ADJACENT[topic]
        kinds = {"topic": {topic}, "adjacent": {*near}, "other": {*self.topics} - {topic, *near}}
        return {kind: self.mean(some) for kind, some in kinds.items() if some}


def topic_losses(
    model: nn.Module,
    batches: Sequence[Batch],
    topics: Sequence[str],
    edit: BatchEdit | None = None,
) -> TopicLosses:
    """Losses of lines under a language model in evaluation mode, as it is or under an edit.

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
    with eval_mode(model):
        summed = [_summed(model, batch, edit) for batch in batches]
    counts = [batch["labels"][:, 1:].ne(IGNORED).sum(1) for batch in batches]
    return TopicLosses(torch.cat(summed), torch.cat(counts), tuple(topics))


def _summed(model: nn.Module, batch: Batch, edit: BatchEdit | None) -> Float[Tensor, " line"]:
    """The loss of each line, over its tokens."""
    with nullcontext() if edit is None else edit(model, batch):
        logits = model(batch["input_ids"]).logits[:, :-1]
    targets = batch["labels"][:, 1:]
    losses = nn.functional.cross_entropy(  # of rows, since columns take three times as long
        logits.flatten(0, 1).float(), targets.flatten(), reduction="none", ignore_index=IGNORED
    )
    return losses.view(targets.shape).sum(1)
