"""Definitions of nouns with their topics: WordNet's where it is installed, or made-up ones."""

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

ADJACENT = {
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
}
"""Topics with over 2,000 definitions, each with the two nearest in meaning, fixed beforehand."""

WORDNET = Path("/usr/share/wordnet")


@dataclass(frozen=True)
class Definitions:
    """Lines ``word : definition``, lowercased, in a random order that is always the same.

    Attributes:
        texts: The lines.
        topics: The topic of each.

    Examples:
        >>> lines = made_up_definitions(4)
        >>> len(lines.texts), set(lines.topics) <= set(TOPICS)
        (4, True)
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
            "wordnet-base), or say where it is: --wordnet FOLDER."
        )
    records = path.read_text(encoding="latin1").splitlines()
    return _shuffled([_line_of(record) for record in records if not record.startswith("  ")])


def _line_of(record: str) -> tuple[str, str]:
    """The text and the topic of a record: numbers and words, then a bar and the definition."""
    head, definition = record.split(" | ", 1)
    _, file, _, _, word, *_ = head.split()
    quoted = re.sub(r'"[^"]*"', "", definition)
    text = f"{word.replace('_', ' ')} : {quoted.split(';')[0].strip()}"
    return text.lower(), TOPICS[int(file) - FIRST_FILE]


KINDS = {
    "animal": (("furry", "small", "wild"), ("cat", "wolf", "hare"), "that eats"),
    "plant": (("green", "tall", "wild"), ("tree", "herb", "shrub"), "that grows"),
    "food": (("sweet", "baked", "cold"), ("cake", "soup", "bread"), "that is eaten"),
    "person": (("skilled", "young", "busy"), ("baker", "pilot", "judge"), "who works"),
    "artifact": (("wooden", "heavy", "small"), ("wheel", "lamp", "chair"), "that is used"),
    "act": (("sudden", "slow", "skilled"), ("leap", "theft", "dance"), "that is done"),
}
PLACES = ("in the north", "near rivers", "at night", "on islands", "in summer", "by hand")


def made_up_definitions(count: int = 2000) -> Definitions:
    """Definitions made of a few words, for a test where WordNet is not installed.

    Args:
        count: How many.

    Examples:
        >>> made_up_definitions(1).texts
        ('dof : a baked cake that is eaten near rivers',)
    """
    generator = torch.Generator().manual_seed(0)

    def one(of: Sequence[str]) -> str:
        return of[int(torch.randint(len(of), (), generator=generator))]

    def line() -> tuple[str, str]:
        topic = one(list(KINDS))
        adjectives, nouns, does = KINDS[topic]
        word = "".join(one(letters) for letters in ("abdfgklmnprst", "aeiou", "abdfgklmnprst"))
        return f"{word} : a {one(adjectives)} {one(nouns)} {does} {one(PLACES)}", topic

    return _shuffled([line() for _ in range(count)])


def _shuffled(lines: Sequence[tuple[str, str]]) -> Definitions:
    order = torch.randperm(len(lines), generator=torch.Generator().manual_seed(7))
    texts, topics = zip(*(lines[int(index)] for index in order), strict=True)
    return Definitions(texts, topics)
