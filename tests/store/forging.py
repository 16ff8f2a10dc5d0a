"""Savings of a careful forger: whatever they hold, their checksums are right."""

import hashlib
import json
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from latent_anchors._store._folder import FORMAT, STRUCTURE, TENSORS

PROVENANCE = {
    "versions": {"latent_anchors": "0.1.0", "torch": "2.6.0", "python": "3.11.7"},
    "sites": {"0": 3, "1": None},
    "model": "Sequential",
    "configuration": {"0": "Linear of 6 parameters"},
    "note": "By a forger.",
}


def forged(
    folder: Path,
    thing: object,
    tensors: dict[str, Tensor] | bytes | None = None,
    provenance: object = PROVENANCE,
) -> None:
    """Write a saving of this structure, with other tensors if they are given."""
    folder.mkdir(parents=True, exist_ok=True)
    if tensors is not None:
        data = tensors if isinstance(tensors, bytes) else save(tensors)
        (folder / TENSORS).write_bytes(data)
    elif not (folder / TENSORS).exists():
        (folder / TENSORS).write_bytes(save({}))
    digest = hashlib.sha256((folder / TENSORS).read_bytes()).hexdigest()
    content = {"format": FORMAT, "tensors": digest, "provenance": provenance, "thing": thing}
    plain = json.dumps(content, separators=(",", ":")).encode()
    signed = {**content, "checksum": hashlib.sha256(plain).hexdigest()}
    (folder / STRUCTURE).write_text(json.dumps(signed))


def thing_of(folder: Path) -> object:
    """The structure of a saving, to be changed."""
    return json.loads((folder / STRUCTURE).read_text())["thing"]
