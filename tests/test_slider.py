"""The page with the slider: its frames are those of the recipe, and its parts have words."""

import importlib
import json
import re
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest
import torch
from PIL import Image
from torch import Tensor

from latent_anchors import models

DOCS = Path(__file__).parents[1] / "docs"
FRAMES = DOCS / "_static" / "mute_red"
PAGE = (DOCS / "mute_red.rst").read_text()
SCRIPT = (FRAMES / "slider.js").read_text()
SHOWN = {"cube": (8, 64), "pictures": (96, 240)}


@pytest.fixture
def make_frames(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("make_frames")


def figures(folder: Path) -> dict[str, list]:
    before, words = (folder / "frames.js").read_text().split(" = ")
    assert before == "const muteRedFrames"
    return json.loads(words.removesuffix(";\n"))


def pixels(path: Path) -> Tensor:
    with Image.open(path) as picture:
        assert picture.mode == "RGB"
        values = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        return values.view(picture.height, picture.width, 3)


def frames(name: str) -> list[Tensor]:
    return [*pixels(FRAMES / f"{name}.png").split(SHOWN[name][1], dim=1)]


def nesting(value: object) -> object:
    return [nesting(each) for each in value] if isinstance(value, list) else type(value)


def test_the_stored_frames_have_the_names_and_shapes_that_the_script_writes(
    make_frames: ModuleType, tmp_path: Path
):
    untrained = models.Population.make(models.SphericalAutoencoder, seeds=[0])
    make_frames.write(untrained, tmp_path)
    written = {path.name for path in tmp_path.iterdir()}
    assert {path.name for path in FRAMES.iterdir()} == written | {"slider.js"}
    for path in tmp_path.glob("*.png"):
        assert pixels(path).shape == pixels(FRAMES / path.name).shape, path.name
    again, stored = figures(tmp_path), figures(FRAMES)
    assert {name: nesting(again[name]) for name in again} == {k: nesting(stored[k]) for k in stored}
    assert [again[name] for name in ("widths", "hues")] == [stored[k] for k in ("widths", "hues")]


@pytest.mark.parametrize("name", SHOWN)
def test_the_first_frame_is_what_was_drawn_and_the_ends_are_kept_by_themselves(
    name: str, make_frames: ModuleType
):
    first, *_, last = frames(name)
    drawn = getattr(make_frames, name)()
    assert first.shape == drawn.shape == (*SHOWN[name], 3)
    assert (first / 255 - drawn).square().mean() < 1e-3
    assert torch.equal(first, pixels(FRAMES / f"{name}_trained.png"))
    assert torch.equal(last, pixels(FRAMES / f"{name}_muted.png"))


@pytest.mark.parametrize("name", SHOWN)
def test_a_wider_cone_mutes_what_a_narrower_one_does_and_more(name: str):
    first, *_, last = frames(name)
    before = torch.zeros(SHOWN[name], dtype=torch.bool)
    for frame in frames(name):
        changed = (frame != first).any(-1)
        assert torch.equal(frame[changed], last[changed])
        assert bool((changed | ~before).all())
        before = changed
    assert bool(before.any())


def test_no_more_colors_change_than_lie_in_the_cone(make_frames: ModuleType):
    first = frames("cube")[0]
    for frame, inside in zip(frames("cube"), figures(FRAMES)["inside"], strict=True):
        assert int((frame != first).any(-1).sum()) <= inside
    red = frames("cube")[make_frames.WIDTHS.index(18)][0, -8] / 255
    torch.testing.assert_close(red, torch.full((3,), 0.5), rtol=0, atol=0.08)


def test_the_errors_at_the_width_of_the_example_are_those_stored_of_seed_0():
    stored = json.loads((DOCS / "results" / "mute_red" / "red.json").read_text())
    assert stored["seeds"][0] == 0
    shown = figures(FRAMES)
    errors = dict(zip(shown["hues"], shown["errors"][shown["widths"].index(18)], strict=True))
    for name in ("red", "orange", "rose"):
        of_seed_0 = stored["metrics"][f"error/muted/{name}"]["per_seed"][0]
        assert errors[name] == pytest.approx(1e4 * of_seed_0, abs=0.6), name
    far = stored["metrics"]["error/muted/far"]["per_seed"]
    assert errors["cyan"] == pytest.approx(1e4 * far[0], abs=0.6)
    assert f"{max(far):.4f}" == f"{far[0]:.4f}" == re.findall(r"0\.\d{4}", PAGE)[0]


def test_frames_are_small_enough_to_be_kept():
    assert sum(path.stat().st_size for path in FRAMES.iterdir()) < 150_000


def html() -> str:
    return dedent(PAGE.split(".. raw:: html\n")[1].split("\nWhat you see")[0])


def tag(start: str) -> str:
    return html()[html().index(start) :].split(">")[0]


def test_pictures_have_words_and_what_the_page_loads_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.syspath_prepend(str(DOCS))
    (tmp_path / "page.html").write_text(html())
    page = importlib.import_module("check_site").Page(tmp_path / "page.html")
    assert page.wrong == []
    sheets = re.findall(r'data-frames="(.+?)"', html())
    assert len(page.links) == 6
    assert [link for link in page.links + sheets if not (DOCS / link).exists()] == []
    for panel in re.findall(r'<div class="mute-red-frames.*?>', html(), re.DOTALL):
        assert 'role="img"' in panel
        assert re.search(r'aria-label="\w', panel)


def test_the_slider_has_a_label_and_a_step_for_each_frame(make_frames: ModuleType):
    slider, widths = tag("<input"), make_frames.WIDTHS
    for given in (f'min="{widths[0]}"', f'max="{widths[-1]}"', f'step="{widths.step}"'):
        assert given in slider
    assert 'type="range"' in slider
    assert 'aria-valuetext="0 degrees"' in slider
    (name,) = re.findall(r'\bid="(.+?)"', slider)
    assert tag("<label") == f'<label for="{name}"'
    assert f'for="{name}"' in tag("<output")


def test_the_script_finds_its_parts_and_fetches_nothing():
    places = set(re.findall(r'\bid="(.+?)"', html()))
    asked = set(re.findall(r'getElementById\("(.+?)"\)', SCRIPT))
    assert asked == {"mute-red-width", "mute-red-said", "mute-red-hues"}
    named = re.findall(r'(?:aria-describedby|aria-labelledby|for)="(.+?)"', html())
    assert asked | set(named) <= places
    assert "http" not in SCRIPT + html()
    assert 'setAttribute("aria-valuetext"' in SCRIPT


def test_the_pieces_of_a_panel_make_up_a_frame():
    pieces = re.findall(r'data-pieces="(.+?)"', html())
    sums = [sum(map(int, widths.split())) for widths in pieces]
    assert sums == [width for _, width in SHOWN.values()]
