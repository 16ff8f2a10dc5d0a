from functools import partial

import pytest
import torch
from refusals import refuses
from training.tiny import SAMPLER, timeline, train

from latent_anchors import Objective, Term, fit
from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.data import Sampler, SoftLabels, count_labels
from latent_anchors.models import SphericalAutoencoder
from latent_anchors.regularizers import Anchor
from latent_anchors.training import History, reconstruction


@pytest.fixture(scope="module")
def fading():
    """A training in which the anchor has weight in steps 0 to 11 of 20 only."""
    return train(time=timeline(anchor=(0.6, 0.0), recon=(0.0, 1.0)), steps=20)


def test_a_history_is_by_step_and_run(fading):
    history = fading.history
    assert {name: tuple(values.shape) for name, values in history.means.items()} == {
        "anchor": (20, 3),
        "recon": (20, 3),
    }
    assert set(history.rows) == {"lr", "anchor", "recon"}
    assert all(values.shape == (20, 3) for values in history.rows.values())
    assert bool(torch.stack([*history.means.values()]).isfinite().all())
    assert fading.failures == ()


def test_a_result_is_printed_without_its_numbers(fading):
    assert repr(fading.history) == "History(anchor, recon: steps=20, runs=3)"
    assert repr(fading.state) == "TrainState(step=20, execution='vmap')"
    assert repr(fading.history) in repr(fading)


def test_rows_are_those_of_the_timeline(fading):
    time = timeline(anchor=(0.6, 0.0), recon=(0.0, 1.0))
    for name in time.names:
        expected = torch.tensor([time(step)[name] for step in range(20)], dtype=torch.float64)
        assert torch.equal(fading.history.rows[name], expected[:, None].expand(20, 3))


def test_masses_are_sums_of_labels_and_of_a_loss_the_number_of_samples(fading):
    seen = [
        [SAMPLER.batch(seed, step).labels["red"].sum() for seed in (3, 1, 4)] for step in (0, 9)
    ]
    assert fading.history.masses["anchor"][[0, 9]].tolist() == torch.tensor(seen).tolist()
    assert bool((fading.history.masses["recon"] == 8).all())


def test_labels_used_are_those_seen_while_the_term_had_weight(fading):
    active = fading.history.rows["anchor"][:, 0] > 0
    used = fading.history.labels_used("anchor")
    counted = count_labels(SAMPLER, "red", [3, 1, 4], range(20), active).used
    assert torch.equal(used, counted)
    assert int(active.sum()) == 19
    every_label = fading.history.masses["anchor"].sum(0)
    assert fading.history.labels_used("recon").tolist() == [19 * 8] * 3
    assert bool((used <= every_label).all())


def test_labels_used_differ_by_run_where_weights_do():
    masses, rows = torch.ones(4, 2), torch.tensor([[0.0, 1.0], [0.0, 1.0], [0.5, 0.0], [0.0, 1.0]])
    history = History({}, {"anchor": masses}, {"shared": rows}, {"anchor": "shared"})
    assert history.labels_used("anchor").tolist() == [1.0, 3.0]


def test_a_name_that_is_no_part_is_refused(fading):
    with refuses(ValueError, "Unknown term or loss 'anchr'; expected one of 'anchor', 'recon'"):
        fading.history["anchr"]
    with refuses(ValueError, "Unknown term or loss 'lr'; expected one of 'anchor', 'recon'"):
        fading.history.labels_used("lr")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_labels_are_counted_exactly_and_weights_stay_in_half_precision(dtype):
    n, steps = 301, 8
    batches = Sampler(torch.rand(n, 3, dtype=dtype), {"red": SoftLabels(torch.ones(n))}, n)
    weights = {"recon": 1.0, "anchor": 1e-8}
    time = Timeline({name: Track([Keyframe(0, w)]) for name, w in weights.items()}, steps=steps)
    result = fit(
        lambda: SphericalAutoencoder(hidden=4).to(dtype),
        Objective([Term("anchor", Anchor([1.0, 0.0, 0.0, 0.0]), label="red")], losses=["recon"]),
        time,
        batches,
        losses={"recon": reconstruction},
        seeds=[0],
        optimizer=partial(torch.optim.SGD, lr=0.0),
    )
    assert result.history.labels_used("anchor").tolist() == [n * steps]
    assert result.history["anchor"].dtype == torch.float32
    assert not result.failures


def test_a_loss_has_samples_and_a_constant_weight_no_track_that_says_when_it_counted():
    one = {"recon": torch.full((2, 1), 8.0)}
    history = History(one, one, {"weight": torch.ones(2, 1)}, {"recon": "weight"})
    assert history.labels_used("recon").tolist() == [16.0]
    with refuses(ValueError, "Unknown track of the weight 'weight'"):
        History(one, one, {}, {"recon": "weight"}).labels_used("recon")
