"""One pure function underneath everything: parameters and inputs in, output and latents out."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from threading import RLock

import torch
from torch import Tensor, nn

from latent_anchors._hooks import Edit, HeldLock, InForce, edit_hook, recorder_hook
from latent_anchors._sites import At, as_site, as_sites
from latent_anchors.models._recorded_passes import Passes
from latent_anchors.models._recording import Recording

one_at_a_time = RLock()
"""A functional call puts parameters into the module while it runs, in every thread's sight."""


def functional_forward(
    model: nn.Module,
    parameters: Mapping[str, Tensor],
    inputs: Tensor | tuple[Tensor, ...],
    record: Iterable[At] = (),
    edits: Mapping[At, Edit] | None = None,
) -> tuple[Tensor, dict[At, Tensor]]:
    """A forward pass as a pure function: the output and the latents at the sites asked for.

    Nothing of the model is changed, and what is recorded is returned, so that the function can be
    differentiated, vmapped and traced. What is recorded is what leaves a site, edits included.

    Args:
        model: The architecture; parameters that are not given are its own.
        parameters: Parameters and buffers by name, of the shapes ``(...)`` that they have in the
            model.
        inputs: What the model takes: a tensor such as colors ``(..., 3)``, or a tuple of arguments.
        record: Sites whose latents are returned.
        edits: Sites and the edits in force there during this pass.

    Returns:
        The output, and the latents by site, channels last.

    Raises:
        ValueError: If a site does not exist.
        RuntimeError: If the model is compiled, so that its sites cannot be reached; or if a site
            ran several times, unless it is ``Site(name, every=True)``.

    Examples:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Flatten())
        >>> x, edits = torch.ones(1, 2), {"0": torch.neg}
        >>> output, latents = functional_forward(model, {}, x, record=["0"], edits=edits)
        >>> latents["0"].tolist()
        [[-1.0, -1.0]]
    """
    return run_with(model, parameters, inputs, record, [*(edits or {}).items()])


def run_with(
    model: nn.Module,
    parameters: Mapping[str, Tensor],
    inputs: Tensor | tuple[Tensor, ...],
    record: Iterable[At],
    edits: Sequence[tuple[At, Edit]],
) -> tuple[Tensor, dict[At, Tensor]]:
    """The same, of edits in the order in which they act, several at one site among them."""
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    passes = Passes({at: as_site(at) for at in as_sites(record)})
    hooks = [edit_hook(model, at, edit) for at, edit in edits]
    recorders = [recorder_hook(model, at, partial(passes.keep, at)) for at in passes.sites]
    with InForce([HeldLock(one_at_a_time), *hooks, *recorders]):
        output = torch.func.functional_call(model, dict(parameters), arguments)
        return output, dict(Recording(passes))
