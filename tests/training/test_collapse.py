import torch
from refusals import refuses
from torch import nn
from training.taught import EDIT, lessons
from training.tiny import COLORS, network, trained

from latent_anchors.data import LabeledBatch
from latent_anchors.training import DistillationLoss, LatentMatchingLoss, Teacher
from latent_anchors.training._losses import OneRun


def of(model):
    return OneRun(model, dict(model.named_parameters()), ("latent",))


class Faithful(nn.Module):
    """Says exactly what it was shown; its latents are a turned copy of that."""

    def __init__(self):
        super().__init__()
        turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))
        self.latent = nn.Linear(3, 3, bias=False)
        self.latent.weight = nn.Parameter(turn)
        self.double()

    def forward(self, x):
        return self.latent(x) @ self.latent.weight


def test_collapse_asks_nothing_where_the_teacher_says_what_it_was_shown():
    model, batch = Faithful(), LabeledBatch(COLORS)
    spared, taken = (
        LatentMatchingLoss(Teacher(model, edit))(of(model), batch) for edit in (None, EDIT)
    )
    assert bool((spared < 1e-12).all())
    assert bool((taken > 0.01).any())


def test_collapse_pulls_along_what_the_edit_takes_and_spares_what_it_spares():
    model, batch = Faithful(), LabeledBatch(COLORS)
    values = LatentMatchingLoss(Teacher(model, EDIT))(of(model), batch)
    torch.testing.assert_close(values, model.latent(COLORS)[:, 0].square())


def test_with_a_power_collapse_is_sparing_with_what_the_edit_changes_in_part():
    model, batch = Faithful(), LabeledBatch(COLORS)
    plain, steep = (
        LatentMatchingLoss(Teacher(model, EDIT), power=q)(of(model), batch) for q in (0.0, 2.0)
    )
    error = (Teacher(model, EDIT).output(batch) - COLORS).square().mean(-1)
    torch.testing.assert_close(steep, error**2 * plain)
    with refuses(ValueError, r"power is -1\.0; expected a number from 0\.0 to inf"):
        LatentMatchingLoss(Teacher(model), power=-1.0)


def test_the_gradient_of_collapse_reaches_only_where_the_input_lies():
    model, batch = Faithful(), LabeledBatch(COLORS)
    teacher = Teacher(model, EDIT)
    found = torch.autograd.grad(
        LatentMatchingLoss(teacher)(of(model), batch).sum(), model.latent.weight
    )[0]
    goal = model.latent(teacher.output(batch)).detach()
    by_hand = (model.latent(COLORS) - goal).square().sum()
    torch.testing.assert_close(found, torch.autograd.grad(by_hand, model.latent.weight)[0])
    followed = (model.latent(COLORS) - model.latent(teacher.output(batch))).square().sum()
    assert not torch.allclose(found, torch.autograd.grad(followed, model.latent.weight)[0])


def test_collapse_at_a_site_with_positions_averages_them():
    model = nn.Sequential(nn.Unflatten(-1, (3, 1)), nn.Flatten())
    collapse = LatentMatchingLoss(Teacher(model, torch.neg, at="1"), at="0")
    values = collapse(of_sites(model), LabeledBatch(COLORS))
    torch.testing.assert_close(values, (2 * COLORS).square().mean(-1))


def of_sites(model):
    return OneRun(model, {}, ())


def test_a_collapsed_encoder_ceases_to_tell_apart_what_the_edit_takes():
    population = trained().population
    teacher = Teacher(population, EDIT)
    options = {"imitation": 0.0, "steps": 50}
    collapsed = lessons(population, teacher, collapse=1.0, **options).history["collapse"]
    left = lessons(population, teacher, **options).history["collapse"]
    assert bool((collapsed[-20:].mean(0) < 0.2 * left[-20:].mean(0)).all())


def test_a_teacher_that_answers_in_another_kind_is_refused():
    teacher = Teacher(nn.Linear(3, 4).double())
    with refuses(ValueError, r"answers have shape \(27, 4\), the inputs \(27, 3\).* autoencoders"):
        LatentMatchingLoss(teacher)(of(network()), LabeledBatch(COLORS))
    with refuses(ValueError, r"What should be said has shape \(27, 4\), what is said \(27, 3\)"):
        DistillationLoss(teacher)(of(network()), LabeledBatch(COLORS))


def test_a_site_that_the_runs_lack_is_refused_at_the_beginning():
    population = trained().population
    with refuses(ValueError, r"Unknown site 'latnt'.* Did you mean 'latent'"):
        LatentMatchingLoss(Teacher(population), at="latnt").begin(population)
