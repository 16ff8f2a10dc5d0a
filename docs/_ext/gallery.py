"""How the gallery runs scripts: in which order, with which arguments, and what it shows of them."""

import shutil
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib import font_manager
from matplotlib.figure import Figure
from PIL import Image
from tqdm import tqdm

from latent_anchors import viz

STORY = (
    *("color_data", "mlp_bottleneck", "curriculum_learning", "parameter_transitions"),
    *("smooth_curriculum", "sparse_labels", "regularizer_combinations"),
    *("anchor_red", "mute_red", "delete_red", "delete_hue", "relearn_red", "pictures"),
    *("faces", "compare_methods"),
    *("color_mixing", "compare_mixing", "many_concepts", "anchor_operation"),
    *("relearn_mixing", "oracle_mixing"),
    *("words", "words_together", "words_removed"),
    *("quickstart", "anchor_a_concept", "write_a_curriculum"),
    *("write_a_penalty", "write_an_edit", "write_a_baseline", "write_an_adapter"),
    *("intervene_and_cut", "prevent_a_concept", "read_the_figures", "how_fast"),
)
"""Examples and guides in the order in which they are best read."""

PIXELS, SHARP, STORED = 100, 150, 130
"""Per inch of a figure: on the page, in the file, for screens with several dots a pixel, and in
files that :func:`latent_anchors.viz.save_figures` made."""


def emoji() -> bool:
    """Whether a font with color emoji is installed."""
    return any("NotoColorEmoji" in file for file in font_manager.findSystemFonts())


def wordnet() -> bool:
    """Whether WordNet is installed where its package puts it."""
    return Path("/usr/share/wordnet/data.noun").exists()


NEEDS = {
    "pictures": ("a font with color emoji", emoji),
    **dict.fromkeys(
        (
            *("faces", "words", "words_together", "words_removed"),
            *("compare_methods", "compare_mixing", "oracle_mixing"),
        ),
        ("the time for a full run", None),
    ),
}
"""Why a script may not be run in full, and whether it can be all the same. Where it cannot, a smoke
test runs, and the figures of full runs that are stored under the script's name in ``docs/images``
are shown."""


def lacks(source: Path) -> str:
    """Why a script is not run in full; empty if it is."""
    what, is_there = NEEDS.get(source.stem, ("", lambda: True))
    return "" if is_there and is_there() else what


class Order:
    """The position of a script in the gallery; unlisted ones come last."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, script: str) -> tuple[int, str]:
        """Sort by this."""
        name = Path(script).stem
        return (STORY.index(name) if name in STORY else len(STORY)), name


def arguments(settings: dict, script: dict) -> list[str]:
    """The command line of an example: results go to the build folder."""
    source = Path(script["src_file"])
    smoke = ["--smoke"] if lacks(source) else []
    out = ["--out", str(results(settings, source)), *smoke]
    return out if source.parent.name == "examples" else []


def same_chances(settings: dict, script: str) -> None:
    """Every script begins with the same random numbers, whichever ran before it."""
    del settings, script
    torch.manual_seed(0)


def results(settings: dict, source: Path) -> Path:
    """Where a script writes."""
    return Path(settings["src_dir"]) / "_build" / "results" / source.stem


def figures(block: tuple, script: dict, settings: dict) -> str:
    """What a block drew, for light pages and for dark ones, and the animations that it wrote."""
    del block
    paths = script["image_path_iterator"]
    if lacks(Path(script["src_file"])):
        return _stored(Path(script["src_file"]), paths, settings) if plt.get_fignums() else ""
    shown = [
        _figure(plt.figure(number), Path(next(paths)), settings) for number in plt.get_fignums()
    ]
    plt.close("all")
    written = script.setdefault("animations_shown", set())
    for found in sorted(results(settings, Path(script["src_file"])).glob("*.gif")):
        if found not in written:
            written.add(found)
            target = Path(next(paths)).with_suffix(".gif")
            with Image.open(shutil.copy(found, target)) as moving:
                alt = moving.info["comment"].decode()
                shown.append(_image(target, settings, alt, moving.width, _page(found)))
    return "\n".join(shown)


def _stored(source: Path, paths: Iterator[str], settings: dict) -> str:
    """What a script drew elsewhere, and that it did."""
    plt.close("all")
    images = Path(settings["src_dir"]) / "images"
    shown: list[str] = []
    for by_day in [images / f"{source.stem}.png", *sorted(images.glob(f"{source.stem}-*.png"))]:
        if by_day.stem.endswith("_dark") or not by_day.exists():
            continue
        shown.append(_copied(by_day, Path(next(paths)), settings, "only-light"))
        by_night = by_day.with_stem(f"{by_day.stem}_dark")
        shown.append(_copied(by_night, Path(next(paths)), settings, "only-dark"))
    note = f"Figures of full runs that were stored: {lacks(source)}.\n"
    return "\n".join([*shown, "", note])


def _copied(found: Path, target: Path, settings: dict, page: str) -> str:
    shutil.copy(found, target)
    with Image.open(found) as picture:
        alt, width = picture.info["Description"], round(picture.width * PIXELS / STORED)
    return _image(target, settings, alt, width, page)


def _page(found: Path) -> str:
    """For which pages an animation is, if there is one for the others, too."""
    if found.stem.endswith("_dark"):
        return "only-dark"
    return "only-light" if found.with_stem(f"{found.stem}_dark").exists() else ""


def _figure(figure: Figure, path: Path, settings: dict) -> str:
    width = round(PIXELS * figure.get_figwidth())
    figure.savefig(path, dpi=SHARP, facecolor=figure.get_facecolor())
    alt = words(figure)
    try:
        dark = viz.redraw(figure, "dark")
    except ValueError:  # drawn by the script itself
        return _image(path, settings, alt, width)
    night = path.with_stem(f"{path.stem}_dark")
    dark.savefig(night, dpi=SHARP, facecolor=dark.get_facecolor())
    by_day = _image(path, settings, alt, width, "only-light")
    return by_day + _image(night, settings, alt, width, "only-dark")


def words(figure: Figure) -> str:
    """What to say to who cannot see it: its label, or its titles."""
    titles = [figure.get_suptitle()] if figure.get_suptitle() else _titles(figure)
    return str(figure.get_label()) or " ".join(f"{title.rstrip('.')}." for title in titles)


def _titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def _image(path: Path, settings: dict, alt: str, width: int, page: str = "") -> str:
    place = path.relative_to(settings["src_dir"]).as_posix()
    options = {"alt": alt, "width": f"{width}px", "class": f"figure {page}"}
    lines = [f"   :{name}: {value}" for name, value in options.items()]
    return "\n".join(["", f".. image:: /{place}", *lines, ""])


def _silent(start: Callable[..., None]) -> Callable[..., None]:
    """Bars of progress do not belong on a page."""

    @wraps(start)
    def silenced(self: tqdm, *given: object, **named: object) -> None:
        start(self, *given, **{**named, "disable": True})

    return silenced


tqdm.__init__ = _silent(tqdm.__init__)
