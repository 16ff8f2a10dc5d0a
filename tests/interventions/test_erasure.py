import pytest
import torch
from refusals import refuses

from latent_anchors.interventions import Erasure, constant_falloff, erase, suppress

LEFT = torch.tensor([[1.0], [1.0], [0.0]])
RIGHT = torch.tensor([[0.5, 0.5, 2.0]])
CENTER = torch.tensor([1.0, 2.0, 3.0])


@pytest.fixture
def z(generator):
    return torch.randn(16, 3, generator=generator)


def test_readings_become_those_of_the_center_and_the_kernel_is_unchanged(z):
    after = erase(z, LEFT, RIGHT, CENTER)
    torch.testing.assert_close(after @ RIGHT.mT, (RIGHT @ CENTER).expand(16, 1))
    assert (z @ RIGHT.mT).std() > 1
    unread = CENTER + torch.tensor([[4.0, 0.0, -1.0]])
    torch.testing.assert_close(erase(unread, LEFT, RIGHT, CENTER), unread)


def test_along_a_unit_vector_about_the_origin_it_is_directional_ablation(z):
    v = CENTER / CENTER.norm()
    expected = suppress(z, v, constant_falloff, strength=0.7)
    after = erase(z, v[:, None], v[None], torch.zeros(3), strength=0.7)
    torch.testing.assert_close(after, expected)


def test_each_run_may_have_its_own_strength(z):
    strengths = torch.tensor([0.0, 0.4, 1.0])
    after = erase(z.expand(3, 16, 3), LEFT, RIGHT, CENTER, strengths.unsqueeze(-1))
    expected = [Erasure(LEFT, RIGHT, CENTER).at(s)(z) for s in strengths.tolist()]
    torch.testing.assert_close(after, torch.stack(expected))
    assert repr(Erasure(LEFT, RIGHT, CENTER)) == "Erasure(dim=3, k=1, strength=1)"


def test_shapes_that_do_not_match_are_refused():
    with refuses(ValueError, r"shapes \(3, 1\), \(3, 1\) and \(3,\); expected \(dim, k\)"):
        Erasure(LEFT, RIGHT.mT, CENTER)
    with refuses(ValueError, "The right is .*; expected one finite number per latent dimension"):
        Erasure(LEFT, RIGHT * torch.nan, CENTER)


def test_a_strength_beyond_1_and_latents_of_another_kind_are_refused(z):
    with refuses(ValueError, "strength is 2.0; expected"):
        erase(z, LEFT, RIGHT, CENTER, strength=2.0)
    with refuses(TypeError, "erase was given latents of type torch.int64"):
        erase(z.long(), LEFT, RIGHT, CENTER)
