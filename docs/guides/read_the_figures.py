"""Read the figures
================

Every figure of the library, in the order in which you will meet them, and what to look for. Colors
on a figure are always the data's own; what is not a color is shown by shape, width or a name. Each
function takes plain numbers and gives a matplotlib figure, for light or for dark pages.
"""

# %%
# For the other kind of page, :func:`~latent_anchors.viz.redraw` makes a figure or a
# :class:`~latent_anchors.viz.Motion` anew; :func:`~latent_anchors.viz.save_figures` writes both.
#
# What is shown here: four small networks that learned the colors, with red put at the top of the
# latent sphere. The training takes a few seconds; :doc:`intervene_and_cut` explains it.

import math

import torch

import latent_anchors as la
from latent_anchors import (
    colorspace,
    curriculum,
    data,
    evaluation,
    interventions,
    models,
    testbed,
    training,
    viz,
)
from latent_anchors import regularizers as reg

torch.set_num_threads(1)
grid = colorspace.rgb_grid(8)
sampler = data.Sampler(
    grid,
    labels={
        "red": data.BernoulliLabels(0.24 * colorspace.hue_degree(grid, 0.0) ** 12),
        "cyan": data.BernoulliLabels(0.24 * colorspace.hue_degree(grid, 0.5) ** 12),
        "vivid": data.BernoulliLabels(0.03 * colorspace.vibrancy(grid) ** 10),
    },
    batch_size=64,
)
SHEET = """
STEP, PHASE,  lr:log, recon, separate, anchor, plane
0,    settle, 1e-5,   1,     1.89,     0.01,   0.03
10,   ,       0.01,   ,      ,         ,
500,  hold,   0.03,   ,      1.89,     0.1,
750,  ,       ,       ,      ,         ,       0.03
950,  ,       0.02,   ,      0,        0.01,   0
1000, ,       1e-3,   ,      ,         ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()
red = [1.0, 0.0, 0.0, 0.0]
objective = la.Objective(
    [
        la.Term("red", reg.Anchor(red), label="red", track="anchor"),
        la.Term("cyan", reg.Anchor([-1.0, 0.0, 0.0, 0.0]), label="cyan", track="anchor"),
        la.Term("plane", reg.Subspace(dims=(0, 1)), label="vivid"),
        la.Term("separate", reg.Separation(power=100)),
    ],
    losses=["recon"],
    tracks=timeline.names,
    other_tracks=["lr"],
)
moments = {}


def look(progress):
    """Keep the first run's latents."""
    moments[progress.step] = evaluation.latents(progress.population, grid)[0]


networks = la.fit(
    models.SphericalAutoencoder,
    objective,
    timeline,
    sampler,
    losses={"recon": training.reconstruction},
    seeds=range(4),
    callbacks=[training.Every(100, look)],
    progress=False,
).population

# %%
# The plan
# --------
# One line for each track, named where it ends; tracks of like size share a panel, and those in log
# space have one of their own. Dots are the keys that you wrote. *Look for*: jumps you did not mean,
# a weight that is back at zero long before the end, a learning rate that is still high when the
# penalties fade.

viz.plot_timeline(timeline, title="The plan")

# %%
# The latent sphere
# -----------------
# Every dot is a color, drawn in that color where its latent lies. The disc is the unit sphere, seen
# from three sides: up is the first dimension, where red was put; near dots hide far ones. *Look
# for*: the concept at the top, in every view; a wheel whose hues go round in order; grays in the
# middle of the first view, which is on the axis that points toward you; holes and clots.

# sphinx_gallery_thumbnail_number = 2
z = evaluation.latents(networks, grid)[0]
viz.plot_latents(z, grid, title="Red at the top, hues around, grays in between")

# %%
# With ``cone``, how wide an edit reaches. What lies within it is what will be hit.

viz.plot_latents(z, grid, views=[(1, 0, 2), (1, 2, 0)], cone=(red, 18.0), title="18 degrees")

# %%
# How it came about
# -----------------
# The same view at several moments. *Look for* the moment at which the order is decided: what is
# crossed then stays crossed.

viz.plot_unfolding(
    {f"step {step}": moments[step] for step in (100, 200, 400, 600, 1000)},
    grid,
    title="The sphere, from the first steps to the last",
)

# %%
# What comes out
# --------------
# A patch is what comes out, and the square in its middle is what should. Where you see no square,
# all is well. *Look for* squares where you did not mean to change anything.

names = colorspace.COLOR_NAMES
named = colorspace.named_colors(*names)
narrow = interventions.Suppression(
    red, interventions.BoundedFalloff(threshold=math.cos(math.radians(18)))
)
wide = interventions.Suppression(red)
wheel = colorspace.hsv_grid(360, [1.0], [1.0])
outputs, sweeps = {}, {}
for condition, edit in {"as trained": wide.at(0.0), "narrow": narrow, "wide": wide}.items():
    with la.intervene(networks, edit):
        outputs[condition] = testbed.reconstructions(networks, named)
        sweeps[condition] = testbed.color_errors(networks, wheel.rgb)
first = torch.stack([each[0] for each in outputs.values()])
viz.plot_reconstructions(
    named.expand_as(first), first, rows=[*outputs], columns=names, title="The first run"
)

# %%
# The error of every hue
# ----------------------
# Along the axis go the hues, once round, the concept in the middle; each piece of a line has the
# color it is about. The line is the median of the runs, the band goes from the least to the
# greatest. *Look for* a hill at the concept, and for how steep its sides are: they show how much is
# taken along. The dotted line is what showing mid-gray instead would cost.

viz.plot_error_by_hue(
    wheel.hsv[:, 0],
    sweeps,
    reference=("mid-gray", 0.25),
    center=0.0,
    title="A narrow edit is a cliff, a wide one a hill",
)

# %%
# All three at once
# -----------------
# Where it was put, what comes out, what it costs: the figure to show to others.

viz.plot_before_after(
    "red",
    anchor=red,
    z=z,
    colors=grid,
    outputs={name: outputs[name] for name in ("as trained", "narrow")},
    hues=wheel.hsv[:, 0],
    errors={name: sweeps[name] for name in ("as trained", "narrow")},
    title="Red was put at the top; muted within 18 degrees, it is gone and orange is not",
)

# %%
# What an edit does
# -----------------
# At the left, the circle is what goes in and the blue shape what comes out, with a thread from one
# to the other every ten degrees. The length of the orange petal is how far a vector of that angle
# moves. At the right the same against alignment. *Look for* where it begins to act, and whether
# that is smooth.

viz.plot_edit_polar({"narrow": narrow, "wide": wide}, red, title="Two ways to mute")

# %%
# Who is hurt
# -----------
# A dot for each color: how similar it is to the concept, and how large its error is. On a straight
# line, damage follows similarity, which is what a *graded* edit is for; a narrow one is a step
# instead. *Look for* dots high up at the left: colors that have nothing to do with it and are hurt.

similarity = colorspace.hsv_similarity(grid, colorspace.named_colors("red")) ** 2
with la.intervene(networks, wide):
    damage = testbed.color_errors(networks, grid)
viz.plot_error_against(
    "similarity to red, squared", similarity, damage, grid, title="Half the sphere muted"
)

# %%
# Every seed
# ----------
# A dot for each run, the box around the middle half, a bar at the median. Beyond a bound the page
# is shaded, and at the right stands how many runs keep it. *Look for* the worst run, not the mean:
# a crossed run is a failure that a mean hides.

with la.intervene(networks, narrow):
    found = testbed.evaluate_colors(networks, "red", "muted")
viz.plot_seeds(
    "error under the narrow edit",
    {group: found[f"error/muted/{group}"] for group in ("orange", "rose", "far", "grays")},
    at_most=0.01,
    title="Others than red: every run keeps the bound",
)

# %%
# Does it come back?
# ------------------
# A line for each kind of network while somebody trains it to bring the concept back: its error, and
# the step at which it first comes down to the threshold. *Look for* the line of networks that never
# knew the concept, beside that of those from which it was removed: the removal is as good as those
# two are alike. Here are two curves made up to show the form; :doc:`/gallery/relearn_red` has real
# ones.

steps = torch.arange(1, 200)
viz.plot_relearning(
    steps,
    {
        "never knew it": 0.25 * torch.exp(-steps / 30.0),
        "removed": 0.25 * torch.exp(-steps / 12.0),
    },
    threshold=0.01,
    logarithmic="neither",
    title="Made up: here the removal would not have been a good one",
)
