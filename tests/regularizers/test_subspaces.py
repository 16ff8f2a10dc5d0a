import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors.regularizers import (
    AntiSubspace,
    Subspace,
    anti_subspace,
    orthonormal_directions,
    subspace,
    unit_norm,
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


@given(scale=st.floats(1e-3, 1e3))
def test_relative_parts_are_shares_that_no_scale_changes(scale):
    z = torch.tensor([[3.0, 4.0, 0.0, 0.0, 12.0]], dtype=torch.float64) * scale
    for within, without in (
        (Subspace(dims=(0, 1), relative=True), AntiSubspace(dims=(0, 1), relative=True)),
        [module(basis=torch.eye(5)[:2], relative=True) for module in (Subspace, AntiSubspace)],
    ):
        assert within(z).item() == pytest.approx(144 / 169)
        assert without(z).item() == pytest.approx(25 / 169)


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
    assert repr(Subspace(dims=[0], relative=True)) == "Subspace(dims=(0,), relative=True)"


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


def test_dimensions_may_be_a_tensor_and_are_no_mask():
    z = torch.tensor([3.0, 4.0, 2.0])
    for member in (Subspace, AntiSubspace):
        with unchecked():
            found = member(dims=torch.tensor([0, 1]))(z)
        assert found == member(dims=[0, 1])(z)
        with refuses(TypeError, "dims has True; expected whole numbers"):
            member(dims=[True, False, False])
        with refuses(ValueError, "expected distinct axes"):
            member(dims=torch.tensor([0, 0]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_basis_in_half_precision_is_orthonormal_again_in_use(dtype):
    rows = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    inside = AntiSubspace(basis=rows, relative=True).to(dtype)
    torch.testing.assert_close(inside(inside.basis.float()), torch.ones(2), atol=1e-5, rtol=0)
