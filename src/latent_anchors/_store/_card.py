"""A model card for a save folder: what is in it and how to load it, as a hub shows it."""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, cast

from latent_anchors._store._provenance import Provenance
from latent_anchors._store._registry import module_of

CARD = "README.md"
MARK = "<!-- latent_anchors.save replaces this card unless it was edited: {} -->\n"
MARKED = re.compile(re.escape(MARK).replace(r"\{\}", "([0-9a-f]{64})").encode() + rb"\Z")
NAMED = ("type", "json", "population", "function")
"""Keys of what has the name of a class or function."""

TEXT = """\
---
library_name: latent-anchors
tags:
- latent-anchors
- interpretability
---

# {title}

Saved by `latent_anchors`, which gives concepts a place in the latent space of a neural network.

| name | type |
|---|---|
{things}

{about}

## How to load it

```python
{imports}import latent_anchors as la

folder = "."  # where this file is
saved = la.load(folder)  # with model=..., it is compared with the model that it is for
print(saved)
print(la.provenance(folder))
```

This takes `pip install latent-anchors`. Loading calls constructors by name, and runs nothing else.
"""


def card(structure: object, provenance: Provenance) -> bytes:
    """The card; at its end, a mark by which it is recognized until somebody edits it."""
    things = [*_things(structure)]
    text = TEXT.format(
        title=", ".join(_plain(name or kind.rpartition(".")[2]) for name, kind in things),
        things="\n".join(f"| {_plain(name)} | `{kind}` |" for name, kind in things),
        about="\n\n".join(_about(provenance)),
        imports="".join(f"{line}\n" for line in sorted({*_imports(structure)})),
    )
    note = f"\n## Note\n\n{provenance.note.strip()}\n" if provenance.note else ""
    content = f"{text}{note}\n".encode(errors="replace")
    return content + MARK.format(sha256(content).hexdigest()).encode()


def is_card(content: bytes) -> bool:
    """Whether this is a card as :func:`card` wrote it."""
    mark = MARKED.search(content)
    if mark is None:
        return False
    return sha256(content[: mark.start()]).hexdigest().encode() == mark[1]


def _things(node: object, key: str = "") -> Iterator[tuple[str, str]]:
    """The names and types of what was saved: one thing, or those of a mapping or sequence."""
    parts = cast("dict[str, Any]", node) if isinstance(node, dict) else {}
    for name, part in parts.get("mapping", []):
        yield from _things(part, name if isinstance(name, str) else "")
    for part in [*parts.get("list", []), *parts.get("tuple", [])]:
        yield from _things(part, key)
    if not {"mapping", "list", "tuple"} & parts.keys():
        named = parts.get("arguments", {}).get("name")
        kinds = [parts[kind] for kind in NAMED if kind in parts]
        plain = "tensor" if parts else type(cast("object", node)).__name__
        yield (named if isinstance(named, str) else key), [*kinds, plain][0]


def _about(provenance: Provenance) -> Iterator[str]:
    if provenance.sites:
        rows = [f"| `{_plain(name)}` | {width or ''} |" for name, width in provenance.sites.items()]
        yield "\n".join(["| site | width |", "|---|---|", *rows])
    if provenance.model is not None:
        yield (
            f"It is for models of class `{_plain(provenance.model)}`. The fingerprint of their "
            f"configuration is `{provenance.fingerprint}`."
        )
    versions = [f"{name.replace('_', '-')} {v}" for name, v in provenance.versions.items()]
    yield f"Saved with {', '.join(versions[:-1])} and {versions[-1]}."


def _imports(node: object) -> Iterator[str]:
    """Lines that import the modules which register the types that are not ours."""
    if isinstance(node, list):
        for part in cast("list[object]", node):
            yield from _imports(part)
    elif isinstance(node, dict):
        for kind, part in cast("dict[str, object]", node).items():
            module = module_of(part) if kind in NAMED else ""
            if module:
                script = module == "__main__"
                yield f"{'# ' if script else ''}import {module}  # registers {part!r}"
            yield from _imports(part)


def _plain(text: str) -> str:
    """A name on one line, without what Markdown or HTML would take for its own."""
    return re.sub(r"[\s`|<>\[\]]+", " ", text).strip()
