from functools import cache, partial

import pytest
import torch
from refusals import refuses

from latent_anchors import models
from latent_anchors.audits._finetune import fresh
from latent_anchors.interventions import apply_surgery, intervene
from latent_anchors.models import Population
from latent_anchors.testbed import MixingLanguage, exact_match, line_relearning
from latent_anchors.testbed._mixing._line_relearning import RATES

LANGUAGE = MixingLanguage(levels=2)
PAIRS = LANGUAGE.pairs()
KINDS = (models.NormalizedTransformer, models.PrenormTransformer)


@cache
def untaught(kind=models.NormalizedTransformer, runs=2):
    make = partial(kind, len(LANGUAGE.vocabulary), 16, 1, 2, 32)
    return Population.make(make, seeds=range(runs))


def audit(edited, **options):
    constraint = getattr(edited.stacked, "constraint", None)
    given = {"constraint": constraint, "rates": [0.02], **options}
    return line_relearning(edited, LANGUAGE, PAIRS, PAIRS, **given)


@cache
def audited(kind=models.NormalizedTransformer):
    return audit(untaught(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_was_never_taught_learns_about_as_fast_as_a_fresh_network(kind):
    found = audited(kind).found
    assert bool(found["relearning/steps/fresh"].isfinite().all())
    assert bool(((found["relearning/ratio"] > 0.2) & (found["relearning/ratio"] < 5)).all())


def test_curves_begin_with_what_is_answered_before_the_first_step():
    wrong = 1 - exact_match(untaught(), LANGUAGE, PAIRS).double().mean(1)
    torch.testing.assert_close(audited().curves["edited"][0], wrong)


def test_it_is_back_at_the_first_check_that_is_good_and_stays_so():
    for name in ("edited", "fresh"):
        steps, curve = audited().found[f"relearning/steps/{name}"], audited().curves[name]
        for run, step in enumerate(steps.long().tolist()):
            assert float(curve[step, run]) <= 0.05
            assert float(curve[step - 1, run]) > 0.05


def test_who_needs_no_step_needs_none():
    easy = PAIRS[exact_match(untaught(runs=1), LANGUAGE, PAIRS)[0]]
    assert len(easy) > 0
    found = line_relearning(untaught(runs=1), LANGUAGE, easy, easy, rates=[0.02, 1e-5]).found
    assert float(found["relearning/steps/edited"]) == 0
    assert float(found["relearning/ratio"]) == 0


def test_a_failed_run_has_no_value_anywhere():
    def first_run_is_nan(parameters):
        return {name: torch.full_like(p, torch.nan) for name, p in parameters.items()}

    broken = apply_surgery(untaught(), first_run_is_nan)
    mixed = Population.from_models([broken[0], untaught()[1]], seeds=[0, 1])
    found = audit(mixed).found
    assert found.failed() == (0,)
    assert {metric.per_seed[0] for metric in found.metrics().values()} == {None}
    assert found["relearning/ratio"][1] == audited().found["relearning/ratio"][1]


def test_a_fresh_network_takes_as_long_as_itself_and_stays_as_it_is():
    network, same = fresh(untaught()), fresh(untaught())
    record = audit(network, rates=RATES[:1])
    assert record.found["relearning/ratio"].tolist() == [1, 1]
    assert record.found["relearning/at_least_one"].tolist() == [1, 1]
    assert record.best["edited"] == ("AdamW at 0.02", "AdamW at 0.02")
    for name, tensor in network.tensors().items():
        assert torch.equal(tensor, same.tensors()[name])


def test_an_edit_is_in_the_weights_or_it_is_none():
    known = PAIRS[exact_match(untaught(runs=1), LANGUAGE, PAIRS)[0]]
    with (
        intervene(untaught(runs=1), torch.neg, at="embedding"),
        refuses(ValueError, "answer otherwise than their weights do: an edit is in force"),
    ):
        line_relearning(untaught(runs=1), LANGUAGE, known, known)


def test_fresh_networks_have_to_learn_it_too():
    with refuses(RuntimeError, "Within 20 steps 2 of 2 fresh networks have not reached the goal"):
        audit(untaught(), rates=[1e-5], limit=20)
