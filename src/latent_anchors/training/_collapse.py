"""Collapse: to lie where a teacher's answers lie."""

import math

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from latent_anchors._checks import check_between
from latent_anchors._numerics import in_full_precision
from latent_anchors._sites import At, as_site, resolve
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training._fallback import squared_error
from latent_anchors.training._losses import Forward
from latent_anchors.training._teacher import Teacher, TeacherLoss


class LatentMatchingLoss(TeacherLoss):
    r"""Squared distance of where an input lies from where its teacher's answer lies.

    .. math:: \ell(x) = e(x)^q \lVert z(x) - z(T(x)) \rVert_2^2, \qquad
        e(x) = \tfrac{1}{c} \lVert T(x) - x \rVert_2^2

    with the latents :math:`z` at a site, the answer :math:`T` of the ``teacher`` under its edits,
    and the error :math:`e` of that answer over :math:`c` numbers; the gradient reaches :math:`z(x)`
    alone. What the edits take from the answers, the encoder ceases to tell apart; where they spare
    :math:`x`, :math:`T(x) \approx x` and hardly anything happens. With a ``power`` :math:`q` it is
    sparing with what the edits change in part. Several positions are averaged.

    Args:
        teacher: Its answers are of the kind of the inputs, as an autoencoder's are.
        at: The site.
        power: At least 0; at 0 all inputs count alike.

    Raises:
        ValueError: If the power is negative or not finite.

    References:
        A stopped gradient on one side as in SimSiam: Chen and He, CVPR, 2021, equation 3.

    Examples:
        >>> import torch
        >>> teacher = Teacher(torch.nn.Sequential(torch.nn.Identity()), edits=torch.neg, at="0")
        >>> def forward(inputs, edits=None, record=()):
        ...     return inputs, {"latent": inputs}
        >>> LatentMatchingLoss(teacher)(forward, LabeledBatch(torch.ones(1, 3)))
        tensor([12.])
    """

    def __init__(self, teacher: Teacher, at: At = "latent", power: float = 0.0) -> None:
        check_between("power", power, 0.0, math.inf)
        super().__init__(teacher)
        self.at: At = at
        self.power: float = power

    @override
    def begin(self, population: Population) -> None:
        """See :meth:`Teacher.begin`.

        Args:
            population: The runs to be trained.

        Raises:
            ValueError: If they lack the site, or the teacher has another number of runs.

        Examples:
            >>> from torch import nn
            >>> collapse = LatentMatchingLoss(Teacher(nn.Identity()), at="1")
            >>> try:
            ...     collapse.begin(Population.make(lambda: nn.Sequential(nn.Linear(1, 1)), [0]))
            ... except ValueError as error:
            ...     print(error)
            Unknown site '1'; expected one of '0'.
        """
        resolve(population.stacked, as_site(self.at))
        super().begin(population)

    def __call__(self, forward: Forward, batch: LabeledBatch) -> Float[Tensor, " batch"]:
        """Squared distance of each sample.

        Args:
            forward: A pure forward pass.
            batch: Its inputs ``(batch, ...)``; its extras hold the teacher's row.

        Returns:
            ``(batch,)``, at least 0.

        Raises:
            KeyError: If the extras hold no such row.
            ValueError: If the teacher's answers have another shape than the inputs.

        Examples:
            >>> import torch
            >>> def forward(inputs, edits=None, record=()):
            ...     return inputs, {"latent": inputs}
            >>> matching = LatentMatchingLoss(Teacher(torch.nn.Identity()))
            >>> matching(forward, LabeledBatch(torch.rand(2, 3)))
            tensor([0., 0.])
        """
        said = self.teacher.output(batch)
        if said.shape != batch.inputs.shape:
            raise ValueError(
                f"The teacher's answers have shape {tuple(said.shape)}, the inputs "
                f"{tuple(batch.inputs.shape)}; expected the same, since answers are shown to the "
                "model in turn. LatentMatchingLoss is for autoencoders."
            )
        _, here = forward(batch.inputs, record=[self.at])
        _, there = forward(said.to(batch.inputs), record=[self.at])
        z, goal = (in_full_precision(latents[self.at]) for latents in (here, there))
        distance = (z - goal.detach()).square().sum(-1, keepdim=True).flatten(1).mean(-1)
        return squared_error(said, batch.inputs) ** self.power * distance
