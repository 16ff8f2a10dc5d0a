"""Figures on files, and on the screen where there is one."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

WITHOUT_A_SCREEN = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}
"""Backends that only write files, whose ``show`` would warn."""


def present(figures: Mapping[str, Figure], folder: Path) -> None:
    """Save figures as PNG, and show them where there is a screen.

    Args:
        figures: By the name of the file, without its ending.
        folder: Where to; made if need be.

    Examples:
        >>> import tempfile
        >>> figure = plt.figure()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     present({"empty": figure}, Path(folder))
        ...     [path.name for path in Path(folder).iterdir()]
        ['empty.png']
        >>> plt.close(figure)
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=130, facecolor=figure.get_facecolor())
    if mpl.get_backend().lower() not in WITHOUT_A_SCREEN:
        plt.show()
