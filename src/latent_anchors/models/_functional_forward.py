"""A forward pass as a pure function of parameters and inputs, with recording and edits."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from threading import RLock

from torch import Tensor, nn
from torch.func import functional_call

from latent_anchors._checks import unknown
from latent_anchors._hooks import Edit, HeldLock, InForce, edit_hook, recorder_hook
from latent_anchors._runs import call_with
from latent_anchors._sites import At, as_site, as_sites, has_second_names
from latent_anchors.models._recording import RecordedPasses, Recording

one_at_a_time = RLock()
"""While a functional call runs, its parameters are in the module, visible to all threads."""


def functional_forward(
    model: nn.Module,
    parameters: Mapping[str, Tensor],
    inputs: Tensor | tuple[Tensor, ...],
    record: Iterable[At] = (),
    edits: Mapping[At, Edit] | None = None,
) -> tuple[Tensor, dict[At, Tensor]]:
    """A forward pass as a pure function that returns the output and the latents at sites.

    It works like :func:`torch.func.functional_call`: the model is not changed but for buffers
    that are not given and are written to, as in training mode. So the function can be
    differentiated, mapped with vmap, and traced. Edits are included in the latents.

    Args:
        model: The module; it supplies the parameters that are not given.
        parameters: Parameters and buffers by name, of the same shapes ``(...)`` as in the model.
        inputs: What the model takes: a tensor such as colors ``(..., 3)``, or a tuple of arguments.
        record: Sites whose latents to return.
        edits: Edits by site, in force during this pass.

    Returns:
        The output, and the latents by site, channels last.

    Raises:
        ValueError: If a site does not exist, or a name is that of no parameter or buffer.
        RuntimeError: If the model is compiled, so that its sites cannot be hooked; or if a site ran
            several times, unless it is ``Site(name, every=True)``.

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
    """The same with a sequence of edits, of which several may act at one site."""
    _check_names(model, parameters)
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    passes = RecordedPasses({at: as_site(at) for at in as_sites(record)})
    hooks = [edit_hook(model, at, edit) for at, edit in edits]
    recorders = [recorder_hook(model, at, partial(passes.keep, at)) for at in passes.sites]
    with InForce([HeldLock(one_at_a_time), *hooks, *recorders]):
        # most steps are spared the way through one file more
        lent = call_with if has_second_names(model) else functional_call
        output = lent(model, dict(parameters), arguments)
        return output, dict(Recording(passes))


def _check_names(model: nn.Module, given: Mapping[str, Tensor]) -> None:
    """Refuse names that torch would ignore, as of a misspelled parameter."""
    for name in given:
        owner, _, last = name.rpartition(".")
        try:
            found = getattr(model.get_submodule(owner), last, None)
        except AttributeError:  # there is no such part
            found = None
        if not isinstance(found, Tensor):
            known = [*dict(model.named_parameters()), *dict(model.named_buffers())]
            raise ValueError(unknown("parameter or buffer", name, known))
