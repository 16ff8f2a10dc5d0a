import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.evaluation import alignment

Z = torch.randn(50, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_with_a_direction_is_the_cosine_whatever_its_length():
    v = torch.randn(5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = torch.cosine_similarity(Z, v, dim=-1)
    for length in (1e-200, 1.0, 1e200):
        torch.testing.assert_close(alignment(Z, length * v), expected)


@given(st.floats(-math.pi, math.pi))
def test_with_a_plane_is_the_cosine_with_the_nearest_vector_in_it(angle):
    plane = torch.eye(5, dtype=torch.float64)[:2]
    v = math.cos(angle) * plane[0] + math.sin(angle) * plane[1]
    found = alignment(Z, plane)
    assert (alignment(Z, v) <= found + 1e-12).all()
    nearest = Z @ plane.mT @ plane
    torch.testing.assert_close(torch.cosine_similarity(Z, nearest, dim=-1), found)


def test_with_a_plane_does_not_depend_on_the_rows_that_span_it():
    rows = torch.tensor([[1.0, 0, 0, 0, 0], [1, 1, 0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(alignment(Z, rows), alignment(Z, torch.eye(5)[:2].double()))


def test_of_the_origin_is_zero_and_of_what_is_missing_is_missing():
    z = torch.tensor([[0.0, 0.0], [math.nan, 1.0]])
    for direction in ([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]):
        found = alignment(z, direction)
        assert found[0] == 0
        assert found[1].isnan()


@pytest.mark.parametrize("direction", [[1.0, 0.0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
def test_refuses_another_width(direction):
    with refuses(ValueError, "The alignment was made for . latent dimensions"):
        alignment(Z, direction)
