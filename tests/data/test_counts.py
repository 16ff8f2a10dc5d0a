import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.data import (
    BernoulliLabels,
    LabelCount,
    RareLabels,
    Sampler,
    SoftLabels,
    count_labels,
)

SAMPLER = Sampler(
    torch.rand(12, 3),
    {
        "rare": BernoulliLabels(torch.full((12,), 0.1)),
        "soft": SoftLabels(torch.linspace(0, 1, 12).double()),
    },
    batch_size=5,
)


@given(
    first=st.integers(0, 150),
    active=st.lists(st.booleans(), min_size=1, max_size=120),
    name=st.sampled_from(["rare", "soft"]),
)
def test_a_count_is_what_a_loop_over_the_batches_sees(first, active, name):
    steps = range(first, first + len(active))
    found = count_labels(SAMPLER, name, [0, 4], steps, active)
    for run, seed in enumerate([0, 4]):
        seen = [
            float(SAMPLER.batch(seed, step).labels[name].sum())
            for step, on in zip(steps, active, strict=True)
            if on
        ]
        assert float(found.used[run]) == pytest.approx(sum(seen), abs=1e-4)
    assert found.samples == 5 * sum(active)


def test_every_step_counts_unless_said_otherwise():
    some = torch.tensor([True] * 30)
    everything = count_labels(SAMPLER, "rare", [0], range(30))
    assert torch.equal(everything.used, count_labels(SAMPLER, "rare", [0], range(30), some).used)
    assert float(everything.used) > 0


def test_the_share_is_of_the_samples_seen_and_of_none_it_is_0():
    assert LabelCount(torch.tensor([3.0, 0.0]), samples=12).share.tolist() == [0.25, 0.0]
    nothing = count_labels(SAMPLER, "rare", [0, 1], range(3), [False] * 3)
    assert (nothing.samples, nothing.share.tolist()) == (0, [0.0, 0.0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_labels_of_half_precision_are_counted_as_exactly_as_others(dtype):
    always = SoftLabels(torch.ones(2, dtype=dtype))
    sampler = Sampler(torch.eye(2), {"all": always}, batch_size=701)
    assert count_labels(sampler, "all", [0], range(101)).used.tolist() == [70801]


def test_an_unknown_label_is_refused_with_those_that_exist():
    with refuses(ValueError, "Unknown label 'rae'; expected one of 'rare', 'soft'"):
        count_labels(SAMPLER, "rae", [0], range(3))


@pytest.mark.parametrize("n", [2, 4])
def test_a_flag_for_each_step_is_needed(n):
    with refuses(ValueError, f"active has {n} entries for 3 steps; expected one for each"):
        count_labels(SAMPLER, "rare", [0], range(3), [True] * n)


def test_of_labels_by_place_the_share_is_of_the_places():
    by_place = {"some": BernoulliLabels(torch.tensor([[1.0, 0.0, 1.0, 1.0, 0.0]] * 3))}
    found = count_labels(Sampler(torch.eye(3), by_place, batch_size=4), "some", [0], range(10))
    assert (found.samples, found.share.item()) == (200, pytest.approx(0.6))


def test_labels_that_come_again_are_counted_as_often_as_they_come():
    sampler = Sampler(torch.eye(9), {"few": SoftLabels(torch.eye(9)[0])}, batch_size=20)
    again = RareLabels(sampler, steps=5, often={"few": 0.5})
    seen = sum(float(again.batch(0, step).labels["few"].sum()) for step in range(30))
    assert count_labels(again, "few", [0], range(30)).used.tolist() == [seen]
    assert seen > 2 * float(count_labels(sampler, "few", [0], range(30)).used)


def test_a_run_is_needed():
    with refuses(ValueError, "The number of seeds is 0; expected"):
        count_labels(SAMPLER, "rare", [], range(3))
