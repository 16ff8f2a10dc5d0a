"""Outcomes below the thumbnails of a gallery, and behind the introduction of each page."""

import re
from functools import partial
from html import escape
from pathlib import Path

from opening import filled
from outcomes import OUTCOMES
from results import digits
from sphinx.application import Sphinx
from sphinx.util import logging

GALLERIES = ("gallery", "guide")

THUMBNAIL = re.compile(
    r"_thumb\.\w+\n +:alt:\n\n +:doc:`/\w+/(\w+)`"
    r'.*?<div class="sphx-glr-thumbnail-title">.*?</div>\n',
    re.S,
)
"""From the picture of a thumbnail to the end of its title."""

BLOCK = ".. GENERATED FROM PYTHON SOURCE LINES"
"""Before each block of a script, but for the introduction."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", show)
    return {"parallel_read_safe": True}


def show(app: Sphinx, page: str, source: list[str]) -> None:
    """Add to a page of a gallery what came out."""
    folder, _, name = page.rpartition("/")
    if folder in GALLERIES:
        stored = Path(app.srcdir) / "results"
        for path in (*stored.rglob("*.json"), stored.with_name("outcomes.py")):
            app.env.note_dependency(str(path))
        said = {script: filled(words, stored, digits) for script, words in OUTCOMES.items()}
        if name == "index":
            source[0], count = THUMBNAIL.subn(partial(below, said), source[0])
            if not count:
                logging.getLogger(__name__).warning("%s has no thumbnail to say more of.", page)
        elif name in said:
            source[0] = behind_introduction(source[0], said[name])


def below(said: dict[str, str], thumbnail: re.Match[str]) -> str:
    """A thumbnail, and its outcome below the title."""
    words = escape(said[thumbnail[1]])
    return f'{thumbnail[0]}      <div class="outcome">{words}</div>\n'


def behind_introduction(text: str, outcome: str) -> str:
    """A page with its outcome between the introduction and the first block of code."""
    introduction, block, rest = text.partition(BLOCK)
    return f"{introduction}.. rst-class:: outcome\n\n**What came out.** {outcome}\n\n{block}{rest}"
