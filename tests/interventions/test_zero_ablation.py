import numpy as np
import pytest
import torch
from refusals import refuses, unchecked

from latent_anchors.interventions import ZeroAblation, project_out, zero_dims


def test_it_is_projection_along_axes_and_other_dimensions_are_unchanged(generator):
    z = torch.randn(8, 5, generator=generator)
    after = zero_dims(z, [1, 3], strength=0.6)
    torch.testing.assert_close(after, project_out(z, torch.eye(5)[[1, 3]], strength=0.6))
    assert torch.equal(after[:, [0, 2, 4]], z[:, [0, 2, 4]])


def test_at_strength_1_it_leaves_exact_zeros(generator):
    z = torch.randn(8, 5, generator=generator)
    assert not ZeroAblation([1, 3])(z)[:, [1, 3]].any()
    assert z[:, [1, 3]].all()


def test_each_run_may_have_its_own_strength(generator):
    z = torch.randn(3, 8, 2, generator=generator)
    strengths = torch.tensor([0.0, 0.25, 1.0])
    after = zero_dims(z, [0], strengths.unsqueeze(-1))
    torch.testing.assert_close(after[..., 0], (1 - strengths).unsqueeze(-1) * z[..., 0])


@pytest.mark.parametrize("dims", [[], [0, 0], [-1]])
def test_no_dimensions_and_repeated_ones_are_refused(dims):
    with refuses(ValueError, r"dims is .*; expected distinct dimensions from 0"):
        ZeroAblation(dims)


@pytest.mark.parametrize("dims", [[-1], [0, 5]])
def test_dimensions_that_latents_lack_are_refused(dims):
    with refuses(ValueError, f"dims has {dims[-1]}, and latents have 5 dimensions"):
        zero_dims(torch.ones(2, 5), dims)


@pytest.mark.parametrize(
    "mask", [torch.tensor([False, False, True]), [False, True], np.array([True, False]), [0.5]]
)
def test_a_mask_would_name_other_dimensions_and_is_refused(mask):
    for act in (ZeroAblation, lambda dims: zero_dims(torch.ones(1, 3), dims)):
        with unchecked(), refuses(TypeError, "dims has .*; expected whole numbers, from 0"):
            act(mask)


def test_dimensions_of_any_whole_type_are_plain_numbers():
    with unchecked():
        assert ZeroAblation(torch.tensor([2, 0])).dims == (2, 0)
        with refuses(ValueError, "expected distinct dimensions"):
            ZeroAblation(torch.tensor([1, 1]))
