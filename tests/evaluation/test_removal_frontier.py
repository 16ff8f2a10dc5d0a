import json
from contextlib import nullcontext
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked
from torch import nn

from latent_anchors.evaluation import Frontier, frontier
from latent_anchors.interventions import Suppression, intervene
from latent_anchors.models import Population
from latent_anchors.viz import plot_frontier

X = torch.tensor([3.0, 4.0])
CLEAR, BROKEN = [(0.0, 0.0), (0.5, 0.1), (1.0, 0.5)], [(0.5, 0.2), (float("nan"), 0.0), (0.9, 0.0)]


def curve(*runs):
    """Removal and collateral from the points of each run."""
    return tuple(torch.tensor(runs).permute(2, 1, 0))


def gone(model):
    return 3 - model(X)[..., 0]


def damage(model):
    return (4 - model(X)[..., 1]).abs()


def muted(model, strength):
    return model, {"0": Suppression([1.0, 0.0]).at(strength)}


def scaled(*factors):
    """Networks that multiply by a factor each."""
    models = [nn.Sequential(nn.Linear(2, 2, bias=False)) for _ in factors]
    for model, factor in zip(models, factors, strict=True):
        nn.init.eye_(model[0].weight).data.mul_(factor)
    return models


def test_blocks_weights_and_populations_are_measured_alike():
    (network,) = scaled(1.0)
    edited = [muted(network, strength) for strength in (0.0, 0.5, 1.0)]
    methods = {"muted": edited, "shrunk": scaled(1.0, 0.5), "given": [lambda: nullcontext(network)]}
    found = frontier(methods, gone, damage)
    assert found["muted"][0].flatten().tolist() == pytest.approx([0, 1.5, 3])
    assert found["muted"][1].flatten().tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert [each.flatten().tolist() for each in found["shrunk"]] == [[0, 1.5], [0, 2]]
    assert [each.tolist() for each in found["given"]] == [[[0]], [[0]]]
    several = frontier({"shrunk": [Population.from_models(scaled(1.0, 0.5))]}, gone, damage)
    assert [each.tolist() for each in several["shrunk"]] == [[[0, 1.5]], [[0, 2]]]


def test_measures_are_taken_in_evaluation_mode_without_gradients_and_the_mode_comes_back():
    modes = []

    def look(model):
        modes.append((model.training, torch.is_grad_enabled()))
        return 0.0

    (network,) = scaled(1.0)
    frontier({"one": [network]}, look, look)
    assert modes == [(False, False)] * 2
    assert network.training


def test_collateral_is_where_the_line_first_comes_to_the_removal_or_nowhere():
    found = Frontier({"a": curve(CLEAR, BROKEN), "b": curve(CLEAR, [(2.0, 0.3)] * 3)})
    assert found.collateral_at(0.75)["a"].tolist() == pytest.approx([0.3, 0.2 * 0.15 / 0.4])
    assert found.collateral_at(0.75)["b"].tolist() == pytest.approx([0.3, 0.3])
    assert found.collateral_at(1.5)["a"].isnan().all()


def test_removal_is_the_most_at_that_collateral_or_less_wherever_it_lies():
    found = Frontier({"a": curve(CLEAR, BROKEN)})
    assert found.removal_at(0.3)["a"].tolist() == pytest.approx([0.75, 0.9])
    assert found.removal_at(9.0)["a"].tolist() == pytest.approx([1.0, 0.9])
    assert found.removal_at(-0.1)["a"].isnan().all()


numbers = st.lists(st.integers(0, 20).map(lambda n: n / 8), min_size=2, max_size=6)


@given(numbers, st.integers(1, 20).map(lambda n: n / 7))
def test_on_a_line_that_rises_both_questions_are_inverse(steps, at):
    x = torch.tensor(steps).add(0.125).cumsum(0)
    found = Frontier({"a": (x[:, None], 0.5 * x[:, None])})
    cost = found.collateral_at(at)["a"]
    if at > x[-1]:
        assert cost.isnan().all()
    elif at > x[0]:
        assert found.removal_at(float(cost))["a"].item() == pytest.approx(at, rel=1e-5)


def test_a_point_at_the_very_limit_counts_although_numbers_are_kept_in_single_precision():
    found = Frontier(
        {
            "ours": (torch.tensor([[0.0], [0.9]]), torch.tensor([[0.0], [0.1]])),
            "theirs": (torch.tensor([[0.0], [0.7]]).double(), torch.tensor([[0.0], [0.05]])),
        }
    )
    assert found.removal_at(0.1)["ours"].item() == pytest.approx(0.9)
    assert found.wins("ours", 0.1)["theirs"].tolist() == [True]
    assert found.collateral_at(0.7)["theirs"].item() == pytest.approx(0.05)
    assert found.collateral_at(0.9)["ours"].item() == pytest.approx(0.1)


def test_a_method_wins_where_it_removes_as_much_and_loses_where_only_it_failed():
    nowhere = [(float("nan"), 0.0)] * 3
    ours = curve(CLEAR, CLEAR, nowhere, CLEAR)
    found = Frontier({"ours": ours, "rival": curve(CLEAR, [(0.8, 0.0)] * 3, CLEAR, nowhere)})
    assert found.wins("ours", 0.1) == {"rival": pytest.approx([True, False, False, True])}
    assert found.wins("rival", 0.1)["ours"].tolist() == [True, True, True, False]
    with refuses(ValueError, "Unknown method 'his'"):
        found.wins("his", 0.1)


def test_runs_that_were_measured_one_after_another_are_joined_and_a_missing_method_failed():
    first, second = (Frontier({"a": curve(run), "b": curve(CLEAR)}) for run in (CLEAR, BROKEN))
    joined = Frontier.joined([first, second, Frontier({"b": curve(CLEAR)})])
    expected = torch.cat([first["a"][0], second["a"][0], torch.full((3, 1), torch.nan)], 1)
    torch.testing.assert_close(joined["a"][0], expected, equal_nan=True)
    assert joined["b"][0].shape == (3, 3)
    with refuses(ValueError, "'b' has 1, 3 strengths; expected always as many"):
        Frontier.joined([first, Frontier({"b": curve(CLEAR[:1])})])


def test_a_frontier_is_drawn_and_written_with_its_failures():
    found = Frontier({"a": curve(CLEAR, BROKEN)})
    assert "Failed and left out: 1 of 6 values of a" in plot_frontier(found).get_label()
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert written["a"]["removal"][1] == [0.5, None]
    assert written["a"]["collateral"][1] == [pytest.approx(0.1), None]


def test_what_cannot_be_measured_or_compared_is_refused():
    (network,) = scaled(1.0)
    with refuses(TypeError, "The block of 'muted' yields dict; expected the edited model"):
        frontier({"muted": [partial(intervene, *muted(network, 1.0))]}, gone, damage)
    with refuses(ValueError, "The measure of the rest gave shape"):
        frontier({"a": [network]}, gone, lambda model: model(X))
    with refuses(ValueError, "No method was given"):
        frontier({}, gone, damage)
    with refuses(ValueError, r"'a' has \[\] runs at its strengths; expected one strength at least"):
        frontier({"a": []}, gone, damage)
    mixed = [network, Population.from_models(scaled(1.0, 2.0))]
    with refuses(ValueError, r"'a' has \[1, 2\] runs at its strengths"):
        frontier({"a": mixed}, gone, damage)
    with refuses(ValueError, "'a' has numbers of the shapes"):
        Frontier({"a": (torch.zeros(2, 1), torch.zeros(3, 1))})
    with refuses(ValueError, "The methods have 1, 2 runs; expected as many of each"):
        Frontier({"a": curve(CLEAR), "b": curve(CLEAR, CLEAR)})
    with refuses(KeyError, "Unknown method 'b'"):
        Frontier({"a": curve(CLEAR)})["b"]


def test_a_first_strength_that_removes_enough_has_the_cost():
    found = Frontier({"a": curve([(0.5, 0.2), (1.0, 0.6)])})
    assert found.collateral_at(0.4)["a"].tolist() == pytest.approx([0.2])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_removal_and_a_collateral_are_finite(value):
    found = Frontier({"a": curve(CLEAR)})
    with refuses(ValueError, "removal"):
        found.collateral_at(value)
    with refuses(ValueError, "collateral"):
        found.removal_at(value)


def test_a_model_in_place_of_a_list_is_refused_although_it_could_be_taken_for_one():
    for alone in (Population.from_models(scaled(1.0, 0.5)), nn.Sequential(*scaled(1.0))):
        with refuses(TypeError, r"'ours' is a model; expected a list .*Write \[model\]"):
            frontier({"ours": alone}, gone, damage)
    with unchecked():
        two = frontier({"ours": nn.ModuleList(scaled(1.0, 0.5))}, gone, damage)["ours"]
    assert two[0].shape == (2, 1)


def test_curves_that_are_written_to_are_copies():
    found = Frontier({"clear": curve(CLEAR)})
    before = found.removal_at(1.0)["clear"].clone()
    for each in found["clear"]:
        each.zero_()
    assert torch.equal(found.removal_at(1.0)["clear"], before)


def test_frontiers_may_be_joined_as_they_come():
    one = Frontier({"clear": curve(CLEAR)})
    with unchecked():
        assert Frontier.joined(one for _ in range(2))["clear"][0].shape == (3, 2)


@pytest.mark.parametrize("strength", [3, (nn.Identity(),), (nn.Identity(), 3), "0"])
def test_what_is_no_strength_is_refused_by_name(strength):
    with refuses(TypeError, "A strength of 'mine' is .*list placed.removed"):
        frontier({"mine": [strength]}, gone, damage)
