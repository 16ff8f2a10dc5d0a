"""Pages of the site that run as they stand: those with code blocks, and scripts."""

import runpy
import textwrap
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

GUIDES = Path(__file__).parents[1] / "docs" / "guides"


def blocks(page: Path) -> list[str]:
    """The text of each ``.. code-block:: python``."""
    found, lines = [], page.read_text().splitlines()
    for at, line in enumerate(lines):
        if line.strip() == ".. code-block:: python":
            depth = len(line) - len(line.lstrip())
            body = []
            for after in lines[at + 1 :]:
                if after.strip() and len(after) - len(after.lstrip()) <= depth:
                    break
                body.append(after)
            found.append(textwrap.dedent("\n".join(body)))
    return found


def run(page: Path) -> dict[str, Any]:
    """The names after all blocks of a page ran in their order, in one namespace."""
    names: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page):
        exec(compile(block, str(page), "exec"), names)
    return names


def run_script(page: Path) -> dict[str, Any]:
    """The names after a page that is a script; its figures are drawn and closed."""
    plt.switch_backend("agg")
    try:
        return runpy.run_path(str(page))
    finally:
        plt.close("all")
