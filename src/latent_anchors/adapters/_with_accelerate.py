"""A loop with accelerate: a schedule that may be prepared, and gradients of the whole batch."""

# accelerate has no types for others
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from itertools import islice
from typing import Any

from accelerate.state import GradientState
from torch import nn
from typing_extensions import override

from latent_anchors.adapters._whole_batch import Columns, Divisor, WholeBatch
from latent_anchors.training import Objective, TimelineLR


class PreparedTimelineLR(TimelineLR):
    """A :class:`~latent_anchors.training.TimelineLR` for ``accelerator.prepare``.

    The rate is ``timeline(step)`` with any number of processes and micro-batches: it goes on by one
    at each step of the optimizer, whereas accelerate steps other schedulers once for each process.
    ``accelerator.save_state`` saves it with the others.

    Args:
        args: As for :class:`~latent_anchors.training.TimelineLR`.
        kwargs: As for :class:`~latent_anchors.training.TimelineLR`.

    Examples:
        >>> import torch
        >>> from accelerate import Accelerator
        >>> from latent_anchors.curriculum import Keyframe, Timeline, Track
        >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(2, 0.1)])})
        >>> scheduler = PreparedTimelineLR(torch.optim.SGD([torch.zeros(1)], lr=1.0), timeline)
        >>> Accelerator(cpu=True).prepare(scheduler) is scheduler
        True
    """

    # accelerate puts what says so beside the schedulers it saves, and does not wrap it
    _is_accelerate_prepared = True  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride] -- a property there
    _made = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._made = True

    @override
    def step(self, epoch: int | None = None) -> None:
        """Go on by one step, unless gradients are still being accumulated.

        Args:
            epoch: Not used.

        Examples:
            >>> PreparedTimelineLR.step.__name__
            'step'
        """
        if not self._made or GradientState().sync_gradients:
            super().step()


def micro_batches(
    accelerator: Any,
    loader: Iterable[Columns],
    model: nn.Module,
    objective: Objective,
    divided_by: Mapping[str, Divisor] | None = None,
) -> Iterator[tuple[Any, WholeBatch]]:
    r"""Batches of a loader, and the objective with which their gradients are the whole batch's.

    It takes the place of ``accelerator.accumulate``: of the micro-batches of a step, the last one
    alone lets the optimizer step. The objective it yields is called with the batch, whose columns
    are labels and masks, and divides each part by the mean of the divisors over the step's
    micro-batches and processes,

    .. math:: L = \sum_k w_k \frac{\sum_b T_{kb}}{\sum_b D_{kb}}

    with the weighted sums :math:`T_{kb}` and divisors :math:`D_{kb}` of part :math:`k` in
    micro-batch :math:`b`, and the weights :math:`w_k`. Set penalties compare within a micro-batch.

    Args:
        accelerator: An ``accelerate.Accelerator``, whose ``gradient_accumulation_steps`` is the
            number of micro-batches of a step.
        loader: As the accelerator prepared it; batches are tensors by name ``(batch, ...)``.
        model: As the accelerator prepared it.
        objective: Terms and losses.
        divided_by: For each loss that is a mean over something else than samples, such as tokens,
            how many there are in a batch.

    Yields:
        A batch, and the objective to be called with it: ``objective(batch, latents=..., row=...,
        task=...)``.

    Raises:
        ValueError: If the objective has a ``reduce_mass`` of its own; or a term has neither label
            nor mask, and samples are not of one size.

    References:
        Li and others, *PyTorch Distributed: Experiences on Accelerating Data Parallel Training*
        (2020), for the average of gradients over processes.

    Examples:
        >>> import torch
        >>> from latent_anchors.regularizers import Anchor, Term
        >>> objective = Objective([Term("anchor", Anchor([1, 0]), label="red")])
        >>> loader = [{"x": torch.eye(2), "red": torch.tensor([0.0, 1.0])}]
        >>> from accelerate import Accelerator
        >>> accelerator, model = Accelerator(cpu=True), nn.Identity()
        >>> for batch, weigh in micro_batches(accelerator, loader, model, objective):
        ...     parts = weigh(batch, latents={"latent": model(batch["x"])}, row={"anchor": 1.0})
        ...     print(parts.total)
        tensor(1.)
    """
    whole, batches = WholeBatch(objective, divided_by), iter(loader)
    steps = accelerator.gradient_accumulation_steps
    while group := [*islice(batches, steps)]:
        whole.begin(group, averaged=steps)
        for left, batch in reversed([*enumerate(reversed(group))]):
            accelerator.sync_gradients = left == 0
            with accelerator.no_sync(model) if left else nullcontext():
                yield batch, whole
