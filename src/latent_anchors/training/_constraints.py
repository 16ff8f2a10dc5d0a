"""Constraints on a run's parameters, applied after each step, such as rows of length 1."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

from latent_anchors._checks import check_name
from latent_anchors._runs import StackedRuns, tensors_of
from latent_anchors.training._fit.fx_passes import tidy
from latent_anchors.training._fit.trace import Backend, Outside, outside_of, run_by, trace

Constraint: TypeAlias = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
"""Parameters and buffers of one run in, those parameters that change out; pure and idempotent."""


def constrain(model: nn.Module, constraint: Constraint) -> None:
    """Apply a constraint to a model's parameters, after an optimizer's step.

    For your own loop; :func:`fit` does it by itself. The constraint sees one run at a time:
    it is mapped over the runs of a population. Frozen parameters and buffers it may read, but they
    stay as they are.

    Args:
        model: A model, or a population.
        constraint: From one run's parameters and buffers by name to the parameters that change.

    Raises:
        ValueError: If the constraint returns a name that the model does not have, or a parameter
            of another shape.
        RuntimeError: If it cannot be mapped over runs.

    Examples:
        >>> model = nn.Linear(2, 1, bias=False)
        >>> constrain(model, lambda parameters: {"weight": parameters["weight"].clamp(0, 0)})
        >>> model.weight.tolist()
        [[0.0, 0.0]]
    """
    hold(constraint, tensors_of(model), stacked=isinstance(model, StackedRuns))


def hold(constraint: Constraint, tensors: Mapping[str, Tensor], stacked: bool) -> None:
    """Write what a constraint makes of tensors ``(...)``, or stacked ``(runs, ...)``, into them."""
    given = {name: tensor.detach() for name, tensor in tensors.items()}
    with torch.no_grad():
        _write(_changed(constraint, given, stacked), tensors)


def holder(
    constraint: Constraint, tensors: Mapping[str, Tensor], backend: Backend
) -> tuple[Callable[[], None], Outside]:
    """The same for stacked tensors that stay where they are, traced: to be called at each step.

    Beside it what the trace takes from outside, which holds until that changes.
    """
    given = {name: tensor.detach() for name, tensor in tensors.items()}
    names: list[str] = []

    def changed(*leaves: Tensor) -> list[Tensor]:
        new = _changed(constraint, dict(zip(given, leaves, strict=True)), stacked=True)
        names[:] = new
        return [*new.values()]

    with torch.no_grad():
        traced = trace(changed, [*given.values()])
        outside = outside_of(traced)
        tidy(traced)
        run = run_by(backend, traced, [*given.values()], [])

    def hold() -> None:
        with torch.no_grad():
            _write(dict(zip(names, run(*given.values()), strict=True)), tensors)

    return hold, outside


def _changed(
    constraint: Constraint, given: dict[str, Tensor], stacked: bool
) -> Mapping[str, Tensor]:
    changed = _mapped(constraint, given) if stacked else constraint(given)
    for name, new in changed.items():
        _check(name, new, given, stacked)
    return changed


def _write(changed: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    for name, new in changed.items():
        if tensors[name].requires_grad:
            tensors[name].copy_(new)


def _mapped(constraint: Constraint, given: dict[str, Tensor]) -> Mapping[str, Tensor]:
    try:
        return torch.vmap(constraint)(given)
    except RuntimeError as error:
        raise RuntimeError(
            f"The constraint cannot be mapped over runs: {error} Replace if, while and .item() by "
            "torch.where, or use execution='sequential', which trains one run after another."
        ) from error


def _check(name: str, new: Tensor, given: Mapping[str, Tensor], stacked: bool) -> None:
    check_name("parameter returned by the constraint", name, list(given))
    if new.shape != given[name].shape:
        shapes = [
            tuple(tensor.shape[1:] if stacked else tensor.shape) for tensor in (new, given[name])
        ]
        raise ValueError(
            f"The constraint made {name!r} {shapes[0]}; expected {shapes[1]}, as it was. "
            "Return parameters of one run in their own shapes."
        )
