"""The audit of relearning a hue, on tasks that small networks learn."""

from functools import cache

import pytest
import torch
from refusals import refuses
from testbed.colors.small_networks import POINTS, SEEDS, easy, untrained

from latent_anchors.audits._fresh import fresh
from latent_anchors.interventions import attach
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import hue_relearning
from latent_anchors.testbed._colors import _finetune_colors
from latent_anchors.testbed._colors import _hue_relearning as _relearning
from latent_anchors.testbed._colors._finetune_colors import finetune, starts
from latent_anchors.testbed._colors._hue_relearning import PARTS

TURNED = POINTS.roll(1, 0)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch):
    """Tasks of four points instead of 512 colors, learned once they are for five steps."""
    monkeypatch.setattr(_finetune_colors, "HOLD", 5)
    monkeypatch.setattr(_relearning, "reconstruct", lambda _concept, _shown=None: easy())
    monkeypatch.setattr(_relearning, "turn_gray", lambda _network, _concept: easy(TURNED))


@cache
def audit():
    """Not to be written to."""
    others = {"erased": untrained()}
    new = fresh(untrained())
    return hue_relearning(untrained(), "red", untaught=new, original=untrained(), against=others)


def test_against_itself_a_network_is_neither_faster_nor_slower():
    assert audit().found["relearning/ratio_erased"].tolist() == [1.0, 1.0]
    assert audit().found["relearning/control"].tolist() == [1.0, 1.0]


def test_the_control_is_another_task():
    attackers = starts(untrained(), PARTS)
    alone = finetune(untrained(), attackers, easy(TURNED), limit=audit().limit)
    for name in ("edited", "original"):
        assert torch.equal(audit().found[f"relearning/steps/{name}/control"], alone.steps)
    assert not torch.equal(alone.steps, audit().found["relearning/steps/edited/without"])


def test_the_untaught_are_given_the_control_with_every_start_too():
    attackers = starts(fresh(untrained()), PARTS)
    alone = finetune(fresh(untrained()), attackers, easy(TURNED), limit=audit().limit)
    found = audit().found
    assert torch.equal(found["relearning/steps/untaught/control"], alone.steps)
    ratio = found["relearning/steps/edited/control"] / alone.steps
    assert torch.equal(found["relearning/control_untaught"], ratio)


def test_a_fresh_network_called_untaught_takes_as_long_as_the_fresh_one():
    steps = audit().found["relearning/steps/untaught"]
    assert torch.equal(steps, audit().found["relearning/steps/fresh"])
    ratio, untaught = (audit().found[f"relearning/ratio{name}"] for name in ("", "_untaught"))
    assert torch.equal(ratio, untaught)


def test_a_ratio_is_that_of_the_steps():
    for data in ("", "/few", "/without"):
        edited, fresh_one = (
            audit().found[f"relearning/steps/{name}{data}"] for name in ("edited", "fresh")
        )
        assert torch.equal(audit().found[f"relearning/ratio{data}"], edited / fresh_one)


def test_curves_begin_untaught_and_end_below_the_goal_unless_they_are_censored():
    for name, curve in audit().median_curves().items():
        assert curve[0] > curve[-1], name
    assert set(audit().curves) == {"fresh", "edited", "erased", "untaught"}


def test_an_attacker_may_give_up_earlier():
    hasty = hue_relearning(untrained(), "red", limit=1.0)
    assert (hasty.limit, audit().limit > 1.0) == (1.0, True)
    assert hasty.found["relearning/censored"].tolist() == [1.0, 1.0]


def test_who_does_not_get_there_counts_as_the_limit_and_is_noted(monkeypatch: pytest.MonkeyPatch):
    never = easy(torch.full_like(POINTS, 0.9).index_fill(0, torch.tensor([0]), 0.1))
    monkeypatch.setattr(
        _relearning, "reconstruct", lambda _, shown=None: never if shown == 0 else easy()
    )
    monkeypatch.setattr(_finetune_colors, "PATIENCE", 2)
    found = hue_relearning(untrained(), "red").found
    assert found["relearning/ratio"].isfinite().all()
    assert found["relearning/censored/without"].tolist() == [1.0, 1.0]
    assert found["relearning/steps/edited/without"].tolist() == [audit().limit / 5] * 2


def test_a_failed_run_has_no_value_anywhere_and_the_other_keeps_its_own():
    broken = untrained()[:]
    with torch.no_grad():
        for parameter in broken.parameters():
            parameter[0] = torch.nan
    soon = 2 * audit().found["relearning/steps/fresh"].max().item()  # what failed takes it all
    found = hue_relearning(broken, "red", limit=soon).found
    assert found.failed() == (0,)
    assert {metric.per_seed[0] for metric in found.metrics().values()} == {None}
    for name in ("relearning/ratio", "relearning/steps/edited", "relearning/steps/fresh"):
        assert found[name][1] == audit().found[name][1]


def test_the_edited_network_stays_as_it_is():
    before = {name: tensor.clone() for name, tensor in untrained().tensors().items()}
    audit()
    assert all(torch.equal(tensor, before[name]) for name, tensor in untrained().tensors().items())


def test_an_edit_that_can_be_left_out_is_refused():
    population = Population.make(SphericalAutoencoder, SEEDS)
    with attach(population, torch.neg), refuses(ValueError, r"'edited'.*an edit is in force"):
        hue_relearning(population, "red")


def test_networks_of_other_seeds_are_refused():
    other = Population.make(SphericalAutoencoder, [7])
    with refuses(ValueError, r"'untaught' networks have seeds 7 and the edited ones 3, 1"):
        hue_relearning(untrained(), "red", untaught=other)


@pytest.mark.parametrize("name", ["fresh", "a/b"])
def test_a_name_that_is_taken_is_refused(name: str):
    with refuses(ValueError, rf"A network is called '{name}'"):
        hue_relearning(untrained(), "red", against={name: untrained()})


def test_an_unknown_hue_is_refused():
    with refuses(ValueError, r"Unknown hue 'rad'.*Did you mean 'red'"):
        hue_relearning(untrained(), "rad")
