"""Intervene and cut
=================

Once you know where a concept lies, you can ask what the network would do without it: for a moment,
by an edit at a named layer, or for good, by surgery on the weights. This page goes from the
gentlest to the most final, on colors, where you can see what each of them does.
"""

# %%
# Networks with red at a known place
# ----------------------------------
# Four runs, trained for a few seconds: the recipe of :doc:`/gallery/mute_red`, shortened. All that
# follows needs only the trained model and the name of a layer.

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
redness, cyanness = (colorspace.hue_degree(grid, hue) for hue in (0.0, 0.5))
sampler = data.Sampler(
    grid,
    labels={
        "red": data.BernoulliLabels(0.24 * redness**12),
        "cyan": data.BernoulliLabels(0.24 * cyanness**12),
        "vivid": data.BernoulliLabels(0.03 * colorspace.vibrancy(grid) ** 10),
    },
    batch_size=64,
)
SHEET = """
STEP, lr,   recon, fallback, separate, anchor, plane
0,    1e-8, 1,     0,        1.89,     0.01,   0.03
10,   0.01, ,      ,         ,         ,
500,  0.03, ,      0.1,      1.89,     0.1,
750,  ,     ,      ,         ,         ,       0.03
950,  0.02, ,      ,         0,        0.01,   0
1000, 1e-3, ,      ,         ,         ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()

red = [1.0, 0.0, 0.0, 0.0]
cyan = [-1.0, 0.0, 0.0, 0.0]
objective = la.Objective(
    [
        la.Term("red", reg.Anchor(red), label="red", track="anchor"),
        la.Term("cyan", reg.Anchor(cyan), label="cyan", track="anchor"),
        la.Term("plane", reg.Subspace(dims=(0, 1)), label="vivid"),
        la.Term("separate", reg.Separation(power=100)),
    ],
    losses=["recon", "fallback"],
    tracks=timeline.names,
    other_tracks=["lr"],
)
gray_at_origin = training.EditedOutputLoss(
    interventions.ZeroAblation(range(4)), say=torch.full((3,), 0.5), inputs=torch.zeros(1, 3)
)
networks = la.fit(
    models.SphericalAutoencoder,
    objective,
    timeline,
    sampler,
    losses={"recon": training.reconstruction, "fallback": gray_at_origin},
    seeds=range(4),
    progress=False,
).population

# %%
# An edit, for the length of a block
# ----------------------------------
# An edit is a function from latents to latents. In force at a site, everything behind it sees what
# the edit leaves. With the block it is gone, whatever happens inside; and a block in which the
# layer never ran is an error, so that no typing mistake looks like a result.

some = ["red", "orange", "yellow", "green", "cyan", "blue", "rose", "gray"]
colors = colorspace.named_colors(*some)
mute = interventions.Suppression(red)

outputs = {"as trained": testbed.reconstructions(networks, colors)[0]}
with la.intervene(networks, mute):
    outputs["red muted"] = testbed.reconstructions(networks, colors)[0]
rows = torch.stack([*outputs.values()])
viz.plot_reconstructions(
    colors.expand_as(rows),
    rows,
    rows=[*outputs],
    columns=some,
    title="The first run: everything on red's side loses its red",
)

# %%
# How far it reaches
# ------------------
# A plain suppression acts on the whole half of the sphere that faces the anchor, so that orange and
# rose lose much of themselves. A *falloff* says how strongly to act at which angle. Narrower is
# kinder, as long as the concept really lies within. Here it does, since that is what the networks
# were trained for.

edits = {
    "half the sphere": mute,
    "smooth, to 40 degrees": interventions.Suppression(
        red, interventions.ConeFalloff(inner=20.0, outer=40.0)
    ),
    "gate at 18 degrees": interventions.Suppression(
        red, interventions.BoundedFalloff(threshold=math.cos(math.radians(18)))
    ),
}
print(f"{'error':22}" + "".join(f"{name:>8}" for name in some))
for title, edit in edits.items():
    with la.intervene(networks, edit):
        errors = testbed.color_errors(networks, colors).mean(0)
    print(f"{title:22}" + "".join(f"{error:8.3f}" for error in errors))
viz.plot_lobes(edits, red, title="What each edit does to unit vectors")

# %%
# What will be hit
# ----------------
# The geometry tells before anything is edited: how far an edit will move each color's latent is
# about how much it will be damaged. Check it on data of your own before you mute anything.

edit = edits["smooth, to 40 degrees"]
expected = evaluation.displacement(evaluation.latents(networks, grid), edit)
with la.intervene(networks, edit):
    damage = testbed.color_errors(networks, grid)
predicted = evaluation.squared_correlation(damage, expected)
print("predicted, r2 of each run:", [f"{r2:.2f}" for r2 in predicted])

# %%
# Other edits
# -----------
# All have a ``strength`` from 0 to 1 that may be written while they are in force, and compose with
# ``then``. Here is what each makes of a latent 45 degrees from red.

z = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
others = {
    "suppress": interventions.Suppression(red),
    "suppress, half": interventions.Suppression(red).at(0.5),
    "repel": interventions.Repulsion(red),
    "redirect": interventions.Redirection(red, target=[0.0, 0.0, 1.0, 0.0]),
    "project out two dims": interventions.Projection([[1, 0, 0, 0], [0, 1, 0, 0]]),
    "steer": interventions.Steering([0.0, 0.0, 0.5, 0.0]),
}
for name, other in others.items():
    print(f"{name:24}", [round(value, 2) for value in other(z)[0].tolist()])

# %%
# Suppression leaves the sphere, so the decoder sees lengths it never met: train it for that with a
# :class:`~latent_anchors.training.EditedOutputLoss`, as above, or repel, which keeps lengths but
# sends red to where other colors live.
#
# Longer than a block
# -------------------
# ``attach`` gives a handle instead. Removing it removes this edit and no other.

handle = interventions.attach(networks, mute)
with_edit = testbed.color_errors(networks, colors)[0, 0]
handle.remove()
without = testbed.color_errors(networks, colors)[0, 0]
print(f"error of red {with_edit:.3f} while attached, {without:.5f} after")

# %%
# Cut
# ---
# An edit is one line that anyone can leave out. Surgery changes the weights and gives new models;
# the old ones stay as they are. ``prune`` removes latent dimensions for good, ``ablate`` silences
# them in place, ``orthogonalize`` does so for any direction.
#
# Mind the normalization: when a dimension is gone, what is left of a latent is stretched back to
# full length. Cyan lies at the opposite pole of the same axis, and goes with it; red becomes
# whatever its small remainder points to, not gray.

cut = interventions.prune(networks, [0])
outputs["red's axis cut"] = testbed.reconstructions(cut, colors)[0]
rows = torch.stack([*outputs.values()])
viz.plot_reconstructions(
    colors.expand_as(rows),
    rows,
    rows=[*outputs],
    columns=some,
    title="The first run: the cut takes cyan along",
)

# %%
# So a cut is followed by healing: the cut network learns, without any label, to say what the whole
# one says while red is muted. :doc:`/gallery/delete_red` does that, and
# :doc:`/gallery/relearn_red` asks whether red stays away.
#
# Reading alone can be cut, too: the decoder no longer sees the direction, and nothing is stretched.
# It is an edit baked in, but one without a falloff, since weights know no angles: both poles go.

blind = interventions.orthogonalize(networks, red, side="reading")
errors = testbed.color_errors(blind, colors).mean(0)
print(", ".join(f"{name} {error:.3f}" for name, error in zip(some, errors, strict=True)))

# %%
# Where nobody placed the concept
# -------------------------------
# In a network that was trained without anchors, a direction can be fitted on labeled latents. Three
# ways are here, to compare with or to make do with: the difference of means, a concept activation
# vector, and LEACE (with the extra ``erasure``), which erases all that a linear probe could read.

z = evaluation.latents(networks, grid)[0]
reddish = (redness > 0.6).float()
for fitter in (interventions.fit_mean_difference, interventions.fit_cav):
    found = fitter(z, reddish)
    print(f"{fitter.__name__:20} cosine with the anchor {float(found.right[0, 0]):.2f}")

# %%
# Here there is an anchor to compare with; where there is none, nothing tells how far off they are.
