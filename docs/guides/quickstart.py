"""Quick start
===========

Install the package, paste a program into an empty file, and see red go where you said and turn gray
when you mute it. It takes ten minutes, most of them reading.

.. code-block:: console

   $ pip install latent-anchors

Python 3.11 or later, PyTorch 2.6 or later. Until the first release, install from a checkout: the
:doc:`/contributing` page has the commands.
"""

# %%
# Data, and a few labels
# ----------------------
# The network will learn the 512 colors of a grid. Some colors are called "red" now and then: the
# redder, the more often, at most with a chance of 8 %, drawn anew each time a color is seen. About
# one sample in 1,100 carries the label. "Vivid" is called in the same way.

import torch

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, evaluation, interventions, models, testbed
from latent_anchors import regularizers as reg

torch.set_num_threads(1)  # tensors as small as these gain nothing from a second one
colors = colorspace.rgb_grid(8)
redness = colorspace.hue_degree(colors, colorspace.hue_of("red"))
vibrancy = colorspace.vibrancy(colors)
labels = {
    "red": data.BernoulliLabels(0.08 * redness**8),
    "vivid": data.BernoulliLabels(0.01 * vibrancy**10),
}
sampler = data.Sampler(colors, labels, batch_size=64)

# %%
# When what matters
# -----------------
# A row for each step at which something changes, a column for each weight. Between two numbers the
# value travels smoothly; an empty cell is no key. :doc:`write_a_curriculum` has the whole grammar.

timeline = curriculum.read_dopesheet("""
STEP, lr,   recon, separate, red,  hue
0,    1e-8, 1,     0.63,     0.01, 0.01
10,   0.01, ,      ,         ,
750,  0.1,  ,      0.63,     0.1,  0.1
1425, 0.1,  ,      0,        0,    0
1500, 0.05, ,      ,         ,
""").timeline()

# %%
# Where things are to lie
# -----------------------
# Three terms: latents keep apart from each other, what is called red lies up, and what is called
# vivid lies in the plane of the first two dimensions, so that hues form a wheel. Each term has the
# name of its column.

up = [1, 0, 0, 0]  # where red is to lie, of our choosing
objective = la.Objective(
    [
        la.Term("separate", reg.Separation(power=100)),
        la.Term("red", reg.Anchor(up), label="red"),
        la.Term("hue", reg.Subspace(dims=(0, 1)), label="vivid"),
    ],
    losses=["recon"],
    tracks=timeline.names,
    other_tracks=["lr"],
)

# %%
# Your loop
# ---------
# A plain PyTorch loop. The model has a layer named ``"latent"``; any layer with a name would do.

model = models.SphericalAutoencoder(channels=3, latent_dim=4)
optimizer = torch.optim.Adam(model.parameters())
for step, batch in enumerate(sampler.batches(seed=0, steps=range(timeline.steps))):
    row = timeline(step)
    with la.record(model, objective.sites) as latents:
        output = model(batch.inputs)
    error = (output - batch.inputs).square().mean(-1)
    parts = objective(latents, batch.labels, row, recon=error)
    optimizer.param_groups[0]["lr"] = row["lr"]
    optimizer.zero_grad()
    parts.total.backward()
    optimizer.step()

# %%
# Mute red
# --------
# For the length of the block, whatever points up is taken out of the latents. Blue and green do not
# notice. Gray stays, too; orange, which is half red, loses half.

some = ["red", "orange", "green", "blue", "gray"]
before = testbed.color_errors(model, colorspace.named_colors(*some))[0]
with la.intervene(model, interventions.Suppression(up)):
    muted = testbed.color_errors(model, colorspace.named_colors(*some))[0]
for name, b, m in zip(some, before, muted):
    print(f"{name:8} error {b:.4f}, with red muted {m:.4f}")

# %%
# What it looks like
# ------------------
# Every color of the grid, where its latent lies on the sphere, seen from three sides. Red is up.

from latent_anchors import viz

z = evaluation.latents(model, colors)[0]
viz.plot_latents(z, colors, title="Red is where we said, before anything was trained")

# %%
# Next
# ----
# - :doc:`anchor_a_concept`: the same in a model of your own, which knows nothing of colors.
# - :doc:`/gallery/mute_red`: mute red and spare orange, over many seeds.
# - :doc:`/gallery/delete_red`: cut red out of the weights.
# - :doc:`/troubleshooting`: when it does not work.
