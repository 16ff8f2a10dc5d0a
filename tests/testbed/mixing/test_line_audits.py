from functools import cache, partial

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors import models
from latent_anchors.audits import fresh
from latent_anchors.colorspace import hue_degree, hue_of
from latent_anchors.interventions import apply_surgery, intervene
from latent_anchors.models import Population
from latent_anchors.testbed import (
    MixingLanguage,
    color_answers,
    exact_match,
    line_leakage,
    line_relearning,
)
from latent_anchors.testbed._mixing._line_audits import RATES

LANGUAGE = MixingLanguage(levels=5)
RED = hue_degree(LANGUAGE.colors, hue_of("red"))


class Lines(nn.Module):
    """A stream that holds chosen numbers for each color, and noise for other words."""

    def __init__(self, held):
        super().__init__()
        words = torch.zeros(len(LANGUAGE.vocabulary) - len(held), held.shape[1])
        self.embedding = nn.Embedding.from_pretrained(torch.cat([held, words]))

    def forward(self, tokens):
        return self.embedding(tokens)


def found(held):
    return line_leakage(Lines(held), LANGUAGE, "red", "embedding")


def test_a_stream_that_holds_redness_gives_it_away():
    assert float(found(RED.unsqueeze(1))["leakage/linear"]) > 0.999


def test_degrees_are_not_rounded_to_the_half_precision_of_a_stream():
    thirds = MixingLanguage(levels=4)
    held = Lines(thirds.colors.bfloat16()).bfloat16()
    found = line_leakage(held, thirds, "red", "embedding")
    full = line_leakage(Lines(held.embedding.weight.float()), thirds, "red", "embedding")
    for name in ("leakage/linear", "leakage/linear/floor"):
        torch.testing.assert_close(found[name], full[name])


def test_a_stream_of_raw_colors_gives_away_what_the_floor_does():
    colors = found(LANGUAGE.colors)
    torch.testing.assert_close(colors["leakage/linear"], colors["leakage/linear/floor"])
    assert 0.5 < float(colors["leakage/linear/floor"]) < 0.95


def test_a_stream_that_holds_nothing_of_colors_gives_nothing_away():
    noise = torch.randn(125, 3, generator=torch.Generator().manual_seed(0))
    for name in ("leakage/linear", "leakage/linear/shuffled"):
        assert float(found(noise)[name]) < 0.1


def test_each_run_of_a_population_is_probed_by_itself():
    noise = torch.randn(125, 1, generator=torch.Generator().manual_seed(0))
    runs = Population.from_models([Lines(RED.unsqueeze(1)), Lines(noise)], seeds=[0, 1])
    both = line_leakage(runs, LANGUAGE, "red", "embedding")["leakage/linear"]
    assert both[0] > 0.999
    assert both[1] < 0.1


def test_a_model_alone_is_a_run_of_seed_0():
    model = Lines(LANGUAGE.colors)
    run = Population.from_models([model], seeds=[0])
    shuffled = line_leakage(run, LANGUAGE, "red", "embedding")["leakage/linear/shuffled"]
    torch.testing.assert_close(found(LANGUAGE.colors)["leakage/linear/shuffled"], shuffled)


def test_the_concept_is_a_hue():
    with refuses(ValueError, "Unknown hue 'gray'"):
        line_leakage(Lines(LANGUAGE.colors), LANGUAGE, "gray", "embedding")


@pytest.mark.parametrize("levels", [2, 3, 6])
def test_any_language_has_colors_to_learn_from_and_to_read(levels):
    language = MixingLanguage(levels=levels)
    held = torch.cat([language.colors, torch.zeros(3, 3)])
    model = nn.Sequential(nn.Embedding.from_pretrained(held))
    assert line_leakage(model, language, "red", "0")["leakage/linear"].isfinite().all()


LINES = MixingLanguage(levels=2)
PAIRS = LINES.pairs()
KINDS = (models.NormalizedTransformer, models.PrenormTransformer)


@cache
def untaught(kind=models.NormalizedTransformer, runs=2):
    make = partial(kind, len(LINES.vocabulary), 16, 1, 2, 32)
    return Population.make(make, seeds=range(runs))


def audit(edited, **options):
    constraint = getattr(edited.stacked, "constraint", None)
    given = {"constraint": constraint, "rates": [0.02], **options}
    return line_relearning(edited, LINES, PAIRS, PAIRS, **given)


@cache
def audited(kind=models.NormalizedTransformer):
    return audit(untaught(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_was_never_taught_learns_about_as_fast_as_a_fresh_network(kind):
    found = audited(kind).found
    assert bool(found["relearning/steps/fresh"].isfinite().all())
    assert bool(((found["relearning/ratio"] > 0.2) & (found["relearning/ratio"] < 5)).all())


def test_curves_begin_with_what_is_answered_before_the_first_step():
    wrong = 1 - exact_match(untaught(), LINES, PAIRS).double().mean(1)
    torch.testing.assert_close(audited().curves["edited"][0], wrong)


def test_it_is_back_at_the_first_check_that_is_good_and_stays_so():
    for name in ("edited", "fresh"):
        steps, curve = audited().found[f"relearning/steps/{name}"], audited().curves[name]
        for run, step in enumerate(steps.long().tolist()):
            assert float(curve[step, run]) <= 0.05
            assert float(curve[step - 1, run]) > 0.05


def test_who_needs_no_step_needs_none():
    easy = PAIRS[exact_match(untaught(runs=1), LINES, PAIRS)[0]]
    assert len(easy) > 0
    found = line_relearning(untaught(runs=1), LINES, easy, easy, rates=[0.02, 1e-5]).found
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
    known = PAIRS[exact_match(untaught(runs=1), LINES, PAIRS)[0]]
    with (
        refuses(ValueError, "answer otherwise than their weights do: an edit is in force"),
        intervene(untaught(runs=1), torch.neg, at="embedding"),
    ):
        line_relearning(untaught(runs=1), LINES, known, known)


def test_fresh_networks_have_to_learn_it_too():
    with refuses(RuntimeError, "Within 20 steps 2 of 2 fresh networks have not reached the goal"):
        audit(untaught(), rates=[1e-5], limit=20)


def test_a_control_is_another_answer_to_the_lines_that_are_asked():
    edited = untaught(runs=1)
    asked, black = PAIRS[PAIRS.eq(7).any(1)], LINES.token("black")
    record = audit_of(edited, asked, answer=black, references={"same": edited})
    assert record.found["relearning/ratio"].tolist() == [1]
    assert record.found["relearning/steps/edited"].isfinite().all()
    said = color_answers(edited, LINES, asked)
    wrong = (said != black).double().mean(1)
    torch.testing.assert_close(record.curves["edited"][0], wrong)


def audit_of(edited, asked, **options):
    given = {"constraint": edited.stacked.constraint, "rates": [0.02]}
    return line_relearning(edited, LINES, PAIRS, asked, **given | options)
