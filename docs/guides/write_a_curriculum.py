"""Write a curriculum
==================

What is emphasized, and when: weights of penalties, the learning rate, what is sampled. A curriculum
is written as a table, drawn before anything is trained, and asked for any step in any order.
"""

# %%
# The sheet
# ---------
# A dope sheet has one row for each step at which something changes, and one column for each
# quantity. An empty cell means: keep going. Between two numbers the value travels along the path of
# least jerk, from rest to rest, so that nothing jumps unless you say so.

from latent_anchors import curriculum, viz

SHEET = """
STEP,  PHASE,  ACTION,  lr:log, recon, anchor, noise::step-end
0,     form,   ,        1e-4,   1,     0,      0
+20,   ,       ,        1e-2,   ,      ,
400,   refine, capture, ,       ,      0.4,    0.1
+0.75, ,       ,        1e-2,   ,      0.4,
-1,    ,       ,        ,       ,      ,       0
1000,  ,       ,        1e-3,   ,      0,
"""
sheet = curriculum.read_dopesheet(SHEET)
print(sheet)

# %%
# - ``STEP``: ``400`` is absolute; ``+20`` counts from the absolute row above, ``-1`` back from the
#   one below, ``+0.75`` is three quarters of the way between them. Make the training longer, and
#   relative rows come along.
# - ``PHASE``: from here on we are in this phase. ``ACTION``: this happens at exactly this step; you
#   say what it does when you train.
# - ``lr:log`` travels in log space; ``noise::step-end`` jumps. The header is
#   ``name[:space[:easing]]``.
# - A column holds its first number from step 0 on, and its last one to the end.
#
# Draw it. A wrong cell is refused with its row and column, but a wrong idea only shows in a
# picture.

timeline = sheet.timeline()
viz.plot_timeline(timeline, title="What is emphasized, and when")

# %%
# Ask for a step
# --------------
# A timeline is a pure function of the step. There is no hidden clock: asking for step 700 before
# step 3 changes nothing, so that resuming, plotting and testing come for nothing.

row = timeline(200)
print({name: round(value, 4) for name, value in row.items()})
print(timeline.phase(200), timeline.actions(400))
print(timeline.table([0, 200, 400]).round(4))

# %%
# Use it
# ------
# In a loop of your own, the row goes to the objective, and what bears the name of one of the
# optimizer's settings goes to the optimizer: by hand, with
# :func:`~latent_anchors.training.apply_hyperparameters`, or as a scheduler like torch's own.

import torch

from latent_anchors import training

weights = torch.nn.Parameter(torch.zeros(3))
optimizer = torch.optim.Adam([weights])
for step in (0, 20, 1000):
    training.apply_hyperparameters(optimizer, timeline(step), ["lr"])
    print(step, f"{optimizer.param_groups[0]['lr']:.4f}")

# %%
# Schedule the data, too
# ----------------------
# How often each sample is drawn may follow the same sheet: a track, and a function from its row to
# one weight per sample. Here, easy samples come first.

from latent_anchors import data

difficulty = torch.linspace(0, 1, 5)
unfold = curriculum.read_dopesheet("STEP,easy\n0,4\n100,0\n").timeline()
weights = data.ScheduledWeights(lambda row: torch.exp(-row["easy"] * difficulty), unfold)
sampler = data.Sampler(difficulty[:, None], weights=weights, batch_size=500)
for step in (0, 50, 100):
    counts = sampler.batch(seed=0, step=step).inputs[:, 0].mul(4).long().bincount(minlength=5)
    print(step, counts.tolist())

# %%
# Build it from parts
# -------------------
# Timelines can be joined, repeated, shifted, scaled and warmed up; each call gives a new one.

cycle = curriculum.read_dopesheet("STEP,lr\n0,0.02\n99,0.001\n").timeline()
three = curriculum.warm_up(curriculum.repeat(cycle, 3), "lr", 50, start=0)
viz.plot_timeline(three, title="Three cycles after a warm-up")

# %%
# React to what is measured
# -------------------------
# A trigger watches a measurement and bends the plan: it ends a phase, makes it longer, sends a
# track elsewhere, fires an action, or stops. A :class:`~latent_anchors.curriculum.Playhead` plays
# the timeline with its triggers; it is told what was measured and depends on nothing else.
# :func:`~latent_anchors.fit` takes it in the timeline's place.

playhead = curriculum.Playhead(
    timeline,
    [
        curriculum.Trigger(
            "recon", curriculum.Below(0.01, patience=3), curriculum.EndPhase(), during="form"
        ),
        curriculum.Trigger(
            "recon",
            curriculum.Above(0.05),
            curriculum.Retarget("lr", 1e-3, over=50),
            during="refine",
        ),
    ],
)
while playhead.step < playhead.steps:
    step = playhead.step
    recon = 0.2 * 0.985**step + (0.1 if 600 <= step < 610 else 0)  # made up
    playhead.observe(step, {"recon": recon})
for fired in playhead.log:
    print(fired.words)

# %%
# What it turned out to be is a timeline again, without any measurement in it: it can be played once
# more, saved, and compared with the plan.

viz.plot_timeline(
    playhead.as_timeline(), planned=timeline, title="The plan (dashed), and what became of it"
)

# %%
# Advice from experience
# ----------------------
# - Start with all data and a few noisy labels. A curriculum of the *data* needs care: what is out
#   of order after the first phase stays out of order (:doc:`/gallery/smooth_curriculum`).
# - A curriculum of the *weights* earns its place: fence off a direction first, then pull the
#   concept in; let the weights fade before the end, but not to nothing, so that nothing drifts.
# - A track stops at each of its keys. ``name::pchip`` passes through them; or use fewer keys.
# - Weights that change fast shake the latents. So does a learning rate that stays high: on colors,
#   most failures came late, at the highest rate (:doc:`/troubleshooting`).
