"""The two files of a save folder, replaced atomically."""

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from safetensors.torch import load as parse_tensors
from torch import Tensor

from latent_anchors._store._loading_error import LoadingError

FORMAT = 2
STRUCTURE, TENSORS = "structure.json", "tensors.safetensors"
PARTS = tuple(f"{name}.part" for name in (STRUCTURE, TENSORS))
BESIDE = re.compile(r"tensors\.[0-9a-f]{64}\.safetensors")
ATTEMPTS = 100


def write(folder: Path, thing: object, write_tensors: Callable[[Path], object]) -> None:
    """Replace the files; an interruption at any moment leaves the old ones or the new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        _sweep(folder)
        try:
            _replace(folder, thing, write_tensors)
        finally:
            _sweep(folder)


def read(folder: Path) -> tuple[object, dict[str, Tensor]]:
    """Structure and tensors of the same save, even while another process saves."""
    if not (folder / STRUCTURE).exists():
        raise FileNotFoundError(
            f"{folder} holds no {STRUCTURE}; expected a folder that latent_anchors.save wrote. "
            "Mind the path."
        )
    structure = (folder / STRUCTURE).read_bytes()
    for _ in range(ATTEMPTS):
        content = _parsed(folder / STRUCTURE, structure)
        data = _tensors(folder, str(content["tensors"]))
        if data is not None:
            return content["thing"], _checked_tensors(folder / TENSORS, data)
        before, structure = structure, (folder / STRUCTURE).read_bytes()
        if structure == before:
            break
    raise LoadingError(
        folder / TENSORS, f"it is missing or damaged: its checksum is not the one in {STRUCTURE}."
    )


def _replace(folder: Path, thing: object, write_tensors: Callable[[Path], object]) -> None:
    structure, tensors = (folder / part for part in PARTS)
    write_tensors(tensors)
    _flush(tensors)
    with tensors.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    beside = folder / _beside(digest)
    os.replace(tensors, beside)
    with structure.open("x") as file:
        file.write(_unparsed({"format": FORMAT, "tensors": digest, "thing": thing}))
    _flush(structure)
    _flush(folder)
    os.replace(structure, folder / STRUCTURE)  # from here on the new files count
    _flush(folder)
    os.replace(beside, folder / TENSORS)
    _flush(folder)


def _unparsed(content: dict[str, object]) -> str:
    signed = {"format": content["format"], "checksum": _checksum(content), **content}
    return json.dumps(signed, indent=1) + "\n"


def _parsed(path: Path, text: bytes) -> dict[str, object]:
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
    if set(content) != {"format", "tensors", "thing"} or checksum != _checksum(content):
        raise LoadingError(path, "it is damaged or was changed: its checksum is another.")
    return content


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
        return _beside(str(_parsed(path, path.read_bytes())["tensors"]))
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
