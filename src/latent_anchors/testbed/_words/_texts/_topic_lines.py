"""The lines that a language model learns a topic from."""

from pathlib import Path

from latent_anchors.testbed._words._texts._definitions import Definitions, read_definitions
from latent_anchors.testbed._words._texts._made_up import (
    SENTENCES,
    made_up_definitions,
    made_up_lines,
)
from latent_anchors.testbed._words._texts._manual_pages import LANGUAGES, read_manual_pages


def topic_lines(
    topic: str, folder: str | Path | None = None, *, made_up: bool = False
) -> Definitions:
    """The lines to learn a topic from: manual pages if it is a language, else definitions.

    Args:
        topic: The topic, such as ``"animal"`` or ``"german"``.
        folder: Where they lie, if not where Debian's packages put them.
        made_up: Whether to make up some instead.

    Examples:
        >>> sorted(set(topic_lines("german", made_up=True).topics))
        ['english', 'german']
    """
    if topic in LANGUAGES:
        return made_up_lines(SENTENCES) if made_up else read_manual_pages(folder)
    return made_up_definitions() if made_up else read_definitions(folder)
