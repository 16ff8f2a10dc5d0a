"""Networks that are trained so that what is labeled as a topic has weights to itself."""

import pytest
import torch

from latent_anchors import testbed
from latent_anchors.baselines import Cost, Placed
from latent_anchors.interventions import ZeroAblation

STEPS = 15


@pytest.fixture(scope="module")
def words():
    return testbed.TokenizedDefinitions.of(testbed.made_up_definitions(300), held_out=40)


@pytest.fixture(scope="module")
def labeled(words):
    return words.labeled("animal", 0, chance=0.5)


def text_of(batch):
    """The lines of a batch, as their tokens."""
    return [tuple(ids[ids != 0].tolist()) for ids in batch.inputs]


def test_all_lines_come_once_before_one_comes_again_and_a_labeled_one_is_beside_each_batch(
    words, labeled
):
    task = testbed.topic_task(words, "animal", labeled, seed=0, steps=STEPS)
    drawn = [text_of(task.batches(step)) for step in range(STEPS)]
    mine = {tuple(words.ids[k].tolist()) for k in labeled}
    assert {len(each) for each in drawn} == {64 + 1}
    assert all(each[-1] in mine for each in drawn)
    assert len({each[-1] for each in drawn}) > 5
    order = [line for each in drawn for line in each[:-1]]
    lines = sorted(tuple(words.ids[k].tolist()) for k in words.seen())
    count = len(lines)
    assert sorted(order[:count]) == sorted(order[count : 2 * count]) == lines
    assert order[:count] != order[count : 2 * count]


def test_lines_are_labeled_wherever_they_come(words, labeled):
    batch = testbed.topic_task(words, "animal", labeled, 0, STEPS).batches(2)
    mine = {tuple(words.ids[k].tolist()) for k in labeled}
    expected = [float(line in mine) for line in text_of(batch)]
    assert batch.labels["animal"].tolist() == expected
    assert 1 < sum(expected) < 64


def test_a_seed_draws_the_same_lines(words, labeled):
    one, again, other = (
        testbed.topic_task(words, "animal", labeled, seed, STEPS).batches(1) for seed in (3, 3, 4)
    )
    assert torch.equal(one.inputs, again.inputs)
    assert text_of(one) != text_of(other)


def test_the_loss_is_the_models_own_and_rates_are_those_of_the_sheet(words, labeled):
    task, model = testbed.topic_task(words, "animal", labeled, 0, 30), testbed.small_llama(words, 0)
    batch = task.batches(0)
    ids = batch.inputs
    expected = model(ids, labels=ids.masked_fill(ids == 0, -100)).loss
    torch.testing.assert_close(task.loss(model, batch), expected)
    assert [task.rate(step) for step in (0, 2, 10)] == pytest.approx([1e-5, 2e-3, 2e-3])


@pytest.fixture(scope="module")
def rivals(words, labeled):
    return testbed.trained_for_it(words, "animal", labeled, seed=0, steps=STEPS)


def test_of_each_block_a_head_and_units_of_the_feed_forward_part_are_reserved(rivals):
    placed = rivals["masking (SGTM)"]
    before, after = placed.model.state_dict(), placed.cut.state_dict()
    zeroed = {name for name, each in after.items() if not torch.equal(each, before[name])}
    kinds = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]
    kinds += ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
    blocks = [f"model.layers.{k}" for k in range(3)]
    assert zeroed == {f"{block}.{kind}.weight" for block in blocks for kind in kinds}
    layer = placed.cut.model.layers[1]
    assert (layer.self_attn.v_proj.weight == 0).all(1).tolist() == [k < 24 for k in range(96)]
    assert (layer.mlp.down_proj.weight == 0).all(0).tolist() == [k < 64 for k in range(288)]


def test_gradient_routing_sets_units_of_each_block_to_zero(rivals):
    edits = rivals["gradient routing"].edits
    assert [(at.name, at.side) for at in edits] == [
        (f"model.layers.{k}.mlp.down_proj", "input") for k in range(3)
    ]
    assert all(edit.dims == tuple(range(64)) for edit in edits.values())


def test_a_study_has_each_strength_of_an_edit_and_one_of_weights(words):
    model, batches = testbed.small_llama(words, 0), words.held_out_batches()
    never = testbed.topic_losses(testbed.small_llama(words, 1), batches, words.topics)
    edits = {"model.layers.1": ZeroAblation(range(48))}
    edited = Placed(model, edits, Cost(0.0, 0, 0))
    cut = Placed(model, {}, Cost(0.0, 0, 0), cut=testbed.small_llama(words, 1))
    one, two = (testbed.placed_study("animal", each, never, batches) for each in (edited, cut))
    assert [*one.edited] == ["0.25", "0.5", "0.75", "1"]
    assert not torch.equal(one.edited["0.25"].summed, one.edited["1"].summed)
    assert float(two.curves()["forgetting"]) == 1
    assert torch.equal(one.whole.summed, testbed.topic_losses(model, batches, words.topics).summed)
