"""The frames of the page with the slider: one network, red muted in wider and wider cones.

``python docs/make_frames.py`` trains the network of seed 0 by the recipe of
``examples/mute_red.py``, which takes a minute, and writes ``docs/_static/mute_red``. It needs no
font and no network: the pictures are drawn here, by formula.
"""

import json
import math
from contextlib import nullcontext
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

import latent_anchors as la
from latent_anchors import colorspace, curriculum, evaluation, interventions, models, testbed

FRAMES = Path(__file__).parent / "_static" / "mute_red"
WIDTHS = range(0, 91, 3)
"""Degrees around red's pole within which it is muted, one for each frame; 0 is no edit."""

SIDE, FINE = 96, 4
"""Height of a picture in pixels, and how many points along each side of a pixel are averaged."""

TABLE = 0.85, 0.85, 0.85
LIGHT = -0.45, -0.6, 0.66
"""Where the light comes from: from the left, from above, from in front."""

FRUIT = (
    # across, down, half width, half height, color
    *((0.27, 0.11, 0.02, 0.08, (0.35, 0.22, 0.1)), (0.36, 0.09, 0.09, 0.04, (0.3, 0.7, 0.2))),
    *((0.26, 0.34, 0.20, 0.19, (1, 0, 0)), (0.75, 0.33, 0.19, 0.19, (1, 0.5, 0))),
    *((1.24, 0.33, 0.20, 0.15, (1, 0.9, 0)), (0.26, 0.78, 0.18, 0.15, (0.4, 0.8, 0.1))),
    *((0.75, 0.78, 0.14, 0.16, (0.45, 0.15, 0.65)), (1.14, 0.81, 0.12, 0.12, (0.65, 0, 0.05))),
    *((1.34, 0.77, 0.12, 0.12, (0.75, 0, 0.1)), (1.24, 0.60, 0.08, 0.03, (0.3, 0.7, 0.2))),
)
"""An apple with its stem and leaf, an orange, a lemon; a lime, a plum and two cherries."""


def network() -> nn.Module:
    """Seed 0 of the recipe, settings unchanged."""
    torch.set_num_threads(1)
    trained = la.fit(
        models.SphericalAutoencoder,
        testbed.pole_objective("red"),
        curriculum.read_dopesheet(testbed.POLE_SHEET).timeline(),
        testbed.pole_sampler("red"),
        losses=testbed.pole_losses(),
        seeds=[0],
    )
    return trained.population


def cube() -> Tensor:
    """The 512 colors, ``(8, 64, 3)``: a slice for each amount of red, green down, blue across."""
    return colorspace.rgb_grid(8).view(8, 8, 8, 3).movedim(0, 1).reshape(8, 64, 3)


def pictures() -> Tensor:
    """The color wheel, and beside it the fruit, ``(SIDE, 2.5 SIDE, 3)``."""
    return torch.cat([averaged(wheel(*points(1.0))), averaged(fruit(*points(1.5)))], 1)


def points(across: float) -> tuple[Tensor, Tensor]:
    """Coordinates of a picture's points, across and down, in heights of the picture."""
    count = SIDE * FINE
    down, right = ((torch.arange(round(n * count)) + 0.5) / count for n in (1.0, across))
    y, x = torch.meshgrid(down, right, indexing="ij")
    return x, y


def averaged(picture: Tensor) -> Tensor:
    """Points ``(height, width, 3)`` to pixels."""
    return nn.functional.avg_pool2d(picture.movedim(-1, 0), FINE).movedim(0, -1)


def wheel(x: Tensor, y: Tensor) -> Tensor:
    """Hue around, saturation outward, at full brightness; red to the right."""
    x, y = (x - 0.5) / 0.47, (y - 0.5) / 0.47
    out, hue = x.hypot(y), torch.atan2(-y, x) / math.tau % 1.0
    colors = colorspace.hsv_to_rgb(torch.stack([hue, out.clamp(max=1.0), torch.ones_like(x)], -1))
    return torch.where((out < 1)[..., None], colors, torch.tensor(TABLE))


def fruit(x: Tensor, y: Tensor) -> Tensor:
    """Shaded balls on a gray table, one painted over the other."""
    picture = torch.tensor(TABLE).expand(*x.shape, 3)
    for left, top, wide, high, color in FRUIT:
        u, v = (x - left) / wide, (y - top) / high
        front = (1 - u**2 - v**2).clamp(min=0).sqrt()
        lit = (LIGHT[0] * u + LIGHT[1] * v + LIGHT[2] * front).clamp(0, 1)[..., None]
        body = torch.tensor(color) * (0.4 + 0.6 * lit.sqrt())
        picture = torch.where((front > 0)[..., None], body + (1 - body) * lit**40 * 0.6, picture)
    return picture


def mute(degrees: int) -> interventions.Suppression:
    """The edit of ``examples/mute_red.py``, in a cone of another width."""
    gate = interventions.BoundedFalloff(threshold=math.cos(math.radians(degrees)))
    return interventions.Suppression([1.0, 0.0, 0.0, 0.0], gate)


def shown(model: nn.Module, picture: Tensor, degrees: int) -> Tensor:
    """What a network makes of every pixel of a picture, muted within so many degrees."""
    with la.intervene(model, mute(degrees)) if degrees else nullcontext():
        said = testbed.reconstructions(model, picture.reshape(-1, 3))
    return said[0].view(picture.shape)


def image(frames: list[Tensor]) -> Image.Image:
    """Frames side by side."""
    pixels = torch.cat(frames, 1).mul(255).round().byte()
    return Image.fromarray(pixels.numpy())


def inside(model: nn.Module, colors: Tensor, degrees: int) -> int:
    """How many colors lie in the cone."""
    cosines = evaluation.latents(model, colors)[0, :, 0]
    return int((mute(degrees).falloff(cosines) > 0).sum()) if degrees else 0


def figures(model: nn.Module) -> dict[str, list]:
    """What the page says of each frame: colors in the cone, and the twelve hues as they come out.

    Of each hue, its color in hexadecimal, and its mean squared error in ten thousandths.
    """
    hues, said = colorspace.named_colors(*colorspace.HUES), {"colors": [], "errors": []}
    for degrees in WIDTHS:
        out = shown(model, hues, degrees)
        said["colors"].append([f"#{r:02x}{g:02x}{b:02x}" for r, g, b in out.mul(255).round().int()])
        said["errors"].append((out - hues).square().mean(-1).mul(1e4).round().int().tolist())
    counts = [inside(model, colorspace.rgb_grid(8), degrees) for degrees in WIDTHS]
    return {"widths": [*WIDTHS], "hues": [*colorspace.HUES], "inside": counts, **said}


def write(model: nn.Module, folder: Path) -> None:
    """All frames in one picture, the first and the last by themselves, and the figures."""
    folder.mkdir(exist_ok=True)
    for name, picture in {"cube": cube(), "pictures": pictures()}.items():
        frames = [shown(model, picture, degrees) for degrees in WIDTHS]
        image(frames).save(folder / f"{name}.png", optimize=True)
        for end, frame in {"trained": frames[0], "muted": frames[-1]}.items():
            image([frame]).save(folder / f"{name}_{end}.png", optimize=True)
    words = json.dumps(figures(model), separators=(",", ":"))
    (folder / "frames.js").write_text(f"const muteRedFrames = {words};\n")


if __name__ == "__main__":
    write(network(), FRAMES)
