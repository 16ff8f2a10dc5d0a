import sys

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


def test_the_package_with_its_defaults_does_not_erase_a_rare_concept():
    z, concept, _ = latents(10_000, share=6e-4)
    erased = fit_leace(z, concept)(z)
    from concept_erasure import LeaceEraser

    by_default = LeaceEraser.fit(z, concept)(z)
    assert torch.equal(by_default, z)
    assert gap(erased, concept) < 1e-9


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


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "concept_erasure", None)
    with refuses(
        ImportError, r"pip install 'latent-anchors\[erasure\]', or use fit_mean_difference"
    ):
        fit_leace(torch.eye(2), torch.tensor([0.0, 1.0]))


def test_a_fitted_eraser_is_saved_like_any_edit(tmp_path):
    z, concept, _ = latents()
    eraser = fit_leace(z, concept).at(0.5)
    la.save(eraser, tmp_path)
    assert torch.equal(la.load(tmp_path)(z), eraser(z))
