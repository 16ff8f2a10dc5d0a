"""Races, beside a plain loop written from the definition."""

import pytest
import torch
from audits.worlds import POINTS, SEEDS, easy, first, network, untrained
from refusals import refuses

from latent_anchors._streams import mixed
from latent_anchors.audits import _races
from latent_anchors.audits._attackers import EXAM, GOAL, SETTINGS, STAY
from latent_anchors.audits._races import race
from latent_anchors.audits._starts import as_it_is, fresh, starts
from latent_anchors.data import Sampler
from latent_anchors.models import Population


def first_step(model, seed, optimizer, rate, steps):
    """The first step from which both errors stay small, for one run alone."""
    more = {"momentum": 0.9} if optimizer == "SGD" else {}
    optimizer = getattr(torch.optim, optimizer)(model.parameters(), lr=rate, **more)
    sampler, streak = Sampler(POINTS, batch_size=64), 0
    for step in range(steps + STAY):
        with torch.no_grad():
            errors = (model.eval()(POINTS) - POINTS).square().mean(1)
        streak = streak + 1 if errors[0] < GOAL and errors.mean() < EXAM else 0
        if streak == STAY:
            return step - STAY + 1
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
    assert race(new, as_it_is(new), easy()).steps.tolist() == [first().steps[1].item()]


def test_fresh_networks_set_a_limit_of_ten_times_their_median():
    assert first().limit == 10 * first().steps.mean()  # of two, the median is the mean


def test_the_curve_of_the_first_stays_under_the_goal_from_its_step_on():
    for run, begun in enumerate(first().steps.int().tolist()):
        assert (first().errors[begun : begun + STAY, run] < GOAL).all()
        assert first().errors[0, run] > GOAL


def test_who_knows_already_needs_no_step_and_who_forgot_needs_some():
    new = fresh(untrained())
    knows = easy(new[0].eval()(POINTS).detach().clamp(0, 1))
    assert race(new[:1], as_it_is(new[:1]), knows).steps.tolist() == [0.0]
    assert race(new[1:], as_it_is(new[1:]), knows).steps > 0


def test_more_starts_can_only_help():
    new = fresh(untrained())
    more = race(new, starts(untrained(), ["encoder", "decoder"]), easy(), limit=first().limit)
    less = race(untrained(), as_it_is(untrained()), easy(), limit=first().limit)
    assert (more.steps <= less.steps).all()


def test_who_is_not_there_in_time_counts_as_infinitely_late_and_the_nearest_is_told():
    new = fresh(untrained())
    late = race(new, as_it_is(new), easy(), limit=3.0)
    assert late.steps.tolist() == [torch.inf, torch.inf]
    assert late.errors.shape == (3 + STAY, len(SEEDS))
    assert all(told.startswith("as it is, ") for told in late.best)


def test_the_best_go_on_for_the_curves_sake_but_not_for_the_count():
    new = fresh(untrained())
    long = race(new, as_it_is(new), easy(), limit=3.0, least=int(first().steps.max()) + STAY)
    assert len(long.errors) == first().steps.max() + STAY + 1
    assert not long.steps.isfinite().any()


def test_what_no_network_learns_is_nothing_to_compare_with(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_races, "LONGEST", 3)
    new = Population.make(network, SEEDS)
    with refuses(RuntimeError, r"After 3 steps only 0 of 2 networks have learnt the lesson"):
        race(new, as_it_is(new), easy())
