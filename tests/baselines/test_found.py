"""What every method that finds a concept afterwards promises, on latents of any shape."""

import pytest
import torch
from interventions.erasing import gap, latents
from refusals import refuses
from torch import nn
from torch.nn.functional import cosine_similarity

import latent_anchors as la
from latent_anchors.baselines import Found, leace, logistic_probe, mean_difference
from latent_anchors.interventions import Onwards, Projection

members = pytest.mark.parametrize("find", [mean_difference, logistic_probe, leace])
Z, CONCEPT, _ = latents(600)
LINES, ON_LINES = Z.reshape(100, 6, 6), CONCEPT.reshape(100, 6)


@members
def test_the_direction_is_a_unit_vector_that_points_to_the_samples_with_the_concept(find):
    for labels in (CONCEPT, 1 - CONCEPT):
        found = find(Z, labels)
        along = Z @ found.direction
        torch.testing.assert_close(found.direction.norm(), torch.tensor(1.0).double())
        assert along[labels == 1].mean() > found.threshold > along[labels == 0].mean()


@members
def test_the_gate_lets_most_samples_with_the_concept_through_and_few_others(find):
    inside = find(Z, CONCEPT).above(Z)
    assert inside[CONCEPT == 1].double().mean() > 0.85
    assert inside[CONCEPT == 0].double().mean() < 0.15


@members
def test_the_edit_moves_the_means_together_along_the_direction(find):
    found = find(Z, CONCEPT)
    edited = found.edit(Z) @ found.direction
    assert gap(Z, CONCEPT) > 1
    assert edited.std() < 1e-9


@members
def test_positions_of_lines_are_samples(find):
    torch.testing.assert_close(find(LINES, ON_LINES).direction, find(Z, CONCEPT).direction)


@members
def test_the_label_of_a_line_is_that_of_its_positions(find):
    by_line = (torch.arange(100) % 3 == 0).double()
    by_position = by_line[:, None].expand(100, 6)
    torch.testing.assert_close(find(LINES, by_line).direction, find(LINES, by_position).direction)


@members
def test_what_the_mask_excludes_has_no_influence(find, generator):
    mask = torch.rand(100, 6, generator=generator) < 0.7
    padded = LINES.masked_fill(~mask[..., None], torch.nan)
    labels = ON_LINES.masked_fill(~mask, -100)
    expected = find(LINES[mask], ON_LINES[mask])
    for given in (mask, mask.long(), mask.numpy()):
        torch.testing.assert_close(find(padded, labels, given).direction, expected.direction)


@members
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_latents_of_less_precision_are_computed_in_double(find, dtype):
    given = Z.to(dtype)
    found, exact = find(given, CONCEPT), find(given.double(), CONCEPT)
    assert found.direction.dtype == torch.float32
    torch.testing.assert_close(found.direction, exact.direction.float(), rtol=0, atol=1e-6)
    assert found.edit(given).dtype == dtype


@members
def test_labels_may_be_bool_whole_numbers_or_numpy(find):
    expected = find(Z, CONCEPT).direction
    for labels in (CONCEPT.bool(), CONCEPT.long(), CONCEPT.numpy(), CONCEPT.bool().numpy()):
        assert torch.equal(find(Z, labels).direction, expected)


@members
def test_latents_that_are_given_stay_as_they_are_and_may_need_gradients(find):
    given = Z.clone().requires_grad_()
    found = find(given, CONCEPT)
    assert not found.direction.requires_grad
    assert torch.equal(given.detach(), Z)


@members
def test_a_found_direction_serves_concepts_edits_and_gates(find):
    model = nn.Sequential(nn.Identity())
    found = find(LINES, ON_LINES)
    mute = Projection(found.direction, strength=0.5)
    with la.intervene(model, mute, at="0", where=found.above(LINES)):
        muted = model(LINES)
    assert torch.equal(muted[~found.above(LINES)], LINES[~found.above(LINES)])
    assert ((muted - LINES).norm(dim=-1) > 0).sum() == found.above(LINES).sum()
    with la.intervene(model, found.edit, at="0", where=Onwards(found.direction, within=80)):
        gated = model(LINES)
    opened = Onwards(found.direction, within=80).opened(LINES)
    assert torch.equal(gated[opened], found.edit(LINES)[opened])
    assert la.Concept("red", found.direction, at="0").score(model, Z, CONCEPT == 1).auc.mean > 0.9


@members
def test_it_finds_what_a_concept_finds_by_the_same_method(find):
    method = {"logistic_probe": "cav"}.get(find.__name__, find.__name__)
    concept = la.Concept.found("red", Z, CONCEPT, at="0", method=method)
    assert cosine_similarity(concept.direction, find(Z, CONCEPT).direction, dim=0) > 1 - 1e-9


@members
@pytest.mark.parametrize("labels", [torch.zeros(600), torch.ones(600)])
def test_samples_of_one_kind_are_refused(find, labels):
    with refuses(ValueError, "Of 600 samples that count, .* have the concept and .* do not"):
        find(Z, labels)


@members
def test_one_sample_of_a_kind_is_enough_and_so_is_part_of_one(find):
    for share in (1.0, 0.25):
        labels = torch.zeros(600).double()
        labels[0] = share
        for each in (labels, 1 - labels):
            assert find(Z, each).direction.isfinite().all()


@members
def test_a_mask_that_leaves_no_sample_is_refused(find):
    with refuses(ValueError, "Of 0 samples that count, 0 have the concept and 0 do not"):
        find(Z, CONCEPT, torch.zeros(600).bool())


@members
def test_latents_that_are_not_finite_are_refused(find):
    broken = Z.clone()
    broken[3, 1], broken[7, 2] = torch.nan, torch.inf
    with refuses(ValueError, "Of 600 latents that count, 2 are not finite; .* Leave padding out"):
        find(broken, CONCEPT)


@members
def test_labels_outside_0_to_1_are_refused(find):
    with refuses(ValueError, "The labels runs from 0 to 2; expected numbers from 0 to 1"):
        find(Z, 2 * CONCEPT)


@members
def test_shapes_that_do_not_fit_are_refused(find):
    with refuses(ValueError, r"labels have shape \(6,\) and the latents \(100, 6, 'dim'\)"):
        find(LINES, ON_LINES[0])
    with refuses(ValueError, r"labels have shape \(600, 1\) and the latents \(600, 'dim'\)"):
        find(Z, CONCEPT[:, None])
    with refuses(ValueError, r"The mask has shape \(100,\) and the latents \(100, 6, 'dim'\)"):
        find(LINES, ON_LINES, ON_LINES[:, 0].bool())
    with refuses(ValueError, r"labels have shape \(\) and the latents \(600, 'dim'\)"):
        find(Z, CONCEPT[0])
    with refuses(ValueError, r"labels have shape \(\) and the latents \('dim',\)"):
        find(Z[0], CONCEPT[0])
    with refuses(TypeError, "A baseline was given latents of type torch.int64"):
        find(Z.long(), CONCEPT)


@members
def test_equal_means_are_refused(find):
    with refuses(ValueError, "mean latent of 4 samples is the same with and without the concept"):
        find(torch.eye(2).repeat(2, 1), torch.tensor([0, 0, 1, 1]))


@members
def test_latents_of_another_width_are_not_gated(find):
    with refuses(ValueError, "Found was made for 6 latent dimensions"):
        find(Z, CONCEPT).above(Z[:, :4])


def test_a_direction_without_a_length_is_refused():
    found = mean_difference(Z, CONCEPT)
    with refuses(ValueError, "which points nowhere; expected a vector other than zero"):
        Found(torch.zeros(6), found.edit, 0.0)


@pytest.mark.parametrize("times", [10.0, 1e-3])
def test_a_threshold_is_of_the_length_that_was_given(times):
    found = mean_difference(Z, CONCEPT)
    longer = Found(times * found.direction, found.edit, times * found.threshold)
    assert torch.equal(longer.above(Z), found.above(Z))
    assert longer.threshold == pytest.approx(found.threshold)
