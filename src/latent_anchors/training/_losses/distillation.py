"""Distillation: losses that train a model toward the outputs or latents of a teacher."""

import math
from copy import deepcopy
from weakref import WeakKeyDictionary

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_between
from latent_anchors._hooks import copy_without_hooks
from latent_anchors._numerics import in_full_precision
from latent_anchors._runs import architecture
from latent_anchors._sites import At, as_site, resolve
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population, functional_forward
from latent_anchors.training._losses.edited_output import Error, squared_error
from latent_anchors.training._losses.forward import (
    Edits,
    Forward,
    by_site,
    check_runs,
    in_force,
    own,
    parts_of,
    rows,
)


class Teacher:
    """A frozen copy of a model, in evaluation mode and under edits, whose outputs are targets.

    Each run of a population has its own teacher; an ordinary model teaches all runs. Losses that
    share a teacher store its tensors once, and its output for a batch is computed once.

    Args:
        model: A population, or one model for all runs. It is copied, without edits in force on it.
        edits: In force while it runs: one edit, or sites and the edit of each; none if None. A
            population of edits holds one per run. Modules are copied, too.
        at: The site; left out where the edits are given by site.

    Raises:
        ValueError: If the model lacks a site, or edits are given by site and another site besides.

    Examples:
        >>> import torch
        >>> teacher = Teacher(nn.Sequential(nn.Identity()), edits=torch.neg, at="0")
        >>> teacher.output(LabeledBatch(torch.ones(1, 2)))
        tensor([[-1., -1.]])
    """

    def __init__(self, model: nn.Module, edits: Edits | None = None, at: At = "latent") -> None:
        self.model: nn.Module = _copy(model).eval()
        self.edits: Edits | None = deepcopy(edits)
        self.at: At = at
        self._by_site = {} if self.edits is None else by_site(self.edits, at)
        self._said: WeakKeyDictionary[LabeledBatch, Tensor] = WeakKeyDictionary()
        for site in self._by_site:
            resolve(architecture(self.model), as_site(site))

    @property
    def _name(self) -> str:
        # no two share it, so that none is taken for another
        return f"teacher-{id(self)}"

    def begin(self, population: Population) -> None:
        """Move to the runs' device and check that the number of runs matches.

        Args:
            population: The runs to be trained.

        Raises:
            ValueError: If the teacher, or a population of edits, has another number of runs.

        Examples:
            >>> population = Population.make(lambda: nn.Linear(1, 1), seeds=range(3))
            >>> try:
            ...     Teacher(population[:2]).begin(population)
            ... except ValueError as error:
            ...     print(str(error).split(";")[0])
            The teacher has 2 runs and 3 are to be trained
        """
        check_runs("teacher", self.model, population)
        for at, edit in self._by_site.items():
            check_runs(f"teacher's edit at {at!r}", edit, population)
        self.model.to(next(population.parameters()).device)

    def memory(self) -> dict[str, Tensor]:
        """The tensors of populations; none of those that all runs share.

        Returns:
            ``(runs, ...)``, by name.

        Examples:
            >>> population = Population.make(lambda: nn.Linear(2, 1), seeds=range(3))
            >>> [tensor.shape for tensor in Teacher(population).memory().values()]
            [torch.Size([3, 1, 2]), torch.Size([3, 1])]
            >>> Teacher(population[0]).memory()
            {}
        """
        return rows({self._name: self.model, **parts_of(self._name, self._by_site)})

    def output(self, batch: LabeledBatch) -> Tensor:
        """The teacher's output for the batch's inputs, without gradient, computed once per batch.

        Args:
            batch: Its inputs ``(batch, ...)``; its extras hold this run's row of a population.

        Returns:
            The outputs ``(batch, ...)``.

        Raises:
            KeyError: If the extras hold no such row.
            TypeError: If the teacher returns something else than a tensor.

        Examples:
            >>> import torch
            >>> Teacher(nn.Identity()).output(LabeledBatch(torch.eye(2)))
            tensor([[1., 0.],
                    [0., 1.]])
        """
        # kept as long as the batch exists: no longer than a step of fit
        if batch not in self._said:
            model, tensors = own(self._name, self.model, batch)
            edits = in_force(self._name, self._by_site, batch)
            said, _ = functional_forward(model, tensors, batch.inputs, edits=edits)
            self._said[batch] = _tensor(said).detach()
        return self._said[batch]


def _tensor(said: object) -> Tensor:
    if not isinstance(said, Tensor):
        raise TypeError(
            f"The teacher returned a {type(said).__name__}; expected a tensor. Of a model of "
            "Hugging Face's, wrap it in a module whose forward returns model(tokens).logits."
        )
    return said


class TeacherLoss:
    """Base of the losses with a teacher."""

    def __init__(self, teacher: Teacher) -> None:
        self.teacher: Teacher = teacher

    def begin(self, population: Population) -> None:
        """See :meth:`Teacher.begin`.

        Args:
            population: The runs to be trained.

        Raises:
            ValueError: If the teacher has another number of runs.

        Examples:
            >>> from torch import nn
            >>> population = Population.make(lambda: nn.Linear(1, 1), seeds=range(3))
            >>> taught = TeacherLoss(Teacher(population))
            >>> taught.begin(population)
            >>> len(taught.memory())
            2
        """
        self.teacher.begin(population)

    def memory(self) -> dict[str, Tensor]:
        """The teacher's; see :meth:`Teacher.memory`.

        Returns:
            ``(runs, ...)``, by name.

        Examples:
            >>> from torch import nn
            >>> TeacherLoss(Teacher(nn.Identity())).memory()
            {}
        """
        return self.teacher.memory()


def _copy(model: nn.Module) -> nn.Module:
    if isinstance(model, Population):
        return Population(copy_without_hooks(model.stacked), model.seeds)
    return copy_without_hooks(model)


class DistillationLoss(TeacherLoss):
    r"""Error between the model's outputs and its teacher's.

    .. math:: \ell(x) = \tfrac{1}{c} \lVert f(x) - T(x) \rVert_2^2

    with the :math:`c` numbers of the output :math:`f`, and the output :math:`T` of the ``teacher``;
    or another ``error`` of the two. It repairs a model after surgery without labels: a pruned
    network imitates the muted one.

    Args:
        teacher: Whose outputs are the targets.
        error: From outputs ``(batch, ...)`` and the teacher's to ``(batch,)``, such as
            :func:`forward_kl` of logits; squared error if None.

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

    def __init__(self, teacher: Teacher, error: Error | None = None) -> None:
        super().__init__(teacher)
        self.error: Error | None = error

    def __call__(self, forward: Forward, batch: LabeledBatch) -> Float[Tensor, " batch"]:
        """Error of each sample.

        Args:
            forward: A pure forward pass.
            batch: Its inputs ``(batch, ...)``; its extras hold the teacher's row.

        Returns:
            ``(batch,)``, at least 0.

        Raises:
            KeyError: If the extras hold no such row.
            ValueError: If the teacher's output has another shape, and no error was chosen.

        Examples:
            >>> import torch
            >>> from latent_anchors.training import Teacher
            >>> imitation = DistillationLoss(Teacher(torch.nn.Flatten()))
            >>> forward = lambda inputs, edits=None, record=(): (inputs, {})
            >>> imitation(forward, LabeledBatch(torch.ones(2, 3)))
            tensor([0., 0.])
        """
        output, _ = forward(batch.inputs)
        said = self.teacher.output(batch)
        if self.error is None and said.shape != output.shape:
            raise ValueError(
                f"The teacher's outputs have shape {tuple(said.shape)}, the model's "
                f"{tuple(output.shape)}; expected the same. Give an error= of the two."
            )
        return (self.error or squared_error)(output, said)


class LatentMatchingLoss(TeacherLoss):
    r"""Squared distance between an input's latents and those of its teacher's output.

    .. math:: \ell(x) = e(x)^q \lVert z(x) - z(T(x)) \rVert_2^2, \qquad
        e(x) = \tfrac{1}{c} \lVert T(x) - x \rVert_2^2

    with the latents :math:`z` at a site, the output :math:`T` of the ``teacher`` under its edits,
    and the error :math:`e` of that output over :math:`c` numbers; the gradient reaches :math:`z(x)`
    alone. Inputs whose outputs the edits make equal get equal latents; where the edits do not act,
    :math:`T(x) \approx x` and the loss is small. A ``power`` :math:`q` reduces the weight of inputs
    that the edits change only in part. Several positions are averaged.

    Args:
        teacher: Its outputs have the shape of the inputs, as an autoencoder's have.
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
            ValueError: If the teacher's outputs have another shape than the inputs.

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
                f"The teacher's outputs have shape {tuple(said.shape)}, the inputs "
                f"{tuple(batch.inputs.shape)}; expected the same, since outputs are given to the "
                "model as inputs. LatentMatchingLoss is for autoencoders."
            )
        _, here = forward(batch.inputs, record=[self.at])
        _, there = forward(said.to(batch.inputs), record=[self.at])
        z, goal = (in_full_precision(latents[self.at]) for latents in (here, there))
        distance = (z - goal.detach()).square().sum(-1, keepdim=True).flatten(1).mean(-1)
        return squared_error(said, batch.inputs) ** self.power * distance
