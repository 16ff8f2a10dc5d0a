"""Losses as functions of a pure forward pass and a batch, and what differs from run to run."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import Protocol, runtime_checkable

from latent_anchors._hooks import Edit
from latent_anchors._numerics import in_full_precision
from latent_anchors._runs import as_function, tensors_of
from latent_anchors._sites import At
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population, functional_forward


@runtime_checkable
class Forward(Protocol):
    """A pure forward pass of one run; it may be made more than once in a step.

    Examples:
        >>> import torch
        >>> def forward(inputs, edits=None, record=()):
        ...     return inputs, {}
        >>> isinstance(forward, Forward)
        True
    """

    def __call__(
        self,
        inputs: Tensor,
        edits: Mapping[At, Edit] | None = None,
        record: Iterable[At] = (),
    ) -> tuple[Tensor, Mapping[At, Tensor]]:
        """The output, and the latents at the objective's sites and those to ``record``."""
        ...


@runtime_checkable
class Loss(Protocol):
    """A pure function of a forward pass and a batch.

    Examples:
        >>> isinstance(reconstruction, Loss)
        True
    """

    def __call__(self, forward: Forward, batch: LabeledBatch) -> Tensor:
        """One value per sample."""
        ...


def reconstruction(forward: Forward, batch: LabeledBatch) -> Float[Tensor, " batch"]:
    r"""Mean squared error between output and input, sample by sample.

    .. math:: \ell(x) = \frac{1}{c} \lVert f(x) - x \rVert_2^2

    with :math:`f` the ``forward`` pass and :math:`c` the number of channels, of all places together
    where there are several.

    Args:
        forward: A pure forward pass.
        batch: Its inputs ``(batch, ...)`` are the targets too.

    Returns:
        ``(batch,)``, at least 0.

    Raises:
        ValueError: If output and input differ in shape.

    References:
        The usual loss of an autoencoder: Hinton and Salakhutdinov, Science, 2006.

    Examples:
        >>> import torch
        >>> identity = lambda inputs, edits=None, record=(): (inputs, {})
        >>> reconstruction(identity, LabeledBatch(torch.rand(2, 3)))
        tensor([0., 0.])
    """
    output, _ = forward(batch.inputs)
    if output.shape != batch.inputs.shape:
        raise ValueError(
            f"The output has shape {tuple(output.shape)}, the input {tuple(batch.inputs.shape)}; "
            "expected the same, since the input is the target. Use a loss of your own."
        )
    away = in_full_precision(output) - in_full_precision(batch.inputs)
    return away.square().flatten(1).mean(-1)


class OneRun:
    """A forward pass of one run whose plain result on the batch is made once and kept."""

    def __init__(
        self,
        model: nn.Module,
        tensors: Mapping[str, Tensor],
        sites: tuple[At, ...],
        row: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.model, self.tensors, self.sites = model, tensors, sites
        self.row: Mapping[str, Tensor] = row or {}
        """All tracks at this step."""
        self.kept: tuple[Tensor, tuple[Tensor, Mapping[At, Tensor]]] | None = None

    def __call__(
        self,
        inputs: Tensor,
        edits: Mapping[At, Edit] | None = None,
        record: Iterable[At] = (),
    ) -> tuple[Tensor, Mapping[At, Tensor]]:
        _check_edits(edits)
        others = [at for at in record if at not in self.sites]
        if edits or others:
            return functional_forward(
                self.model, self.tensors, inputs, [*self.sites, *others], edits
            )
        if self.kept is None or self.kept[0] is not inputs:
            self.kept = (inputs, functional_forward(self.model, self.tensors, inputs, self.sites))
        return self.kept[1]


def _check_edits(edits: object) -> None:
    if edits is not None and not isinstance(edits, Mapping):
        raise TypeError(
            f"A forward pass was given edits of type {type(edits).__name__}; expected a mapping "
            "from sites to edits, such as edits={'latent': edit}."
        )


Edits: TypeAlias = Edit | Mapping[At, Edit]
"""One edit, or the edit of each site."""


@runtime_checkable
class PerRunLoss(Protocol):
    """A loss with tensors of its own for each run."""

    def begin(self, population: Population) -> None:
        """Called before the first step."""
        ...

    def memory(self) -> Mapping[str, Tensor]:
        """By name ``(runs, ...)``; each run's row is added to its batches' extras."""
        ...


@runtime_checkable
class StatefulLoss(PerRunLoss, Protocol):
    """A loss whose tensors change while training: they are restored when training resumes."""

    def recall(self, memory: Mapping[str, Tensor]) -> None:
        """Called with what :meth:`memory` returned, when a stopped training goes on."""
        ...


def tensors_of_losses(losses: Mapping[str, Loss]) -> dict[str, Tensor]:
    """The tensors of losses that hold some for each run ``(runs, ...)``, by name."""
    each = [loss.memory() for loss in losses.values() if isinstance(loss, PerRunLoss)]
    return {name: tensor for kept in each for name, tensor in kept.items()}


def by_site(edits: Edits, at: At) -> dict[At, Edit]:
    """Edits by site, from one edit at a site or from such a mapping."""
    if not isinstance(edits, Mapping):
        return {at: edits}
    edits = cast("Mapping[At, Edit]", edits)
    if not edits or at != "latent":
        raise ValueError(
            f"Edits were given for the sites {[*edits]}, and `at` is {at!r}; expected at least one "
            "site, and all in one place. Leave `at` out."
        )
    return dict(edits)


def parts_of(name: str, edits: Mapping[At, Edit]) -> dict[str, nn.Module]:
    """The edits that have tensors, each by its name among the extras."""
    named = {f"{name}.{index}": edit for index, edit in enumerate(edits.values())}
    return {part: edit for part, edit in named.items() if isinstance(edit, nn.Module)}


def check_runs(what: str, module: object, population: Population) -> None:
    """Refuse a population of another size than the one that is to be trained."""
    if isinstance(module, Population) and len(module) != len(population):
        raise ValueError(
            f"The {what} has {len(module)} runs and {len(population)} are to be trained; expected "
            "as many. Give one for each run, or one module that is the same for all."
        )


def rows(parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """The tensors of populations ``(runs, ...)``, by their names among the extras."""
    return {
        f"{part}.{name}": tensor.detach()
        for part, module in parts.items()
        if isinstance(module, Population)
        for name, tensor in module.tensors().items()
    }


def own(part: str, module: nn.Module, batch: LabeledBatch) -> tuple[nn.Module, dict[str, Tensor]]:
    """A module's architecture and one run's tensors, without gradient."""
    if not isinstance(module, Population):
        return module, {name: tensor.detach() for name, tensor in tensors_of(module).items()}
    keys = {name: f"{part}.{name}" for name in module.tensors()}
    if not set(keys.values()) <= set(batch.extras):
        raise KeyError(
            f"The batch's extras hold no row of the {len(module)} runs that a loss needs; "
            "expected this run's. Let fit train with it, or call begin(population) and add each "
            "run's row of memory() to its extras."
        )
    return module.stacked, {name: batch.extras[key] for name, key in keys.items()}


def in_force(name: str, edits: Mapping[At, Edit], batch: LabeledBatch) -> dict[At, Edit]:
    """The edits as one run has them."""
    return {
        at: _own_form(f"{name}.{index}", edit, batch)
        for index, (at, edit) in enumerate(edits.items())
    }


def _own_form(part: str, edit: Edit, batch: LabeledBatch) -> Edit:
    if not isinstance(edit, nn.Module):
        return edit
    module, tensors = own(part, edit, batch)
    there = {name: tensor.to(batch.inputs.device) for name, tensor in tensors.items()}
    return as_function(module, there)
