import pytest
import torch
from interventions.erasing import found, gap, latents
from refusals import refuses

import latent_anchors as la
from latent_anchors.interventions import fit_leace, fit_mean_difference


def test_it_changes_latents_less_than_any_other_eraser_fitted_here():
    z, concept, _ = latents()
    inverse = torch.linalg.inv(torch.cov(z.mT))

    def change(erased):  # in the metric of the latents' own covariance
        return float(((erased - z) @ inverse * (erased - z)).sum(-1).mean())

    assert change(fit_leace(z, concept)(z)) < 0.95 * change(fit_mean_difference(z, concept)(z))


def test_no_other_affine_map_that_erases_the_concept_moves_latents_less(generator):
    z, concept, _ = latents()
    covariance = (concept - concept.mean()) @ z
    least = (fit_leace(z, concept)(z) - z).square().sum(-1).mean()
    for _ in range(20):
        reading = torch.randn(len(covariance), generator=generator).double()
        along = (z - z.mean(0)) @ reading / (covariance @ reading)
        erased = z - along[:, None] * covariance
        assert gap(erased, concept) < 1e-9
        assert (erased - z).square().sum(-1).mean() > least


def test_it_is_idempotent():
    z, concept, _ = latents()
    eraser = fit_leace(z, concept)
    assert (eraser(z) - z).norm() > 1
    torch.testing.assert_close(eraser(eraser(z)), eraser(z))


def test_directions_along_which_no_sample_varies_are_neither_read_nor_moved(generator):
    z, concept, _ = latents(200)
    basis = torch.linalg.qr(torch.randn(9, 9, generator=generator).double())[0]
    inside, outside = basis[:, :6], basis[:, 6:]
    eraser = fit_leace(z @ inside.mT + outside[:, 0], concept)
    torch.testing.assert_close(
        eraser(z @ inside.mT + outside[:, 0]) @ inside, fit_leace(z, concept)(z)
    )
    elsewhere = torch.randn(5, 3, generator=generator).double() @ outside.mT
    torch.testing.assert_close(
        eraser(z[:5] @ inside.mT + elsewhere) - elsewhere, eraser(z[:5] @ inside.mT)
    )


def test_fewer_samples_than_dimensions_have_equal_means_afterwards(generator):
    z = torch.randn(12, 40, generator=generator)
    concept = (torch.arange(12) < 4).double()
    assert gap(z, concept) > 1
    assert gap(fit_leace(z, concept)(z), concept) < 1e-5


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("n", [50, 4000])
def test_it_is_what_the_authors_package_computes_without_shrinkage(n):
    from concept_erasure import LeaceEraser

    z, concept, other = latents(n)
    labels = torch.stack([concept, other], -1)
    scaled = (labels - labels.mean(0)) / labels.std(0, correction=0)
    theirs = LeaceEraser.fit(z, scaled, shrinkage=False, constrain_cov_trace=False)
    torch.testing.assert_close(fit_leace(z, labels)(z), theirs(z))


def test_several_concepts_are_erased_at_once_and_labels_may_depend_on_each_other():
    z, concept, other = latents()
    labels = torch.stack([concept, 1 - concept, other], -1)
    erased = fit_leace(z, labels)(z)
    for y in (concept, other):
        assert found(z, y) > 0.97
        assert found(erased, y) < 0.55


def test_a_concept_that_is_not_erased_is_refused():
    z, concept, _ = latents(10_000, share=6e-4)
    with refuses(RuntimeError, "fit_leace left 1 of the covariance with a label; .* Lower the tol"):
        fit_leace(z, concept, tolerance=0.5)


@pytest.mark.parametrize("tolerance", [0.0, 2.0])
def test_a_tolerance_out_of_range_is_refused(tolerance):
    with refuses(ValueError, "tolerance is .*; expected a number from 1e-12 to 1.0"):
        fit_leace(torch.eye(2), torch.tensor([0.0, 1.0]), tolerance)


def test_a_fitted_eraser_is_saved_like_any_edit(tmp_path):
    z, concept, _ = latents()
    eraser = fit_leace(z, concept).at(0.5)
    la.save(eraser, tmp_path)
    assert torch.equal(la.load(tmp_path)(z), eraser(z))
