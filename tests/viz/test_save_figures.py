from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from refusals import refuses

from latent_anchors.viz import animate_latents, plot_seeds, save_figures
from latent_anchors.viz._save_figures import durations
from latent_anchors.viz._themes import THEMES

RED, BLUE = [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]
FRAMES = [[[k / 9, 0, 0], [0, 1 - k / 9, 0]] for k in range(10)]


def seeds():
    return plot_seeds("error", {"muted": [0.1, 0.2]}, title="Muted")


def motion(**options):
    return animate_latents(FRAMES, [RED, BLUE], steps=range(10), **options)


def page(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.array(picture.convert("RGB"))[0, 0] / 255


def test_a_picture_says_what_it_shows(tmp_path: Path):
    figure = seeds()
    save_figures({"seeds": figure}, tmp_path / "new")
    with Image.open(tmp_path / "new" / "seeds.png") as picture:
        assert picture.text["Description"] == figure.get_label()


def test_an_animation_has_all_frames_says_what_it_shows_and_begins_anew(tmp_path: Path):
    moving = motion(seconds=2.0)
    save_figures({"motion": moving}, tmp_path)
    with Image.open(tmp_path / "motion.gif") as picture:
        assert picture.info["comment"].decode() == moving.figure.get_label()
        assert picture.info["loop"] == 0
        assert picture.n_frames == 10
        frames = [np.array(picture.convert("RGB")) for k in range(10) if picture.seek(k) is None]
        picture.seek(5)
        assert picture.info["duration"] == 200
    assert all((one != other).any() for one, other in pairwise(frames))


def test_a_global_style_that_asks_for_tight_boxes_does_not_shake_the_frames(tmp_path: Path):
    save_figures({"usual": motion()}, tmp_path)
    with mpl.rc_context({"savefig.bbox": "tight", "savefig.format": "svg"}):
        save_figures({"tight": motion()}, tmp_path)
    with Image.open(tmp_path / "usual.gif") as usual, Image.open(tmp_path / "tight.gif") as tight:
        assert usual.size == tight.size


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_of_an_animation_has_exactly_the_color_of_the_theme(theme: str, tmp_path: Path):
    save_figures({"motion": motion(theme=theme)}, tmp_path)
    np.testing.assert_allclose(page(tmp_path / "motion.gif"), to_rgb(THEMES[theme].page))


def test_dark_variants_stand_beside_the_light_ones_where_they_are_asked_for(tmp_path: Path):
    save_figures({"seeds": seeds(), "motion": motion()}, tmp_path, dark=True)
    names = ["motion.gif", "motion_dark.gif", "seeds.png", "seeds_dark.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for light, dark in (names[:2], names[2:]):
        assert page(tmp_path / light).sum() > page(tmp_path / dark).sum()


def test_figures_that_were_given_stay_open_and_what_was_made_for_files_is_closed(tmp_path: Path):
    figure = seeds()
    save_figures({"seeds": figure, "motion": motion()}, tmp_path, dark=True)
    assert plt.get_fignums() == [figure.number]


def test_where_there_is_a_screen_all_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shown = []
    monkeypatch.setattr(mpl, "get_backend", lambda: "qtagg")
    monkeypatch.setattr(plt, "show", lambda: shown.extend(plt.get_fignums()))
    given = {"seeds": seeds(), "motion": motion()}
    save_figures(given, tmp_path, dark=True)
    assert shown == [given["seeds"].number, given["motion"].figure.number]


def test_a_dark_variant_of_what_was_drawn_elsewhere_is_refused(tmp_path: Path):
    with refuses(ValueError, "How <Figure.*> was drawn is not known"):
        save_figures({"mine": plt.figure()}, tmp_path, dark=True)


def test_a_single_point_keeps_its_color_among_many_others(tmp_path: Path):
    many = np.linspace(0, 1, 60)
    cool = [[0.1 * x, 0.3 + 0.5 * x, 0.9 - 0.4 * x] for x in many]
    places = [[np.cos(6 * x), np.sin(6 * x), 0] for x in many]
    frames = [[[-0.1, k / 20, 1], *places] for k in range(3)]
    save_figures({"m": animate_latents(frames, [RED, *cool], steps=range(3))}, tmp_path)
    with Image.open(tmp_path / "m.gif") as picture:
        picture.seek(2)
        shown = np.array(picture.convert("RGB")).reshape(-1, 3).astype(int)
    assert np.abs(shown - [255, 0, 0]).max(-1).min() < 30


def test_a_name_that_the_dark_file_of_another_figure_gets_is_refused(tmp_path: Path):
    with refuses(ValueError, "names 'x', 'x_dark' are both given, and the dark file of the first"):
        save_figures({"x": seeds(), "x_dark": seeds()}, tmp_path, dark=True)
    save_figures({"x": seeds(), "x_dark": seeds()}, tmp_path)
    assert len([*tmp_path.iterdir()]) == 2


def test_a_label_of_ones_own_stands_on_both_pages(tmp_path: Path):
    figure = seeds()
    figure.set_label("My own words.")
    save_figures({"seeds": figure}, tmp_path, dark=True)
    with Image.open(tmp_path / "seeds_dark.png") as picture:
        assert picture.text["Description"] == "My own words."


def test_what_was_added_to_a_figure_is_not_lost_on_a_dark_page(tmp_path: Path):
    figure = seeds()
    figure.axes[0].axvline(0.3)
    with refuses(ValueError, "'seeds_dark' was changed after it was drawn.*theme='dark'"):
        save_figures({"seeds": figure}, tmp_path, dark=True)
    save_figures({"seeds": figure}, tmp_path)


@pytest.mark.parametrize(("seconds", "frames"), [(2.9, 100), (6.0, 7), (0.2, 10)])
def test_frames_sum_to_the_length_in_whole_hundredths(seconds, frames):
    each = durations(seconds, frames)
    assert sum(each) == round(1000 * seconds)
    assert {duration % 10 for duration in each} == {0}
    assert max(each) - min(each) <= 10
