import pytest
import torch
from refusals import refuses

from latent_anchors.interventions import BoundedFalloff, Steering, steer

VECTOR = torch.tensor([0.0, 3.0, 4.0])


@pytest.fixture
def z(generator):
    return torch.randn(32, 3, generator=generator)


def test_the_vector_is_not_normalized(z):
    torch.testing.assert_close(steer(z, VECTOR) - z, VECTOR.expand_as(z))


def test_steering_back_undoes_it(z):
    torch.testing.assert_close(steer(steer(z, VECTOR), -VECTOR), z)


def test_with_a_falloff_only_what_points_along_is_steered(z):
    along = z @ VECTOR > 0
    moved = (steer(z, VECTOR, BoundedFalloff()) != z).any(-1)
    assert torch.equal(moved, along)
    assert 0 < along.sum() < 32


def test_the_module_equals_the_function(z):
    edit = Steering(VECTOR, BoundedFalloff(power=1.0), 0.7)
    assert torch.equal(edit(z), steer(z, VECTOR, BoundedFalloff(power=1.0), edit.strength))
    assert repr(Steering(VECTOR)) == "Steering(falloff=constant_falloff, strength=1)"


def test_the_zero_vector_is_refused():
    with refuses(ValueError, "points nowhere"):
        Steering([0.0, 0.0])
