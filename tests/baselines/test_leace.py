from math import log

import torch
from interventions.erasing import gap, latents
from torch.nn.functional import softplus

from latent_anchors.baselines import leace, logistic_probe, mean_difference

Z, CONCEPT, OTHER = latents(2000)


def accuracy(z, labels):
    """Of the best linear probe by least squares, on the samples that it was fitted on."""
    x = torch.cat([z, torch.ones(len(z), 1).double()], -1)
    said = x @ torch.linalg.pinv(x, rtol=1e-9) @ labels
    return float(((said > 0.5) == (labels == 1)).double().mean())


def test_afterwards_no_linear_probe_beats_a_constant_and_before_it_did():
    constant = float(max(CONCEPT.mean(), 1 - CONCEPT.mean()))
    erased = leace(Z, CONCEPT).edit(Z)
    assert accuracy(Z, CONCEPT) > constant + 0.2
    assert accuracy(erased, CONCEPT) == constant
    assert gap(erased, CONCEPT) < 1e-9
    assert accuracy(erased, OTHER) > 0.8  # and another concept is still there
    assert logistic_loss(erased, CONCEPT) > log(2) - 1e-9
    assert logistic_loss(Z, CONCEPT) < 0.4


def logistic_loss(z, labels):
    """The least loss of a logistic regression in which both classes weigh the same."""
    x = torch.cat([(z - z.mean(0)) / z.std(), torch.ones(len(z), 1).double()], -1)
    weight = torch.where(labels == 1, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())
    w = torch.zeros(x.shape[1], dtype=torch.float64)
    for _ in range(15):  # Newton's method
        chance = torch.sigmoid(x @ w)
        bend = (x * (weight * chance * (1 - chance))[:, None]).mT @ x
        step = torch.linalg.pinv(bend, hermitian=True) @ (x.mT @ (weight * (chance - labels)))
        w = w - step
    return float((weight * softplus(torch.where(labels == 1, -x @ w, x @ w))).sum())


def test_its_displacement_is_at_most_that_of_a_plain_projection_of_any_found_direction():
    moved = {
        find.__name__: float((find(Z, CONCEPT).edit(Z) - Z).square().sum(-1).mean())
        for find in (leace, mean_difference)
    }
    assert moved["leace"] < 0.95 * moved["mean_difference"]
    # a probe's normal moves less, for it leaves the means apart
    assert gap(logistic_probe(Z, CONCEPT).edit(Z), CONCEPT) > 0.1


def test_it_is_a_projection_and_along_the_mean_difference():
    edit = leace(Z, CONCEPT).edit
    once = edit(Z)
    torch.testing.assert_close(edit(once), once)
    moves = torch.linalg.svdvals(once - Z)
    assert moves[1] < 1e-9 * moves[0]
    along = (once - Z)[(once - Z).norm(dim=-1).argmax()]
    shift = mean_difference(Z, CONCEPT).direction
    assert abs(along @ shift) > (1 - 1e-9) * along.norm()


def test_of_white_latents_it_is_the_plain_projection():
    white = torch.linalg.qr(Z - Z.mean(0))[0] * len(Z) ** 0.5
    torch.testing.assert_close(
        leace(white, CONCEPT).edit(white), mean_difference(white, CONCEPT).edit(white)
    )


def test_where_samples_do_not_vary_nothing_is_read_or_moved():
    flat = torch.cat([Z, Z[:, :1], torch.full((len(Z), 1), 7.0).double()], -1)
    found = leace(flat, CONCEPT)
    apart = torch.zeros(8, dtype=torch.float64)
    apart[0], apart[6] = 1.0, -1.0  # the copy and its original never differ
    assert abs(found.direction @ apart) < 1e-9
    assert abs(found.direction[7]) < 1e-9
    assert gap(found.edit(flat), CONCEPT) < 1e-9
    beside = flat[:4] + 3 * apart
    torch.testing.assert_close(found.edit(beside), found.edit(flat[:4]) + 3 * apart)
