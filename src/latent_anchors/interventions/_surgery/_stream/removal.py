"""Remove directions from the weights that write or read the latents at some sites."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_name, listed
from latent_anchors._numerics import in_full_precision, without_autocast
from latent_anchors._runs import StackedRuns, one_run, tensors_of
from latent_anchors._sites import At, as_sites, layers_of
from latent_anchors.interventions._surgery._stream.readers import Factors, Readers
from latent_anchors.interventions._surgery._stream.traced_pass import Trace
from latent_anchors.interventions._surgery._stream.writers import EDIT_INSTEAD, Writer, Writers
from latent_anchors.interventions._surgery.apply_surgery import Model, model_to_change
from latent_anchors.interventions._surgery.plain_layers import why_unreadable
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import SIDES, Side, SiteLayers, overlap

CHUNK = 2**18
"""How many numbers are changed at a time, so that no second copy of a weight is made."""

_FAILURES = (ValueError, RuntimeError, TypeError, IndexError, KeyError, AttributeError)


class Stream(NamedTuple):
    """The latents at some sites, their width, and the weights around them."""

    where: str
    width: int
    writers: Writers | None
    readers: Readers | None


def without_stream(
    model: Model,
    at: At | Iterable[At] | SiteLayers,
    example: Example | None,
    side: Side | None,
    inplace: bool,
    rows: Callable[[int], Float[Tensor, "n dim"]],
) -> Model | None:
    """The model with rows taken out of a stream of their width; None if the sites are no stream."""
    if isinstance(at, SiteLayers) or not readable(model):
        return None
    new = model_to_change(model, inplace)
    stream = find_stream(new, at, example, side)
    if stream is None:
        return None
    remove(new, stream, rows(stream.width))
    return new


def find_stream(
    model: nn.Module, at: At | Iterable[At], example: Example | None, side: Side | None
) -> Stream | None:
    """The stream through some sites; None if it is none, or the model cannot be traced in one pass.

    The latents behind a linear layer, with nothing added to them, are no stream.
    """
    check_name("side", side, [*SIDES, None])
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
    return _on_side(trace, Stream(listed(sites), widths.pop(), writers, None), side or "writing")


def _on_side(trace: Trace, stream: Stream, side: Side) -> Stream:
    """Only what writes, only what reads, or both; refused if it cannot be changed."""
    writers = None if side == "reading" else stream.writers
    written = frozenset(writers.found if writers else ())
    readers = None if side == "writing" else Readers(trace, stream.where, written)
    for found in (writers, readers):
        if found is not None and found.refusal:
            raise ValueError(found.refusal)
        _check_apart(trace.graph.tensors, found.found if found else ())
    return stream._replace(writers=writers, readers=readers)


def _check_apart(tensors: Mapping[str, Tensor], names: Iterable[str]) -> None:
    """Refuse weights in whose memory another parameter lies, which would change with them."""
    for name in names:
        shared = [n for n, t in tensors.items() if n != name and overlap(t, tensors[name])]
        if shared:
            raise ValueError(
                f"{name!r} lies in the same memory as {listed(shared)}; expected one parameter "
                "under both names, as tied weights are, or memory of its own. Copy one of them."
            )


def readable(model: nn.Module) -> bool:
    """Whether all weights have values here; if not, the slower trace says which."""
    return all(why_unreadable(tensor) is None for tensor in tensors_of(model).values())


def _linear(run: nn.Module, writer: Writer) -> bool:
    """Whether a linear layer writes, or a norm behind one scales."""
    owner = layers_of(run)[writer.name.rpartition(".")[0]]
    return writer.off is not None or isinstance(owner, nn.Linear)


def remove(model: nn.Module, stream: Stream, basis: Float[Tensor, "n dim"]) -> None:
    """Change the weights of a model, or of a population, in place, all of them or none."""
    dims = axes_of(basis)
    if not dims:
        refuse_turned(stream)
    tensors = tensors_of(model)
    runs = len(model) if isinstance(model, StackedRuns) else None
    each = [tensors] if runs is None else [_run(tensors, k) for k in range(runs)]
    readers = [*stream.readers.found.values()] if stream.readers else []
    pairs = [[rows_behind(run, reader.factors, basis, dims) for reader in readers] for run in each]
    with torch.no_grad():
        for run, around in zip(each, pairs, strict=True):
            for writer in stream.writers.found.values() if stream.writers else ():
                _silence(run[writer.name], writer, basis, dims)
            for reader, (ahead, behind) in zip(readers, around, strict=True):
                project_rows(run[reader.name].movedim(reader.axis, -1), ahead, behind)


def _run(tensors: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    return {name: tensor.detach()[k] for name, tensor in tensors.items()}


def refuse_turned(stream: Stream) -> None:
    """Refuse directions off the axes that would turn on their way."""
    writers, readers = stream.writers, stream.readers
    found = sorted(set(writers.one_by_one)) if writers else []
    if writers and readers:  # a tied weight can write or read a turned direction, not both
        each = readers.found.values()
        found += [repr(r.name) for r in each if r.name in writers.found and r.factors]
    if found:
        raise ValueError(
            f"On the way to the latents at {stream.where}, each channel is changed by itself "
            f"({', '.join(found[:3])}), so that directions off the axes turn; expected directions "
            f"along axes, such as la.axis(0, dim={stream.width}). {EDIT_INSTEAD}"
        )


def _silence(
    tensor: Tensor, writer: Writer, basis: Float[Tensor, "n dim"], dims: list[int]
) -> None:
    """Let a tensor write nothing along orthonormal rows."""
    if writer.off is None:
        project_rows(tensor.movedim(writer.axis, -1), basis, basis)
    else:
        tensor.index_fill_(writer.axis, torch.tensor(dims, device=tensor.device), writer.off)


def rows_behind(
    tensors: dict[str, Tensor], factors: Factors, basis: Float[Tensor, "n dim"], dims: list[int]
) -> tuple[Tensor, Tensor]:
    """Rows as they arrive behind factors of each channel, and those that measure them there."""
    scale = torch.ones(basis.shape[1], dtype=basis.dtype)
    for factor in factors[: 0 if dims else None]:
        scale *= tensors[factor.name].detach().to(scale).flatten() - (factor.off or 0.0)
    used = scale[(basis != 0).any(0)].abs()
    if bool(used.min() <= 1e-6 * used.max()):
        raise ValueError(
            f"{listed(factor.name for factor in factors)} let channels of the direction through to "
            "no reader; expected weights other than 0. Choose side='writing'."
        )
    return basis * scale, basis / scale


def axes_of(basis: Float[Tensor, "n dim"]) -> list[int]:
    """The axes that orthonormal rows span; none if they span anything else."""
    onto = basis.mT @ basis
    dims = [int(k) for k in (onto.diagonal() > 0.5).nonzero().flatten()]
    exact = torch.zeros_like(onto)
    exact[dims, dims] = 1.0
    return dims if torch.allclose(onto, exact, atol=1e-6) else []


def project_rows(x: Tensor, ahead: Float[Tensor, "n dim"], behind: Float[Tensor, "n dim"]) -> None:
    """Subtract from vectors along the last axis what they share with rows, in place."""
    if x.ndim > 2:
        for part in x.unbind(0):
            project_rows(part, ahead, behind)
        return
    rows = x if x.ndim == 2 else x.unsqueeze(0)
    step = max(1, CHUNK // rows.shape[1])
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        full = in_full_precision(part)
        with without_autocast(full):
            part.copy_(full - full @ ahead.mT.to(full) @ behind.to(full))  # rounded once
