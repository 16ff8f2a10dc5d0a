"""One way to save: a folder with ``structure.json`` and ``tensors.safetensors``. No pickle.

The structure gives each thing's type, by its public name, and the arguments that it was made with;
loading calls those constructors and runs no other code. It also holds a checksum of itself and one
of the tensors.

Two files cannot be replaced at once. So the new tensors are written beside the old ones, under a
name with their checksum (``tensors.<checksum>.safetensors``); then ``structure.json`` is replaced,
which is the moment at which the new files take effect; then the tensors
get their own name. Each step is on the disk before the next one. Loading looks for the tensors
with the checksum that the structure names, first beside, then under their own name, and begins
anew if the structure was replaced meanwhile. So whatever dies at whatever moment, the folder holds
the old files or the new ones, and a reader gets one of the two. A card is written beside and gets
its name last; if that is what an interruption left out, the next save makes up for it. Temporary
files of an interrupted save are removed by the next one.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as serialized
from torch import Tensor, nn

from latent_anchors._store._card import card as card_of
from latent_anchors._store._encoding import Encoder
from latent_anchors._store._folder import STRUCTURE, Description, read, read_provenance, write
from latent_anchors._store._loading_error import LoadingError as LoadingError
from latent_anchors._store._provenance import Provenance, differences, provenance_of, sites_in
from latent_anchors._store._registry import (
    _registered as _registered,  # pyright: ignore[reportPrivateUsage] -- the one table of names
)
from latent_anchors._store._registry import register as register
from latent_anchors._store._round_trip import check_alike, made


def save(
    thing: object,
    folder: str | Path,
    *,
    model: nn.Module | None = None,
    note: str = "",
    card: bool = False,
) -> None:
    """Save a concept, penalty, term, objective, edit, timeline or fit, or a model of ours.

    An interruption at any moment leaves the earlier files or the new ones whole. What could not be
    loaded again is refused before anything is written. Versions, sites and widths are saved, too;
    see :func:`provenance`.

    Args:
        thing: What to save, or a mapping or sequence of such things.
        folder: Created if it does not exist; what was saved there before is replaced.
        model: The model that it is for, which is not saved: its class and configuration are, so
            that :func:`load` can compare another model with it.
        note: Free text, such as where the data come from.
        card: Whether to write a ``README.md`` that says what it is and how to load it, so that the
            folder can be put on a hub as it is. One that was edited, or that is somebody else's, is
            not replaced.

    Raises:
        TypeError: If something in it has no registered name; the message says what, and where.
        ValueError: If it could not be made again from what is saved, does not fit the model, or a
            card would replace another file.
        OSError: If it cannot be written.

    Examples:
        >>> import tempfile
        >>> from latent_anchors.interventions import Suppression
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(Suppression([1, 0], strength=0.5), folder)
        ...     load(folder)
        Suppression(falloff=BoundedFalloff(threshold=0.0, power=0.0), strength=0.5)
    """
    encoder = Encoder()
    structure = encoder.encode(thing, type(thing).__name__)
    words = f"This {type(thing).__name__} could not be loaded again"
    _, again = made(structure, encoder.tensors, words)
    check_alike(encoder.things, again)
    provenance = provenance_of(encoder.things, _model(model), _text(note))
    _check_fits(provenance, encoder.things, model, f"This {type(thing).__name__}")
    written = card_of(structure, provenance) if card else None
    content = Description(structure, provenance)
    write(Path(folder), content, lambda path: save_file(encoder.tensors, path), written)


def load(
    folder: str | Path,
    device: torch.device | str = "cpu",
    *,
    model: nn.Module | None = None,
) -> Any:
    """Load what was saved, by calling the constructors named there and no other code.

    Tensors come back as they were: their numbers and types, tied, frozen, in training mode or not.
    The global generator of random numbers is left alone. Other files in the folder, such as a card
    or what a hub puts there, are not read.

    Args:
        folder: Where it was saved.
        device: Where its tensors go.
        model: The model on which to use it. It must have the sites, at their widths, and the class
            and configuration of the one that :func:`save` was given, if it was. Without it, nothing
            is compared.

    Raises:
        FileNotFoundError: If nothing was saved there.
        ValueError: If a file is damaged, it was saved in another format, names a type that is not
            registered, or does not fit what its constructors make now. The message names the file,
            what is wrong and what to do. Or if the model is another than the one that it is for.

    Examples:
        >>> import tempfile
        >>> from latent_anchors.regularizers import Anchor, Term
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(Term("anchor", Anchor([0, 1]), label="red"), folder)
        ...     load(folder).label
        'red'
    """
    content, tensors = read(Path(folder))
    placed = {name: tensor.to(device) for name, tensor in tensors.items()}
    thing, things = made(content.thing, placed, Path(folder) / STRUCTURE)
    _check_fits(content.provenance, things, _model(model), Path(folder) / STRUCTURE)
    return thing


def provenance(folder: str | Path) -> Provenance:
    """Where a saving comes from: versions, sites, the model that it is for, and a note.

    Nothing is made, and the tensors are not read.

    Args:
        folder: Where it was saved.

    Raises:
        FileNotFoundError: If nothing was saved there.
        ValueError: If the structure is damaged, or was saved in another format.

    Examples:
        >>> import tempfile
        >>> from latent_anchors.regularizers import Anchor, Term
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(Term("anchor", Anchor([0, 1]), at="encoder.3"), folder, note="A try.")
        ...     provenance(folder).sites
        {'encoder.3': 2}
    """
    return read_provenance(Path(folder))


def _text(note: object) -> str:
    if isinstance(note, str):
        return note
    raise TypeError(
        f"note is of type {type(note).__name__}; expected text. Use str(note) or json.dumps."
    )


def _model(model: object) -> nn.Module | None:
    if isinstance(model, nn.Module | None):
        return model
    raise TypeError(
        f"model is of type {type(model).__name__}; expected an nn.Module: the model that it is "
        "for. Leave it out to save or load without one."
    )


def _check_fits(
    provenance: Provenance, things: Iterable[object], model: nn.Module | None, place: object
) -> None:
    """Raise if this is another model than the one that it was saved for, or lacks the sites."""
    other = [] if model is None else differences(provenance, sites_in(things), model)
    if other:
        raise LoadingError(
            place,
            f"it does not fit this model: {'; '.join(other)}.",
            "Leave out model= to use it there all the same, or give the model that it is for.",
        )


def save_file(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write the file of tensors, which must not be there: nothing is followed or overwritten.

    What safetensors writes itself goes through a file of a random name, which would stay behind.
    """
    with path.open("xb") as file:
        file.write(serialized(dict(tensors)))
