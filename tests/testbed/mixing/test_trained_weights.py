"""What an attacker trains: all weights, the embedding, or additions of low rank."""

from functools import partial

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.models import NormalizedTransformer, Population
from latent_anchors.testbed import MixingLanguage, line_relearning
from latent_anchors.testbed._mixing._trained_weights import RANK, LowRank, with_trained

LANGUAGE = MixingLanguage(levels=2)
MAKE = partial(NormalizedTransformer, len(LANGUAGE.vocabulary), 16, 1, 2, 32)
NETWORKS = Population.make(MAKE, seeds=[3, 4])
LINES = LANGUAGE.lines(LANGUAGE.pairs())


def trained(network):
    return {name for name, each in network.named_parameters() if each.requires_grad}


def test_of_all_weights_nothing_is_frozen():
    assert with_trained(NETWORKS, "all") is NETWORKS


@pytest.mark.parametrize("weights", ["embeddings", "low_rank"])
def test_at_first_it_answers_as_it_did_and_the_network_stays_as_it_is(weights):
    before = trained(NETWORKS)
    copy = with_trained(NETWORKS, weights)
    torch.testing.assert_close(copy(LINES), NETWORKS(LINES))
    assert copy.seeds == NETWORKS.seeds
    assert trained(NETWORKS) == before
    assert trained(copy) < {name for name, _ in copy.named_parameters()}


def test_an_addition_has_its_rank_and_every_linear_layer_has_one():
    (model, _) = with_trained(NETWORKS, "low_rank")
    layers = [each for each in model.modules() if isinstance(each, LowRank)]
    assert len(layers) == sum(isinstance(each, nn.Linear) for each in NETWORKS[0].modules())
    for each in layers:
        torch.nn.init.normal_(each.up)
        assert torch.linalg.matrix_rank(each.up @ each.down) == RANK


def test_runs_draw_their_own_additions_and_draw_them_again():
    (first, second), (again, _) = (with_trained(NETWORKS, "low_rank") for _ in range(2))
    down = [model.get_submodule("blocks.0.up").down for model in (first, second, again)]
    assert torch.equal(down[0], down[2])
    assert not torch.equal(down[0], down[1])


@pytest.mark.parametrize("weights", ["embeddings", "low_rank"])
def test_an_attack_trains_nothing_else(weights):
    pairs = LANGUAGE.pairs()
    audit = line_relearning(
        NETWORKS,
        LANGUAGE,
        pairs,
        pairs,
        references={"same": NETWORKS},
        weights=weights,
        constraint=MAKE().constraint,
        rates=[0.02],
        limit=40,
        first_must_arrive=False,
    )
    torch.testing.assert_close(audit.curves["same"], audit.curves["edited"])
    assert bool((audit.curves["edited"][-1] < audit.curves["edited"][0]).any())


def test_there_are_three_choices():
    with refuses(ValueError, "Unknown choice of weights 'heads'"):
        with_trained(NETWORKS, "heads")
