"""Any optimizer under a row: its settings are written into its parameter groups."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from latent_anchors._checks import check_between, check_finite, check_name, listed, unknown

LR = "lr"


def apply_hyperparameters(
    optimizer: Optimizer, row: Mapping[str, float], names: Iterable[str] | None = None
) -> None:
    """Write values of a row into an optimizer's settings, before its step.

    A setting has the row's value in every group of parameters. Groups that differ in it are
    refused: a rate of decay that spares the biases would no longer do so. All is checked before
    anything is written.

    Args:
        optimizer: Whichever; its settings are those of its groups, such as ``"lr"``,
            ``"momentum"`` or ``"weight_decay"``, if they are plain numbers.
        row: Such as ``timeline(step)``.
        names: Which of the row's values; all of them if None.

    Raises:
        ValueError: If the row has no value of that name, or one that is not finite, or a negative
            learning rate; if a group has no such setting, or one that is no plain number; or if
            groups differ in it.

    Examples:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
        >>> apply_hyperparameters(optimizer, {"lr": 0.01, "anchor": 2.0}, ["lr"])
        >>> optimizer.param_groups[0]["lr"]
        0.01
    """
    chosen = tuple(row if names is None else names)
    for name in chosen:
        check_name("value of the row", name, tuple(row))
        check_value(name, row[name])
        check_setting(optimizer, name)
    for name in chosen:
        for group in optimizer.param_groups:
            write(group, name, row[name])


def check_value(name: str, value: float) -> None:
    """Refuse what no optimizer should be given."""
    check_finite(name, value)
    if name == LR:
        check_between(name, value, 0.0, math.inf)


def check_setting(optimizer: Optimizer, name: str) -> None:
    """Refuse what is no number that all groups have in common."""
    numbers = [
        key
        for key in optimizer.param_groups[0]
        if all(is_number(group.get(key)) for group in optimizer.param_groups)
    ]
    if name not in numbers:
        kind = f"setting of {type(optimizer).__name__} that is a plain number,"
        raise ValueError(unknown(kind, name, numbers))
    values = [float(group[name]) for group in optimizer.param_groups]
    if len(set(values)) > 1:
        raise ValueError(
            f"The optimizer's groups differ in {name!r}: {listed(values)}; expected one value, as "
            "a row has one for all. Write it into each group yourself, or make one optimizer for "
            "each group."
        )


def is_number(setting: object) -> bool:
    """Whether a setting is a number, or a tensor that holds one, and no switch."""
    if isinstance(setting, Tensor):
        return setting.numel() == 1
    return isinstance(setting, int | float) and not isinstance(setting, bool)


def write(group: dict[str, Any], name: str, value: float | Tensor) -> None:
    """A tensor keeps its place, because a captured step reads it there."""
    if isinstance(group[name], Tensor):
        group[name].fill_(value)
    else:
        group[name] = value
