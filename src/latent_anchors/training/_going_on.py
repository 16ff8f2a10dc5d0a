"""What a training was made of, in words: one that goes on is made of the same."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from latent_anchors._checks import listed
from latent_anchors._streams import BLOCK
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training._callbacks import Every
from latent_anchors.training._code import is_ours
from latent_anchors.training._draws import Draws
from latent_anchors.training._history import History
from latent_anchors.training._measuring import Measure, period
from latent_anchors.training._plan import Plan
from latent_anchors.training._play import Play
from latent_anchors.training._python_values import PLAIN, Values, digest_of_tensor
from latent_anchors.training._watching import NOTHING, Watched, look_at_the_parts

CODE = "the code of "


def made_of(
    watched: Watched, draws: Draws, plan: Plan | Play, measure: Measure | None, steps: int
) -> dict[str, str]:
    """Everything that is given to a training again, by where it stands, after so many steps.

    The same in each process. Of batches that are not this library's own, what they draw; of the
    timeline, its actions so far, since its values are in the history.
    """
    values = Values(digest_of_tensor, passing=False)
    look_at_the_parts(values, watched.objective, watched.losses, watched.constraint)
    if is_ours(type(draws.batches)):
        values.look("batches", draws.batches)
    values.look("measure", None if measure is None else period(measure))
    if isinstance(measure, Every):
        values.look("what is measured", measure.call)
    done = {step: [*plan.actions(step)] for step in range(steps) if plan.actions(step)}
    values.look("actions so far", repr(done))
    return {
        **_settings(watched, Values(digest_of_tensor, code=False, passing=False)),
        **{place: str(value) for place, value in values.found.items()},
        **_drawn(draws, steps),
    }


def _settings(watched: Watched, values: Values) -> dict[str, str]:
    """What the model holds beside the tensors that a population keeps."""
    kept = [*watched.model.parameters(), *watched.model.buffers()]
    values = Values(digest_of_tensor, code=False, passing=False, leave=kept)
    values.look("model", watched.model)
    return {place: str(value) for place, value in values.found.items()}


def _drawn(draws: Draws, steps: int) -> dict[str, str]:
    """Of the first run, its first block and the latest one, as far as it was played."""
    last = max(steps - 1, 0)
    first = draws.batches.block(draws.seeds[0], 0) if draws.followed is None else None
    latest = draws.at(last)[0].map(lambda tensor: tensor[: last % BLOCK + 1]) if steps else None
    found: dict[str, str] = {}
    for name, batch in (("first", first), ("latest", latest)):
        for part, tensor in _parts_of(batch).items():
            found[f"{part} of the {name} batches"] = digest_of_tensor(tensor)
    return found


def _parts_of(batch: LabeledBatch | None) -> dict[str, torch.Tensor]:
    if batch is None:
        return {}
    labels = {f"labels[{name!r}]": tensor for name, tensor in batch.labels.items()}
    extras = {f"extras[{name!r}]": tensor for name, tensor in batch.extras.items()}
    return {"inputs": batch.inputs, **labels, **extras}


def check_made_alike(given: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse to go on with other parts."""
    places = [*now, *(place for place in given if place not in now)]
    differ = [p for p in places if not _alike(p, given.get(p, NOTHING), now.get(p, NOTHING))]
    if differ:
        # what stands deepest says most: not that a list differs but in which place
        shown = [f"{p} was {given.get(p, NOTHING)} and is {now.get(p, NOTHING)}" for p in differ]
        more = f", and {len(differ) - 3} more" if len(differ) > 3 else ""
        raise ValueError(
            f"The training that goes on was made of something else: {'; '.join(shown[:3])}{more}; "
            "expected everything as it was when it stopped. Give the same again, and set what was "
            "changed on the way to where it stood; or begin a new training with its population."
        )


def _alike(place: str, given: str, now: str) -> bool:
    """Code is the same, or cannot be compared, since it is another Python's."""
    if given == now:
        return True
    versions = [words.partition(":")[0] for words in (given, now)]
    return place.startswith(CODE) and ":" in given and ":" in now and len(set(versions)) == 2


def check_played_alike(history: History, plan: Plan | Play, steps: int) -> None:
    """Refuse a timeline that would have had other values by now; later ones may differ."""
    now = plan.rows(0, steps)
    for index, name in enumerate(plan.names):
        wrong = (now[:, index] != history.rows[name][:steps].to(now)).any(-1).nonzero()
        if len(wrong):
            step = int(wrong[0])
            values = [rows.tolist() for rows in (history.rows[name][step], now[step, index])]
            raise ValueError(
                f"Track {name!r} was {listed(values[0])} at step {step} of the training that goes "
                f"on; the timeline has {listed(values[1])} there. Give one with the values that "
                f"were played; from step {steps} on it may differ."
            )


def check_settings_alike(
    kind: str, own: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]], driven: set[str]
) -> None:
    """Refuse an optimizer of other settings, but for those that the timeline writes."""
    for mine, other in zip(own, given, strict=True):
        for name in mine:
            if name in ("params", *driven) or not isinstance(mine[name], (*PLAIN, tuple, list)):
                continue
            if repr(_listed(mine[name])) != repr(_listed(other[name])):
                raise ValueError(
                    f"The training that goes on used {kind} with {name}={other[name]!r}; now it is "
                    f"{mine[name]!r}. Give the same optimizer."
                )


def _listed(setting: object) -> object:
    return [*setting] if isinstance(setting, tuple | list) else setting
