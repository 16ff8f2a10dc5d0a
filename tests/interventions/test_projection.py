import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import (
    BoundedFalloff,
    Projection,
    constant_falloff,
    project_out,
    suppress,
)

ROWS = torch.tensor([[1.0, 2.0, -2.0, 0.0], [1.0, 1.0, 0.0, 1.0]], dtype=torch.float64)
BASIS = torch.linalg.qr(ROWS.mT)[0].mT


@pytest.fixture
def z(generator):
    return torch.randn(32, 4, generator=generator, dtype=torch.float64)


def test_the_component_in_the_subspace_is_removed_and_the_rest_is_unchanged(z):
    after = project_out(z, BASIS)
    assert (z @ BASIS.mT).norm(dim=-1).min() > 0.1
    torch.testing.assert_close(after @ BASIS.mT, torch.zeros(32, 2).double())
    rest = torch.eye(4).double() - BASIS.mT @ BASIS
    torch.testing.assert_close(after @ rest, z @ rest)


def test_one_row_is_directional_ablation(z):
    torch.testing.assert_close(project_out(z, BASIS[:1]), suppress(z, BASIS[0], constant_falloff))


def test_a_falloff_sees_the_angle_to_the_subspace_whichever_way_latents_point(z):
    narrow = BoundedFalloff(threshold=0.8)
    inside = (z @ BASIS.mT).norm(dim=-1) > 0.8 * z.norm(dim=-1)
    assert 0 < inside.sum() < 32
    changed = [(project_out(one, BASIS, narrow) != one).any(-1) for one in (z, -z)]
    assert torch.equal(changed[0], inside)
    assert torch.equal(changed[1], inside)


def test_the_module_is_the_function_whatever_rows_span_the_subspace(z):
    edit = Projection(ROWS, BoundedFalloff(0.5), 0.7)
    expected = project_out(z, BASIS, BoundedFalloff(0.5), 0.7)
    torch.testing.assert_close(edit(z), expected)
    assert repr(Projection(ROWS)) == "Projection(falloff=constant_falloff, strength=1)"


def test_one_direction_may_be_given_as_it_is(z):
    assert torch.equal(Projection(ROWS[0])(z), Projection(ROWS[:1])(z))
    with refuses(ValueError, r"The basis has shape \(0,\)"):
        Projection([])


def test_rows_that_depend_on_each_other_are_refused():
    with refuses(ValueError, "2 rows of the basis are not independent"):
        Projection([[1.0, 0.0], [2.0, 0.0]])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_module_in_half_precision_removes_all_of_its_subspace(dtype):
    for seed in range(10):
        rows = torch.randn(2, 6, generator=torch.Generator().manual_seed(seed))
        edit = Projection(rows).to(dtype)
        assert edit(edit.basis.float()).abs().max() < 1e-5


def test_directions_may_be_a_list_of_tensors_and_no_gradient_flows_to_them():
    rows = nn.Embedding(4, 3).weight
    edit, expected = Projection([rows[0], rows[1]]), Projection(rows[:2].detach())
    assert torch.equal(edit.basis, expected.basis)
    assert not Projection(rows[:2]).basis.requires_grad
