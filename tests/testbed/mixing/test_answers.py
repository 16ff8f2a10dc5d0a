import pytest
import torch
from refusals import refuses
from testbed.mixing.mixers import constant, oracle

from latent_anchors.models import Population
from latent_anchors.testbed import (
    MixingLanguage,
    color_answers,
    color_distance,
    evaluate_mixing,
    exact_match,
)
from latent_anchors.testbed._mixing import _answers as mixing

FIVE = MixingLanguage(5, ("+", "-"))
PAIRS = FIVE.pairs()
GRAY = (FIVE.answers(PAIRS) == FIVE.token("gray")).float().mean().item()


@pytest.mark.parametrize("operation", ["+", "-"])
def test_an_oracle_is_right_about_every_pair_and_nothing_is_lost(operation):
    model = oracle(FIVE, operation)
    assert exact_match(model, FIVE, PAIRS, operation).all()
    assert color_distance(model, FIVE, PAIRS, operation).amax() < 1e-6


def test_an_oracle_of_one_operation_is_wrong_about_the_other():
    right = exact_match(oracle(FIVE, "-"), FIVE, PAIRS, "+")
    second_is_gray = PAIRS[:, 1] == FIVE.token("gray")
    assert torch.equal(right[0], (FIVE.colors[PAIRS[:, 1]] == 0.5).all(1))
    assert bool(right[0][second_is_gray].all())


def test_who_always_says_gray_is_right_where_the_answer_is():
    model = constant(FIVE, "gray")
    assert color_answers(model, FIVE, PAIRS).unique().tolist() == [FIVE.token("gray")]
    right = exact_match(model, FIVE, PAIRS)
    assert torch.equal(right[0], FIVE.answers(PAIRS) == FIVE.token("gray"))
    away = (FIVE.mixtures(PAIRS) - 0.5).norm(dim=1)
    torch.testing.assert_close(color_distance(model, FIVE, PAIRS)[0], away)


def test_of_a_population_it_is_that_of_each_run_in_pieces_or_at_once(monkeypatch):
    population = Population.from_models([oracle(FIVE), constant(FIVE, "gray")])
    at_once = exact_match(population, FIVE, PAIRS)
    assert at_once.shape == (2, len(PAIRS))
    assert at_once[0].all()
    assert at_once[1].float().mean().item() == pytest.approx(GRAY)
    monkeypatch.setattr(mixing, "AT_ONCE", 700)
    assert torch.equal(exact_match(population, FIVE, PAIRS), at_once)


def test_groups_of_pairs_are_measured_by_name():
    split = FIVE.split(0, always=[("red", "blue")])
    population = Population.from_models([oracle(FIVE), constant(FIVE, "purple")])
    sentence = FIVE.encode("red blue")[None]
    groups = {"held_out": split.held_out, "sentence": sentence}
    found = evaluate_mixing(population, FIVE, groups, "muted")
    assert [*found] == [
        *("exact_match/muted/held_out", "color_distance/muted/held_out"),
        *("exact_match/muted/sentence", "color_distance/muted/sentence"),
    ]
    assert found["exact_match/muted/sentence"].tolist() == [1.0, 1.0]
    assert found["exact_match/muted/held_out"][0] == 1.0
    assert found["exact_match/muted/held_out"][1] < 0.1
    assert found["color_distance/muted/held_out"][0] == 0.0
    assert found["color_distance/muted/held_out"][1] > 0.2


def test_a_groups_distance_is_the_mean_of_its_pairs():
    model = constant(FIVE, "purple")
    found = evaluate_mixing(model, FIVE, {"all": PAIRS, "few": PAIRS[:7]})
    for name, pairs in (("all", PAIRS), ("few", PAIRS[:7])):
        each = color_distance(model, FIVE, pairs)[0]
        assert found[f"color_distance/plain/{name}"].item() == pytest.approx(each.mean().item())


def test_open_pairs_have_a_distance_and_no_right_answer():
    pairs = FIVE.open_pairs()
    assert color_distance(oracle(FIVE), FIVE, pairs).amin() >= 0.125 - 1e-6
    with refuses(ValueError, "pairs have no answer on the grid"):
        exact_match(oracle(FIVE), FIVE, pairs)
