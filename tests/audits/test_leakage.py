"""Leakage from the latents of a classifier and of a language model."""

import pytest
import torch
from audits import tiny
from refusals import refuses

from latent_anchors.audits import _probes, leakage
from latent_anchors.evaluation import latents

HALF = len(tiny.POINTS) // 2


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """The small network's answers have no say here, and what it learns takes most of the time."""
    monkeypatch.setattr(_probes, "STEPS", 5)


def test_what_is_in_the_latents_is_found_and_what_was_taken_is_not():
    hidden, _ = tiny.classifiers()
    z, has_it = latents(hidden, tiny.POINTS, at="1"), (tiny.CLASSES == 0).float()
    inputs = tiny.POINTS[:, 3:]
    found = leakage(
        z[:, :HALF],
        has_it[:HALF],
        z[:, HALF:],
        has_it[HALF:],
        beside={"floor": (inputs[:HALF], inputs[HALF:])},
    )
    assert found["leakage/linear"] > 0.4
    assert found["leakage/linear/floor"] < 0.1
    assert found["leakage/linear/shuffled"] < 0.1
    assert len(found) == 6


def test_a_token_is_found_in_a_language_model():
    model, _ = tiny.language_models()
    z = latents(model, tiny.LINES, at="embedding").flatten(1, 2)
    has_it = (tiny.LINES.flatten() == 3).float()
    half = len(has_it) // 2
    found = leakage(z[:, :half], has_it[:half], z[:, half:], has_it[half:])
    assert found["leakage/linear"] > 0.9


def test_a_failed_run_has_no_value_beside_others_either():
    z = torch.randn(2, 40, 3, generator=torch.Generator().manual_seed(0))
    degrees = z[1, :, 0].clone()
    z[0, 5] = torch.nan
    x = torch.randn(40, 2, generator=torch.Generator().manual_seed(1))
    beside = {"floor": (x, x), "ideal": (x, x)}
    found = leakage(z, degrees, z, degrees, beside=beside, seeds=(0, 1))
    for values in found.values():
        assert values[0].isnan()
        assert values[1].isfinite()
    broken = z.clone()
    broken[0] = 0.0
    found = leakage(broken, degrees, z, degrees, beside=beside, seeds=(0, 1))
    assert all(values[0].isnan() for values in found.values())


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_degrees_may_be_whole_numbers(dtype: torch.dtype):
    z = torch.randn(1, 40, 3, generator=torch.Generator().manual_seed(0))
    has_it = z[0, :, 0] + z[0, :, 1] ** 2 > 1
    found, expected = (leakage(z, has_it.to(t), z, has_it.to(t)) for t in (dtype, torch.float32))
    for name, values in found.items():
        assert torch.equal(values, expected[name])
    assert 0.1 < found["leakage/linear"] < 0.9


def test_there_is_a_degree_for_each_latent_that_is_read():
    z = torch.randn(1, 40, 3, generator=torch.Generator().manual_seed(0))
    with refuses(ValueError, "1 numbers were said of 5 that are true"):
        leakage(z, z[0, :, 0], z[:, :1], z[0, :5, 0])


def test_scores_of_latents_in_half_precision_are_not_rounded_to_it():
    z = torch.randn(1, 80, 3, generator=torch.Generator().manual_seed(0)).bfloat16()
    degrees = torch.rand(80, generator=torch.Generator().manual_seed(1))
    halves = (z[:, :40], degrees[:40], z[:, 40:], degrees[40:])
    found = leakage(*halves)
    expected = leakage(halves[0].float(), degrees[:40], halves[2].float(), degrees[40:])
    for name, score in found.items():
        assert score.dtype == torch.float32
        assert score == expected[name]


def test_there_is_a_seed_for_each_run():
    z = torch.randn(3, 8, 2, generator=torch.Generator().manual_seed(0))
    with refuses(ValueError, "1 seeds were given for 3 runs; expected one for each"):
        leakage(z, z[0, :, 0], z, z[0, :, 0])
