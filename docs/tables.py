"""What the results page shows: the tables, what was published beside them, and what to say."""

from dataclasses import dataclass


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
        "The published recipe of color experiment 2.4.1, in this library: ``anchor_red.py``. "
        "Beside it the published code, run again on the same seeds. The figures should agree, and "
        "that is all that this table is for.",
        (
            Line("selectivity, muted", "selectivity_r2/muted", "0.952 ± 0.024, least 0.882"),
            Line("error of red, muted", "error/muted/red", "0.247 ± 0.040, least 0.144"),
            Line("error of orange, muted", "error/muted/orange", "0.143 ± 0.029"),
            Line("error of cyan, muted", "error/muted/cyan", "4.7e-04 ± 3.3e-04"),
            Line("error of the grid, as trained", "error/baseline/grid", "3.8e-05 ± 9.4e-06"),
            Line("alignment of red", "alignment/red", "0.967 ± 0.017"),
            Line("samples labeled red, of 96,064", "labels/red", "82.2 ± 8.4"),
            Line("crumpled", "crumpled"),
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
            Line("crumpled", "crumpled"),
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
        "``relearn_red.py``. The first line is the goal: at 1, red would be as hard to bring back "
        "as to learn from nothing. The control tells how much of it is removal, and how much is "
        "that the network is harder to teach anything. Nobody has published such figures.",
        (
            Line("steps to bring it back / to learn it fresh", "relearning/ratio"),
            Line("seeds in which that is at least 1", "relearning/at_least_one"),
            Line("the same, with few reds to learn from", "relearning/ratio/few"),
            Line("the same, with no red at all", "relearning/ratio/without"),
            Line("steps / those of networks never taught red", "relearning/ratio_untaught"),
            Line("steps / those without an anchor", "relearning/ratio_unanchored"),
            Line("steps / those erased afterwards", "relearning/ratio_erased"),
            Line("steps to teach something else / to the whole", "relearning/control"),
            Line("not brought back in time", "relearning/censored"),
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
                ("disordered after the first phase", "disordered/{}/first_phase", "about 25 %"),
                ("crumpled at the end", "crumpled/{}/end", ""),
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
