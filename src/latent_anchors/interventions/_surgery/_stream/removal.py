"""Remove directions from the weights that write into the latents at some sites."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._numerics import in_full_precision, without_autocast
from latent_anchors._runs import one_run, tensors_of
from latent_anchors._sites import At, as_sites, layers_of
from latent_anchors.interventions._surgery._stream.traced_pass import Trace
from latent_anchors.interventions._surgery._stream.writers import EDIT_INSTEAD, Writer, Writers
from latent_anchors.interventions._surgery.apply_surgery import Model, model_to_change
from latent_anchors.interventions._surgery.plain_layers import why_unreadable
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import Side, SiteLayers

CHUNK = 2**18
"""How many numbers are changed at a time, so that no second copy of a weight is made."""

_FAILURES = (ValueError, RuntimeError, TypeError, IndexError, KeyError, AttributeError)


class Stream(NamedTuple):
    """The latents at some sites, their width, and the weights that write into them."""

    where: str
    width: int
    writers: Writers


def find_stream(model: nn.Module, at: At | Iterable[At], example: Example | None) -> Stream | None:
    """The stream through some sites; None if it is none, or the model cannot be traced in one pass.

    The latents behind a linear layer, with nothing added to them, are no stream.
    """
    sites, run = as_sites(at), one_run(model)
    try:
        trace = Trace(run, sites, example)
    except _FAILURES:
        return None  # the slower trace of linear layers says why
    widths = {value.shape[axis] for found in trace.latents.values() for value, axis in found}
    if len(widths) != 1 or not all(trace.latents.values()):
        return None
    writers = Writers(trace, listed(sites))
    if not writers.summed and all(_linear(run, writer) for writer in writers.found.values()):
        return None
    if writers.refusal:
        raise ValueError(writers.refusal)
    return Stream(listed(sites), widths.pop(), writers)


def without_stream(
    model: Model,
    at: At | Iterable[At] | SiteLayers,
    example: Example | None,
    side: Side | None,
    inplace: bool,
    rows: Callable[[int], Float[Tensor, "n dim"]],
) -> Model | None:
    """The model with rows taken out of a stream of their width; None if the sites are no stream."""
    if isinstance(at, SiteLayers) or side in {"reading", "both"} or not _readable(model):
        return None
    new = model_to_change(model, inplace)
    stream = find_stream(new, at, example)
    if stream is None:
        return None
    remove_writing(new, stream, rows(stream.width))
    return new


def _readable(model: nn.Module) -> bool:
    """Whether all weights have values here; if not, the slower trace says which."""
    return all(why_unreadable(tensor) is None for tensor in tensors_of(model).values())


def _linear(run: nn.Module, writer: Writer) -> bool:
    """Whether a linear layer writes, or a norm behind one scales."""
    owner = layers_of(run)[writer.name.rpartition(".")[0]]
    return writer.off is not None or isinstance(owner, nn.Linear)


def remove_writing(model: nn.Module, stream: Stream, basis: Float[Tensor, "n dim"]) -> None:
    """Change the weights of a model, or of a population, in place."""
    tensors, dims = tensors_of(model), _axes(basis)
    if stream.writers.one_by_one and not dims:
        some = ", ".join(sorted(set(stream.writers.one_by_one))[:3])
        raise ValueError(
            f"On the way to the latents at {stream.where}, each channel is changed by itself "
            f"({some}), so that directions off the axes turn; expected directions along axes, such "
            f"as la.axis(0, dim={stream.width}). {EDIT_INSTEAD}"
        )
    with torch.no_grad():
        for name, axis, off in stream.writers.found.values():
            if off is None:
                _project_rows(tensors[name].movedim(axis, -1), basis)
            else:
                index = torch.tensor(dims, device=tensors[name].device)
                tensors[name].index_fill_(axis, index, off)


def _axes(basis: Float[Tensor, "n dim"]) -> list[int]:
    """The axes that orthonormal rows span; none if they span anything else."""
    onto = basis.mT @ basis
    dims = [int(k) for k in (onto.diagonal() > 0.5).nonzero().flatten()]
    exact = torch.zeros_like(onto)
    exact[dims, dims] = 1.0
    return dims if torch.allclose(onto, exact, atol=1e-6) else []


def _project_rows(x: Tensor, basis: Float[Tensor, "n dim"]) -> None:
    """Take the projection onto orthonormal rows out of vectors along the last axis, in place."""
    if x.ndim > 2:
        for part in x.unbind(0):
            _project_rows(part, basis)
        return
    rows = x if x.ndim == 2 else x.unsqueeze(0)
    step = max(1, CHUNK // rows.shape[1])
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        full = in_full_precision(part)
        some = basis.to(full)
        with without_autocast(full):
            part.copy_(full - full @ some.mT @ some)  # rounded once
