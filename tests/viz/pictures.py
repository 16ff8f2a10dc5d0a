"""Small pictures of every member, which are kept; ``nox -s pictures`` draws them anew."""

from pathlib import Path

from matplotlib import use
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import NullFormatter
from PIL import Image
from viz.members import MEMBERS, drawn, pixels

KEPT = Path(__file__).parent / "pictures"

THEMED = [*((name, "light") for name in MEMBERS), ("plot_timeline", "dark")]
"""One is kept for a dark page, too: all themes are tried on in `test_themes`."""

DPI, FINER = 36, 4
"""A picture's pixels by the inch, and how many times finer it is drawn, for its edges."""


def keep(name: str, theme: str, folder: Path) -> Path:
    """A picture of a member, without what the version of matplotlib and of its fonts decides."""
    path = folder / f"{name}_{theme}.png"
    figure = drawn(name, theme=theme)
    settle(figure)
    figure.set_dpi(DPI * FINER)
    Image.fromarray(pixels(figure)[..., :3]).reduce(FINER).save(path, optimize=True)
    return path


def settle(figure: Figure) -> None:
    """Panels in their cells, however long the words around them are; and no words."""
    figure.set_layout_engine("none")
    for axes in figure.axes:
        cell = axes.get_subplotspec()
        if cell is not None:
            axes.set_position(cell.get_position(figure))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(NullFormatter())
            axis.set_minor_formatter(NullFormatter())
    for text in figure.findobj(Text):
        text.set_text("")


if __name__ == "__main__":
    use("agg")
    KEPT.mkdir(exist_ok=True)
    for old in KEPT.iterdir():
        old.unlink()
    for name, theme in THEMED:
        print(keep(name, theme, KEPT))
