"""Values that travel smoothly, and a plan that reacts
===================================================

Weights and learning rates that jump give training a shock. Here they follow the path of least
jerk, also when the target changes on the way; and a trigger ends a phase as soon as a measurement
falls below a threshold.
"""

# %%
# The folder for the results. Nothing is trained here, so that seeds do not matter.

from latent_anchors import curriculum, testbed, transitions, viz

evidence = testbed.Evidence.from_arguments("parameter_transitions", seeds=1)

# %%
# A weight at 0.1 is sent to 0.5, to 0.75 while it is still on its way, back to 0, and to 1.
# Position, velocity and acceleration are carried over each time, so that there is no kink: when it
# is sent back, it goes on rising for a while.

weight = transitions.MovingValue(0.1)
targets = {0: 0.5, 40: 0.75, 60: 0.0, 120: 1.0}
path: list[float] = []
for step in range(200):
    if step in targets:
        weight.retarget(step, targets[step], duration=50)
    path.append(weight(step))
highest = max(range(60, 120), key=path.__getitem__)
print(f"turned round at step 60 at {path[60]:.6f}, highest at step {highest}: {path[highest]:.6f}")

targets_set = curriculum.Track(
    [curriculum.Keyframe(step, value, transitions.step_end) for step, value in targets.items()]
)
followed = curriculum.Track(
    [curriculum.Keyframe(step, value, transitions.linear) for step, value in enumerate(path)]
)
retargeted = viz.plot_timeline(
    curriculum.Timeline({"target": targets_set, "value": followed}),
    title="A weight whose target changes on the way",
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
# over, whatever the plan says. Should the error rise over 0.05 later on, the learning rate goes
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
# The realized timeline over the planned one. It is a pure timeline: it can be played again
# without any measurement, saved, and compared.

realized = playhead.as_timeline()
reacted = viz.plot_timeline(
    realized, planned=plan.timeline(), title="The plan (dashed), and how measurements changed it"
)
viz.save_figures({"retargeted": retargeted, "reacted": reacted}, evidence.out)
