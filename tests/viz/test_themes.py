"""What every figure promises."""

from collections.abc import Callable
from functools import partial

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from refusals import refuses
from torch import Tensor
from viz.plans import CHANGED, PLANNED

from latent_anchors import viz
from latent_anchors.interventions import Suppression
from latent_anchors.viz._themes import THEMES

LOUD = {
    **dict.fromkeys(("text.color", "xtick.color", "ytick.color", "axes.labelcolor"), "magenta"),
    **dict.fromkeys(("axes.titlecolor", "axes.edgecolor", "grid.color"), "magenta"),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "patch.facecolor"), "black"),
    "axes.grid": True,
}
"""A global style of someone else's."""

Plot = Callable[..., Figure]


def tensors() -> dict[str, Tensor]:
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
    }


def latents(given: dict[str, Tensor], **options: str) -> Figure:
    cone = given["anchor"], 30.0
    return viz.plot_latents(
        given["z"], given["colors"], given["reconstructions"], cone=cone, **options
    )


def reconstructions(given: dict[str, Tensor], **options: str) -> Figure:
    names = {"titles": "ab", "rows": "cde", "columns": ["f", "g", "h_i", "j"]}
    return viz.plot_reconstructions(given["grid"], given["said"], **names, **options)


def errors(given: dict[str, Tensor], **options: str) -> Figure:
    conditions = {"one": given["few"], "several": given["errors"]}
    return viz.plot_error_by_hue(given["hues"], conditions, ("line", 0.5), **options)


def before_after(given: dict[str, Tensor], **options: str) -> Figure:
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


def timeline(given: dict[str, Tensor], **options: str) -> Figure:
    del given
    return viz.plot_timeline(CHANGED, PLANNED, **options)


def values(given: dict[str, Tensor], **options: str) -> Figure:
    del given
    return viz.plot_values(PLANNED, 15, **options)


def lobes(given: dict[str, Tensor], **options: str) -> Figure:
    return viz.plot_lobes({"muted": Suppression([1.0, 0.0, 0.0, 0.0])}, given["anchor"], **options)


def against(given: dict[str, Tensor], **options: str) -> Figure:
    colors = given["reconstructions"].repeat(2, 1)[:30]
    return viz.plot_error_against("likeness", given["few"], given["errors"], colors, **options)


def seeds(given: dict[str, Tensor], **options: str) -> Figure:
    rows = {"one": given["few"], "several": given["hues"]}
    return viz.plot_seeds("error", rows, at_most=0.5, **options)


def relearning(given: dict[str, Tensor], **options: str) -> Figure:
    kinds = {"fresh": given["errors"], "edited": given["few"]}
    return viz.plot_relearning(range(1, 31), kinds, threshold=0.1, **options)


every_plot = pytest.mark.parametrize(
    "plot",
    [
        *(latents, reconstructions, errors, before_after, timeline, values),
        *(lobes, against, seeds, relearning),
    ],
)
every_theme = pytest.mark.parametrize("theme", THEMES)


def pixels(figure: Figure) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


@every_plot
def test_a_figure_is_known_to_pyplot(plot: Plot):
    figure = plot(tensors())
    assert plt.figure(figure.number) is figure


@every_plot
@every_theme
def test_drawing_leaves_the_global_style_alone(plot: Plot, theme: str):
    before = mpl.rcParams.copy()
    pixels(plot(tensors(), theme=theme))
    assert mpl.rcParams == before


@every_plot
@every_theme
def test_the_page_has_the_color_of_the_theme(plot: Plot, theme: str):
    corner = pixels(plot(tensors(), theme=theme))[0, 0, :3]
    np.testing.assert_allclose(corner / 255, to_rgb(THEMES[theme].page), atol=0.01)


@every_plot
def test_a_figure_looks_the_same_whatever_inks_the_global_style_has(plot: Plot):
    usual = pixels(plot(tensors()))
    with mpl.rc_context(LOUD):
        assert np.array_equal(pixels(plot(tensors())), usual)


@every_plot
def test_a_title_stands_above_all_panels(plot: Plot):
    assert plot(tensors(), title="What there is to see").get_suptitle() == "What there is to see"


@every_plot
def test_what_is_drawn_is_not_changed(plot: Plot):
    given = tensors()
    plot(given)
    assert all(torch.equal(tensor, given[name]) for name, tensor in tensors().items())


@every_plot
def test_doubles_and_tensors_with_gradients_are_drawn_alike(plot: Plot):
    doubles = {name: tensor.double().requires_grad_() for name, tensor in tensors().items()}
    assert np.array_equal(pixels(plot(doubles)), pixels(plot(tensors())))


@every_plot
def test_an_unknown_theme_is_refused(plot: Plot):
    with refuses(ValueError, "Unknown theme 'drak'.*'light', 'dark'.*mean 'dark'"):
        plot(tensors(), theme="drak")


def test_light_and_dark_differ_in_every_ink():
    light, dark = THEMES["light"], THEMES["dark"]
    assert not set(vars(light).values()) & set(vars(dark).values())
