"""A concept removed from the weights of each family: the edit that this equals, or the refusal."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from families.test_contract import ANY, batch_of, said
from families.zoo import AXES_ONLY, BY_WEIGHTS, FAMILIES, ONE_STACK, WIDTH, Family
from refusals import refuses
from torch import Tensor

import latent_anchors as la
from latent_anchors import interventions

AXIS = la.axis(3, dim=WIDTH)
REMOVED = [family for family in FAMILIES if BY_WEIGHTS not in family.refused]


def named(families: list[Family]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("family", families, ids=lambda family: family.name)


def placed(family: Family, direction: Tensor) -> la.Concept:
    """At all sites of all its streams."""
    sites = [site for stream in family.streams.values() for site in stream.sites]
    return la.Concept("low", direction, at=sites)


def direction_of(family: Family) -> Tensor:
    return AXIS if AXES_ONLY in family.refused else ANY


def example(batch: Mapping[str, Tensor]) -> Any:
    return dict(batch)


@named(REMOVED)
def test_removal_by_weights_is_an_edit_of_all_that_is_added_to_the_stream(family: Family):
    model, batch = family.shared, batch_of(family)
    concept = placed(family, direction_of(family))
    before, weights = said(model, batch), [p.clone() for p in model.parameters()]
    clean = concept.removed(model, example=example(batch))
    by_weights = said(clean, batch)
    edit = interventions.Projection(concept.direction[None])
    with interventions.intervene(model, edit, at=family.written):
        torch.testing.assert_close(by_weights, said(model, batch), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(by_weights, before, atol=1e-4)
    assert all(map(torch.equal, model.parameters(), weights))
    with torch.no_grad(), la.record(clean, concept.sites) as z:
        clean(**batch)
    for site in concept.sites:
        assert (z[site] @ concept.direction).abs().max() < 1e-5
    with torch.no_grad(), la.record(model, concept.sites) as z:  # and there it was
        model(**batch)
    assert any((z[site] @ concept.direction).abs().max() > 1e-3 for site in concept.sites)


@named(REMOVED)
def test_in_bfloat16_removal_rounds_once(family: Family):
    model, batch = family.seeded(0).eval().to(torch.bfloat16), example(batch_of(family))
    halved = {k: v.bfloat16() if v.is_floating_point() else v for k, v in batch.items()}
    concept = placed(family, direction_of(family))
    exact = concept.removed(model.float(), example=batch)
    clean = concept.removed(model.to(torch.bfloat16), example=halved)
    exact = exact.to(torch.bfloat16)
    assert all(map(torch.equal, clean.parameters(), exact.parameters()))
    assert torch.equal(said(clean, halved), said(exact, halved))


@named([family for family in FAMILIES if AXES_ONLY in family.refused])
def test_where_each_channel_is_scaled_only_axes_can_be_removed(family: Family):
    with refuses(ValueError, family.refused[AXES_ONLY]):
        placed(family, ANY).removed(family.shared, example=example(batch_of(family)))


@named([family for family in FAMILIES if BY_WEIGHTS in family.refused])
def test_where_no_weights_write_the_latents_removal_is_refused(family: Family):
    with refuses(ValueError, family.refused[BY_WEIGHTS]):
        placed(family, AXIS).removed(family.shared, example=example(batch_of(family)))


@named([family for family in FAMILIES if ONE_STACK in family.refused])
def test_stacks_that_share_their_embedding_lose_a_concept_together(family: Family):
    for stream in family.streams.values():
        alone = la.Concept("low", ANY, at=stream.sites)
        with refuses(ValueError, family.refused[ONE_STACK]):
            alone.removed(family.shared, example=example(batch_of(family)))


def test_the_layer_that_reads_an_lstm_can_be_made_blind():
    (recurrent,) = (family for family in FAMILIES if family.name == "LSTM")
    model, batch = recurrent.shared, batch_of(recurrent)
    blind = interventions.orthogonalize(
        model, ANY, at="lstm", example=example(batch), side="reading"
    )
    with interventions.intervene(model, interventions.Projection(ANY[None]), at="lstm"):
        torch.testing.assert_close(said(blind, batch), said(model, batch))
    assert not torch.allclose(said(blind, batch), said(model, batch), atol=1e-4)
