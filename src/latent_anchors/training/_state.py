"""What a training has in mind beside its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True, eq=False)
class TrainState:
    """What it takes to go on with a training, beside its population and history.

    Attributes:
        step: How many steps are done.
        execution: How its runs are executed.
        optimizers: The state of each optimizer: one for all runs together, or one for each.
        noise: The state ``(bytes,)`` of the generator beside each optimizer.
        memory: What losses remember of each run, by name ``(runs, ...)``.
        playheads: The state of each playhead.
        made_of: What the training was made of, in words, by where it stands.

    Examples:
        >>> TrainState(0, "vmap", (), (), {}, (), {}).step
        0
    """

    step: int
    execution: str
    optimizers: Sequence[Mapping[str, Any]]
    noise: Sequence[Tensor]
    memory: Mapping[str, Tensor]
    playheads: Sequence[Mapping[str, Any]]
    made_of: Mapping[str, str]
