import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.regularizers import orthonormal_directions


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@given(dim=st.integers(1, 12), fewer=st.integers(0, 11), seed=st.integers(0, 2**32))
def test_directions_have_length_one_and_stand_at_right_angles(dim, fewer, seed):
    n = max(1, dim - fewer)
    rows = orthonormal_directions(n, dim, seeded(seed))
    torch.testing.assert_close(rows @ rows.mT, torch.eye(n), rtol=0, atol=1e-6)


def test_the_same_generator_gives_the_same_directions_and_another_gives_others():
    first, again, other = (orthonormal_directions(2, 4, seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_no_orientation_is_preferred():
    firsts = torch.stack([orthonormal_directions(2, 3, seeded(seed)) for seed in range(1000)])
    assert firsts.mean(0).abs().max() < 0.06
    assert (firsts.square().mean(0) - 1 / 3).abs().max() < 0.03


def test_more_directions_than_dimensions_are_refused():
    with refuses(ValueError, "3 directions at right angles were asked for in 2 dimensions"):
        orthonormal_directions(3, 2, seeded(0))


@pytest.mark.parametrize(("n", "dim"), [(0, 3), (1, 0)])
def test_no_directions_and_no_dimensions_are_refused(n, dim):
    with refuses(ValueError, "is 0; expected at least 1"):
        orthonormal_directions(n, dim, seeded(0))
