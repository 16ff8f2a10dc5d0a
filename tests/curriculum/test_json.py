import copy

import pytest
from refusals import refuses

from latent_anchors.curriculum import (
    Above,
    Keyframe,
    Phase,
    Playhead,
    Retarget,
    Timeline,
    Track,
    Trigger,
)

PLAN = Timeline({"lr": Track([Keyframe(0, 0.1)])}, [Phase("all", 0)], {3: ["look"]}, steps=5)
PLAYHEAD = Playhead(PLAN, [Trigger("recon", Above(1.0), Retarget("lr", 0.2, 3))])
PLACES = [
    ((), "playhead", "timeline"),
    (("state",), "playhead's state", "step"),
    (("timeline",), "timeline", "tracks"),
    (("timeline", "tracks", 0), "track of a timeline", "keyframes"),
    (("timeline", "tracks", 0, "keyframes", 0), "keyframe", "leave"),
    (("timeline", "phases", 0), "phase", "start"),
    (("timeline", "actions", 0), "step with actions", "names"),
    (("triggers", 0), "trigger", "watch"),
    (("triggers", 0, "when"), "condition or action", "kind"),
    (("triggers", 0, "when"), "Above", "threshold"),
    (("triggers", 0, "then"), "Retarget", "over"),
]


def at(data, path):
    for name in path:
        data = data[name]
    return data


@pytest.mark.parametrize(("path", "kind", "part"), PLACES)
def test_a_missing_key_is_refused_with_its_place_and_what_was_expected(path, kind, part):
    data = copy.deepcopy(PLAYHEAD.to_json())
    del at(data, path)[part]
    with refuses(ValueError, f"^A {kind} has .*expected .*Missing: '{part}'; unknown: noth"):
        Playhead.from_json(data)


@pytest.mark.parametrize(("path", "kind"), [place[:2] for place in PLACES if place[2] != "kind"])
def test_an_unknown_key_is_refused_rather_than_ignored(path, kind):
    data = copy.deepcopy(PLAYHEAD.to_json())
    at(data, path)["more"] = 1
    with refuses(ValueError, f"A {kind} has the keys .*Missing: nothing; unknown: 'more'"):
        Playhead.from_json(data)


def test_anything_but_a_mapping_is_refused():
    with refuses(TypeError, r"A timeline must be a mapping with keys 'tracks', .*; got \[1\]"):
        Timeline.from_json([1])
    with refuses(ValueError, "A track has the keys .*Missing: 'keyframes'"):
        Track.from_json({"space": "log"})
