import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.regularizers import EuclideanAnchor, euclidean_anchor

angle = st.floats(0, 2 * math.pi)
length = st.floats(1e-3, 1e3)
RED = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)


def pointing(theta, radius=1.0):
    """A vector in the plane of the first two axes, theta away from RED."""
    return radius * torch.tensor([math.cos(theta), math.sin(theta), 0, 0], dtype=torch.float64)


def test_a_euclidean_anchor_pulls_neighbors_inward():
    z = pointing(1.0).requires_grad_()
    (force,) = torch.autograd.grad(euclidean_anchor(z, RED), z)
    assert (z - 0.1 * force).norm() < z.norm()


@given(theta=angle, radius=length)
def test_a_euclidean_anchor_obeys_the_law_of_cosines(theta, radius):
    expected = radius**2 + 1 - 2 * radius * math.cos(theta)
    value = euclidean_anchor(pointing(theta, radius), RED)
    assert value.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_point_may_be_the_origin():
    assert EuclideanAnchor([0.0, 0.0])(torch.tensor([3.0, 4.0])) == 25
