"""Optimizers over stacked runs: checked for mixing runs, with hyperparameters from a row."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from inspect import Parameter, signature
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

from latent_anchors._checks import listed

MakeOptimizer: TypeAlias = Callable[[Iterable[Tensor]], Optimizer]
"""Parameters to an optimizer, such as ``torch.optim.Adam`` itself."""


def check_separable(make: MakeOptimizer) -> None:
    """Refuse an optimizer that mixes runs, tried on two tiny runs, stacked and apart."""
    try:
        together = _trial(make, [0, 1])
        apart = torch.cat([_trial(make, [run]) for run in (0, 1)])
    except Exception as error:
        raise ValueError(
            f"The optimizer {_name(make)} cannot train runs as one stack ({error}). Use one that "
            f"treats each number by itself, such as Adam or SGD{_otherwise(make)}."
        ) from error
    if not torch.allclose(together, apart, rtol=1e-5, atol=1e-7):
        raise ValueError(
            f"The optimizer {_name(make)} mixes runs: two trained as one stack end elsewhere than "
            "apart. Use one that treats each number by itself, such as Adam or SGD, or "
            "execution='sequential'."
        )


def check_steps_alone(optimizer: Optimizer) -> None:
    """Refuse an optimizer that asks for the loss again, several times in a step."""
    closure = signature(type(optimizer).step).parameters.get("closure")
    if closure is not None and closure.default is Parameter.empty:
        raise ValueError(
            f"{type(optimizer).__name__}.step needs a closure; expected an optimizer that steps on "
            "gradients alone, such as Adam or SGD. Use it in a loop of your own, in which the "
            "closure calls backward() on the total of an Objective."
        )


def check_per_run(name: str, differs: bool, make: MakeOptimizer) -> None:
    """Refuse a hyperparameter that differs between runs, but for a learning rate that scales."""
    if differs and (name != "lr" or not _scales(make)):
        raise ValueError(
            f"Track {name!r} differs between runs that are trained together; expected that of "
            "weights only, and of 'lr' where updates are proportional to it, which those of "
            f"{_name(make)} have to be. Use execution='sequential'."
        )


def _otherwise(make: MakeOptimizer) -> str:
    """What else to do, if that would do."""
    try:
        _trial(make, [0], per_run=False)
    except Exception:
        return ""
    return ", or execution='sequential'"


def _scales(make: MakeOptimizer) -> bool:
    rates = torch.tensor([0.1, 0.3])
    together = _trial(make, [0, 1], rates)
    apart = torch.cat([_trial(make, [run], rates) for run in (0, 1)])
    return torch.allclose(together, apart, rtol=1e-5, atol=1e-7)


def _trial(
    make: MakeOptimizer, runs: list[int], rates: Tensor | None = None, per_run: bool = True
) -> Tensor:
    """Three steps of tiny runs with gradients of very different sizes."""
    start = torch.linspace(-1.0, 1.0, 24, dtype=torch.float64).reshape(2, 3, 4)
    steep = torch.linspace(1.0, 9.0, 12).reshape(3, 4)
    slopes = torch.stack([torch.full((3, 4), 0.01), steep]).to(start)
    rows: list[int] | int = runs if per_run else runs[0]
    matrix = start[rows].clone().requires_grad_()
    vector = start[rows, 0].clone().requires_grad_()
    driven = DrivenOptimizer(make([matrix, vector]), per_run)
    check_steps_alone(driven.optimizer)
    for step in range(3):
        matrix.grad, vector.grad = slopes[rows] * matrix.detach(), slopes[rows, 0].clone()
        driven.step({} if rates is None else {"lr": rates[runs] * (1 + step)})
    return torch.cat([matrix.detach().flatten(-2), vector.detach()], dim=-1)


def _name(make: MakeOptimizer) -> str:
    return getattr(make, "__name__", repr(make))


def write(group: dict[str, Any], name: str, value: float | Tensor) -> None:
    """Set a hyperparameter; a tensor keeps its place, because a captured step reads it there."""
    if isinstance(group[name], Tensor):
        group[name].fill_(value)
    else:
        group[name] = value


class DrivenOptimizer:
    """An optimizer whose hyperparameters are written from a row before each step.

    A learning rate for each run scales the update instead, which is linear in it.
    """

    def __init__(self, optimizer: Optimizer, per_run: bool) -> None:
        self.optimizer, self.per_run = optimizer, per_run

    def step(self, row: Mapping[str, Tensor]) -> None:
        """One update of the parameters; ``row`` holds values ``(runs,)`` on the CPU."""
        rates = row.get("lr")
        scaled = self.per_run and rates is not None and bool((rates != rates[0]).any())
        for name, values in row.items():
            for group in self.optimizer.param_groups:
                write(group, name, 1.0 if scaled and name == "lr" else float(values[0]))
        if not scaled or rates is None:
            self.optimizer.step()
            return
        before = [p.detach().clone() for p in self._parameters()]
        self.optimizer.step()
        with torch.no_grad():
            for parameter, start in zip(self._parameters(), before, strict=True):
                rate = rates.to(parameter).view(-1, *[1] * (parameter.ndim - 1))
                parameter.copy_(start + rate * (parameter - start))

    def recall(self, state: Mapping[str, Any], driven: Collection[str] = ()) -> None:
        """Go on from a state that another of its kind was in, which wrote some settings."""
        own, given = self.optimizer.param_groups, state["param_groups"]
        settings, others = ([{*group} for group in groups] for groups in (own, given))
        if settings != others:
            raise ValueError(
                f"The training that goes on used an optimizer with {len(others)} groups and the "
                f"settings {listed(sorted(others[0]))}; {type(self.optimizer).__name__} has "
                f"{len(settings)} and {listed(sorted(settings[0]))}. Give the same optimizer."
            )
        self._check_settings(given, driven)
        self.restore(state)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state of this optimizer's own, which stays as it is."""
        # torch keeps the given tensors and writes into them
        self.optimizer.load_state_dict(deepcopy(dict(state)))
        # and casts them to the parameters' type, which a float32 copy of half precision is not
        for number, parameter in enumerate(self._parameters()):
            for name, kept in state["state"].get(number, {}).items():
                own = self.optimizer.state[parameter]
                if isinstance(kept, Tensor) and kept.dtype != own[name].dtype:
                    own[name] = kept.clone().to(own[name].device)

    def _check_settings(self, given: Sequence[Mapping[str, Any]], driven: Collection[str]) -> None:
        """Refuse other settings than those it went with, but for those that are written anyway."""
        for own, others in zip(self.optimizer.param_groups, given, strict=True):
            for name in own.keys() - {"params", *driven}:
                mine, other = _in_words(own[name]), _in_words(others[name])
                if mine != other:
                    raise ValueError(
                        f"The training that goes on used {type(self.optimizer).__name__} with "
                        f"{name}={other}, and now it is {mine}; expected the same. Give the same "
                        "optimizer."
                    )

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]


def _in_words(setting: object) -> str:
    """The same for a list and a tuple, which a saving does not tell apart, and for tensors."""
    if isinstance(setting, Tensor):
        return repr(cast("object", setting.tolist()))
    if isinstance(setting, list | tuple):
        return repr([*cast("Sequence[object]", setting)])
    return repr(setting)
