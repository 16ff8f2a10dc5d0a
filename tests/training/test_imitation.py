from functools import cache

import torch
from refusals import refuses
from torch import nn
from training.tiny import COLORS, SAMPLER, Normed, network, timeline, trained

from latent_anchors import Objective, fit
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import Zeroing, intervene, prune
from latent_anchors.models import Population
from latent_anchors.training import Collapse, Imitation, Loss, Teacher, _gradients
from latent_anchors.training._losses import OneRun

EDIT = Zeroing([0])


def lessons(student, teacher, *, imitation=1.0, collapse=0.0, steps=60, **options):
    """A training with losses alone: no terms."""
    names = ["imitation", "collapse"]
    time = timeline(steps, imitation=imitation, collapse=collapse)
    time = type(time)({name: time[name] for name in ("lr", *names)}, steps=steps)
    losses = {"imitation": Imitation(teacher), "collapse": Collapse(teacher)}
    objective = Objective([], losses=names, elsewhere=["lr"])
    options = {"losses": losses, "progress": False, **options}
    return fit(student, objective, time, SAMPLER, **options)


def difference(student, teacher, edit=EDIT):
    """What each run says, against what a teacher of its own says under the edit ``(runs,)``."""
    with torch.no_grad(), intervene(teacher.eval(), edit):
        answers = teacher(COLORS)
    with torch.no_grad():
        return (student.eval()(COLORS) - answers).square().mean((1, 2))


@cache
def pruned():
    return prune(trained().population, [0])


@cache
def healed():
    return lessons(pruned(), Teacher(trained().population, EDIT), steps=80).population


def test_they_are_losses():
    teacher = Teacher(network())
    assert isinstance(Imitation(teacher), Loss)
    assert isinstance(Collapse(teacher), Loss)


def test_a_pruned_network_comes_to_say_what_its_muted_teacher_says():
    teacher = trained().population
    before = difference(pruned(), teacher)
    left = lessons(pruned(), Teacher(teacher, EDIT), imitation=0.0, steps=10).population
    assert bool((difference(healed(), teacher) < 0.1 * before).all())
    torch.testing.assert_close(difference(left, teacher), before)


def test_each_run_learns_from_its_own_teacher():
    teacher = trained().population
    of_others = Population.from_models([teacher[k] for k in (1, 2, 0)])
    own, others = (difference(healed(), each) for each in (teacher, of_others))
    assert bool((own < 0.5 * others).all())


def test_a_run_alone_learns_as_among_many_and_in_turn_as_together(monkeypatch):
    monkeypatch.setattr(_gradients, "UNTRACED", 2)
    population = trained().population[:2]
    both = {"imitation": 1.0, "collapse": 0.5, "steps": 6}
    together = lessons(pruned()[:2], Teacher(population, EDIT), **both)
    in_turn = lessons(pruned()[:2], Teacher(population, EDIT), execution="in_turn", **both)
    alone = lessons(pruned()[1:2], Teacher(population[1:2], EDIT), **both)
    of_one = lessons(pruned()[1:2], Teacher(population[1], EDIT), **both)
    for name, tensor in together.population.tensors().items():
        torch.testing.assert_close(tensor, in_turn.population.tensors()[name], atol=1e-8, rtol=0.0)
        for other in (alone, of_one):
            found = other.population.tensors()[name]
            torch.testing.assert_close(tensor[1:2], found, atol=1e-8, rtol=0.0)


def test_a_teacher_is_asked_once_in_a_step_though_two_losses_share_it():
    calls = []
    teacher = Teacher(network(), lambda z: calls.append(1) or z)
    options = {"collapse": 1.0, "steps": 3, "execution": "in_turn"}
    lessons(network, teacher, **options)
    assert len(calls) == 3


def test_teachers_of_any_kind_will_do(monkeypatch):
    """Running averages differ from run to run, and one of them is an integer."""
    monkeypatch.setattr(_gradients, "UNTRACED", 2)
    teachers = Population.make(Normed, [0, 1])
    student = Population.make(network, [0, 1])
    together, in_turn = (
        lessons(student, Teacher(teachers, EDIT), steps=10, execution=how).history["imitation"]
        for how in ("together", "in_turn")
    )
    torch.testing.assert_close(together, in_turn)
    assert bool((together[-1] < 0.9 * together[0]).all())


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
    spared, taken = (Collapse(Teacher(model, edit))(of(model), batch) for edit in (None, EDIT))
    assert bool((spared < 1e-12).all())
    assert bool((taken > 0.01).any())


def test_collapse_pulls_along_what_the_edit_takes_and_spares_what_it_spares():
    model, batch = Faithful(), LabeledBatch(COLORS)
    values = Collapse(Teacher(model, EDIT))(of(model), batch)
    torch.testing.assert_close(values, model.latent(COLORS)[:, 0].square())


def test_with_a_power_collapse_is_sparing_with_what_the_edit_changes_in_part():
    model, batch = Faithful(), LabeledBatch(COLORS)
    plain, steep = (Collapse(Teacher(model, EDIT), power=q)(of(model), batch) for q in (0.0, 2.0))
    error = (Teacher(model, EDIT).says(batch) - COLORS).square().mean(-1)
    torch.testing.assert_close(steep, error**2 * plain)
    with refuses(ValueError, r"power is -1\.0; expected a number from 0\.0 to inf"):
        Collapse(Teacher(model), power=-1.0)


def test_the_gradient_of_collapse_reaches_only_where_the_input_lies():
    model, batch = Faithful(), LabeledBatch(COLORS)
    teacher = Teacher(model, EDIT)
    found = torch.autograd.grad(Collapse(teacher)(of(model), batch).sum(), model.latent.weight)[0]
    goal = model.latent(teacher.says(batch)).detach()
    by_hand = (model.latent(COLORS) - goal).square().sum()
    torch.testing.assert_close(found, torch.autograd.grad(by_hand, model.latent.weight)[0])
    followed = (model.latent(COLORS) - model.latent(teacher.says(batch))).square().sum()
    assert not torch.allclose(found, torch.autograd.grad(followed, model.latent.weight)[0])


def test_collapse_at_a_site_with_positions_averages_them():
    model = nn.Sequential(nn.Unflatten(-1, (3, 1)), nn.Flatten())
    collapse = Collapse(Teacher(model, torch.neg, at="1"), at="0")
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
        Collapse(teacher)(of(network()), LabeledBatch(COLORS))
    with refuses(ValueError, r"What should be said has shape \(27, 4\), what is said \(27, 3\)"):
        Imitation(teacher)(of(network()), LabeledBatch(COLORS))


def test_a_site_that_the_runs_lack_is_refused_at_the_beginning():
    population = trained().population
    with refuses(ValueError, r"Unknown site 'latnt'.* Did you mean 'latent'"):
        Collapse(Teacher(population), at="latnt").begin(population)
