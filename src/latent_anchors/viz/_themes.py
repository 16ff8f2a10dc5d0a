"""Light and dark: the inks of a figure, and a fresh figure in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import AbstractPathEffect, withStroke

from latent_anchors._checks import check_name
from latent_anchors.viz._texts import within

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True)
class Theme:
    """Inks: of the page, of text, of what should step back, of large calm areas, and of lines.

    Lines differ in color where the color is not the data's: those of Okabe and Ito, which
    people of every color vision can tell, but for those too near the page.
    """

    page: str
    ink: str
    faint: str
    calm: str
    lines: tuple[str, ...]


THEMES: Mapping[str, Theme] = MappingProxyType(
    {
        "light": Theme(
            page="#ffffff",
            ink="#1f2328",
            faint="#6b7480",
            calm="#eff1f4",
            lines=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
        ),
        "dark": Theme(
            page="#0d1117",
            ink="#e8edf2",
            faint="#8f98a3",
            calm="#2a323d",
            lines=("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00"),
        ),
    }
)

SMALL, NORMAL, LARGE = 8.0, 9.5, 12.0
"""Sizes of text in points, legible where a figure 9 inches wide is shown 900 pixels wide."""

PAD = 0.08
"""Inches around every panel."""

LINE = 0.2
"""Inches for each line of a title beyond the first."""


def new_figure(
    theme: ThemeName, width: float, height: float, title: str | None, words: str
) -> tuple[Figure, Theme]:
    """A figure that pyplot knows, in inches, and its inks; the global style is left alone.

    Its label says in a line what it shows: the title, and words that its data make.
    """
    check_name("theme", theme, [*THEMES])
    inks = THEMES[theme]
    layout = ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD)
    figure = plt.figure(figsize=(width, height), facecolor=inks.page, layout=layout)
    words = words[0].upper() + words[1:]
    if title is not None:
        lines = within(title, 72 * (width - 2 * PAD), LARGE)
        figure.suptitle(lines, color=inks.ink, fontsize=LARGE)
        figure.set_figheight(height + lines.count("\n") * LINE)
        words = f"{title.rstrip('.')}. {words}"
    figure.set_label(" ".join(words.split()))
    return figure, inks


def halo(inks: Theme, width: float = 2.5) -> list[AbstractPathEffect]:
    """The page's color round words and lines, so that they stand out from what they cross."""
    return [withStroke(linewidth=width, foreground=inks.page)]


def dress(axes: Axes, inks: Theme, title: str | None = None) -> None:
    """Axes without a frame, in the theme's inks whatever the global style says."""
    axes.set_facecolor(inks.page)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(
        colors=inks.faint, labelcolor=inks.ink, labelsize=SMALL, length=0, which="both"
    )
    if title is not None:
        axes.set_title(title, color=inks.ink, fontsize=NORMAL)
