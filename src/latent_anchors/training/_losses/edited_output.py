"""Train what the model outputs while edits are in force."""

from collections.abc import Callable
from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors._numerics import in_full_precision
from latent_anchors._sites import At, as_site, resolve
from latent_anchors._supervision import check_label, or_nan
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.regularizers import mean
from latent_anchors.training._losses.forward import (
    Edits,
    Forward,
    by_site,
    check_runs,
    in_force,
    parts_of,
    rows,
)

Error: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""From outputs ``(n, ...)`` and the chosen one to the error of each ``(n,)``."""


class EditedOutputLoss:
    r"""Error between the model's output under edits and a chosen output.

    .. math:: \ell_i = \tfrac{1}{c} \lVert f_E(x_i) - s \rVert_2^2

    with the :math:`c` numbers of the output :math:`f_E` under the ``edits``, and the chosen
    output :math:`s`, the argument ``say``; or another ``error`` of the two. With a ``label``
    :math:`l`, sample :math:`i` of :math:`n` counts :math:`n l_i / \sum_j l_j` times, so that the
    mean over the batch is the mean over the labeled samples: exactly 0, with zero gradient, where
    there are none.

    Args:
        edits: One edit, or sites and the edit of each. A population of edits holds one per run.
        say: The chosen output ``(...)``, broadcast to the model's, such as a gray ``(3,)``; a
            token ``()`` where the error is a :class:`TokenCrossEntropy`.
        label: Which samples count, and how much; all if None.
        at: The site; left out where the edits are given by site.
        inputs: The model's inputs ``(n, ...)``; the batch's if None. One is enough for
            edits that send all latents to one point.
        error: From outputs ``(n, ...)`` and what to say to ``(n,)``; squared error if None.

    Raises:
        ValueError: If label and inputs are both given, or edits by site and another site besides.

    References:
        The fallback term of the follow-ups of ``ex-preppy`` (2025): gray at the opposite pole.

    Examples:
        >>> import torch
        >>> fallback = EditedOutputLoss(torch.zeros_like, say=torch.tensor([0.5, 0.5]), at="z")
        >>> def forward(inputs, edits, record=()):
        ...     return edits["z"](inputs), {}
        >>> fallback(forward, LabeledBatch(torch.rand(3, 2)))
        tensor([0.2500, 0.2500, 0.2500])
    """

    def __init__(
        self,
        edits: Edits,
        say: Tensor,
        label: str | None = None,
        at: At = "latent",
        inputs: Tensor | None = None,
        error: Error | None = None,
    ) -> None:
        if label is not None and inputs is not None:
            raise ValueError(
                f"Both label={label!r} and inputs were given; expected at most one, since labels "
                "are those of the batch's own inputs. Leave one out."
            )
        self.edits: Edits = edits
        self.say: Tensor = say
        self.label: str | None = label
        self.at: At = at
        self.inputs: Tensor | None = inputs
        self.error: Error | None = error
        self._by_site = by_site(edits, at)

    @property
    def _name(self) -> str:
        # no two share it, so that no loss takes another's tensors for its own
        return f"fallback-{id(self)}"

    def begin(self, population: Population) -> None:
        """Refuse what does not fit the runs.

        Args:
            population: The runs to be trained.

        Raises:
            ValueError: If they lack a site, or a population of edits has another number of runs.

        Examples:
            >>> import torch
            >>> from torch import nn
            >>> population = Population.make(lambda: nn.Linear(3, 3), seeds=[0])
            >>> try:
            ...     EditedOutputLoss({"nowhere": torch.neg}, torch.zeros(3)).begin(population)
            ... except ValueError as error:
            ...     print(error)
            Unknown site 'nowhere'; expected one of nothing.
        """
        for at, edit in self._by_site.items():
            resolve(population.stacked, as_site(at))
            check_runs(f"edit at {at!r}", edit, population)

    def memory(self) -> dict[str, Tensor]:
        """The tensors of populations of edits; none of edits that all runs share.

        Returns:
            ``(runs, ...)``, by name.

        Examples:
            >>> import torch
            >>> EditedOutputLoss(torch.neg, torch.zeros(3)).memory()
            {}
        """
        return rows(parts_of(self._name, self._by_site))

    def __call__(self, forward: Forward, batch: LabeledBatch) -> Float[Tensor, " n"]:
        """Error of each sample under the edits.

        Args:
            forward: A pure forward pass.
            batch: Its inputs ``(batch, ...)`` and the label.

        Returns:
            ``(n,)``, at least 0.

        Raises:
            KeyError: If the batch lacks the label, or an edit's row.
            ValueError: If the label has another shape than ``(batch,)`` or is not from 0 to 1,
                or what should be said does not broadcast to what is said.

        Examples:
            >>> import torch
            >>> fallback = EditedOutputLoss(torch.zeros_like, torch.ones(2), label="red", at="z")
            >>> def forward(inputs, edits, record=()):
            ...     return edits["z"](inputs), {}
            >>> fallback(forward, LabeledBatch(torch.rand(2, 2), {"red": torch.tensor([1.0, 0])}))
            tensor([2., 0.])
        """
        inputs = batch.inputs if self.inputs is None else self.inputs.to(batch.inputs)
        output, _ = forward(inputs, in_force(self._name, self._by_site, batch))
        error = (self.error or squared_error)(output, self.say)
        if self.label is None:
            return error
        return error * label_weight("EditedOutputLoss", self.label, batch, error)


def label_weight(
    what: str, name: str, batch: LabeledBatch, values: Tensor, absent: bool = False
) -> Tensor:
    """How often each sample counts, so that the mean over all is that over the labeled.

    Or over those without the label, where it is ``absent``.
    """
    if name not in batch.labels:
        raise KeyError(f"{what} needs label {name!r}; the batch has {listed(batch.labels)}.")
    label = batch.labels[name].to(values)
    if label.shape != values.shape:
        raise ValueError(
            f"The label {name!r} of {what} has shape {tuple(label.shape)}; expected "
            f"{tuple(values.shape)}, one number for each sample."
        )
    check_label(f"The label {name!r} of {what}", label, None, "freely")
    label = or_nan(1 - label if absent else label)
    return label * mean(label.new_tensor(float(len(label))), label.sum())


def squared_error(output: Tensor, target: Tensor) -> Float[Tensor, " n"]:
    """Mean over all but the first axis; the target is broadcast, the output is not."""
    output = in_full_precision(output)
    if not _fits(target.shape, output.shape):
        raise ValueError(
            f"The chosen output has shape {tuple(target.shape)}, the model's output "
            f"{tuple(output.shape)}; expected the former to broadcast to the latter."
        )
    return (output - target.to(output)).square().reshape(len(output), -1).mean(-1)


def _fits(narrow: tuple[int, ...], wide: tuple[int, ...]) -> bool:
    aligned = zip(reversed(narrow), reversed(wide), strict=False)
    return len(narrow) <= len(wide) and all(a in (1, b) for a, b in aligned)
