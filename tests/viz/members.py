"""Every function that draws, and what each promise is tried on: a new one needs a row here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from viz.plans import CHANGED, PLANNED

from latent_anchors import viz
from latent_anchors.concepts import Score, ScoreHistory
from latent_anchors.evaluation import DoseResponse, summarize
from latent_anchors.interventions import Suppression

Given = dict[str, Tensor]


@dataclass(frozen=True)
class Member:
    """How one is drawn, by theme and title, and a piece of what it says that its data make."""

    draw: Callable[..., Figure | viz.Motion]
    says: str


def tensors() -> Given:
    """What figures are made of, made anew."""
    draw = partial(torch.rand, generator=torch.Generator().manual_seed(0))
    return {
        "z": torch.nn.functional.normalize(draw(20, 4) - 0.5, dim=-1),
        "colors": draw(20, 3),
        "reconstructions": draw(20, 3),
        "hues": draw(30),
        "few": draw(30) * 0.1,
        "errors": draw(3, 30),
        "grid": draw(2, 3, 4, 3),
        "said": draw(2, 3, 4, 3),
        "named": draw(17, 3),
        "names": draw(3, 17, 3),
        "anchor": torch.eye(4)[0],
        "frames": draw(9, 20, 4) - 0.5,
    }


def frontier(given: Given, **options: str) -> Figure:
    removal = given["errors"].reshape(6, 15).cumsum(0)
    curves = {"one": (removal, given["few"][:6, None] * removal), "rival": (removal[:, 0],) * 2}
    lines = {"ours": ["one"], "reference": 1.0, "reference_name": "oracle"}
    return viz.plot_frontier(curves, **lines, **options)


def latents(given: Given, **options: str) -> Figure:
    cone = given["anchor"], 30.0
    return viz.plot_latents(
        given["z"], given["colors"], given["reconstructions"], cone=cone, **options
    )


def reconstructions(given: Given, **options: str) -> Figure:
    names = {"titles": "ab", "rows": "cde", "columns": ["f", "g", "h_i", "j"]}
    return viz.plot_reconstructions(given["grid"], given["said"], **names, **options)


def pictures(given: Given, **options: str) -> Figure:
    rows = {"as drawn": given["grid"], "as they come out": given["said"]}
    return viz.plot_pictures(rows, ["a", "b_c"], **options)


def errors(given: Given, **options: str) -> Figure:
    conditions = {"one": given["few"], "several": given["errors"]}
    return viz.plot_error_by_hue(given["hues"], conditions, ("line", 0.5), **options)


def before_after(given: Given, **options: str) -> Figure:
    return viz.plot_before_after(
        "cyan",
        anchor=given["anchor"],
        z=given["z"],
        colors=given["colors"],
        outputs={"one": given["named"], "several": given["names"]},
        hues=given["hues"],
        errors={"one": given["few"], "several": given["errors"]},
        **options,
    )


def timeline(given: Given, **options: str) -> Figure:
    del given
    return viz.plot_timeline(CHANGED, PLANNED, **options)


def values(given: Given, **options: str) -> Figure:
    del given
    return viz.plot_values(PLANNED, 15, **options)


def dose_response(given: Given, **options: str) -> Figure:
    errors = given["errors"].float()  # a record holds numbers, not tensors
    effect, others, moved = (
        tuple(summarize(run.tolist()) for run in errors[:, k : k + 5].T) for k in (0, 5, 10)
    )
    response = DoseResponse((0.0, 0.25, 0.5, 0.75, 1.0), moved, effect, others, ((),) * 5)
    return viz.plot_dose_response(response, **options)


def edit_polar(given: Given, **options: str) -> Figure:
    return viz.plot_edit_polar(
        {"muted": Suppression([1.0, 0.0, 0.0, 0.0])}, given["anchor"], **options
    )


def against(given: Given, **options: str) -> Figure:
    colors = given["reconstructions"].repeat(2, 1)[:30]
    return viz.plot_error_against("likeness", given["few"], given["errors"], colors, **options)


def seeds(given: Given, **options: str) -> Figure:
    rows = {"one": given["few"], "several": given["hues"]}
    return viz.plot_seeds("error", rows, at_most=0.5, **options)


def scores(given: Given, **options: str) -> Figure:
    errors = given["errors"].float()  # a score holds numbers, not tensors
    names = {"placed": errors[:, :10], "found": 0.8 * errors[:, 10:20]}
    histories = {
        name: ScoreHistory("red", (0, 100, 300), tuple(map(score, runs)))
        for name, runs in names.items()
    }
    return viz.plot_scores(histories, **options)


def score(runs: Tensor) -> Score:
    metrics = (summarize(values.tolist()) for values in (runs, 2 * runs - 1, runs**2))
    return Score(*metrics, n_with=3, n_without=5)


def relearning(given: Given, **options: str) -> Figure:
    kinds = {"fresh": given["errors"], "edited": given["few"]}
    return viz.plot_relearning(range(1, 31), kinds, threshold=0.1, **options)


def unfolding(given: Given, **options: str) -> Figure:
    moments = dict(zip(("before", "after"), given["frames"][::8], strict=True))
    return viz.plot_unfolding(moments, given["colors"], **options)


def snapshots(given: Given, **options: str) -> Figure:
    return viz.plot_snapshots(given["frames"], given["colors"], range(100, 1000, 100), **options)


def motion(given: Given, **options: str) -> viz.Motion:
    views = [(1, 0, 2), (1, 2, 0)]
    steps = range(100, 1000, 100)
    return viz.animate_latents(given["frames"], given["colors"], steps, views, **options)


def ablation_table(given: Given, **options: str) -> Figure:
    values = {"order": given["hues"].reshape(2, 15), "error": given["few"].reshape(2, 15)}
    return viz.plot_ablation_table([[], ["anchor", "plane"]], values, **options)


def alignment(given: Given, **options: str) -> Figure:
    kinds = {"one": given["z"][:3], "several": given["z"][:12].reshape(4, 3, 4)}
    return viz.plot_alignment(kinds, ["embedding", "block_1", "block_2"], "a+b=", **options)


def response(given: Given, **options: str) -> Figure:
    return viz.plot_response("rate", ["0", "1", "2"], {"error": given["errors"]}, **options)


def swatches(given: Given, **options: str) -> Figure:
    return viz.plot_swatches(given["grid"], given["grid"][..., 0] > 0.3, **options)


def wheels(given: Given, **options: str) -> Figure:
    kept = given["colors"][:, 0] > 0.3
    return viz.plot_wheels({"one": given["z"][:, :2]}, given["colors"], kept, **options)


MEMBERS = {
    "animate_latents": Member(motion, "20 colors moving in latent space from step 100 to 900"),
    "plot_ablation_table": Member(
        ablation_table, "error: from 0.0375 with anchor and plane to 0.0591 with none"
    ),
    "plot_alignment": Member(alignment, "One: 0.86 at most, at =, block 1. Several: 0.17"),
    "plot_before_after": Member(before_after, "Where cyan was put"),
    "plot_dose_response": Member(dose_response, "Strength from 0 to 1: effect from "),
    "plot_edit_polar": Member(
        edit_polar, "muted: 1 where aligned, 0 where orthogonal and 0 where opposite"
    ),
    "plot_error_against": Member(against, "30 colors against likeness"),
    "plot_error_by_hue": Member(errors, "several: 0.91 at most, at violet"),
    "plot_frontier": Member(frontier, "one: from 0.507 at 0.0256 to 3.18 at 0.0584"),
    "plot_latents": Member(latents, "A cone of 30 degrees"),
    "plot_pictures": Member(pictures, "2 pictures of a and b c: as drawn and as they come out"),
    "plot_reconstructions": Member(reconstructions, "24 colors as they come out"),
    "plot_relearning": Member(relearning, "fresh: not reached; edited: 1 step."),
    "plot_response": Member(response, "error: 0.496 at 0, 0.611 at 2"),
    "plot_scores": Member(scores, "AUC of placed from "),
    "plot_seeds": Member(seeds, "17 of 30 hold"),
    "plot_snapshots": Member(snapshots, "colors in latent space: step 100, step 300"),
    "plot_swatches": Member(swatches, "18 colors of 24 in 2 grids"),
    "plot_timeline": Member(timeline, "All hues from step 2,200 on"),
    "plot_unfolding": Member(unfolding, "before and after"),
    "plot_values": Member(values, "lr at 0.01, recon from 1 to 1, separate from 0 to 4.68e-06"),
    "plot_wheels": Member(wheels, "10 colors on a wheel, for one; in the first "),
}
"""By the name of the function in `latent_anchors.viz`."""


def drawn(name: str, given: Given | None = None, **options: str) -> Figure:
    """A member's figure."""
    return figure_of(MEMBERS[name].draw(tensors() if given is None else given, **options))


def figure_of(made: Figure | viz.Motion) -> Figure:
    """Of what moves, at its first frame."""
    if isinstance(made, Figure):
        return made
    # matplotlib warns of animations that never were drawn
    made.figure.canvas.draw()
    return made.figure


def pixels(figure: Figure) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


@cache
def usual(name: str, theme: str = "light") -> np.ndarray:
    """How it usually looks."""
    return pixels(drawn(name, theme=theme))
