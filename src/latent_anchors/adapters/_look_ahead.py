"""The micro-batches of one of Lightning's optimizer steps, looked at before the first is used."""

# the types of Lightning are open in places
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Any, TypeAlias, cast

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.core.hooks import DataHooks
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors.regularizers import Term

Keys: TypeAlias = Mapping[str, str | int]
"""Where a batch holds each label and mask: a key, or a position in a tuple."""


HOOKS = ("on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer")


class LookAhead:
    """Takes batches that Lightning has not asked for yet, and puts them back in their order."""

    def __init__(self) -> None:
        self._source: Iterator[Any] = iter(())
        self._given: object = None

    def __call__(self, trainer: Trainer, count: int) -> list[Any]:
        """The next batches of the epoch, as many as there are, still to come for the trainer."""
        fetcher: Any = trainer.fit_loop._data_fetcher  # pyright: ignore[reportPrivateUsage] -- no public way to the batches to come
        if fetcher.iterator is not self._given:  # a new epoch
            self._source = _rest_of(fetcher.iterator)
        # where the loader has no length, Lightning holds one batch already
        held = cast("list[Any]", getattr(fetcher, "batches", []))
        taken = list(islice(self._source, max(count - len(held), 0)))
        fetcher.iterator = self._given = chain(taken, self._source)
        return [batch for batch, *_ in (*held, *taken)][:count]


def _rest_of(source: Iterator[Any]) -> Iterator[Any]:
    """What has not been taken yet; Lightning's own iterator starts anew if it is iterated."""
    with suppress(StopIteration):
        while True:
            yield next(source)


def keys_of(terms: Iterable[Term], given: Keys) -> dict[str, str | int]:
    """Where each label and mask of the terms is: under its own name, unless it was said."""
    needed = {name for term in terms for name in (term.label, term.mask) if name}
    unused = sorted({*given} - needed)
    if unused:
        raise ValueError(
            f"columns names {listed(unused)}, which no term reads; expected some of "
            f"{listed(sorted(needed))}, the labels and masks of the objective."
        )
    return {name: given.get(name, name) for name in sorted(needed)}


def columns_of(batch: object, keys: Keys, device: torch.device) -> dict[str, Tensor]:
    """Labels and masks by name on a device, and stand-ins of the shapes of the other tensors."""
    found = {name: _tensor(batch, name, key).to(device) for name, key in keys.items()}
    blank = torch.zeros((), device=device)
    others = [x for x in _parts(batch) if isinstance(x, Tensor) and x.ndim > 0]
    return found | {f"part {at}": blank.expand(x.shape) for at, x in enumerate(others)}


def check_same(seen: Mapping[str, Tensor], now: Mapping[str, Tensor], keys: Keys) -> None:
    """Refuse labels and masks that are others than when they were counted."""
    for name in keys:
        if not (seen[name].shape == now[name].shape and torch.equal(seen[name], now[name])):
            raise ValueError(
                f"Label or mask {name!r} was changed by a hook for the transfer of batches after "
                "the batches of the step were counted; expected it as the loader gives it. Change "
                "it in the data set or in collate_fn."
            )


def transforms_batches(trainer: Trainer) -> bool:
    """Whether a hook may change a batch after it was looked at."""
    owners = [trainer.lightning_module, getattr(trainer, "datamodule", None)]
    return any(is_overridden(hook, owner, DataHooks) for owner in owners if owner for hook in HOOKS)


def _parts(batch: object) -> Iterable[object]:
    if isinstance(batch, Mapping):
        return cast("Mapping[object, object]", batch).values()
    return cast("Sequence[object]", batch) if isinstance(batch, Sequence) else [batch]


def _tensor(batch: Any, name: str, key: str | int) -> Tensor:
    try:
        return torch.as_tensor(batch[key])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        held = listed(batch) if isinstance(batch, Mapping) else f"{len([*_parts(batch)])} parts"
        raise KeyError(
            f"The batch, a {type(batch).__name__} of {held}, has no tensor at {key!r} for the "
            f"label or mask {name!r}; expected one. Say where it is: columns={{{name!r}: 2}} for "
            "the third part of a tuple, or a key."
        ) from error
