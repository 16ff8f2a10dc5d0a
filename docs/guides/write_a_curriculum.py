"""Write a curriculum
==================

What is emphasized, and when: weights of penalties, the learning rate, which samples are drawn. A
curriculum is written as a table, plotted before anything is trained, and can be evaluated at any
step.
"""

# %%
# The sheet
# ---------
# A dope sheet has one row for each step at which something changes, and one column for each
# quantity. An empty cell sets nothing. Between two numbers the value follows a minimum-jerk curve,
# which starts and ends at rest, so nothing jumps unless you say so.

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
#   one below, ``+0.75`` is three quarters of the way between them. If you make the training longer,
#   relative rows move with it.
# - ``PHASE``: The named phase starts here. ``ACTION``: The named action runs at exactly this step;
#   you define what it does when you train.
# - ``lr:log`` is interpolated in log space; ``noise::step-end`` jumps. The header is
#   ``name[:space[:easing]]``.
# - A column has its first number from step 0 on, and keeps its last one to the end.
#
# The sheet is a :class:`~latent_anchors.curriculum.Dopesheet`; ``sheet.timeline()`` is the
# :class:`~latent_anchors.curriculum.Timeline` that you train with. Plot it: a wrong cell is refused
# with its row and column, but a wrong idea only shows in a picture.

timeline = sheet.timeline()
viz.plot_timeline(timeline, title="What is emphasized, and when")

# %%
# Evaluate a step
# ---------------
# A timeline is a pure function of the step. It has no hidden state: evaluating step 700 before step
# 3 changes nothing, so resuming, plotting and testing need no extra code. A
# :class:`~latent_anchors.curriculum.Row` has the values of all tracks at one step,
# ``timeline.phase`` gives the :class:`~latent_anchors.curriculum.Phase`.

row = timeline(200)
print({name: round(value, 4) for name, value in row.items()})
print(timeline.phase(200), timeline.actions(400))
print(timeline.table([0, 200, 400]).round(4))

# %%
# Choose an easing
# ----------------
# The easing, in the header, is how a value gets from one key to the next. The smoother it is, the
# fewer shocks it gives the optimizer: ``step-end`` jumps, ``linear`` has kinks, ``smoothstep`` and
# ``cosine`` change their acceleration at a key, ``minimum-jerk`` does not even do that.

from latent_anchors import transitions

names = ("step-end", "linear", "smoothstep", "cosine", "minimum-jerk", "pchip", "quintic")
for name in names:
    easing = transitions.named(name)
    passes = ", passes through keys" if transitions.max_slope(easing) else ""
    print(f"{name}: smoothness {transitions.smoothness(easing)}{passes}")

# %%
# Most come to rest at every key. ``pchip`` and ``quintic`` pass through the keys instead: the piece
# between two keys is a :func:`~latent_anchors.transitions.hermite` polynomial whose slopes keep the
# value between its keys.
#
# Any function that maps 0 to 0 and 1 to 1 is a :class:`~latent_anchors.transitions.Transition`
# (:func:`~latent_anchors.transitions.check_transition` says so); to use it in a sheet, give it a
# name. The functions themselves are what a :class:`~latent_anchors.curriculum.Keyframe` takes.

transitions.register_easing("late", lambda progress: progress**3, smoothness=0)

keys = {
    "minimum-jerk": transitions.minimum_jerk,
    "quintic": transitions.quintic,
    "late": transitions.named("late"),
}
compared = curriculum.Timeline(
    {
        name: curriculum.Track(
            [
                curriculum.Keyframe(0, 0.0, easing),
                curriculum.Keyframe(40, 0.3, easing),
                curriculum.Keyframe(100, 1.0),
            ]
        )
        for name, easing in keys.items()
    }
)
viz.plot_timeline(compared, title="Three easings through the same keys")

# %%
# Use it
# ------
# In your own loop, the row goes to the objective, and tracks that are named like a setting of the
# optimizer go to the optimizer: by hand, with
# :func:`~latent_anchors.training.apply_hyperparameters`, or as a scheduler like torch's own, a
# :class:`~latent_anchors.training.TimelineLR`. What must hold of the weights after each step, a
# ``Constraint``, is applied by :func:`~latent_anchors.training.constrain`.

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
# How often each sample is drawn can follow the same sheet: a track, and a function from the row to
# one weight per sample. Here, easy samples come first. How many labels a run has seen is counted
# by :func:`~latent_anchors.data.count_labels`, as a ``LabelCount``; how a label is drawn is a
# :class:`~latent_anchors.data.LabelDraw`, such as ``data.BernoulliLabels`` or one of your own.

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
# Timelines can be joined, repeated, shifted, stretched, scaled and warmed up; each call returns a
# new one.

cycle = curriculum.read_dopesheet("STEP,lr\n0,0.02\n99,0.001\n").timeline()
three = curriculum.warm_up(curriculum.repeat(cycle, 3), "lr", 50, start=0)
slower = curriculum.scale(curriculum.stretch(cycle, 200), {"lr": 0.5})
viz.plot_timeline(curriculum.join(three, slower), title="A warm-up, three cycles and a slow one")
print(curriculum.shift(slower, 300).steps)

# %%
# React to what is measured
# -------------------------
# A :class:`~latent_anchors.curriculum.Trigger` changes the plan when a condition on a measurement
# becomes true.
#
# * Conditions: :class:`~latent_anchors.curriculum.Below`,
#   :class:`~latent_anchors.curriculum.Above`, :class:`~latent_anchors.curriculum.Plateau`, or any
#   function, as a :class:`~latent_anchors.curriculum.Predicate`.
# * Actions: :class:`~latent_anchors.curriculum.EndPhase`,
#   :class:`~latent_anchors.curriculum.ExtendPhase`, :class:`~latent_anchors.curriculum.Retarget` (a
#   track moves to another value), :class:`~latent_anchors.curriculum.RunAction` and
#   :class:`~latent_anchors.curriculum.Stop`.
#
# A :class:`~latent_anchors.curriculum.Playhead` plays the timeline with its triggers. You pass it
# the measurements, and it depends on nothing else. :func:`~latent_anchors.fit` takes it in place of
# a timeline. Its rows (:class:`~latent_anchors.curriculum.PlayedRow`) can differ between runs; its
# log is a list of :class:`~latent_anchors.curriculum.Fired`.

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
# What was played is a timeline again, without any measurement in it: it can be played again, saved,
# and compared with the plan.

viz.plot_timeline(
    playhead.as_timeline(), planned=timeline, title="The plan (dashed), and what was played"
)

# %%
# Advice from experience
# ----------------------
# - Start with all data and a few noisy labels. A curriculum of the *data* needs care: what is out
#   of order after the first phase stays out of order (:doc:`/gallery/smooth_curriculum`).
# - A curriculum of the *weights* is worth it: first keep everything away from a direction, then
#   pull the concept in. Let the weights decrease before the end, but not to 0, so that nothing
#   drifts.
# - A track comes to rest at each of its keys. ``name::pchip`` passes through them; or use fewer
#   keys.
# - Weights that change fast disturb the latents. So does a learning rate that stays high: on
#   colors, most failures came late, at the highest rate (:doc:`/troubleshooting`).
