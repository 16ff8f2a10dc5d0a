"""Check that a training is resumed with the same parts: their values, in words and digests."""

from collections.abc import Mapping

from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors._streams import BLOCK
from latent_anchors.data import LabeledBatch
from latent_anchors.training._callbacks import Every
from latent_anchors.training._fit.batch_blocks import BatchBlocks
from latent_anchors.training._fit.measure import Measure, period
from latent_anchors.training._fit.schedule import Schedule
from latent_anchors.training._history import History
from latent_anchors.training._python_state.code_digest import is_ours
from latent_anchors.training._python_state.python_values import Values, digest_of_tensor
from latent_anchors.training._python_state.watched import NOTHING, Watched, look_at_the_parts

CODE = "the code of "
MOST = 3
"""Differences that an error names."""


def made_of(
    watched: Watched, blocks: BatchBlocks, schedule: Schedule, measure: Measure | None, steps: int
) -> dict[str, str]:
    """Everything that is given to a training again, by where it stands, after so many steps.

    The same in each process. Of batches that are not this library's own, what they draw; of the
    timeline, its actions so far, since its values are in the history.
    """
    values = Values(digest_of_tensor, passing=False)
    look_at_the_parts(values, watched.objective, watched.losses, watched.constraint)
    if is_ours(type(blocks.batches)):
        values.look("batches", blocks.batches)
    values.look("the period of measure", None if measure is None else period(measure))
    if isinstance(measure, Every):
        values.look("what is measured", measure.call)
    values.look("actions so far", repr(_actions(schedule, steps)))
    found = {place: str(value) for place, value in values.found.items()}
    return {**_settings(watched), **found, **_drawn(blocks, steps)}


def _settings(watched: Watched) -> dict[str, str]:
    """Plain values of the model; its tensors are a population's, or were left by a forward pass."""
    kept = [*watched.model.parameters(), *watched.model.buffers()]
    values = Values(lambda _: None, code=False, passing=False, leave=kept)
    values.look("model", watched.model)
    return {place: str(value) for place, value in values.found.items() if value is not None}


def _actions(schedule: Schedule, steps: int) -> list[tuple[int, tuple[str, ...]]]:
    planned = sorted(schedule.actions_by_step.items())
    return [(step, tuple(names)) for step, names in planned if step < steps]


def _drawn(blocks: BatchBlocks, steps: int) -> dict[str, str]:
    """The latest block of the first run, as far as it was played."""
    if not steps:
        return {}
    played = slice((steps - 1) % BLOCK + 1)
    latest = blocks.at(steps - 1)[0].map(lambda tensor: tensor[played])
    return {
        f"{part} of the latest batches": digest_of_tensor(tensor)
        for part, tensor in _parts_of(latest).items()
    }


def _parts_of(batch: LabeledBatch) -> dict[str, Tensor]:
    labels = {f"labels[{name!r}]": tensor for name, tensor in batch.labels.items()}
    extras = {f"extras[{name!r}]": tensor for name, tensor in batch.extras.items()}
    return {"inputs": batch.inputs, **labels, **extras}


def check_made_alike(given: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse to go on with other parts."""
    places = [*now, *(place for place in given if place not in now)]
    differ = [p for p in places if not _alike(p, given.get(p, NOTHING), now.get(p, NOTHING))]
    if differ:
        shown = [
            f"{place} was {given.get(place, NOTHING)} and is {now.get(place, NOTHING)}"
            for place in differ[:MOST]
        ]
        more = f", and {len(differ) - MOST} more differ" if len(differ) > MOST else ""
        raise ValueError(
            f"The training that goes on was made of something else: {'; '.join(shown)}{more}; "
            "expected everything as it was when it stopped. Give the same again, and set what was "
            "changed on the way as it was then; or begin a new training with fit.population."
        )


def _alike(place: str, given: str, now: str) -> bool:
    """Code of another version of Python cannot be compared."""
    if given == now:
        return True
    versions = {words.partition(":")[0] for words in (given, now) if ":" in words}
    return place.startswith(CODE) and len(versions) == 2


def check_played_alike(history: History, schedule: Schedule, steps: int) -> None:
    """Refuse a timeline that would have had other values by now; later ones may differ."""
    now = schedule.rows(0, min(steps, schedule.steps))
    for index, name in enumerate(schedule.names):
        given = history.rows[name][: len(now)].to(now)
        wrong = (now[:, index] != given).any(-1).nonzero()
        if len(wrong):
            step = int(wrong[0])
            _refuse_played(name, step, given[step], now[step, index], steps)


def _refuse_played(name: str, step: int, given: Tensor, now: Tensor, steps: int) -> None:
    raise ValueError(
        f"Track {name!r} was {_numbers(given)} at step {step} of the training that goes on; the "
        f"timeline has {_numbers(now)} there. Give one with the values that were played; from step "
        f"{steps} on it may differ."
    )


def _numbers(values: Tensor) -> str:
    return listed([float(value) for value in values])
