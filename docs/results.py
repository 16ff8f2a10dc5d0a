"""The results page, made from stored results; no number on it is typed by hand.

``python docs/results.py results/evidence`` takes over what the evidence session wrote, as far as
the page shows it, into ``docs/results/``, and writes ``docs/results.rst``. Without a folder it only
writes the page again.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from latent_anchors.colorspace import HUES
from latent_anchors.evaluation import Metric, summarize

HERE = Path(__file__).parent
STORED, PAGE = HERE / "results", HERE / "results.rst"
DIGITS = 6
"""Significant digits of stored numbers, more than the page shows."""

SHARES = ("crumpled", "disordered", "at_least_one", "censored")
"""Metrics that are 0 or 1 in each run."""


@dataclass(frozen=True)
class Line:
    """One line of a table: what was measured, under which name, and what was published."""

    what: str
    metric: str
    published: str = ""


@dataclass(frozen=True)
class Section:
    """One stored file and what is to be said of it."""

    title: str
    file: str
    text: str
    lines: tuple[Line, ...]


SECTIONS = (
    Section(
        "Red where we said, and muted",
        "anchor_red/red",
        "The published recipe of color experiment 2.4.1, in this library: ``anchor_red.py``. Beside "
        "it the published code, run again on the same seeds. The figures should agree, and that is "
        "all that this table is for.",
        (
            Line("selectivity, muted", "selectivity_r2/muted", "0.952 ± 0.024, least 0.882"),
            Line("error of red, muted", "error/muted/red", "0.247 ± 0.040, least 0.144"),
            Line("error of orange, muted", "error/muted/orange", "0.143 ± 0.029"),
            Line("error of cyan, muted", "error/muted/cyan", "4.7e-04 ± 3.3e-04"),
            Line("error of the grid, as trained", "error/baseline/grid", "3.8e-05 ± 9.4e-06"),
            Line("alignment of red", "alignment/red", "0.967 ± 0.017"),
            Line("samples labeled red, of 96,064", "labels/red", "82.2 ± 8.4"),
            Line("share crumpled", "crumpled"),
        ),
    ),
    Section(
        "Mute red, allow orange",
        "mute_red/red",
        "An edit within 18 degrees, on networks trained for it: ``mute_red.py``. Published edits "
        "cover the half sphere and take orange along (2.4.1, above).",
        (
            Line("error of red, muted", "error/muted/red", "0.247 ± 0.040, least 0.144"),
            Line("error of orange, muted", "error/muted/orange", "0.143 ± 0.029, least 0.084"),
            Line("error of rose, muted", "error/muted/rose"),
            Line("worst of all other hues, muted", "error/muted/far"),
            Line("worst of the grays, muted", "error/muted/grays"),
            Line("error of the grid, as trained", "error/baseline/grid", "3.8e-05 ± 9.4e-06"),
            Line("sharpness, in degrees", "sharpness/muted"),
            Line("alignment of red", "alignment/red", "0.967 ± 0.017"),
            Line("share crumpled", "crumpled"),
        ),
    ),
    Section(
        "Mute red, and what resembles it in proportion",
        "mute_red_graded/red",
        "The same networks under a graded edit: ``mute_red.py --graded``.",
        (
            Line("selectivity, muted", "selectivity_r2/muted", "0.952 ± 0.024, least 0.882"),
            Line("error of red, muted", "error/muted/red", "0.247 ± 0.040, least 0.144"),
            Line("damage foretold by geometry, r2", "foretold_r2/muted"),
        ),
    ),
    Section(
        "Delete red from the weights",
        "delete_red/red",
        "Red's dimension pruned, then healed without labels: ``delete_red.py``. Published is the "
        "ablation of color experiment 2.9.1, its code run again. Its means hide failures: in some "
        "seeds red stays, in some cyan goes, one network says the same of every color.",
        (
            Line("selectivity, removed", "selectivity_r2/removed", "0.845 ± 0.174, least 0.006"),
            Line("error of red, removed", "error/removed/red", "0.296 ± 0.135, least 0.007"),
            Line("error of cyan, removed", "error/removed/cyan", "0.015 ± 0.091, greatest 0.667"),
            Line("worst of the grays, removed", "error/removed/grays"),
            Line("error of the grid, whole", "error/baseline/grid", "1.8e-03 ± 1.4e-02"),
            Line("alignment of red", "alignment/red", "0.979 ± 0.074, least 0.492"),
            Line("sharpness, in degrees", "sharpness/removed"),
        ),
    ),
    Section(
        "Delete the plane of hue",
        "delete_hue",
        "``delete_hue.py``; published is color experiment 2.7.1.",
        (
            Line("r2 with vibrancy", "vibrancy_r2/removed", "0.825 ± 0.053, least 0.616"),
            Line("worst of the grays, removed", "error/removed/grays"),
            Line("error of the grid, whole", "error/baseline/grid"),
        ),
    ),
    Section(
        "Does red stay deleted?",
        "relearn_red",
        "``relearn_red.py``. The first line is the goal that was not reached: 1 would mean that red "
        "is as hard to bring back as to learn from nothing. Nobody has published such figures.",
        (
            Line("steps to bring it back / to learn it fresh", "relearning/ratio"),
            Line("share of seeds in which that is at least 1", "relearning/at_least_one"),
            Line("the same, with few reds to learn from", "relearning/ratio/few"),
            Line("the same, with no red at all", "relearning/ratio/without"),
            Line("steps / those of networks never taught red", "relearning/ratio_untaught"),
            Line("steps / those without an anchor", "relearning/ratio_unanchored"),
            Line("steps / those erased afterwards", "relearning/ratio_erased"),
            Line("steps to teach something else / to the whole", "relearning/control"),
            Line("share not brought back in time", "relearning/censored"),
            Line("redness that a nonlinear probe reads, r2", "leakage/nonlinear/edited"),
            Line("the same, never taught red", "leakage/nonlinear/untaught"),
            Line("error of red from a fresh decoder", "leakage/decoder/error/edited"),
            Line("the same, never taught red", "leakage/decoder/error/untaught"),
        ),
    ),
    Section(
        "A color space that unfolds hue first",
        "smooth_curriculum",
        "``smooth_curriculum.py``. In the published curriculum, color experiment 1.5, about a "
        "quarter of the runs were said to crumple.",
        tuple(
            Line(f"{what}, hues {how}", f"{metric.format(how)}", published)
            for how in ("captured", "given")
            for what, metric, published in (
                ("share disordered after the first phase", "disordered/{}/first_phase", "about 25 %"),
                ("share crumpled at the end", "crumpled/{}/end", ""),
                ("error of the grid", "error/baseline/{}/grid", ""),
            )
        ),
    ),
)

HUE_COLUMNS = {
    "anchored, selectivity muted": ("anchor_red", "selectivity_r2/muted"),
    "graded, selectivity muted": ("mute_red_graded", "selectivity_r2/muted"),
    "narrow, own error": ("mute_red", "error/muted/{}"),
    "narrow, worst far": ("mute_red", "error/muted/far"),
    "deleted, selectivity": ("delete_red", "selectivity_r2/removed"),
    "deleted, own error": ("delete_red", "error/removed/{}"),
}
"""The table of hues: files and metrics by column."""

HEAD = """\
Results
=======

Every number here comes from a file in ``docs/results/`` that a script wrote: seeds 0 to 59 unless a
table says otherwise, all of them, none chosen. Recipes were tuned on seeds from 500. A line gives
the mean and the standard deviation over seeds, the 95 % interval of the mean (Student's t; Wilson's
for shares), the least and the greatest, and what was published, if anything was. What each measure
means stands in :doc:`method`. ``nox -s evidence`` makes the files again, ``nox -s results`` this
page.
"""


def page(folder: Path) -> str:
    """The whole page."""
    parts = [HEAD]
    for section in SECTIONS:
        path = folder / f"{section.file}.json"
        if path.exists():
            parts.append(told(section, json.loads(path.read_text())))
    return "\n".join([*parts, *hues(folder)])


def told(section: Section, stored: Mapping) -> str:
    """A section: what was done, and its table."""
    metrics = {name: metric(name, found["per_seed"]) for name, found in stored["metrics"].items()}
    rows = [
        (line.what, *cells(metrics[line.metric]), line.published or "none")
        for line in section.lines
        if line.metric in metrics
    ]
    note = f"{len(stored['seeds'])} seeds, {stored['seeds'][0]} to {stored['seeds'][-1]}; "
    failed = f"{len(stored['failures'])} failed."
    title = f"{section.title}\n{'-' * len(section.title)}\n"
    heads = ("measure", "mean ± deviation", "interval", "least to greatest", "published")
    return f"{title}\n{section.text}\n\n{note}{failed}\n\n{table(heads, rows)}"


def hues(folder: Path) -> list[str]:
    """The same recipes for every hue, nothing retuned."""
    columns = {
        head: place
        for head, place in HUE_COLUMNS.items()
        if all((folder / place[0] / f"{hue}.json").exists() for hue in HUES)
    }
    if not columns:
        return []
    title = "Every hue, nothing retuned"
    rows = [(hue, *(one(folder, hue, *place) for place in columns.values())) for hue in HUES]
    text = (
        "The same scripts with ``--concept``. Mean ± deviation, and the least, of selectivity and "
        "of the hue's own error; the greatest of others'. Between the primaries and secondaries "
        "the measure fits less well, and gray is nearer."
    )
    return [f"{title}\n{'-' * len(title)}\n\n{text}\n\n{table(('hue', *columns), rows)}"]


def one(folder: Path, hue: str, example: str, name: str) -> str:
    """A cell of the table of hues."""
    stored = json.loads((folder / example / f"{hue}.json").read_text())
    found = metric(name, stored["metrics"][name.format(hue)]["per_seed"])
    return f"{found.mean:.3g} ± {found.std:.2g}, " + (
        f"greatest {found.max:.2g}" if name.endswith("far") else f"least {found.min:.3g}"
    )


def metric(name: str, per_seed: list[float | None]) -> Metric:
    """Mean, spread and interval, from the runs themselves."""
    return summarize(per_seed, share=not set(SHARES).isdisjoint(name.split("/")))


def cells(found: Metric) -> tuple[str, str, str]:
    """Mean and spread, interval, range."""
    if found.mean is None:
        return "no value", "", ""
    interval = "" if found.ci95 is None else f"{found.ci95[0]:.3g} to {found.ci95[1]:.3g}"
    missing = "" if found.n == len(found.per_seed) else f" ({found.n} of {len(found.per_seed)})"
    return (
        f"{found.mean:.3g} ± {found.std:.2g}{missing}",
        interval,
        f"{found.min:.3g} to {found.max:.3g}",
    )


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in reStructuredText."""
    lines = [", ".join(f'"{cell}"' for cell in row) for row in rows]
    head = ", ".join(f'"{cell}"' for cell in heads)
    return "\n   ".join([".. csv-table::", f":header: {head}", "", *lines]) + "\n"


def wanted(file: str, hue: str) -> set[str]:
    """The metrics of a file that the page shows."""
    lines = {line.metric for each in SECTIONS if each.file == file for line in each.lines}
    example = file.split("/")[0]
    return lines | {name.format(hue) for where, name in HUE_COLUMNS.values() if where == example}


def take(source: Path, folder: Path) -> None:
    """Store of each ``results.json`` below a folder what the page shows."""
    for path in sorted(source.rglob("results.json")):
        file = path.parent.relative_to(source).as_posix()
        found = json.loads(path.read_text())
        names = wanted(file, path.parent.name)
        if not names:
            continue
        found["metrics"] = {
            name: {
                key: shortened(value) if key == "per_seed" else value for key, value in each.items()
            }
            for name, each in found["metrics"].items()
            if name in names
        }
        target = folder / f"{file}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(found) + "\n")


def shortened(values: list[float | None]) -> list[float | None]:
    """Numbers with as many digits as anyone will look at."""
    return [None if value is None else float(f"{value:.{DIGITS}g}") for value in values]


if __name__ == "__main__":
    for given in sys.argv[1:]:
        take(Path(given), STORED)
    PAGE.write_text(page(STORED))
