import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.regularizers import unit_norm

component = st.floats(-100, 100)


@given(z=st.lists(component, min_size=1, max_size=5))
def test_unit_norm_is_the_squared_distance_from_the_sphere(z):
    expected = (sum(x * x for x in z) ** 0.5 - 1) ** 2
    value = unit_norm(torch.tensor(z, dtype=torch.float64))
    assert value.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("length", [0.2, 1.0, 3.0])
def test_downhill_leads_to_length_one_along_the_ray(length):
    z = torch.tensor([0.6, 0.8]) * length
    start = z.clone().requires_grad_()
    (slope,) = torch.autograd.grad(unit_norm(start), start)
    torch.testing.assert_close(z - slope / 2, torch.tensor([0.6, 0.8]))


def test_at_the_origin_no_direction_leads_outward():
    z = torch.zeros(3, requires_grad=True)
    (slope,) = torch.autograd.grad(unit_norm(z), z)
    assert unit_norm(z) == 1
    assert not slope.any()


def test_integer_latents_are_refused():
    with refuses(TypeError, "unit_norm was given latents of type torch.int64"):
        unit_norm(torch.ones(2, 3, dtype=torch.int64))
