"""Pages of the site whose code blocks run as they stand."""

import textwrap
from pathlib import Path
from typing import Any

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
