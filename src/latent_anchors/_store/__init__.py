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
the old files or the new ones, and a reader gets one of the two. Temporary files of an interrupted
save are removed by the next one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as serialized
from torch import Tensor

from latent_anchors._store._encoding import Encoder
from latent_anchors._store._folder import STRUCTURE, read, write
from latent_anchors._store._loading_error import LoadingError as LoadingError
from latent_anchors._store._registry import (
    _registered as _registered,  # pyright: ignore[reportPrivateUsage] -- the one table of names
)
from latent_anchors._store._registry import register as register
from latent_anchors._store._round_trip import made


def save(thing: object, folder: str | Path) -> None:
    """Save a model of ours, population, penalty, term, objective, edit, timeline or fit.

    An interruption at any moment leaves the earlier files or the new ones whole. What could not be
    loaded again is refused before anything is written.

    Args:
        thing: What to save, or a mapping or sequence of such things.
        folder: Created if it does not exist; what was saved there before is replaced.

    Raises:
        TypeError: If something in it has no registered name; the message says what, and where.
        ValueError: If it could not be made again from what is saved.
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
    made(structure, encoder.tensors, f"This {type(thing).__name__} could not be loaded again")
    write(Path(folder), structure, lambda path: save_file(encoder.tensors, path))


def load(folder: str | Path, device: torch.device | str = "cpu") -> Any:
    """Load what was saved, by calling the constructors named there and no other code.

    Tensors come back as they were: their numbers and types, tied, frozen, in training mode or not.
    The global generator of random numbers is left alone.

    Args:
        folder: Where it was saved.
        device: Where its tensors go.

    Raises:
        FileNotFoundError: If nothing was saved there.
        ValueError: If a file is damaged, it was saved in another format, names a type that is not
            registered, or does not fit what its constructors make now. The message names the file,
            what is wrong and what to do.

    Examples:
        >>> import tempfile
        >>> from latent_anchors.regularizers import Anchor, Term
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(Term("anchor", Anchor([0, 1]), label="red"), folder)
        ...     load(folder).label
        'red'
    """
    structure, tensors = read(Path(folder))
    placed = {name: tensor.to(device) for name, tensor in tensors.items()}
    return made(structure, placed, Path(folder) / STRUCTURE)


def save_file(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write the file of tensors, which must not be there: nothing is followed or overwritten.

    What safetensors writes itself goes through a file of a random name, which would stay behind.
    """
    with path.open("xb") as file:
        file.write(serialized(dict(tensors)))
