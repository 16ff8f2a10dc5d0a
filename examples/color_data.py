"""Color data: two spaces, a wheel, and a band held out
====================================================

Color is small, exact, and you can see it. Training data should vary by something
that a person has a word for: hue, saturation, value. In RGB these are hidden in mixtures, so that
grids are built in HSV, from axes that say what is in and what is not. A band of hues can then be
held out, to see later what a network does with hues that it was never trained on.
"""

# %%
# The folder for the results. Nothing is trained here, so that seeds do not matter.

import torch

from latent_anchors import colorspace, testbed, viz

evidence = testbed.Evidence.from_arguments("color_data", seeds=1)

# %%
# The same colors in both spaces. As vectors of RGB they are of different lengths: primaries 1,
# secondaries 1.41, white 1.73. Nearness and direction in RGB say little about what a color is
# called; in HSV every sixth of a turn is one of the six.

names = [*[*colorspace.HUES][::2], "black", "gray", "white"]
colors = colorspace.named_colors(*names)
print("            RGB            HSV                   length of RGB")
for name, rgb, hsv in zip(names, colors, colorspace.rgb_to_hsv(colors), strict=True):
    both = "   ".join(" ".join(f"{x:.2f}" for x in row) for row in (rgb.tolist(), hsv.tolist()))
    print(f"{name:<12}{both:<37}{rgb.square().sum().sqrt():.2f}")

# %%
# Every other space is one function away from RGB, and one back. In perceptual spaces distance means
# difference: the same step of hue is not equally large everywhere.

spaces = {
    "HSV": (colorspace.rgb_to_hsv, colorspace.hsv_to_rgb),
    "HSL": (colorspace.rgb_to_hsl, colorspace.hsl_to_rgb),
    "linear": (colorspace.rgb_to_linear, colorspace.linear_to_rgb),
    "XYZ": (colorspace.rgb_to_xyz, colorspace.xyz_to_rgb),
    "Lab": (colorspace.rgb_to_lab, colorspace.lab_to_rgb),
    "LCh": (colorspace.rgb_to_lch, colorspace.lch_to_rgb),
    "Oklab": (colorspace.rgb_to_oklab, colorspace.oklab_to_rgb),
    "Oklch": (colorspace.rgb_to_oklch, colorspace.oklch_to_rgb),
}
between = colorspace.rgb_midpoints(5)
for name, (there, back) in spaces.items():
    print(f"{name:<7} and back: off by {(back(there(between)) - between).abs().max():.0e}")
for pair in (("green", "teal"), ("orange", "yellow")):
    one, other = colorspace.named_colors(*pair)
    turn = colorspace.hue_distance(*colorspace.rgb_to_hsv(torch.stack([one, other]))[:, 0])
    lab = colorspace.delta_e_2000(colorspace.rgb_to_lab(one), colorspace.rgb_to_lab(other))
    print(f"{' to '.join(pair)}: {360 * turn:.0f} degrees of hue, {lab:.0f} of CIEDE2000")

# %%
# An RGB grid: red from slice to slice, green down, blue across. Every color comes once.

quarters = ["0", "¼", "½", "¾", "1"]
cube = colorspace.rgb_grid(5).reshape(5, 5, 5, 3)
by_red = viz.plot_swatches(
    cube,
    titles=[f"red {level}" for level in quarters],
    rows=quarters,
    columns=quarters,
    title="The RGB cube in slices of red: green down, blue across",
)

# %%
# An HSV grid: twelve hues, five saturations, five values. Its black comes sixty times, its grays
# twelve times each; drawn in proportion to the grid's weights, all blacks together count as one
# cell, and so do all whites.

grid = colorspace.hsv_grid(12, 5, 5)
solid = grid.rgb.unflatten(0, grid.shape)
black = grid.hsv[:, 2] == 0
share = grid.weight[black].sum() / grid.weight.sum()
print(f"black: {black.float().mean():.1%} of the cells, {share:.1%} of what is drawn")

by_hue = viz.plot_swatches(
    solid.transpose(1, 2).flip(1),
    titles=[*colorspace.HUES],
    rows=quarters[::-1],
    columns=quarters,
    title="The HSV solid hue by hue: value up, saturation across",
)

# %%
# Holding out a band: three of the twelve hues. Hue goes round, so that the band about red begins
# before the end of the axis and ends after its beginning. What is left is a grid like any other.

BANDS = {"cyan": (5 / 12, 7 / 12), "red": (11 / 12, 1 / 12)}
letters = [name[0] if k % 2 == 0 else "" for k, name in enumerate(colorspace.HUES)]
bands = {}
for name, band in BANDS.items():
    left = colorspace.hsv_grid(12, 5, 5, without=band)
    kept = ~colorspace.hue_between(grid.hsv[:, 0], *band)
    print(f"without {name}: {left.shape[0]} hues of {grid.shape[0]}, {len(left.rgb)} cells")
    bands[f"without_{name}"] = viz.plot_swatches(
        solid.permute(1, 2, 0, 3).flip(1),
        kept.unflatten(0, grid.shape).permute(1, 2, 0).flip(1),
        titles=[f"saturation {level}" for level in quarters],
        rows=quarters[::-1],
        columns=letters,
        title=f"Without {name}: value up, hue across",
    )

# %%
# The same band in RGB is a wedge out of the cube, which leaves the grays alone: they have no hue.
# And it is not as empty as it looks. The less saturated a color of the band is, the nearer lie
# colors of other hues, which are still there; only vivid ones are far from all that is shown.

within = colorspace.hue_between(colorspace.rgb_to_hsv(cube)[..., 0], *BANDS["cyan"])
wedge = viz.plot_swatches(
    cube,
    ~within,
    titles=[f"red {level}" for level in quarters],
    rows=quarters,
    columns=quarters,
    title="The RGB cube without cyan, in slices of red: green down, blue across",
)

shown = colorspace.hsv_grid(12, 5, 5, without=BANDS["cyan"]).rgb
held_out = colorspace.hsv_grid([colorspace.hue_of("cyan")], 5, [1.0])
nearest = torch.cdist(held_out.rgb, shown).amin(1)
for saturation, distance in zip(quarters, nearest.tolist(), strict=True):
    print(f"cyan of saturation {saturation} and value 1: {distance:.2f} from the nearest shown")

# %%
# The wheel that networks rediscover: hue as the angle, saturation as the distance from the
# center; small points are held out. Seen along its grays, the RGB cube is a hexagon: that is what
# mixtures make of the same colors, and some of its corners show in what networks learn.

disc = colorspace.hsv_grid(72, 12, [1.0])
turn, saturation, _ = disc.hsv.unbind(-1)
angle = 2 * torch.pi * turn
red, green, blue = disc.rgb.unbind(-1)
wheels = viz.plot_wheels(
    {
        "HSV": torch.stack([saturation * angle.cos(), saturation * angle.sin()], dim=-1),
        "RGB along its grays": torch.stack(
            [red - (green + blue) / 2, 3**0.5 / 2 * (green - blue)], dim=-1
        ),
    },
    disc.rgb,
    ~colorspace.hue_between(turn, *BANDS["cyan"]),
    title="The color wheel without cyan",
)
viz.save_figures(
    {"rgb": by_red, "hsv": by_hue, **bands, "wedge": wedge, "wheels": wheels}, evidence.out
)
