import pytest
import torch
from refusals import refuses

from latent_anchors.regularizers import (
    AntiSubspace,
    Subspace,
    anti_subspace,
    orthonormal_directions,
    subspace,
)

every_module = pytest.mark.parametrize("module", [Subspace, AntiSubspace])


@pytest.fixture
def z(generator):
    return torch.randn(16, 5, generator=generator, dtype=torch.float64)


@pytest.fixture
def turned(generator):
    return orthonormal_directions(5, 5, generator).double()


def test_within_and_without_add_up_to_the_squared_length(z, turned):
    basis = turned[:2]
    parts = subspace(z, basis) + anti_subspace(z, basis)
    torch.testing.assert_close(parts, z.square().sum(-1), rtol=1e-6, atol=1e-6)


def test_to_lie_within_a_subspace_is_to_stay_out_of_its_complement(z):
    within, without = Subspace(dims=(0, 3))(z), AntiSubspace(dims=(1, 2, 4))(z)
    torch.testing.assert_close(within, without)


def test_what_lies_within_costs_nothing_and_what_sticks_out_does(turned):
    inside = torch.tensor([2.0, -3.0], dtype=torch.float64) @ turned[:2]
    assert subspace(inside, turned[:2]) == pytest.approx(0, abs=1e-10)
    assert subspace(inside + turned[2], turned[:2]) == pytest.approx(1, abs=1e-6)
    assert anti_subspace(turned[2], turned[:2]) == pytest.approx(0, abs=1e-10)


@every_module
def test_turning_the_space_turns_the_axes_into_any_other_directions(module, z, turned):
    by_axes = module(dims=(0, 1))(z)
    by_rows = module(basis=turned[:2])(z @ turned)
    torch.testing.assert_close(by_rows, by_axes, rtol=1e-5, atol=1e-5)


@every_module
def test_a_subspace_does_not_care_which_rows_span_it(module, z):
    skewed = torch.tensor([[2, 0, 0, 0, 0], [5, 0.1, 0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(module(basis=skewed)(z), module(dims=(1, 0))(z))


@every_module
def test_the_basis_moves_and_is_saved_with_the_module(module, z):
    first = module(basis=[[1.0, 1.0, 0.0, 0.0, 0.0]])
    second = module(basis=[[0.0, 0.0, 0.0, 0.0, 1.0]])
    second.load_state_dict(first.state_dict())
    assert torch.equal(second(z), first(z))


def test_what_a_subspace_is_made_of_can_be_read():
    assert repr(Subspace(dims=[0, 1])) == "Subspace(dims=(0, 1))"
    assert repr(AntiSubspace(basis=[[0.0, 1.0]])) == "AntiSubspace(basis=(1, 2))"


@every_module
@pytest.mark.parametrize("given", [{}, {"dims": (0,), "basis": [[1.0, 0.0]]}])
def test_a_subspace_is_given_in_exactly_one_way(module, given):
    with refuses(ValueError, f"{module.__name__} was given dims=.*expected exactly one"):
        module(**given)


@pytest.mark.parametrize("dims", [(), (1, 1), (0, -1)])
def test_axes_are_distinct_and_counted_from_zero(dims):
    with refuses(ValueError, "expected distinct axes counted from 0"):
        Subspace(dims=dims)


@every_module
def test_latents_narrower_than_the_axes_or_other_than_the_basis_are_refused(module):
    with refuses(ValueError, "was made for 4 latent dimensions"):
        module(dims=(0, 3))(torch.zeros(2, 3))
    with refuses(ValueError, "was made for 2 latent dimensions"):
        module(basis=[[1.0, 0.0]])(torch.zeros(2, 3))
