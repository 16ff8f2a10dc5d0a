"""Losses: what the model is trained for, as functions of a pure forward pass and a batch."""

from collections.abc import Iterable, Mapping

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import Protocol, runtime_checkable

from latent_anchors._hooks import Edit
from latent_anchors._sites import At
from latent_anchors.data import LabeledBatch
from latent_anchors.models import functional_forward


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

    with :math:`f` the ``forward`` pass and :math:`c` the number of channels.

    Args:
        forward: A pure forward pass.
        batch: Its inputs ``(batch, channels)`` are the targets too.

    Returns:
        ``(batch,)``, at least 0.

    References:
        The usual loss of an autoencoder: Hinton and Salakhutdinov, Science, 2006.

    Examples:
        >>> import torch
        >>> identity = lambda inputs, edits=None, record=(): (inputs, {})
        >>> reconstruction(identity, LabeledBatch(torch.rand(2, 3)))
        tensor([0., 0.])
    """
    output, _ = forward(batch.inputs)
    return (output - batch.inputs).square().mean(-1)


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
