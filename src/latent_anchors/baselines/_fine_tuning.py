"""Fine-tuning towards a fallback: labeled samples learn another answer."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from latent_anchors._checks import check_between
from latent_anchors.baselines._rival_contract import BatchLoss, Placed, Task
from latent_anchors.baselines._training import (
    Meter,
    check_labels,
    copied,
    mean_loss,
    parts,
    train,
)
from latent_anchors.data import LabeledBatch


@dataclass(frozen=True)
class FineTuning:
    r"""Fine-tune a trained network: the fallback where a sample is labeled, the task elsewhere.

    .. math:: \ell = \overline{\ell_u} + w \, \overline{f_l}

    with the mean loss :math:`\overline{\ell_u}` of the task over unlabeled samples and the mean
    ``fallback`` :math:`\overline{f_l}` over labeled ones, each 0 where a batch has none.

    Attributes:
        fallback: From a model and labeled samples, how far it is from the answer that it is to give
            instead: one number or one for each sample; one forward pass.
        weight: Of the fallback :math:`w`, above 0.

    Raises:
        ValueError: If the weight is out of its range.

    References:
        Towards a fixed answer instead of away from the true one: Maini et al., "TOFU: a task of
        fictitious unlearning for LLMs", 2024, section 4, there as preference optimization.

    Examples:
        >>> import torch
        >>> def error(model, batch): return (model(batch.inputs) - batch.inputs).square().mean(-1)
        >>> def silence(model, batch): return model(batch.inputs).square().mean(-1)
        >>> x, label = torch.eye(4), torch.tensor([1.0, 0.0, 0.0, 0.0])
        >>> batch = LabeledBatch(x, {"first": label})
        >>> task = Task(error, lambda step: batch, "first", steps=300, rate=lambda step: 0.02)
        >>> network = nn.Sequential(nn.Linear(4, 4))
        >>> with FineTuning(silence).fit(network, task).removed() as model:
        ...     norms = model(x).norm(dim=-1)
        >>> bool(norms[0] < 0.1), bool(norms[1:].min() > 0.9)
        (True, True)
    """

    fallback: BatchLoss
    weight: float = 1.0

    begins_with: ClassVar[Literal["fresh", "trained"]] = "trained"

    def __post_init__(self) -> None:
        check_between("weight", self.weight, 1e-9, 1e9)

    def fit(self, model: nn.Module, task: Task) -> Placed:
        """Fine-tune a copy.

        Args:
            model: A trained one; unchanged.
            task: What all methods are given alike.

        Returns:
            A copy of the model as it was, and the cut one.

        Raises:
            ValueError: If no sample is labeled, or all are.
            KeyError: If a batch lacks the label.
            RuntimeError: If the weights are not finite afterwards.
            TypeError: If a population is given.

        Examples:
            >>> import torch
            >>> def size(model, batch): return model(batch.inputs).square().mean()
            >>> batch = LabeledBatch(torch.eye(2), {"first": torch.tensor([1.0, 0.0])})
            >>> task = Task(size, lambda step: batch, "first", steps=3)
            >>> FineTuning(size).fit(nn.Linear(2, 2), task).cost.passes
            6
        """
        meter, cut = Meter(), copied(model)
        check_labels(task, whole=True)

        def fallback(part: LabeledBatch) -> Tensor:
            meter.ran(part)
            return self.weight * self.fallback(cut, part).mean()

        def backward(batch: LabeledBatch, _: int) -> None:
            labeled, unlabeled = parts(batch, task)
            if labeled is not None:
                fallback(labeled).backward()
            if unlabeled is not None:
                mean_loss(cut, task, unlabeled, meter).backward()

        train(cut, task, backward, meter)
        return Placed(copied(model), {}, meter.cost(), cut)
