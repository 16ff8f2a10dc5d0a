"""What the guide on speed shows, out of what the bench session wrote.

``python docs/benchmarks.py results/benchmarks.json`` stores its figures beside this file.
"""

import json
import sys
from pathlib import Path

from results import HERE, shortened


def figures(found: dict) -> dict[str, dict]:
    """By test, and by the parameters of those that have some."""
    return {
        each["name"]: {name: short(value) for name, value in each["extra_info"].items()}
        for each in found["benchmarks"]
        if each["extra_info"]
    }


def short(value: object) -> object:
    """Numbers with as many digits as a page needs."""
    if isinstance(value, dict):
        return {name: short(each) for name, each in value.items()}
    return shortened(value) if isinstance(value, float) else value


if __name__ == "__main__":
    written = json.loads(Path(sys.argv[1]).read_text())
    (HERE / "benchmarks.json").write_text(json.dumps(figures(written), indent=1) + "\n")
