import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import (
    Amplification,
    BoundedFalloff,
    Steering,
    Suppression,
    amplify,
    constant_falloff,
    intervene,
    rescale_direction,
    steer,
    suppress,
)

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


def test_amplified_the_component_is_so_many_times_as_long_and_the_rest_is_unchanged(z):
    v = VECTOR / 5
    after = amplify(z, VECTOR, 3.0, constant_falloff)
    torch.testing.assert_close(after @ v, 3 * (z @ v))
    rest = torch.eye(3) - v.outer(v)
    torch.testing.assert_close(after @ rest, z @ rest)


def test_halfway_to_a_factor_is_the_factor_halfway(z):
    torch.testing.assert_close(Amplification(VECTOR, 5.0).at(0.5)(z), amplify(z, VECTOR, 3.0))


def test_what_points_away_is_amplified_only_if_asked(z):
    away = z @ VECTOR < 0
    assert torch.equal(amplify(z, VECTOR)[away], z[away])
    assert (amplify(z, VECTOR, falloff=constant_falloff)[away] != z[away]).any(-1).all()


def test_factor_0_suppresses_and_two_factors_after_each_other_multiply(z):
    torch.testing.assert_close(amplify(z, VECTOR, 0.0), suppress(z, VECTOR))
    twice = Amplification(VECTOR, 2.0).then(Amplification(VECTOR, 1.5))
    torch.testing.assert_close(twice(z), amplify(z, VECTOR, 3.0))
    assert not torch.allclose(Amplification(VECTOR, 0.5)(z), Suppression(VECTOR)(z))


def test_by_weights_it_is_rescale_direction(z):
    model = nn.Sequential(nn.Linear(3, 3), nn.Identity(), nn.Linear(3, 2))
    by_weights = rescale_direction(model, VECTOR, scale=3.0, at="1")
    with intervene(model, Amplification(VECTOR, 3.0, constant_falloff), at="1"):
        torch.testing.assert_close(by_weights(z), model(z))


def test_a_factor_that_is_no_number_is_refused():
    with refuses(ValueError, "factor is nan; expected a finite number"):
        Amplification(VECTOR, float("nan"))
