"""How far the logits of a model are from a teacher's."""

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import in_full_precision


def forward_kl(
    student: Float[Tensor, "n *positions classes"], teacher: Float[Tensor, "n *positions classes"]
) -> Float[Tensor, " n"]:
    r"""Forward divergence of a student's logits from its teacher's, in nats.

    .. math:: \overline{\sum_k p_k (\ln p_k - \ln q_k)}

    with the softmax :math:`p` of the teacher and :math:`q` of the student, averaged over the
    positions of a sample. It is the ``error`` of a :class:`DistillationLoss`, and the distance of
    :class:`latent_anchors.baselines.Undo`, where outputs are logits.

    Args:
        student: Logits ``(n, ..., classes)``.
        teacher: Logits ``(n, ..., classes)``.

    Returns:
        ``(n,)``, at least 0; 0 where the logits differ by a constant.

    Raises:
        ValueError: If shapes differ, or there are no samples' and classes' axes.

    References:
        Hinton et al., "Distilling the knowledge in a neural network", 2015, at temperature 1.

    Examples:
        >>> import torch
        >>> forward_kl(torch.zeros(2, 2), torch.tensor([[0.0, 0.0], [0.0, 50.0]]))
        tensor([0.0000, 0.6931])
    """
    if student.shape != teacher.shape or student.ndim < 2:
        raise ValueError(
            f"The student's logits have shape {tuple(student.shape)} and the teacher's "
            f"{tuple(teacher.shape)}; expected the same, (n, ..., classes)."
        )
    q, p = (in_full_precision(logits).log_softmax(-1) for logits in (student, teacher))
    apart = (p - q).masked_fill(p == -torch.inf, 0.0)  # what the teacher never says adds nothing
    return (p.exp() * apart).sum(-1).reshape(len(p), -1).mean(-1)
