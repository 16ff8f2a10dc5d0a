import pytest
import torch
from refusals import refuses
from testbed.colors.small_networks import POINTS, SEEDS, easy, first, network, untrained
from torch import nn

from latent_anchors._streams import mixed
from latent_anchors.audits._fresh import fresh
from latent_anchors.audits._perturbation import parameters_of
from latent_anchors.data import Sampler
from latent_anchors.models import Population
from latent_anchors.testbed._colors import _finetune_colors
from latent_anchors.testbed._colors._finetune_colors import (
    CHECK,
    GOAL,
    HOLD,
    RESCALED,
    SETTINGS,
    Attackers,
    as_it_is,
    finetune,
    starts,
)
from latent_anchors.testbed._colors._stacked_training import Task


def test_fresh_networks_have_new_weights_that_follow_from_the_seed_alone():
    new, again = fresh(untrained()), fresh(Population.make(network, [SEEDS[1]]))
    for name, weight in parameters_of(new).items():
        assert torch.equal(weight[1], parameters_of(again)[name][0])
        assert not torch.equal(weight, parameters_of(untrained())[name])


def test_fresh_networks_have_the_shape_that_surgery_left():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 3))
    model[0].weight = nn.Parameter(torch.ones(2, 3))
    model[0].bias = nn.Parameter(torch.ones(2))
    model[1].weight = nn.Parameter(torch.ones(3, 2))
    new = fresh(Population.from_models([model]))
    assert new.tensors()["0.weight"].shape == (1, 2, 3)
    assert not torch.equal(new.tensors()["1.weight"][0], model[1].weight)


def test_a_new_part_is_the_fresh_networks_and_the_rest_stays():
    old, new = parameters_of(untrained()), parameters_of(fresh(untrained()))
    for name, weight in starts(untrained(), ["encoder"])["new encoder"].items():
        assert torch.equal(weight, (new if name.startswith("encoder.") else old)[name])


def test_rescaled_layers_have_fresh_norms_and_point_where_they_did():
    grown = Population.make(network, SEEDS)
    with torch.no_grad():
        for parameter in grown.parameters():
            parameter *= 7.0
    old, new = parameters_of(grown), parameters_of(fresh(grown))
    rescaled = starts(grown, [])[RESCALED]
    layer = ("encoder.0.weight", "encoder.0.bias")
    for run in range(len(SEEDS)):
        got, was, wanted = (flat(p, layer, run) for p in (rescaled, old, new))
        assert torch.allclose(got.norm(), wanted.norm())
        assert torch.allclose(got / got.norm(), was / was.norm(), atol=1e-6)


def test_a_layer_of_zeros_stays_when_rescaled():
    empty = Population.make(network, SEEDS)
    with torch.no_grad():
        for parameter in empty.parameters():
            parameter.zero_()
    assert all(not weight.any() for weight in starts(empty, [])[RESCALED].values())


def test_a_part_that_is_not_there_is_refused():
    with refuses(ValueError, r"No parameter lies in the part 'head'.*'encoder', 'decoder'"):
        starts(untrained(), ["head"])


def test_a_layer_that_cannot_be_made_anew_is_refused():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return x * self.scale

    with refuses(TypeError, r"Layer '0' \(Scaled\).*no reset_parameters"):
        fresh(Population.from_models([nn.Sequential(Scaled())]))


def flat(parameters, names, run):
    return torch.cat([parameters[name][run].flatten() for name in names])


COUNT = len(SETTINGS) * len(SEEDS)


def test_there_is_one_attacker_for_each_start_setting_and_seed():
    attackers = Attackers(untrained(), starts(untrained(), ["encoder"]), easy())
    assert len(attackers.active) == 3 * COUNT
    said = attackers.names_of(torch.tensor([0, COUNT + 3 * len(SEEDS), 3 * COUNT - 1]))
    assert said == ("as it is, Adam at 0.001", "new encoder, Adam at 0.03", "rescaled, SGD at 0.1")


def test_when_somebody_has_stayed_for_long_enough_the_others_of_the_seed_go_home():
    attackers = Attackers(untrained(), as_it_is(untrained()), knows_one())
    for step in range(HOLD):
        assert not attackers.steps.isfinite().any()
        attackers.measure(step)
    attackers.drop_beaten()
    assert attackers.steps.tolist() == [torch.inf, 0.0]
    assert attackers.seed.tolist().count(1) == 1
    assert attackers.seed.tolist().count(0) == len(SETTINGS)


def test_it_is_learned_once_the_goal_has_been_held_for_twenty_steps():
    attackers = Attackers(untrained(), as_it_is(untrained()), knows_one())
    for step in range(19):
        attackers.measure(step)
    assert attackers.steps.tolist() == [torch.inf, torch.inf]
    attackers.measure(19)
    assert attackers.steps.tolist() == [torch.inf, 0.0]


@pytest.mark.parametrize(
    ("of_goal", "of_others", "learned"),
    [(0.0099, 0.0009, True), (0.0101, 0.0009, False), (0.0099, 0.0011, False)],
)
def test_a_goal_is_learned_below_a_hundredth_and_all_others_below_a_thousandth(
    of_goal, of_others, learned
):
    said = untrained()[1:].eval()(POINTS).detach()[0]
    goal, check = said[:1] + of_goal**0.5, said + of_others**0.5
    attackers = Attackers(
        untrained()[1:],
        as_it_is(untrained()[1:]),
        Task(POINTS, said, POINTS[:1], goal, POINTS, check),
    )
    for step in range(HOLD):
        attackers.measure(step)
    assert bool(attackers.steps.isfinite()) == learned


def test_of_several_that_arrive_at_once_the_first_one_counts():
    attackers = Attackers(untrained(), as_it_is(untrained()), knows_one())
    for step in range(HOLD):
        attackers.measure(step)
    assert attackers.names_of(attackers.best())[1] == "as it is, Adam at 0.001"


def test_going_home_changes_nothing_for_the_others():
    one, other = (Attackers(untrained(), as_it_is(untrained()), knows_one()) for _ in range(2))
    for step in range(HOLD + 5):
        for attackers in (one, other):
            attackers.measure(step)
        if step == HOLD:
            one.drop_beaten()
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


def first_step(model, seed, optimizer, rate, steps):
    """The first step from which both errors stay small, for one run alone."""
    more = {"momentum": 0.9} if optimizer == "SGD" else {}
    optimizer = getattr(torch.optim, optimizer)(model.parameters(), lr=rate, **more)
    sampler, streak = Sampler(POINTS, batch_size=64), 0
    for step in range(steps + HOLD):
        with torch.no_grad():
            errors = (model.eval()(POINTS) - POINTS).square().mean(1)
        streak = streak + 1 if errors[0] < GOAL and errors.mean() < CHECK else 0
        if streak == HOLD:
            return step - HOLD + 1
        x = sampler.batch(mixed(seed, "relearning"), step).inputs
        optimizer.zero_grad()
        (model.train()(x) - x).square().mean().backward()
        optimizer.step()
    return torch.inf


def test_the_race_finds_each_seeds_best_setting_as_a_plain_loop_does():
    new = fresh(untrained())
    within = int(first().steps.max())
    for run, seed in enumerate(SEEDS):
        alone = {
            f"as it is, {name} at {rate:g}": first_step(new[run], seed, name, rate, within)
            for name, rate in SETTINGS
        }
        assert first().steps[run] == min(alone.values())
        assert alone[first().best[run]] == first().steps[run]


def test_a_seed_races_alone_as_among_others():
    new = fresh(untrained())[1:]
    assert finetune(new, as_it_is(new), easy()).steps.tolist() == [first().steps[1].item()]


def test_fresh_networks_set_a_limit_of_ten_times_their_median():
    assert first().limit == 10 * first().steps.mean()  # of two, the median is the mean


def test_the_curve_of_the_first_stays_under_the_goal_from_its_step_on():
    for run, begun in enumerate(first().steps.int().tolist()):
        assert (first().errors[begun : begun + HOLD, run] < GOAL).all()
        assert first().errors[0, run] > GOAL


def test_who_knows_already_needs_no_step_and_who_forgot_needs_some():
    new = fresh(untrained())
    knows = easy(new[0].eval()(POINTS).detach().clamp(0, 1))
    assert finetune(new[:1], as_it_is(new[:1]), knows).steps.tolist() == [0.0]
    assert finetune(new[1:], as_it_is(new[1:]), knows).steps > 0


def test_more_starts_can_only_help():
    new = fresh(untrained())
    more = finetune(new, starts(untrained(), ["encoder", "decoder"]), easy(), limit=first().limit)
    less = finetune(untrained(), as_it_is(untrained()), easy(), limit=first().limit)
    assert (more.steps <= less.steps).all()


def test_the_steps_of_a_late_attack_are_infinite_and_the_nearest_attacker_is_named():
    new = fresh(untrained())
    late = finetune(new, as_it_is(new), easy(), limit=3.0)
    assert late.steps.tolist() == [torch.inf, torch.inf]
    assert late.errors.shape == (3 + HOLD, len(SEEDS))
    assert all(told.startswith("as it is, ") for told in late.best)


def test_the_best_go_on_for_the_curves_sake_but_not_for_the_count():
    new = fresh(untrained())
    long = finetune(new, as_it_is(new), easy(), limit=3.0, least=int(first().steps.max()) + HOLD)
    assert len(long.errors) == first().steps.max() + HOLD + 1
    assert not long.steps.isfinite().any()


def test_what_no_network_learns_is_nothing_to_compare_with(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_finetune_colors, "LONGEST", 3)
    new = Population.make(network, SEEDS)
    with refuses(RuntimeError, r"After 3 steps only 0 of 2 networks have learned the task"):
        finetune(new, as_it_is(new), easy())
