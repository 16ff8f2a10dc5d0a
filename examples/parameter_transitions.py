"""Values that travel smoothly, and a plan that reacts
===================================================

Weights and learning rates that jump give training a shock. Here they travel along the path of least
jerk, also when they are sent elsewhere in mid-flight; and a trigger ends a phase as soon as a
measurement says that it is done.
"""

# %%
# Where the results go. Nothing is trained here, so that there are no seeds to speak of.

from latent_anchors import curriculum, testbed, transitions, viz

evidence = testbed.Evidence.from_arguments("parameter_transitions", seeds=1)

# %%
# A weight at 0.1 is sent to 0.5, to 0.75 while it is still on its way, back to 0, and to 1.
# Position, velocity and acceleration are carried over each time, so that there is no kink: when it
# is told to turn round, it goes on rising for a while.

weight = transitions.MovingValue(0.1)
targets = {0: 0.5, 40: 0.75, 60: 0.0, 120: 1.0}
path: list[float] = []
for step in range(200):
    if step in targets:
        weight.retarget(step, targets[step], duration=50)
    path.append(weight(step))
highest = max(range(60, 120), key=path.__getitem__)
print(f"turned round at step 60 at {path[60]:.6f}, highest at step {highest}: {path[highest]:.6f}")

told = curriculum.Track(
    [curriculum.Keyframe(step, value, transitions.step_end) for step, value in targets.items()]
)
gone = curriculum.Track(
    [curriculum.Keyframe(step, value, transitions.linear) for step, value in enumerate(path)]
)
retargeted = viz.plot_timeline(
    curriculum.Timeline({"told": told, "gone": gone}),
    title="A weight that is sent elsewhere in mid-flight",
)

# %%
# The same from a sheet that a person can read and edit: a first phase on hues, a second on all
# colors, in which an anchor fades in.

SHEET = """\
STEP, PHASE,      lr:log, anchor
0,    hues,       1e-4,   0
+10,  ,           1e-2,
100,  all colors, ,       0
+0.5, ,           ,       0.4
199,  ,           5e-3,   0.4
"""
plan = curriculum.read_dopesheet(SHEET)
print(plan)

# %%
# Reacting to a measurement: once the error stays under 0.02 for three steps in a row, the phase is
# over, whatever the plan says; and should the error rise over 0.05 later on, the learning rate goes
# down to a tenth over 20 steps. The error here is made up: it falls, and is hit once at step 120.


def error(step: int) -> float:
    """What would be measured."""
    return 0.5 * 0.94**step + (0.08 if 120 <= step < 124 else 0.0)


playhead = curriculum.Playhead(
    plan.timeline(),
    [
        curriculum.Trigger(
            "error", curriculum.Below(0.02, patience=3), curriculum.EndPhase(), during="hues"
        ),
        curriculum.Trigger(
            "error",
            curriculum.Above(0.05),
            curriculum.Retarget("lr", 1e-3, over=20),
            during="all colors",
        ),
    ],
)
while playhead.step < playhead.steps:
    playhead.observe(playhead.step, {"error": error(playhead.step)})
for fired in playhead.log:
    print(fired.words)

# %%
# What it turned out to be, over what was planned. It is a pure timeline: it can be played again
# without any measurement, saved, and compared.

realized = playhead.as_timeline()
reacted = viz.plot_timeline(
    realized, planned=plan.timeline(), title="The plan (dashed), and what measurements made of it"
)
viz.save_figures({"retargeted": retargeted, "reacted": reacted}, evidence.out)
