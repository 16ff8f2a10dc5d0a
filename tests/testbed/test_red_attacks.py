"""The attacks that are fixed beforehand: lines by the redness of their reddest color."""

import pytest
import torch

from latent_anchors.testbed import (
    ATTACK_RATES,
    RED_ATTACKS,
    MixingLanguage,
    red_attack_lines,
    red_groups,
    redness,
)

LANGUAGE = MixingLanguage(levels=7)
SPLIT = LANGUAGE.split(seed=1, held_out=0.2)
LINES = red_attack_lines(LANGUAGE, SPLIT)


def reddest(name):
    return redness(LANGUAGE)[LANGUAGE.lines(LINES[name])[:, [0, 2, 4]]].amax(-1)


def test_a_cut_spares_what_has_no_red_answers_included():
    assert float(reddest("none").max()) < 0.7
    assert float(reddest("control").max()) < 0.7
    spared = {(int(a), int(b)) for a, b in LINES["none"]}
    assert not spared & {(int(a), int(b)) for a, b in red_groups(LANGUAGE, SPLIT)["red_seen"]}


def test_adjacent_lines_have_something_near_red_and_no_red():
    found = reddest("adjacent")
    assert float(found.min()) >= 0.5
    assert float(found.max()) <= 0.8


def test_a_few_lines_are_eight_and_all_have_red():
    operands = redness(LANGUAGE)[LINES["few"]].amax(-1)
    assert len(LINES["few"]) == 8
    assert bool((operands > 0.8).all())
    assert len(LINES["few"].unique(dim=0)) == 8


@pytest.mark.parametrize("name", [*LINES])
def test_nothing_that_was_held_out_is_shown(name):
    held = {(int(a), int(b)) for a, b in SPLIT.held_out}
    assert not held & {(int(a), int(b)) for a, b in LINES[name]}


def test_every_attack_has_lines_and_the_first_is_the_strongest():
    assert len({*RED_ATTACKS}) == 12
    assert RED_ATTACKS[0] == ("all", "all")
    assert {data for data, _ in RED_ATTACKS} <= {*LINES}
    assert len({*ATTACK_RATES}) == 6
    assert torch.equal(LINES["all"], SPLIT.seen)
