"""The two files of a save folder, and its card, replaced atomically."""

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from safetensors.torch import load as parse_tensors
from torch import Tensor

from latent_anchors._records import plain
from latent_anchors._store._card import CARD, is_card
from latent_anchors._store._loading_error import LoadingError
from latent_anchors._store._provenance import Provenance, parsed

FORMAT = 3
STRUCTURE, TENSORS = "structure.json", "tensors.safetensors"
PARTS = tuple(f"{name}.part" for name in (STRUCTURE, TENSORS, CARD))
BESIDE = re.compile(r"tensors\.[0-9a-f]{64}\.safetensors")
ATTEMPTS = 100
KEYS = {"format", "tensors", "provenance", "thing"}
"""What a structure holds, besides its checksum."""


@dataclass(frozen=True)
class Description:
    """What the structure holds: how to make the thing again, and where it comes from."""

    thing: object
    provenance: Provenance


def write(
    folder: Path,
    content: Description,
    write_tensors: Callable[[Path], object],
    card: bytes | None = None,
) -> None:
    """Replace the files; an interruption at any moment leaves the old ones or the new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        _sweep(folder)
        if card is not None:
            _check_card(folder / CARD)
        try:
            _replace(folder, content, write_tensors, card)
        finally:
            _sweep(folder)


def read(folder: Path) -> tuple[Description, dict[str, Tensor]]:
    """Structure and tensors of the same save, even while another process saves."""
    structure = _read_structure(folder)
    for _ in range(ATTEMPTS):
        digest, content = _parsed(folder / STRUCTURE, structure)
        data = _tensors(folder, digest)
        if data is not None:
            return content, _checked_tensors(folder / TENSORS, data)
        before, structure = structure, (folder / STRUCTURE).read_bytes()
        if structure == before:
            break
    raise LoadingError(
        folder / TENSORS, f"it is missing or damaged: its checksum is not the one in {STRUCTURE}."
    )


def read_provenance(folder: Path) -> Provenance:
    """Where a saving comes from; its tensors are not looked at."""
    return _parsed(folder / STRUCTURE, _read_structure(folder))[1].provenance


def _read_structure(folder: Path) -> bytes:
    if not (folder / STRUCTURE).exists():
        raise FileNotFoundError(
            f"{folder} holds no {STRUCTURE}; expected a folder that latent_anchors.save wrote. "
            "Mind the path."
        )
    return (folder / STRUCTURE).read_bytes()


def _replace(
    folder: Path,
    content: Description,
    write_tensors: Callable[[Path], object],
    card: bytes | None,
) -> None:
    structure, tensors, readme = (folder / part for part in PARTS)
    write_tensors(tensors)
    _flush(tensors)
    with tensors.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    beside = folder / _beside(digest)
    os.replace(tensors, beside)
    _put(structure, _unparsed(digest, content))
    if card is not None:
        _put(readme, card)
    _flush(folder)
    os.replace(structure, folder / STRUCTURE)  # from here on the new files count
    _flush(folder)
    os.replace(beside, folder / TENSORS)
    if card is not None:
        os.replace(readme, folder / CARD)
    elif _has_card(folder / CARD):
        (folder / CARD).unlink()  # it is of what was saved before
    _flush(folder)


def _put(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
    _flush(path)


def _has_card(path: Path) -> bool:
    """Whether there is a card that nobody edited."""
    return path.is_file() and is_card(path.read_bytes())


def _check_card(path: Path) -> None:
    """Raise if what would be overwritten is somebody's own."""
    if path.exists() and not _has_card(path):
        raise ValueError(
            f"{path} is no card that latent_anchors.save wrote, or was edited since; expected none "
            "with card=True, which would replace it. Rename it, or leave out card=True."
        )


def _unparsed(digest: str, content: Description) -> bytes:
    written = {
        "format": FORMAT,
        "tensors": digest,
        "provenance": plain(content.provenance),
        "thing": content.thing,
    }
    signed = {"format": FORMAT, "checksum": _checksum(written), **written}
    return (json.dumps(signed, indent=1) + "\n").encode()


def _parsed(path: Path, text: bytes) -> tuple[str, Description]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LoadingError(path, f"it is no JSON ({error}).") from error
    if not isinstance(content, dict):
        raise LoadingError(path, "it is no object of JSON.")
    content = cast("dict[str, Any]", content)
    if content.get("format", FORMAT) != FORMAT:
        raise LoadingError(
            path,
            f"it was saved in format {content['format']!r}; this version reads {FORMAT}.",
            "Use the version of latent_anchors that wrote it, or save it again.",
        )
    checksum = content.pop("checksum", None)
    if set(content) != KEYS or checksum != _checksum(content):
        raise LoadingError(path, "it is damaged or was changed: its checksum is another.")
    provenance = parsed(content["provenance"])
    if provenance is None:
        raise LoadingError(
            path, f"its provenance is {content['provenance']!r}, which no save writes."
        )
    return str(content["tensors"]), Description(content["thing"], provenance)


def _checksum(content: dict[str, object]) -> str:
    """Checksum of the content, independent of its formatting."""
    try:
        return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
    except RecursionError:
        return ""


def _tensors(folder: Path, digest: str) -> bytes | None:
    # in this order: it is written beside before it replaces the earlier one
    for name in (_beside(digest), TENSORS):
        with suppress(OSError, ValueError):
            data = (folder / name).read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                return data
    return None


def _checked_tensors(path: Path, data: bytes) -> dict[str, Tensor]:
    try:
        return parse_tensors(data)
    except Exception as error:  # what the library raises depends on the damage
        raise LoadingError(path, f"it holds no tensors ({error!r}).") from error


def _sweep(folder: Path) -> None:
    """Remove temporary files that interrupted saves left."""
    needed = _needed(folder)
    for path in folder.iterdir():
        left = BESIDE.fullmatch(path.name) and path.name != needed and needed != ""
        if path.name in PARTS or left:
            with suppress(OSError):
                path.unlink()


def _needed(folder: Path) -> str | None:
    """The temporary file that the present structure may need; empty if unknown."""
    path = folder / STRUCTURE
    if not path.exists():
        return None
    try:
        return _beside(_parsed(path, path.read_bytes())[0])
    except (OSError, LoadingError):
        return ""


def _beside(digest: str) -> str:
    return f"tensors.{digest}.safetensors"


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Hold a lock on the folder, where the file system has locks."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        with suppress(OSError):  # a process that was forked meanwhile would hold it
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _flush(path: Path) -> None:
    """Flush a file, or a folder's entries, to the disk."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
