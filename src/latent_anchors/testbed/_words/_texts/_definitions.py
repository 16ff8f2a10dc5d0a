"""Definitions of nouns with their topics, from WordNet."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

TOPICS = (
    *("tops", "act", "animal", "artifact", "attribute", "body", "cognition", "communication"),
    *("event", "feeling", "food", "group", "location", "motive", "object", "person"),
    *("phenomenon", "plant", "possession", "process", "quantity", "relation", "shape", "state"),
    *("substance", "time"),
)
"""The lexicographer files of WordNet's nouns, from 03 on."""

FIRST_FILE = 3

ADJACENT: dict[str, tuple[str, ...]] = {
    "act": ("event", "process"),
    "animal": ("plant", "food"),
    "artifact": ("object", "substance"),
    "attribute": ("state", "cognition"),
    "body": ("animal", "plant"),
    "cognition": ("communication", "attribute"),
    "communication": ("cognition", "act"),
    "food": ("plant", "substance"),
    "group": ("person", "animal"),
    "location": ("object", "group"),
    "person": ("group", "act"),
    "plant": ("animal", "food"),
    "state": ("attribute", "process"),
    "substance": ("food", "artifact"),
    "english": (),
    "german": (),
}
"""Topics with over 2,000 lines, each with those nearest in meaning, fixed beforehand.

Two of a noun's topics; none of a language.
"""

WORDNET = Path("/usr/share/wordnet")


@dataclass(frozen=True)
class Definitions:
    """Lines ``word : definition`` or ``page : sentence``, lowercased, shuffled always alike.

    Attributes:
        texts: The lines.
        topics: The topic of each.

    Examples:
        >>> len(Definitions(("cat : a small animal", "oak : a tree"), ("animal", "plant")))
        2
    """

    texts: tuple[str, ...]
    topics: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)


def read_definitions(folder: str | Path | None = None) -> Definitions:
    """The 82,115 nouns of WordNet 3.0 with the first clause of each definition.

    The file's number in each record is the topic: animal, plant, person, artifact, and 22 more.

    Args:
        folder: Where ``data.noun`` lies; ``/usr/share/wordnet`` if None.

    Raises:
        FileNotFoundError: If it does not lie there.

    References:
        Miller, "WordNet: a lexical database for English", Communications of the ACM, 1995.

    Examples:
        >>> try:
        ...     read_definitions("nowhere")
        ... except FileNotFoundError as error:
        ...     print(str(error)[:52])
        There is no file nowhere/data.noun; expected WordNet
    """
    path = Path(folder or WORDNET) / "data.noun"
    if not path.exists():
        raise FileNotFoundError(
            f"There is no file {path}; expected WordNet 3.0. Install it (Debian's package is "
            "wordnet-base), or say where it is: --folder FOLDER."
        )
    records = path.read_text(encoding="latin1").splitlines()
    return shuffled([_line_of(record) for record in records if not record.startswith("  ")])


def _line_of(record: str) -> tuple[str, str]:
    """The text and the topic of a record: numbers and words, then a bar and the definition."""
    head, definition = record.split(" | ", 1)
    _, file, _, _, word, *_ = head.split()
    quoted = re.sub(r'"[^"]*"', "", definition)
    text = f"{word.replace('_', ' ')} : {quoted.split(';')[0].strip()}"
    return text.lower(), TOPICS[int(file) - FIRST_FILE]


def shuffled(lines: Sequence[tuple[str, str]]) -> Definitions:
    """Texts with their topics in a random order that is always the same."""
    order = torch.randperm(len(lines), generator=torch.Generator().manual_seed(7))
    texts, topics = zip(*(lines[int(index)] for index in order), strict=True)
    return Definitions(texts, topics)
