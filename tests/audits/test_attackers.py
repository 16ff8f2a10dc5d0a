"""Who is still in the race."""

import torch
from audits.worlds import SEEDS, easy, untrained

from latent_anchors.audits._attackers import SETTINGS, STAY, Attackers
from latent_anchors.audits._starts import as_it_is, starts

COUNT = len(SETTINGS) * len(SEEDS)


def test_there_is_one_attacker_for_each_start_setting_and_seed():
    attackers = Attackers(untrained(), starts(untrained(), ["encoder"]), easy())
    assert len(attackers.active) == 3 * COUNT
    said = attackers.told(torch.tensor([0, COUNT + 3 * len(SEEDS), 3 * COUNT - 1]))
    assert said == ("as it is, Adam at 0.001", "new encoder, Adam at 0.03", "rescaled, SGD at 0.1")


def test_when_somebody_has_stayed_for_long_enough_the_others_of_the_seed_go_home():
    attackers = Attackers(untrained(), as_it_is(untrained()), knows_one())
    for step in range(STAY):
        assert not attackers.arrived.isfinite().any()
        attackers.measure(step)
    attackers.sweep()
    assert attackers.arrived.tolist() == [torch.inf, 0.0]
    assert attackers.seed.tolist().count(1) == 1
    assert attackers.seed.tolist().count(0) == len(SETTINGS)


def test_of_several_that_arrive_at_once_the_first_one_counts():
    attackers = Attackers(untrained(), as_it_is(untrained()), knows_one())
    for step in range(STAY):
        attackers.measure(step)
    assert attackers.told(attackers.best())[1] == "as it is, Adam at 0.001"


def test_going_home_changes_nothing_for_the_others():
    one, other = (Attackers(untrained(), as_it_is(untrained()), knows_one()) for _ in range(2))
    for step in range(STAY + 5):
        for attackers in (one, other):
            attackers.measure(step)
        if step == STAY:
            one.sweep()
        for attackers in (one, other):
            attackers.train(step)
    left = one.active
    assert len(left) < COUNT
    for name, p in one.state.parameters.items():
        assert torch.allclose(p, other.state.parameters[name][left], atol=1e-5)


def knows_one():
    """What the second run says already."""
    points = easy().inputs
    return easy(untrained()[1].eval()(points).detach().clamp(0, 1))
