"""Plans, triggers and measurements that hypothesis makes up, and what plays them."""

import json

from curriculum.strategies import LAST_STEP, made, texts, timelines, tracks
from hypothesis import strategies as st

from latent_anchors.curriculum import (
    Above,
    Below,
    EndPhase,
    ExtendPhase,
    Keyframe,
    Phase,
    Plateau,
    Playhead,
    Predicate,
    Retarget,
    RunAction,
    Stop,
    Timeline,
    Track,
    Trigger,
)

levels = st.floats(-2.0, 2.0)
smoothings = st.sampled_from([0.0, 0.5, 0.9])


def negative(value):
    return value < 0


def built(kind, *parts):
    return st.tuples(*parts).map(lambda drawn: made(kind, *drawn))


@st.composite
def conditions(draw):
    level, gap, patience = draw(levels), draw(st.floats(0, 1)), draw(st.integers(1, 3))
    smoothing, better = draw(smoothings), draw(st.sampled_from(["lower", "higher"]))
    kind, *parts = draw(
        st.sampled_from(
            [
                (Below, level, patience, level + gap, smoothing),
                (Above, level, patience, level - gap, smoothing),
                (Above, level, patience, None, smoothing),
                (Plateau, patience, gap, better, smoothing),
                (Predicate, negative, smoothing),
            ]
        )
    )
    return made(kind, *parts)


def actions(names):
    overshoots = st.sampled_from(["allow", "clamp", "lengthen"])
    return st.one_of(
        built(EndPhase),
        built(ExtendPhase, st.integers(1, 20)),
        built(
            Retarget, st.sampled_from(names), st.floats(1e-6, 10), st.integers(0, 30), overshoots
        ),
        built(RunAction, texts),
        built(Stop),
    )


@st.composite
def plans(draw):
    plan = draw(timelines())
    return made(_complete, plan, draw(tracks()))


def _complete(plan, lr):
    """With a track that has a name, and a phase."""
    parts = {"lr": lr, **{name: plan[name] for name in plan.names}}
    phases = plan.phases or (Phase("only", 0),)
    return Timeline(parts, phases, plan.actions_by_step, LAST_STEP + 1)


@st.composite
def playheads(draw):
    """A function that makes the same playhead again and again."""
    plan, runs = draw(plans()), draw(st.integers(1, 3))
    names, phase = made(lambda: (plan.names, plan.phases[0].name))
    rule = built(
        Trigger,
        st.sampled_from(["recon", "grid"]),
        conditions(),
        actions(names),
        st.sampled_from(["all", "any", "majority", 0.4]),
        st.sampled_from([1, 3, None]),
        st.sampled_from([None, phase]),
        st.sampled_from([None, 1, 10]),
    )
    rules = draw(st.lists(rule, min_size=1, max_size=4))
    return lambda: Playhead(plan, rules, runs)


@st.composite
def measurements(draw):
    """A function of step and runs: what is measured, if anything."""
    random = draw(st.randoms(use_true_random=True))
    shown = [[random.choice([None, random.uniform(-3, 3)]) for _ in range(3)] for _ in range(61)]
    every = draw(st.sampled_from([1, 3]))

    def at(step, runs):
        values = shown[step % 61][:runs]
        return {"recon": values, "grid": values[0]} if step % every == 0 else None

    return at


def play(playhead, measure, until):
    """Rows as they were played, up to a step or the end."""
    rows = []
    step = playhead.step
    while step < min(until, playhead.steps):
        rows.append(dict(playhead.row(step)))
        given = measure(step, playhead.runs)
        if given is not None:
            playhead.observe(step, given)
        step += 1
    return rows


def through_json(state):
    return json.loads(json.dumps(state, allow_nan=False))


LONG = 400
PLAN = Timeline(
    {
        "lr": Track([Keyframe(0, 0.1), Keyframe(60, 0.5), Keyframe(120, 0.2)]),
        "anchor": Track([Keyframe(0, 1.0)]),
    },
    [Phase("hues", 0), Phase("all", 60), Phase("rest", 100)],
    {50: ["look"], 60: ["capture"], 110: ["save"]},
    steps=150,
)
RISES = Above(1.0)


def one(then, plan=PLAN, runs=1, when=RISES, **how):
    return Playhead(plan, [Trigger("recon", when, then, **how)], runs)


def fired_at(step, playhead, value=2.0):
    playhead.observe(step, {"recon": value})
    return playhead
