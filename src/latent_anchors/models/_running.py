"""One pure function underneath everything: parameters and inputs in, output and latents out."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from latent_anchors._hooks import Edit, attach_edit, attach_recorder
from latent_anchors._sites import At


def run(
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
        RuntimeError: If the model is compiled, so that its sites cannot be reached.

    Examples:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Flatten())
        >>> output, latents = run(model, {}, torch.ones(1, 2), record=["0"], edits={"0": torch.neg})
        >>> latents["0"].tolist()
        [[-1.0, -1.0]]
    """
    latents: dict[At, Tensor] = {}
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    with ExitStack() as handles:
        for at, edit in (edits or {}).items():
            handles.enter_context(attach_edit(model, at, edit))
        for at in record:
            handles.enter_context(attach_recorder(model, at, _keep(latents, at)))
        output = torch.func.functional_call(model, dict(parameters), arguments)
    return output, latents


def _keep(latents: dict[At, Tensor], at: At) -> Callable[[Tensor], None]:
    def keep(z: Tensor) -> None:
        latents[at] = z

    return keep
