import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors import load, save
from latent_anchors.models import UnitNorm

shapes = st.lists(st.integers(1, 5), min_size=2, max_size=3)
seeds = st.integers(0, 2**16)
axes = st.sampled_from([-1, -2])


def drawn(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return 10 * torch.randn(shape, generator=generator, dtype=torch.float64)


@given(shape=shapes, seed=seeds, axis=axes)
def test_vectors_along_the_axis_have_length_one_and_keep_their_direction(shape, seed, axis):
    weight = drawn(shape, seed)
    held = UnitNorm({"weight": axis})({"weight": weight})["weight"]
    torch.testing.assert_close(held * weight.norm(dim=axis, keepdim=True), weight)
    torch.testing.assert_close(held.norm(dim=axis), torch.ones_like(held.norm(dim=axis)))


@given(shape=shapes, seed=seeds, axis=axes)
def test_it_is_idempotent(shape, seed, axis):
    unit = UnitNorm({"weight": axis})
    once = unit({"weight": drawn(shape, seed)})
    torch.testing.assert_close(unit(once), once, rtol=1e-14, atol=0)


@given(shape=shapes, seed=seeds, axis=axes)
def test_it_works_under_vmap_over_runs(shape, seed, axis):
    unit, weight = UnitNorm({"weight": axis}), drawn([3, *shape], seed)
    mapped = torch.vmap(unit)({"weight": weight})["weight"]
    apart = torch.stack([unit({"weight": run})["weight"] for run in weight])
    torch.testing.assert_close(mapped, apart)
    assert torch.equal(unit({"weight": weight})["weight"], mapped)


def test_a_plain_axis_from_the_front_would_normalize_over_runs():
    weight = drawn([3, 2, 4], seed=0)
    mixed = torch.nn.functional.normalize(weight, dim=0)
    assert not torch.allclose(mixed.norm(dim=-2), torch.ones(3, 4, dtype=torch.float64))


def test_zero_vectors_stay_zero():
    held = UnitNorm({"weight": -1})({"weight": torch.tensor([[0.0, 0.0], [0.0, 2.0]])})
    assert held["weight"].tolist() == [[0, 0], [0, 1]]


def test_other_parameters_are_unchanged_and_nothing_is_written_in_place():
    weight, bias = torch.tensor([[3.0, 4.0]]), torch.tensor([2.0])
    held = UnitNorm({"weight": -1})({"weight": weight, "bias": bias})
    assert {*held} == {"weight"}
    assert weight.tolist() == [[3, 4]]


def test_it_is_saved_and_loaded(tmp_path):
    unit = UnitNorm({"embedding.weight": -1, "out.weight": -2})
    save(unit, tmp_path)
    assert load(tmp_path) == unit


@pytest.mark.parametrize("axis", [0, 1])
def test_axes_are_counted_from_the_end(axis):
    with refuses(ValueError, f"axis {axis} for 'weight'; expected a negative axis"):
        UnitNorm({"weight": axis})


def test_a_missing_parameter_is_refused_by_name():
    with refuses(KeyError, "UnitNorm needs parameter 'weight'; the model has 'bias'"):
        UnitNorm({"weight": -1})({"bias": torch.ones(2)})


def test_a_missing_axis_is_refused():
    with refuses(ValueError, r"axis -2 for 'bias' of shape \(2,\); expected one from -1 to -1"):
        UnitNorm({"bias": -2})({"bias": torch.ones(2)})


def test_rows_whose_squares_overflow_are_nan_and_not_the_origin():
    rows = torch.tensor([[3e19, 4e19], [3.0, 4.0], [0.0, 0.0]])
    held = UnitNorm({"weight": -1})({"weight": rows})["weight"]
    assert held.isnan().any(-1).tolist() == [True, False, False]
    torch.testing.assert_close(held[1:], torch.tensor([[0.6, 0.8], [0.0, 0.0]]))
