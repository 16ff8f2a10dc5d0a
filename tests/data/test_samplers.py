import math
import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors.data import BernoulliLabels, RareLabels, Sampler, SoftLabels

COLORS = torch.linspace(0, 1, 30).reshape(10, 3)
HALF = BernoulliLabels(torch.full((10,), 0.5))
DEGREE = torch.linspace(0, 1, 10)
SAMPLER = Sampler(
    COLORS,
    {"hard": HALF, "soft": SoftLabels(DEGREE)},
    batch_size=4,
    extras={"row": torch.arange(10)},
)

steps = st.integers(0, 350)


def parts(batch):
    return {"inputs": batch.inputs, **batch.labels, **batch.extras}


def same(one, other):
    return all(torch.equal(parts(one)[name], parts(other)[name]) for name in parts(one))


@given(seed=st.integers(0, 2**40), step=steps)
def test_a_batch_is_a_function_of_seed_and_step_alone(seed, step):
    fresh = Sampler(COLORS, SAMPLER.labels, batch_size=4, extras=SAMPLER.extras)
    assert same(SAMPLER.batch(seed, step), fresh.batch(seed, step))


@given(order=st.permutations(range(95, 106)))
def test_batches_in_any_order_are_the_batches_in_order(order):
    in_order = dict(zip(range(95, 106), SAMPLER.batches(7, range(95, 106)), strict=True))
    assert all(same(SAMPLER.batch(7, step), in_order[step]) for step in order)


@pytest.mark.parametrize("batches", [SAMPLER, RareLabels(SAMPLER, steps=40, often={"hard": 0.5})])
def test_a_batch_that_was_written_to_is_drawn_again_as_it_was(batches):
    before = {name: each.clone() for name, each in parts(batches.batch(0, 3)).items()}
    for each in parts(batches.batch(0, 3)).values():
        each.zero_()
    again = parts(batches.batch(0, 3))
    assert all(torch.equal(again[name], before[name]) for name in before)


def test_a_block_holds_its_batches():
    block = SAMPLER.block(seed=3, index=1)
    assert {name: tensor.shape[:2] for name, tensor in parts(block).items()} == dict.fromkeys(
        ("inputs", "hard", "soft", "row"), (100, 4)
    )
    for step in (100, 142, 199):
        offset = step - 100
        assert same(block.map(lambda tensor, i=offset: tensor[i]), SAMPLER.batch(3, step))


def test_inputs_labels_and_extras_belong_to_the_same_rows():
    block = SAMPLER.block(seed=3, index=0)
    rows = SAMPLER.rows(seed=3, index=0)
    assert torch.equal(block.extras["row"], rows)
    assert torch.equal(block.inputs, COLORS[rows])
    assert torch.equal(block.labels["soft"], DEGREE[rows])


def test_which_rows_are_drawn_depends_on_no_label_and_on_no_other_run():
    bare = Sampler(COLORS, batch_size=4)
    more = Sampler(COLORS, {"other": HALF, **SAMPLER.labels}, batch_size=4)
    for sampler in (bare, more):
        for seed in (9, 1, 3):
            assert torch.equal(sampler.block(seed, 0).inputs, SAMPLER.block(seed, 0).inputs)


def test_one_label_does_not_depend_on_the_others():
    alone = Sampler(COLORS, {"hard": HALF}, batch_size=4).block(3, 0).labels["hard"]
    assert torch.equal(alone, SAMPLER.block(3, 0).labels["hard"])
    renamed = Sampler(COLORS, {"other": HALF}, batch_size=4).block(3, 0).labels["other"]
    assert not torch.equal(alone, renamed)


def test_seeds_and_blocks_differ():
    blocks = [SAMPLER.block(seed, index).inputs for seed in (0, 1) for index in (0, 1)]
    assert len({tuple(block.flatten().tolist()) for block in blocks}) == 4


def test_the_global_generator_is_neither_read_nor_moved():
    before = torch.get_rng_state()
    block = SAMPLER.block(0, 0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert same(SAMPLER.block(0, 0), block)


def test_hard_labels_of_one_row_vary_between_sights_and_come_at_their_rate():
    block = Sampler(COLORS, {"hard": HALF}, batch_size=50).block(0, 0)
    rows = Sampler(COLORS, batch_size=50).rows(0, 0)
    for row in range(10):
        seen = block.labels["hard"][rows == row]
        assert abs(float(seen.mean()) - 0.5) < 5 * 0.5 / math.sqrt(len(seen))


def frequencies(weights):
    sampler = Sampler(torch.rand(len(weights), 1), batch_size=100, weights=torch.tensor(weights))
    rows = torch.cat([sampler.rows(seed=0, index=index).flatten() for index in range(3)])
    return rows.bincount(minlength=len(weights)) / len(rows), len(rows)


@given(
    weights=st.lists(st.one_of(st.just(0.0), st.floats(0.01, 5.0)), min_size=1, max_size=8).filter(
        lambda weights: sum(weights) > 0
    )
)
def test_samples_are_drawn_in_proportion_to_their_weight_and_those_without_never(weights):
    found, n = frequencies(weights)
    share = torch.tensor(weights) / sum(weights)
    bound = 5 * (share * (1 - share) / n).sqrt() + 1e-4
    assert bool(((found - share).abs() <= bound).all())
    assert not found[share == 0].any()


@pytest.mark.parametrize(("chance", "row"), [(0.0, 1), (0.25, 3), (1 - 2**-53, 3)])
def test_on_the_very_edge_a_sample_without_weight_is_not_drawn_either(chance, row, monkeypatch):
    sampler = Sampler(COLORS[:5], weights=torch.tensor([0.0, 1.0, 0.0, 3.0, 0.0]))
    monkeypatch.setattr(
        torch, "rand", lambda size, **kind: torch.full(size, chance, dtype=kind["dtype"])
    )
    assert sampler.rows(0, 0).unique().tolist() == [row]


def test_without_weights_all_are_drawn_alike():
    equal = Sampler(COLORS, batch_size=4, weights=torch.full((10,), 3.0))
    assert torch.equal(equal.rows(5, 2), Sampler(COLORS, batch_size=4).rows(5, 2))
    assert Sampler(COLORS, batch_size=100).rows(0, 0).unique().tolist() == list(range(10))


@given(n=st.integers(1, 3_000), seed=st.integers(0, 99))
def test_alike_weights_draw_what_inverting_their_shares_draws(n, seed):
    inputs = torch.zeros(n, 1)
    with_one_less = torch.cat([torch.ones(n), torch.zeros(1)])
    inverted = Sampler(torch.zeros(n + 1, 1), weights=with_one_less)
    assert torch.equal(Sampler(inputs).rows(seed, 0), inverted.rows(seed, 0))


@pytest.mark.parametrize("copied", [deepcopy, lambda sampler: pickle.loads(pickle.dumps(sampler))])
def test_a_sampler_reaches_a_worker_as_it_was(copied):
    SAMPLER.batch(2, 5)
    assert same(copied(SAMPLER).batch(2, 5), SAMPLER.batch(2, 5))


def test_a_sampler_says_what_it_draws():
    assert repr(SAMPLER) == "Sampler(10 samples, batch_size=4, labels='hard', 'soft')"
    assert repr(Sampler(COLORS)) == "Sampler(10 samples, batch_size=64, labels=nothing)"


@pytest.mark.parametrize("weights", [[-1.0, 2.0], [0.0, 0.0], [1.0, math.inf], [math.nan, 1.0]])
def test_weights_that_are_no_shares_are_refused(weights):
    with refuses(ValueError, "The weights run from .*; expected finite numbers of at least 0, not"):
        Sampler(COLORS[:2], weights=torch.tensor(weights))


@pytest.mark.parametrize(
    "given_",
    [
        {"weights": torch.ones(9)},
        {"labels": {"weights": SoftLabels(torch.ones(9))}},
        {"labels": {"weights": BernoulliLabels(torch.ones(9))}},
        {"extras": {"weights": torch.ones(9, 2)}},
    ],
)
def test_what_does_not_have_a_row_for_each_sample_is_refused(given_):
    with refuses(ValueError, "'weights' has 9 rows and the inputs have 10; expected one for each"):
        Sampler(COLORS, **given_)


def test_there_must_be_samples_batches_and_steps():
    with refuses(ValueError, "number of samples is 0; expected at least 1"):
        Sampler(torch.empty(0, 3))
    with refuses(ValueError, "batch_size is 0; expected at least 1"):
        Sampler(COLORS, batch_size=0)
    with refuses(TypeError, "batch_size is 6.4; expected a whole number"):
        Sampler(COLORS, batch_size=6.4)
    with refuses(ValueError, "step is -1; expected at least 0"):
        SAMPLER.batch(0, -1)
    with refuses(TypeError, "step is 1.0; expected a whole number"):
        SAMPLER.batch(0, 1.0)


def test_draws_of_record_never_change():
    weights = torch.tensor([1.0, 0.0, 2.0, 3.0, 0.5])
    rows = Sampler(torch.eye(5), batch_size=8, weights=weights).rows(seed=0, index=2)
    assert rows[17].tolist() == [3, 2, 2, 3, 0, 2, 0, 3]


def test_inputs_extras_and_labels_are_of_their_kinds():
    with refuses(TypeError, "The inputs are of type ndarray; expected a tensor"):
        Sampler(np.ones((3, 2)))
    with refuses(
        TypeError, "Label 'red' is of type Tensor; expected how it is drawn, such as SoftLabels"
    ):
        Sampler(torch.eye(3), {"red": torch.ones(3)})
    with refuses(TypeError, "Extra 'there' is of type list; expected a tensor"):
        Sampler(torch.eye(3), extras={"there": [1, 0, 1]})
    with unchecked():
        sampler = Sampler(torch.eye(3), extras={"there": np.array([True, False, True])})
    assert sampler.extras["there"].tolist() == [True, False, True]


def test_rows_that_are_played_need_weights_that_follow_some():
    with refuses(ValueError, "A row was given, but the weights follow none"):
        Sampler(torch.eye(3)).block(0, 0, played=[{}] * 100)


@pytest.mark.parametrize("shape", [(10, 1), (10, 3)])
def test_weights_are_one_number_for_each_sample(shape):
    with refuses(ValueError, r"'weights' has shape \(10, [13]\); expected \(10,\), a number for"):
        Sampler(COLORS, weights=torch.ones(shape))
