"""A loss of samples without the concept while an edit removes it: they learn to do without."""

from jaxtyping import Float
from torch import Tensor

from latent_anchors._sites import At
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import EditModule
from latent_anchors.training._losses.edited_output import label_weight
from latent_anchors.training._losses.forward import Forward, Loss
from latent_anchors.training._losses.under_edit import UnderEdit


class RetainLoss:
    r"""A loss of the samples without a label, taken while an edit is in force on all of them.

    .. math:: \ell'_i = \frac{n \, (1 - l_i)}{\sum_j (1 - l_j)} \,
        \ell_i\big(f_E(\cdot\,; \theta)\big)

    with the ``loss`` :math:`\ell`, the forward pass :math:`f` under the ``edit`` :math:`E` and the
    ``label`` :math:`l` of the batch's :math:`n` samples, so that the mean over the batch is the
    mean over those without it: exactly 0, with zero gradient, where all have it. Samples without
    the concept learn not to need the direction that the edit takes away. It costs a second forward
    pass; a track that is 0 at most steps does not save it. In a loop of your own,
    :func:`~latent_anchors.intervene` around a pass over such samples does the same, one batch in
    five.

    Args:
        loss: The loss.
        edit: An edit with a strength, such as a :class:`~latent_anchors.interventions.Projection`.
        at: The site.
        label: The label of the concept, from 0 to 1.

    Raises:
        TypeError: If the edit has no strength.

    References:
        The retain passes of selective gradient masking: Shilov et al., 2025, there with the
        concept's parameters set to zero.

    Examples:
        >>> import torch
        >>> from latent_anchors.interventions import ZeroAblation
        >>> from latent_anchors.training import reconstruction
        >>> def forward(inputs, edits=None, record=()):
        ...     return edits["z"](inputs), {}
        >>> retain = RetainLoss(reconstruction, ZeroAblation([0]), at="z", label="red")
        >>> retain(forward, LabeledBatch(torch.ones(2, 2), {"red": torch.tensor([1.0, 0.0])}))
        tensor([0., 1.])
    """

    def __init__(self, loss: Loss, edit: EditModule, at: At, label: str) -> None:
        self.loss: Loss = loss
        self.edit: EditModule = edit
        self.at: At = at
        self.label: str = label
        self._under_edit = UnderEdit(loss, edit, at)

    def __call__(self, forward: Forward, batch: LabeledBatch) -> Float[Tensor, " n"]:
        """The loss of each sample without the label under the edit; 0 of the others.

        Args:
            forward: A pure forward pass.
            batch: Its inputs ``(n, ...)`` and the label ``(n,)``.

        Returns:
            ``(n,)``.

        Raises:
            KeyError: If the batch lacks the label.
            ValueError: If the label has another shape than the loss or is not from 0 to 1, or the
                loss edits the site.

        Examples:
            >>> import torch
            >>> from latent_anchors.interventions import ZeroAblation
            >>> from latent_anchors.training import reconstruction
            >>> def forward(inputs, edits=None, record=()):
            ...     return edits["z"](inputs), {}
            >>> retain = RetainLoss(reconstruction, ZeroAblation([0]), at="z", label="red")
            >>> retain(forward, LabeledBatch(torch.ones(2, 2), {"red": torch.ones(2)}))
            tensor([0., 0.])
        """
        values = self._under_edit(forward, batch)
        return values * label_weight("RetainLoss", self.label, batch, values, absent=True)
