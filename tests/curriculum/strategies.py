"""Tracks and timelines that hypothesis makes up."""

import random

from hypothesis import strategies as st

from latent_anchors.curriculum import Keyframe, Phase, Timeline, Track
from latent_anchors.transitions import (
    cosine,
    linear,
    minimum_jerk,
    pchip,
    quintic,
    smoothstep,
    step_end,
)

LAST_STEP = 100

steps = st.integers(0, LAST_STEP)
easings = st.sampled_from([linear, smoothstep, minimum_jerk, cosine, step_end, pchip, quintic])
texts = st.text(min_size=1, max_size=8)


def made(kind, *parts):
    """An instance; the shape checks look at random items, which hypothesis must not notice."""
    state = random.getstate()
    try:
        return kind(*parts)
    finally:
        random.setstate(state)


@st.composite
def keyframes(draw, space="linear"):
    values = st.floats(1e-12, 1e6) if space == "log" else st.floats(-1e6, 1e6)
    keyed = sorted(draw(st.sets(steps, min_size=1, max_size=6)))
    return [Keyframe(step, draw(values), draw(easings), draw(st.booleans())) for step in keyed]


@st.composite
def tracks(draw, space=None):
    space = space or draw(st.sampled_from(["linear", "log"]))
    return made(Track, draw(keyframes(space)), space)


@st.composite
def timelines(draw):
    starts = sorted(draw(st.sets(steps, max_size=3)))
    return made(
        Timeline,
        draw(st.dictionaries(texts, tracks(), max_size=3)),
        [Phase(draw(texts), start) for start in starts],
        draw(st.dictionaries(steps, st.lists(texts, min_size=1, max_size=2), max_size=3)),
        draw(st.sampled_from([None, LAST_STEP + 1, LAST_STEP + 50])),
    )
