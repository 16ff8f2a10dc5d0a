import pytest
import torch
from interventions.erasing import found, gap, latents
from refusals import refuses

from latent_anchors.interventions import Projection, fit_cav, fit_leace, fit_mean_difference

FITS = [fit_mean_difference, fit_cav, fit_leace]
members = pytest.mark.parametrize("fit", FITS)


@members
def test_a_probe_finds_the_concept_before_and_not_after_and_another_concept_stays(fit):
    z, concept, other = latents()
    erased = fit(z, concept)(z)
    # a CAV is the normal of one probe; what others read is promised by the two that equal the means
    most = 0.75 if fit is fit_cav else 0.55
    assert found(z, concept) > 0.97
    assert found(erased, concept) < most
    assert found(erased, other) > 0.9


@pytest.mark.parametrize("fit", [fit_mean_difference, fit_leace])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_concept_in_six_of_ten_thousand_samples_is_erased(fit, dtype):
    z, concept, _ = latents(10_000, share=6e-4)
    z = z.to(dtype)
    erased = fit(z, concept)(z)
    assert erased.dtype == dtype
    assert gap(z, concept) > 2
    assert gap(erased, concept) < 1e-3


def test_a_cav_of_a_concept_in_six_of_ten_thousand_samples_points_at_it():
    z, concept, _ = latents(10_000, share=6e-4)
    v = fit_cav(z, concept).right[0]
    ahead = ((z @ v).unsqueeze(0) < (z[concept == 1] @ v).unsqueeze(1)).double().mean()
    assert ahead > 0.9


@members
def test_the_mean_of_the_latents_stays(fit):
    z, concept, _ = latents()
    torch.testing.assert_close(fit(z, concept)(z).mean(0), z.mean(0))


@members
def test_soft_labels_point_the_same_way_as_hard_ones(fit):
    z, concept, _ = latents()
    hard, soft = (fit(z, y).right[0] for y in (concept, 0.1 + 0.8 * concept))
    assert torch.nn.functional.cosine_similarity(hard, soft, dim=0) > 0.99


@members
def test_labels_may_be_booleans_or_integers_and_latents_half(fit):
    z, concept, _ = latents()
    expected = fit(z.float(), concept).right
    for labels in (concept.bool(), concept.long()):
        torch.testing.assert_close(fit(z.float(), labels).right, expected)
    assert fit(z.half(), concept).right.dtype == torch.float32


@members
def test_the_order_of_samples_does_not_matter(fit, generator):
    z, concept, _ = latents()
    order = torch.randperm(len(z), generator=generator)
    torch.testing.assert_close(fit(z[order], concept[order])(z), fit(z, concept)(z))


def test_the_fitted_direction_can_be_used_in_other_edits():
    z, concept, _ = latents()
    edit = Projection(fit_mean_difference(z, concept).right)
    assert gap(z, concept) > 0.5
    assert gap(edit(z), concept) < 1e-6


def test_a_constant_dimension_has_weight_0_in_a_cav():
    z, concept, _ = latents()
    with_constant = torch.cat([z, torch.full((len(z), 1), 7.0)], -1)
    v = fit_cav(with_constant, concept).right[0]
    assert v[-1] == 0
    torch.testing.assert_close(v[:-1], fit_cav(z, concept).right[0], rtol=1e-5, atol=1e-6)


def test_a_cav_minimizes_its_loss():
    z, concept, _ = latents(500)
    w = fit_cav(z, concept, ridge=0.1).right[0]
    scale = z.std(0, correction=0)
    x, direction = (z - z.mean(0)) / scale, w * scale

    def loss(size, offset):
        score = size * (x @ direction) + offset
        each = torch.nn.functional.softplus(torch.where(concept == 1, -score, score))
        halves = 0.5 * each[concept == 1].mean() + 0.5 * each[concept == 0].mean()
        return halves + 0.05 * (size * direction).square().sum()

    # along any other direction, the best that can be done is worse
    best = lowest(loss)
    for axis in torch.eye(6).double():
        direction = w * scale + 0.2 * axis
        assert lowest(loss) > best


def lowest(loss):
    at = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([at], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss(*at)
        value.backward()
        return value

    optimizer.step(closure)
    return float(loss(*at).detach())


@members
def test_samples_that_cannot_be_fitted_on_are_refused(fit):
    z, y = torch.eye(4), torch.tensor([0.0, 0.0, 1.0, 1.0])
    with refuses(ValueError, r"latents have shape \(4, 4\) and the labels \(3,\); expected \(n"):
        fit(z, y[:3])
    with refuses(ValueError, "Of 1 labels, 1 are the same for all 4 samples"):
        fit(z, torch.ones(4))
    with refuses(ValueError, "Latents or labels are not finite"):
        fit(z / 0, y)


@pytest.mark.parametrize("fit", [fit_mean_difference, fit_cav])
def test_several_concepts_are_refused_and_leace_is_named(fit):
    with refuses(ValueError, r"labels have shape \(4, 2\); .* For several at once, use fit_leace"):
        fit(torch.eye(4), torch.eye(4)[:, :2])


@pytest.mark.parametrize("fit", [fit_mean_difference, fit_cav])
def test_equal_means_are_refused(fit):
    with refuses(ValueError, "mean latent of 4 samples is the same with and without the concept"):
        fit(torch.eye(2).repeat(2, 1), torch.tensor([0.0, 0.0, 1.0, 1.0]))


def test_means_that_differ_by_rounding_are_equal_and_small_differences_are_not():
    z, y = torch.eye(2, dtype=torch.float64).repeat(200, 1), torch.arange(400.0) // 200
    moved = z + y.unsqueeze(1) * torch.tensor([1.0, 0.0])
    torch.testing.assert_close(
        fit_mean_difference(z + 1e-9 * (moved - z), y).right[0].float(), torch.tensor([1.0, 0.0])
    )
    with refuses(ValueError, "mean latent of 400 samples is the same with and without the"):
        fit_mean_difference(z + 1e-13 * (moved - z), y)


def test_a_ridge_of_0_and_labels_above_1_are_refused():
    z, y = torch.eye(4), torch.tensor([0.0, 0.0, 1.0, 1.0])
    with refuses(ValueError, "ridge is 0 and labels go from 0 to 1; expected a ridge above 0"):
        fit_cav(z, y, ridge=0.0)
    with refuses(ValueError, "labels go from 0 to 2"):
        fit_cav(z, 2 * y)


@members
@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_erasing_does_not_depend_on_the_scale_of_latents(fit, unit):
    z, concept, _ = latents()
    z = z.float()
    torch.testing.assert_close(fit(unit * z, concept)(unit * z) / unit, fit(z, concept)(z))


def test_both_classes_of_a_cav_have_weight_one_half(generator):
    z, y = torch.rand(80, 2, generator=generator).double() ** 3, torch.arange(80) % 2
    z[y == 1] = 0.3 - 0.6 * z[y == 1]
    # the same samples, although one class is four times as large; a ridge would see another spread
    often = torch.cat([torch.arange(80), *[torch.nonzero(y == 0).flatten()] * 3])
    alike, more = (fit_cav(z[rows], y[rows], ridge=1e-9).right for rows in (slice(None), often))
    torch.testing.assert_close(more, alike, atol=1e-3, rtol=0)


@pytest.mark.parametrize("fit", [fit_mean_difference, fit_cav])
def test_labels_beyond_0_and_1_such_as_paddings_are_refused(fit):
    z, concept, _ = latents()
    labels = concept.clone()
    labels[0] = -100
    with refuses(ValueError, "-100"):
        fit(z, labels)


@members
def test_latents_of_whole_numbers_are_refused(fit):
    z, concept, _ = latents()
    with refuses(TypeError, "An eraser was given latents of type torch.int64"):
        fit((100 * z).long(), concept)


@members
@pytest.mark.parametrize("same", [0.1, 0.7, 1 / 3])
def test_a_label_that_is_the_same_for_all_samples_is_refused_whatever_rounding_leaves(fit, same):
    for n in (9, 23, 100):
        with refuses(ValueError, "1 are the same for all"):
            fit(torch.randn(n, 4), torch.full((n,), same, dtype=torch.float64))


@members
def test_what_is_fitted_in_inference_mode_is_the_same(fit):
    z, concept, _ = latents()
    with torch.inference_mode():
        within = fit(z.clone(), concept.clone())
    assert torch.equal(within(z), fit(z, concept)(z))
