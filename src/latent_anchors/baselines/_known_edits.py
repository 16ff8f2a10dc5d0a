"""Edits that are known beforehand, such as those of an anchor, as a member of the contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from latent_anchors._sites import At
from latent_anchors.baselines._rival_contract import Placed, Task
from latent_anchors.baselines._training import Meter, check_labels, copied
from latent_anchors.interventions import EditModule


@dataclass(frozen=True, eq=False)
class KnownEdits:
    """A trained model whose concept lies where it was placed: nothing is left to be found.

    So an anchored model is a member like its rivals, and can come before another one, such as
    :class:`Undo`. What training with the anchor took is not counted here.

    Attributes:
        edits: By site, what takes the concept out, such as ``{at: concept.edit()}``.

    Examples:
        >>> import torch
        >>> from latent_anchors.data import LabeledBatch
        >>> from latent_anchors.interventions import Suppression
        >>> batch = LabeledBatch(torch.eye(2), {"first": torch.tensor([1.0, 0.0])})
        >>> task = Task(lambda model, batch: model(batch.inputs).sum(), lambda _: batch, "first", 1)
        >>> anchored = KnownEdits({"0": Suppression([1, 0])})
        >>> with anchored.fit(nn.Sequential(nn.Identity()), task).removed() as model:
        ...     model(torch.ones(2))
        tensor([0., 1.])
    """

    edits: Mapping[At, EditModule]

    begins_with: ClassVar[Literal["fresh", "trained"]] = "trained"

    def fit(self, model: nn.Module, task: Task) -> Placed:
        """A copy of the model, with the edits.

        Args:
            model: A trained one, with the concept where the edits act; unchanged.
            task: What all methods are given alike; only its labels are looked at.

        Returns:
            The copy and the edits; the cost is none.

        Raises:
            ValueError: If no sample is labeled, or all are.
            KeyError: If a batch lacks the label.
            TypeError: If a population is given.

        Examples:
            >>> import torch
            >>> from latent_anchors.data import LabeledBatch
            >>> from latent_anchors.interventions import Suppression
            >>> batch = LabeledBatch(torch.eye(2), {"first": torch.tensor([1.0, 0.0])})
            >>> task = Task(
            ...     lambda model, batch: model(batch.inputs).sum(), lambda _: batch, "first", 1
            ... )
            >>> anchored = KnownEdits({"0": Suppression([1, 0])})
            >>> anchored.fit(nn.Sequential(nn.Identity()), task).cost.passes
            0
        """
        meter, model = Meter(), copied(model)
        check_labels(task)
        return Placed(model, dict(self.edits), meter.cost())
