"""A teacher: a model as it once was, asked about every batch."""

from weakref import WeakKeyDictionary

from torch import Tensor, nn

from latent_anchors._hooks import copy_without_hooks
from latent_anchors._runs import architecture
from latent_anchors._sites import At, as_site, resolve
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population, functional_forward
from latent_anchors.training._own import (
    Edits,
    by_site,
    check_runs,
    in_force,
    own,
    parts_of,
    rows,
)


class Teacher:
    """A model that is learnt from, as it was when given, under edits and in evaluation mode.

    Of a population, each run asks its own; an ordinary model is asked by all. Losses that share a
    teacher carry its tensors once, and its answer to a batch is made once. It never learns.

    Args:
        model: A population, or one model for all runs. It is copied, without edits in force on it.
        edits: What it answers under: one edit, or sites and the edit of each; itself if None. A
            population of edits holds one per run.
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
        self.edits: Edits | None = edits
        self.at: At = at
        self._by_site = {} if edits is None else by_site(edits, at)
        self._said: WeakKeyDictionary[LabeledBatch, Tensor] = WeakKeyDictionary()
        for site in self._by_site:
            resolve(architecture(self.model), as_site(site))

    @property
    def _name(self) -> str:
        # no two share it, so that none is taken for another
        return f"teacher-{id(self)}"

    def begin(self, population: Population) -> None:
        """Go where the runs are, and refuse another number of them.

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
        """The tensors of populations; nothing of what is the same for all runs.

        Returns:
            ``(runs, ...)``, by the name under which it travels.

        Examples:
            >>> population = Population.make(lambda: nn.Linear(2, 1), seeds=range(3))
            >>> [tensor.shape for tensor in Teacher(population).memory().values()]
            [torch.Size([3, 1, 2]), torch.Size([3, 1])]
            >>> Teacher(population[0]).memory()
            {}
        """
        return rows({self._name: self.model, **parts_of(self._name, self._by_site)})

    def output(self, batch: LabeledBatch) -> Tensor:
        """Its answer to the batch's inputs, without gradient; made once for each batch.

        Args:
            batch: Its inputs ``(batch, ...)``; its extras hold this run's row of a population.

        Returns:
            What the model says to a batch ``(batch, ...)``.

        Raises:
            KeyError: If the extras hold no such row.

        Examples:
            >>> import torch
            >>> Teacher(nn.Identity()).output(LabeledBatch(torch.eye(2)))
            tensor([[1., 0.],
                    [0., 1.]])
        """
        # remembered for as long as somebody holds the batch: no longer than a step of fit
        if batch not in self._said:
            model, tensors = own(self._name, self.model, batch)
            edits = in_force(self._name, self._by_site, batch)
            self._said[batch] = functional_forward(model, tensors, batch.inputs, edits=edits)[
                0
            ].detach()
        return self._said[batch]


class TeacherLoss:
    """What losses with a teacher share: they bring it along."""

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
            ``(runs, ...)``, by the name under which it travels.

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
