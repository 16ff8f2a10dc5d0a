"""What holds for every family of models: recording, anchoring, editing, copying, saving."""

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from families.zoo import BY_KIND, FAMILIES, WIDTH, Batch, Family, Stream, logits
from refusals import refuses
from torch import Tensor, nn

import latent_anchors as la
from latent_anchors import interventions
from latent_anchors import regularizers as reg

STREAMS = [(family, name) for family in FAMILIES for name in family.streams]
ANY = nn.functional.normalize(torch.randn(WIDTH, generator=torch.Generator().manual_seed(5)), dim=0)
"""A direction along no axis, and none that a norm treats in a way of its own."""


def over(streams: list[tuple[Family, str]]) -> pytest.MarkDecorator:
    names = [f"{family.name}, {name}" for family, name in streams]
    return pytest.mark.parametrize(("family", "stream"), streams, ids=names)


each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
each_stream = over(STREAMS)
with_states = over([(family, name) for family, name in STREAMS if family.streams[name].states])


def batch_of(family: Family, seed: int = 0) -> Batch:
    return family.inputs(torch.Generator().manual_seed(seed))


def sites_of(family: Family) -> tuple[Any, ...]:
    return tuple(site for stream in family.streams.values() for site in stream.sites)


def concept_of(stream: Stream, direction: Tensor) -> la.Concept:
    return la.Concept("low", direction, at=stream.sites)


@torch.no_grad()
def said(model: nn.Module, batch: Batch) -> Tensor:
    return logits(model(**batch))


# (a) sites, and recording


@each_family
def test_a_rule_finds_the_streams_or_says_what_it_misses(family: Family):
    by_hand = [site if isinstance(site, la.Site) else la.Site(site) for site in sites_of(family)]
    if BY_KIND in family.refused:
        with refuses(ValueError, family.refused[BY_KIND]):
            la.sites(family.shared, "residual")
    else:
        assert list(la.sites(family.shared, "residual")) == by_hand


@each_stream
def test_a_pattern_names_the_sites_of_one_stream(family: Family, stream: str):
    sites = family.streams[stream].sites
    by_hand = [site if isinstance(site, la.Site) else la.Site(site) for site in sites]
    pattern = by_hand[0].name.replace(".0", ".*")
    assert list(la.sites(family.shared, pattern)) == by_hand


@with_states
def test_what_is_recorded_is_the_models_own_hidden_states(family: Family, stream: str):
    where = family.streams[stream]
    enters = la.Site(where.sites[0], side="input")
    sites = [enters, *where.sites[:-1], where.last or where.sites[-1]]
    with torch.no_grad(), la.record(family.shared, sites) as z:
        output = family.shared(**batch_of(family), output_hidden_states=True)
    states = output[where.states]
    assert len(states) == len(sites)
    assert all(torch.equal(z[site], state) for site, state in zip(sites, states, strict=True))


@with_states
def test_the_last_hidden_state_is_the_last_layers_unless_a_norm_comes_first(family, stream):
    where = family.streams[stream]
    with torch.no_grad(), la.record(family.shared, where.sites) as z:
        output = family.shared(**batch_of(family), output_hidden_states=True)
    same = torch.equal(z[where.sites[-1]], output[where.states][-1])
    assert same == (where.last is None)


def test_the_last_state_of_an_lstm_is_the_output_at_the_last_position():
    (recurrent,) = (family for family in FAMILIES if family.name == "LSTM")
    last = la.Site("lstm", item=(1, 0))
    with torch.no_grad(), la.record(recurrent.shared, ["lstm", last]) as z:
        recurrent.shared(**batch_of(recurrent))
    assert z[last].shape == (2, 8, WIDTH)  # layer, line
    assert torch.equal(z[last][-1], z["lstm"][:, -1])


# (b) anchoring


def trained(family: Family, weight: float, seed: int) -> tuple[nn.Module, dict[str, la.Concept]]:
    """Forty steps of a plain loop; the same settings for every family."""
    model, generator = family.seeded(seed).train(), torch.Generator().manual_seed(seed)
    concepts = {
        name: concept_of(where, la.axis(0, dim=WIDTH)) for name, where in family.streams.items()
    }
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(40):
        batch = family.inputs(generator)
        with la.record(model, sites_of(family)) as z:
            loss = family.loss(model(**batch), batch)
        for name, where in family.streams.items() if weight else ():
            labels = where.labels(batch, z[where.sites[0]])
            loss = loss + weight * concepts[name].penalty(z, labels, others=1.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval(), concepts


def cosines(family: Family, weight: float, seed: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
    """Those of the labeled and of the others, on a new batch, at each site."""
    model, concepts = trained(family, weight, seed)
    batch = batch_of(family, seed + 1)
    with torch.no_grad(), la.record(model, sites_of(family)) as z:
        model(**batch)
    for name, where in family.streams.items():
        for site in where.sites:
            low = where.labels(batch, z[site]) > 0.5
            found = reg.anchor(z[site], concepts[name].direction)
            yield 1 - found[low], 1 - found[~low]


@each_family
def test_a_penalty_in_a_plain_loop_brings_the_labeled_ones_to_the_anchor(family: Family):
    for labeled, others in cosines(family, weight=4.0):
        assert labeled.mean() >= 0.9
        assert others.mean() <= 0.3


@each_family
def test_without_the_penalty_they_stay_where_training_puts_them(family: Family):
    assert all(labeled.mean() < 0.7 for labeled, _ in cosines(family, weight=0.0))


# (c) editing


@each_stream
def test_an_edit_acts_in_the_forward_pass_and_is_gone_after(family: Family, stream: str):
    model, batch = family.shared, batch_of(family)
    concept = concept_of(family.streams[stream], ANY)
    before = said(model, batch)
    with concept.muted(model, how="project"), la.record(model, concept.sites) as z:
        during = said(model, batch)
    assert not torch.allclose(during, before)
    assert all((z[site] @ ANY).abs().max() < 1e-5 for site in concept.sites)
    assert torch.equal(said(model, batch), before)


def generated(model: Any, batch: Batch, **options: Any) -> Any:
    return model.generate(
        batch["input_ids"][:3],
        do_sample=False,
        min_new_tokens=6,
        max_new_tokens=6,
        output_logits=True,
        return_dict_in_generate=True,
        **options,
    )


@over([(family, name) for family, name in STREAMS if family.generates])
def test_an_edit_acts_in_generate_with_and_without_cache(family: Family, stream: str):
    model, batch = family.shared, batch_of(family)
    concept = concept_of(family.streams[stream], ANY)
    before = generated(model, batch)
    with concept.muted(model, how="project"):
        cached = generated(model, batch, use_cache=True)
        anew = generated(model, batch, use_cache=False)
    assert torch.equal(cached.sequences, anew.sequences)
    for one, other, unedited in zip(cached.logits, anew.logits, before.logits, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(one, unedited, atol=1e-4)
    assert torch.equal(generated(model, batch).sequences, before.sequences)


# (e) saving


@each_stream
def test_a_saved_concept_and_its_objective_act_on_the_model_as_before(
    family: Family, stream: str, tmp_path: Path
):
    where, model, batch = family.streams[stream], family.shared, batch_of(family)
    concept = concept_of(where, ANY)
    objective = la.Objective([concept.term()], losses=["task"])
    la.save(concept, tmp_path / "concept")
    la.save(objective, tmp_path / "objective")
    again, objective_again = la.load(tmp_path / "concept"), la.load(tmp_path / "objective")
    with torch.no_grad(), la.record(model, again.sites) as z:
        model(**batch)
    labels = where.labels(batch, z[where.sites[0]])
    assert torch.equal(again.penalty(z, labels), concept.penalty(z, labels))
    total = [
        each(z, {"low": labels}, {"low": 0.5, "task": 1.0}, task=torch.tensor(2.0)).total
        for each in (objective, objective_again)
    ]
    assert torch.equal(*total)


# (f) copies

WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("way", WAYS)
@each_family
def test_a_copy_of_the_model_carries_nothing(family: Family, way: str):
    # a new one: after a pass with output_hidden_states, transformers' own hooks forbid pickling
    model, batch, sites = family.seeded(0).eval(), batch_of(family), sites_of(family)
    before = said(model, batch)
    negated = interventions.attach(model, torch.neg, at=sites[0])
    with (
        negated,
        interventions.intervene(model, torch.relu, sites[1:] or sites),
        la.record(model, sites) as z,
    ):
        edited = said(model, batch)
        mine = {site: z[site] for site in sites}
        twin = WAYS[way](model)
        assert torch.equal(said(twin, batch), before)
        assert all(z[site] is mine[site] for site in sites)
    assert not torch.allclose(edited, before)
    assert not interventions.in_force(twin)
    assert torch.equal(said(twin, batch), before)
