"""A run that is not finite is a failure, never a number; the others are as they are alone."""

import inspect
from dataclasses import astuple, is_dataclass
from math import nan

import pytest
import torch
from torch import nn

from latent_anchors import evaluation, testbed
from latent_anchors.evaluation import (
    Evaluation,
    correlation,
    squared_correlation,
    summarize,
)
from latent_anchors.interventions import Suppression
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import MixingLanguage

LANGUAGE = MixingLanguage(levels=3)
PAIRS = LANGUAGE.pairs()[::3]
LINES = LANGUAGE.lines(PAIRS)
CHANCE = torch.linspace(0.1, 0.9, 27)
COLORS = torch.rand(12, 3, generator=torch.Generator().manual_seed(0))
UP = [0.0, 1.0, 0.0, 0.0]

OF_COLORS = {
    "anchor_angle": lambda of, m: of(m, "red", UP),
    "color_alignment": lambda of, m: of(m, "red", UP),
    "color_collateral": lambda of, m: of(m, "red"),
    "color_errors": lambda of, m: of(m, COLORS),
    "color_removal": lambda of, m: of(m, "red"),
    "crumpled": lambda of, m: of(m),
    "disordered": lambda of, m: of(m),
    "dose_response": lambda of, m: runs_of(
        of(m, Suppression(UP), [1.0], measure=lambda m: m(COLORS).mean((-1, -2)), inputs=COLORS)
    ),
    "error_groups": lambda of, m: of(m, "red"),
    "evaluate_colors": lambda of, m: of(m, "red", exponent=2.0),
    "height": lambda of, m: of(m),
    "height_order": lambda of, m: of(m),
    "hue_alignments": lambda of, m: of(m, UP),
    "hue_gaps": lambda of, m: of(m, COLORS),
    "hue_leakage": lambda of, m: of(m, "red"),
    "hue_order": lambda of, m: of(m),
    "hue_sweep": lambda of, m: of(m, n=12),
    "hue_turn": lambda of, m: of(m, "red"),
    "latents": lambda of, m: of(m, COLORS),
    "latents_by_site": lambda of, m: of(m, COLORS, ["latent", "encoder"]),
    "noncircularity": lambda of, m: of(m),
    "nonplanarity": lambda of, m: of(m),
    "predictions": lambda of, m: of(m, COLORS),
    "reconstructions": lambda of, m: of(m, COLORS),
    "selectivity_r2": lambda of, m: of(m, "red"),
    "sharpness": lambda of, m: of(m, "red"),
    "vibrancy_r2": lambda of, m: of(m),
}
OF_LINES = {
    "color_answers": lambda of, m: of(m, LANGUAGE, PAIRS),
    "color_distance": lambda of, m: of(m, LANGUAGE, PAIRS),
    "evaluate_mixing": lambda of, m: of(m, LANGUAGE, {"some": PAIRS}),
    "exact_match": lambda of, m: of(m, LANGUAGE, PAIRS),
    "line_cosines": lambda of, m: of(m, LINES, torch.ones(30), at=["0"]),
    "line_leakage": lambda of, m: of(m, LANGUAGE, "red", at="0"),
}
OF_NUMBERS = {
    "alignment": lambda of, x: of(x.unflatten(-1, (-1, 4)), UP),
    "auc": lambda of, x: of(x, x.square()),
    "opening_angles": lambda of, x: of(x.unflatten(-1, (-1, 4))),
    "correlation": lambda of, x: of(x, x.square()),
    "displacement": lambda of, x: of(x.unflatten(-1, (-1, 4)), Suppression(UP)),
    "drift": lambda of, x: of(x.unflatten(-1, (-1, 4)), x.square().unflatten(-1, (-1, 4))),
    "drifted": lambda of, x: of(x.unflatten(-1, (-1, 4)), x.square().unflatten(-1, (-1, 4))),
    "hue_focus": lambda of, x: of(x),
    "place_errors": lambda of, x: of(x.unflatten(-1, (3, 2, 2)), torch.zeros(()), patch=2),
    "latched": lambda of, x: of(x.unflatten(-1, (-1, 4)), torch.tensor([0, 0, 1])),
    "squared_correlation": lambda of, x: of(x, x.square()),
    "line_alignment": lambda of, x: of(
        x[:, :2, None, None] * LINES.expand(len(x), 2, -1, -1) / 30, LANGUAGE, PAIRS, CHANCE, "red"
    ),
    "margin": lambda of, x: of(x, x.square()),
}
"""How each is asked of some runs: colors by autoencoders, lines of tokens, or numbers."""

WHOLE = {"response_by_degree", "exact_by_degree", "falls_with_degree"}
"""Given whether answers are right, in which there is no failure to be found."""

OF_ONE = {
    *("topic_losses", "topic_cosines", "topic_latched", "topic_leakage"),
    *("expected_lack", "edit_by_loss", "edit_by_share", "far_lines"),
    *("word_latents", "continued", "say_gray", "turned_colors"),
    *("lines_fine_tuned", "lines_trained_for_it"),
}
"""Asked of one model, whose failure is the answer's."""

INSTEAD = {
    "color_answers": -1,
    "crumpled": True,
    "disordered": True,
    "drifted": True,
    "exact_match": False,
    "latched": True,
    "line_alignment": True,
}
"""What is said of a failed run where there is no NaN: the worst."""


def runs_of(response):
    """A number for each run, NaN where there is none."""
    seeds = [metric.per_seed for metric in (*response.effect, *response.displacement)]
    return {str(k): torch.tensor([nan if v is None else v for v in s]) for k, s in enumerate(seeds)}


def takes_runs(value):
    if not inspect.isfunction(value):
        return False
    first = next(iter(inspect.signature(value).parameters.values()), None)
    return first is not None and (
        first.name == "model" or "batch" in str(first.annotation) or "runs" in str(first.annotation)
    )


def test_every_measure_of_runs_is_among_those_asked_below():
    found = {
        name
        for room in (evaluation, testbed)
        for name in room.__all__
        if takes_runs(getattr(room, name))
    }
    assert found == {*OF_COLORS, *OF_LINES, *OF_NUMBERS, *WHOLE, *OF_ONE}


@pytest.fixture(scope="module")
def worlds():
    """Of each kind three runs, of which the second is NaN, and the other two alone."""
    torch.manual_seed(0)
    colors = [SphericalAutoencoder(channels=3, latent_dim=4) for _ in range(3)]
    lines = [nn.Sequential(nn.Embedding(30, 30)) for _ in range(3)]
    numbers = torch.rand(3, 12)
    with torch.no_grad():
        numbers[1] = torch.nan
        for parameter in [*colors[1].parameters(), *lines[1].parameters()]:
            parameter.fill_(torch.nan)
    populations = [
        (Population.from_models(runs), Population.from_models(runs[::2], seeds=[0, 2]))
        for runs in (colors, lines)
    ]
    return [*populations, (numbers, numbers[::2])]


def parts(found):
    """All tensors of an answer, each with the runs first."""
    if isinstance(found, torch.Tensor):
        return [found]
    return list(astuple(found)) if is_dataclass(found) else [*found.values()]


@pytest.mark.parametrize("name", [*OF_COLORS, *OF_LINES, *OF_NUMBERS])
def test_a_failed_run_has_no_value_in_any_measure_and_leaves_the_others_theirs(name, worlds):
    kind = next(k for k, each in enumerate((OF_COLORS, OF_LINES, OF_NUMBERS)) if name in each)
    ask, room = (OF_COLORS, OF_LINES, OF_NUMBERS)[kind][name], evaluation
    of = getattr(room if hasattr(room, name) else testbed, name)
    together, alone = (parts(ask(of, runs)) for runs in worlds[kind])
    for each, expected in zip(together, alone, strict=True):
        torch.testing.assert_close(each[::2], expected, equal_nan=True)
        if each.is_floating_point():
            assert each[1].isnan().all()
            assert summarize(each.reshape(3, -1).sum(1).tolist()).per_seed[1] is None
        else:
            assert (each[1] == INSTEAD[name]).all()


@pytest.mark.parametrize("lost", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("measure", [correlation, squared_correlation])
def test_what_is_not_finite_correlates_with_nothing(measure, lost):
    x, y = torch.linspace(0, 1, 9), torch.linspace(0, 1, 9).square()
    assert measure(x, y).isfinite()
    x[3] = lost
    assert measure(x, y).isnan()
    assert measure(y, x).isnan()


def test_a_failed_run_counts_in_no_measure_and_no_share():
    found = Evaluation({"a": torch.tensor([1.0, torch.nan]), "b": torch.tensor([True, True])})
    assert found.failed() == (1,)
    assert {name: metric.n for name, metric in found.metrics().items()} == {"a": 1, "b": 1}
    whole = Evaluation({"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([True, False])})
    assert whole.failed() == ()
    assert whole.metrics()["b"].mean == 0.5


@pytest.mark.parametrize("name", ["crumpled", "anything"])
def test_a_share_is_what_is_boolean_whatever_its_name(name):
    holds = torch.tensor([True, False, True])
    share = Evaluation({name: holds}).metrics()[name]
    mean = Evaluation({name: holds.float()}).metrics()[name]
    assert share == summarize([1.0, 0.0, 1.0], share=True)
    assert mean == summarize([1.0, 0.0, 1.0])
    assert share.ci95 != mean.ci95
