import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.data import BernoulliLabels, RareLabels, Sampler, ScheduledWeights

ROWS = torch.arange(20.0)
SAMPLER = Sampler(
    ROWS,
    {
        "low": BernoulliLabels(torch.where(ROWS < 10, 0.02, 0.0)),
        "high": BernoulliLabels(torch.where(ROWS < 10, 0.0, 0.02)),
    },
    batch_size=16,
    extras={"square": ROWS**2},
)
RARE = RareLabels(SAMPLER, steps=40, often={"low": 0.25, "high": 0.1})


def labeled_within(seed, name, steps=40):
    batches = SAMPLER.batches(seed, range(steps))
    return torch.cat([each.inputs[each.labels[name] > 0] for each in batches])


@given(seed=st.integers(0, 2**40), step=st.integers(0, 350))
def test_what_does_not_give_way_is_what_the_sampler_draws(seed, step):
    rare, drawn = RARE.batch(seed, step), SAMPLER.batch(seed, step)
    labeled = (rare.labels["low"] > 0) | (rare.labels["high"] > 0)
    assert torch.equal(rare.inputs[~labeled], drawn.inputs[~labeled])
    assert torch.equal(rare.extras["square"], rare.inputs**2)


@given(seed=st.integers(0, 2**40))
def test_labels_are_those_of_samples_that_the_run_labels_within_its_steps(seed):
    block = RARE.block(seed, 2)
    for name in ("low", "high"):
        again = block.inputs[block.labels[name] > 0]
        known = torch.cat([labeled_within(seed, name), torch.tensor([-1.0])])
        assert torch.isin(again, known).all()


def test_each_label_comes_as_often_as_asked_and_each_labeled_sample_alike():
    blocks = [RARE.block(7, index) for index in range(20)]
    inputs = torch.cat([each.inputs.flatten() for each in blocks])
    for name, often in RARE.often.items():
        label = torch.cat([each.labels[name].flatten() for each in blocks])
        assert float(label.mean()) == pytest.approx(often, abs=0.01)
        known = labeled_within(7, name).long().bincount(minlength=20).double()
        found = inputs[label > 0].long().bincount(minlength=20).double()
        torch.testing.assert_close(found / found.sum(), known / known.sum(), rtol=0, atol=0.02)


def test_labels_of_other_names_are_as_the_sampler_draws_them():
    rare, drawn = RareLabels(SAMPLER, 40, {"low": 0.3}).block(5, 1), SAMPLER.block(5, 1)
    own = rare.labels["low"] == 0
    assert 0 < drawn.labels["high"][own].sum() == rare.labels["high"][own].sum()
    assert torch.equal(rare.labels["high"][own], drawn.labels["high"][own])


def test_a_label_that_a_run_does_not_have_takes_nobodys_place():
    never = Sampler(ROWS, {"never": BernoulliLabels(torch.zeros(20))}, batch_size=16)
    rare = RareLabels(never, steps=40, often={"never": 0.5})
    assert torch.equal(rare.block(0, 0).inputs, never.block(0, 0).inputs)
    assert not rare.block(0, 0).labels["never"].any()


def test_what_is_labeled_at_some_places_comes_with_all_of_them():
    at_places = BernoulliLabels(torch.full((20, 3), 0.01))
    places = Sampler(ROWS, {"at": at_places}, batch_size=16)
    block = RareLabels(places, steps=100, often={"at": 0.5}).block(0, 0)
    kinds = {(float(x), *row.tolist()) for x, row in zip(*_places(block), strict=True)}
    drawn = {(float(x), *row.tolist()) for x, row in zip(*_places(places.block(0, 0)), strict=True)}
    assert kinds == drawn
    assert float((block.labels["at"] > 0).any(-1).float().mean()) == pytest.approx(0.5, abs=0.03)


def test_gathering_stays_within_the_steps_and_survives_a_copy():
    steps = 140
    rare = RareLabels(SAMPLER, steps=steps, often={"low": 1.0})
    known = labeled_within(3, "low", steps).sort().values.unique()
    assert torch.equal(rare.block(3, 0).inputs.unique(), known)
    copied = pickle.loads(pickle.dumps(rare))
    assert torch.equal(copied.block(3, 5).inputs, rare.block(3, 5).inputs)
    assert [each.inputs.shape for each in rare.batches(3, range(2))] == [(16,), (16,)]


def test_what_cannot_be_drawn_is_refused():
    with refuses(ValueError, "Unknown label 'red'; expected one of 'low', 'high'"):
        RareLabels(SAMPLER, steps=3, often={"red": 0.1})
    with refuses(ValueError, "The sum of the shares is 1.2"):
        RareLabels(SAMPLER, steps=3, often={"low": 0.6, "high": 0.6})
    with refuses(ValueError, "The share of 'low' is -0.1"):
        RareLabels(SAMPLER, steps=3, often={"low": -0.1})
    with refuses(ValueError, "steps is 0; expected at least 1"):
        RareLabels(SAMPLER, steps=0, often={})
    with refuses(ValueError, "step is -1; expected at least 0"):
        RARE.batch(0, -1)
    timeline = Timeline({"a": Track([Keyframe(0, 1.0)])})
    weights = ScheduledWeights(lambda row: torch.full((20,), row["a"]), timeline)
    with refuses(ValueError, "weights of the sampler follow a timeline"):
        RareLabels(Sampler(ROWS, SAMPLER.labels, weights=weights), steps=3, often={})


def _places(block):
    """Labeled samples, and their labels."""
    labeled = (block.labels["at"] > 0).any(-1)
    return block.inputs[labeled], block.labels["at"][labeled]
