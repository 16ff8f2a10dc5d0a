"""Imitation: to say what a teacher says."""

from jaxtyping import Float
from torch import Tensor

from latent_anchors.data import LabeledBatch
from latent_anchors.training._fallback import squared_error
from latent_anchors.training._losses import Forward
from latent_anchors.training._teacher import TeacherLoss


class DistillationLoss(TeacherLoss):
    r"""Squared error between what the model says and what its teacher says.

    .. math:: \ell(x) = \tfrac{1}{c} \lVert f(x) - T(x) \rVert_2^2

    with the :math:`c` numbers of the output :math:`f`, and the answer :math:`T` of the ``teacher``.
    After surgery it heals without labels: a pruned network imitates the muted one.

    Args:
        teacher: Whom to imitate.

    References:
        Distillation with squared error: Ba and Caruana, NeurIPS, 2014, equation 1.

    Examples:
        >>> import torch
        >>> from latent_anchors.training import Teacher
        >>> imitation = DistillationLoss(Teacher(torch.nn.Identity()))
        >>> def forward(inputs, edits=None, record=()):
        ...     return inputs + 2, {}
        >>> imitation(forward, LabeledBatch(torch.zeros(2, 3)))
        tensor([4., 4.])
    """

    def __call__(self, forward: Forward, batch: LabeledBatch) -> Float[Tensor, " batch"]:
        """Squared error of each sample.

        Args:
            forward: A pure forward pass.
            batch: Its inputs ``(batch, ...)``; its extras hold the teacher's row.

        Returns:
            ``(batch,)``, at least 0.

        Raises:
            KeyError: If the extras hold no such row.
            ValueError: If the teacher's answer has another shape.

        Examples:
            >>> import torch
            >>> from latent_anchors.training import Teacher
            >>> imitation = DistillationLoss(Teacher(torch.nn.Flatten()))
            >>> forward = lambda inputs, edits=None, record=(): (inputs, {})
            >>> imitation(forward, LabeledBatch(torch.ones(2, 3)))
            tensor([0., 0.])
        """
        output, _ = forward(batch.inputs)
        return squared_error(output, self.teacher.output(batch))
