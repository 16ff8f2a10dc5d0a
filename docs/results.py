"""The results page and that of claims, with the numbers of stored results in tables and claims.

``python docs/results.py results/evidence`` copies what the pages show of the evidence session's
results into ``docs/results/``, and writes ``docs/results.rst`` and ``docs/status.rst``. Without a
folder it only writes the pages again.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import isclose
from pathlib import Path
from textwrap import fill

from claims import page as claims_page
from opening import WIDTH, opening, quotients
from tables import HEAD, HOW_TO_READ, HUE_COLUMNS, HUES_TEXT, SECTIONS, Line, Section

from latent_anchors.colorspace import HUES
from latent_anchors.evaluation import Metric, summarize, summarize_ratios, wilson_interval

HERE = Path(__file__).parent
STORED, PAGE, STATUS = HERE / "results", HERE / "results.rst", HERE / "status.rst"

DIGITS = 6
"""Significant digits of stored numbers, more than the page shows."""


def page(folder: Path) -> str:
    """The whole page."""
    found = [(section, folder / f"{section.file}.json") for section in SECTIONS]
    texts = [
        section_of(section, json.loads(path.read_text())) if path.exists() else not_run(section)
        for section, path in found
    ]
    return "\n".join([*HEAD, opening(folder, digits), HOW_TO_READ, *texts, *hues(folder)])


def not_run(section: Section) -> str:
    """The section of a script that was not run."""
    note = "No runs are stored yet: there is nothing to show."
    return titled(section.title, section.text, note + "\n")


def section_of(section: Section, stored: Mapping) -> str:
    """The section of a script: its text and its table."""
    metrics, seeds = stored["metrics"], stored["seeds"]
    rows = [
        (
            line.what,
            *cells_of(line, metrics),
            line.published or "not reported",
        )
        for line in section.lines
    ]
    ratios = any(line.is_ratio for line in section.lines)
    spread = "mean ± deviation, or factor" if ratios else "mean ± deviation"
    heads = ("measure", spread, "interval", "least to greatest", "published")
    runs = f"Seeds {extent(seeds)}; of {len(seeds)}, {len(stored['failures'])} failed."
    return titled(section.title, section.text, runs, table(heads, rows))


def extent(seeds: Sequence[int]) -> str:
    """From the first seed to the last; all of them, if some between are left out."""
    whole = seeds == [*range(seeds[0], seeds[-1] + 1)]
    return f"{seeds[0]} to {seeds[-1]}" if whole else ", ".join(map(str, seeds))


def hues(folder: Path) -> list[str]:
    """The same recipes for other hues, as far as they are stored."""
    stored = {
        head: {hue for hue in HUES if (folder / example / f"{hue}.json").exists()}
        for head, (example, _) in HUE_COLUMNS.items()
    }
    columns = [head for head, found in stored.items() if len(found) > 1]
    rows = [
        (hue, *(one(folder, hue, *HUE_COLUMNS[head]) for head in columns))
        for hue in HUES
        if any(hue in stored[head] for head in columns)
    ]
    title = "Other hues, nothing retuned"
    return [titled(title, HUES_TEXT, table(("hue", *columns), rows))] if columns else []


def one(folder: Path, hue: str, example: str, name: str) -> str:
    """A cell of the table of hues."""
    path = folder / example / f"{hue}.json"
    if not path.exists():
        return ""
    stored = json.loads(path.read_text())["metrics"][name.format(hue)]
    is_ratio = name.endswith("ratio")
    spread, interval, _ = ratio_cells(stored["per_seed"]) if is_ratio else cells(stored)
    found = summarize(stored["per_seed"])
    greatest = is_ratio or name.endswith("far")
    worst = f"greatest {digits(found.max, 2)}" if greatest else f"least {digits(found.min)}"
    return f"{spread} ({interval}), {worst}"


def cells_of(line: Line, metrics: Mapping) -> tuple[str, str, str]:
    """The cells of a line: of a share, a ratio or a number."""
    values = metrics[line.metric]["per_seed"]
    if line.over:
        values = quotients(metrics, line.metric, line.over)
    if line.at_least is not None:
        reached = [None if value is None else float(value >= line.at_least) for value in values]
        return cells(asdict(summarize(reached, share=True)))
    return ratio_cells(values) if line.is_ratio else cells(metrics[line.metric])


def ratio_cells(values: Sequence[float | None]) -> tuple[str, str, str]:
    """Geometric mean, the factor around it and its interval, range; no mean where one is 0."""
    found = summarize_ratios(values)
    if not found.n:
        return "no value", "", ""
    extent = f"{digits(found.min)} to {digits(found.max)}"
    if found.mean is None:
        return "no geometric mean", "", extent
    ends = () if found.ci95 is None else map(digits, found.ci95)
    spread = f"{digits(found.mean)}, factor {digits(found.std)}{missing(found)}"
    return spread, " to ".join(ends), extent


def missing(found: Metric) -> str:
    """How many seeds have a value, if not all."""
    n = len(found.per_seed)
    return "" if found.n == n else f" ({found.n} of {n})"


def cells(stored: Mapping) -> tuple[str, str, str]:
    """Mean and spread, interval, range; of a share, how many of how many."""
    per_seed, share = stored["per_seed"], is_share(stored)
    found = summarize(per_seed, share)
    if found.mean is None:
        return "no value", "", ""
    interval = "" if found.ci95 is None else f"{digits(found.ci95[0])} to {digits(found.ci95[1])}"
    if share:
        return f"{found.mean * found.n:.0f} of {found.n}", interval, ""
    spread = f"{digits(found.mean)} ± {digits(found.std, 2)}{missing(found)}"
    return spread, interval, f"{digits(found.min)} to {digits(found.max)}"


def is_share(stored: Mapping) -> bool:
    """Whether a stored metric is a share, whose interval is Wilson's."""
    if not stored["n"] or not {*stored["per_seed"]} <= {0, 1, None}:
        return False
    wilson = wilson_interval(stored["mean"], stored["n"])
    return stored["ci95"] is not None and all(map(isclose, stored["ci95"], wilson))


def digits(number: float, n: int = 3) -> str:
    """A number with so many digits, zeros included."""
    return f"{number:#.{n}g}".rstrip(".")


def titled(title: str, text: str, *rest: str) -> str:
    """A section in reStructuredText."""
    return "\n".join([title, "-" * len(title), "", fill(text, WIDTH), "", "\n\n".join(rest)])


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in reStructuredText."""
    head, *lines = (", ".join(f'"{cell}"' for cell in row) for row in (heads, *rows))
    return "\n".join([".. csv-table::", f"   :header: {head}", "", *(f"   {x}" for x in lines), ""])


def take(source: Path, folder: Path) -> None:
    """Store of each ``results.json`` below a folder what the page shows."""
    for path in sorted(source.rglob("results.json")):
        file = path.parent.relative_to(source).as_posix()
        found, names = json.loads(path.read_text()), wanted(file, path.parent.name)
        found["metrics"] = {
            name: {**each, "per_seed": [shortened(value) for value in each["per_seed"]]}
            for name, each in found["metrics"].items()
            if name in names
        }
        target = folder / f"{file}.json"
        if names:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(found) + "\n")


def wanted(file: str, hue: str) -> set[str]:
    """The metrics of a file that the page shows."""
    shown = [line for each in SECTIONS if each.file == file for line in each.lines]
    lines = {name for line in shown for name in (line.metric, line.over) if name}
    example = file.split("/")[0]
    return lines | {name.format(hue) for where, name in HUE_COLUMNS.values() if where == example}


def shortened(value: float | None) -> float | None:
    """A number rounded to the stored digits."""
    return None if value is None else float(f"{value:.{DIGITS}g}")


if __name__ == "__main__":
    for given in sys.argv[1:]:
        take(Path(given), STORED)
    PAGE.write_text(page(STORED))
    STATUS.write_text(claims_page(STORED, digits))
