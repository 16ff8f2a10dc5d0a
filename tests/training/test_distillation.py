import gc

import pytest
import torch
from refusals import refuses
from torch import nn
from training.taught import EDIT, difference, distilled, healed, pruned
from training.tiny import COLORS, Dropped, Normed, network, trained

import latent_anchors as la
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import Suppression, ZeroAblation, attach, intervene
from latent_anchors.models import Population
from latent_anchors.training import DistillationLoss, LatentMatchingLoss, Loss, Teacher, forward_kl
from latent_anchors.training._losses.forward import OneRun

POPULATION = Population.make(network, [0, 1])
MODEL = POPULATION[1]


def batch_of(teacher, run):
    """What fit gives to one run."""
    return LabeledBatch(COLORS, extras={n: rows[run] for n, rows in teacher.memory().items()})


@pytest.mark.parametrize("run", [0, 1])
def test_each_run_asks_its_own_and_an_ordinary_model_is_asked_by_all(run):
    teacher, one = Teacher(POPULATION, EDIT), Teacher(MODEL, EDIT)
    with intervene(POPULATION.eval(), EDIT):
        expected = POPULATION(COLORS)
    torch.testing.assert_close(teacher.output(batch_of(teacher, run)), expected[run])
    torch.testing.assert_close(one.output(batch_of(one, run)), expected[1])


def test_it_answers_in_evaluation_mode_and_leaves_the_model_in_its_own():
    model = network().train()
    nn.init.constant_(model.decoder[-1].bias, 5.0)
    assert bool((Teacher(model).output(LabeledBatch(COLORS)) == 1.0).all())
    assert bool((model(COLORS) > 1.0).all())


@pytest.mark.parametrize("make_model", [Dropped, Normed])
def test_noise_and_running_averages_rest(make_model):
    teacher = Teacher(make_model())
    before = {name: tensor.clone() for name, tensor in teacher.model.state_dict().items()}
    one, other = (teacher.output(LabeledBatch(COLORS)) for _ in range(2))
    assert torch.equal(one, other)
    after = teacher.model.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_it_is_what_the_model_was_whatever_becomes_of_that():
    model, plain = POPULATION[1], Teacher(MODEL)
    with attach(model, torch.neg):
        teacher = Teacher(model)
    nn.init.zeros_(model.decoder[-1].weight)
    assert torch.equal(teacher.output(LabeledBatch(COLORS)), plain.output(LabeledBatch(COLORS)))


def test_several_sites_may_be_edited():
    edits = {"encoder": torch.neg, "latent": Suppression([0.0, 1.0, 0.0, 0.0])}
    with intervene(MODEL.eval(), edits):
        expected = MODEL(COLORS)
    torch.testing.assert_close(Teacher(MODEL, edits).output(LabeledBatch(COLORS)), expected)


def test_no_gradient_reaches_it():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.by = nn.Parameter(torch.ones(()))

        def forward(self, z):
            return self.by * z

    assert not Teacher(MODEL, Scale()).output(LabeledBatch(COLORS)).requires_grad
    assert not any(tensor.requires_grad for tensor in Teacher(POPULATION).memory().values())


def test_losses_that_share_it_carry_it_once():
    teacher = Teacher(POPULATION, Population.from_models([EDIT, EDIT]))
    assert DistillationLoss(teacher).memory().keys() == LatentMatchingLoss(teacher).memory().keys()
    assert len(teacher.memory()) == len(POPULATION.tensors()) + 1


def test_an_answer_is_made_once_for_a_batch_and_forgotten_with_it():
    calls = []
    teacher = Teacher(MODEL, lambda z: calls.append(1) or z)
    batch = LabeledBatch(COLORS)
    assert teacher.output(batch) is teacher.output(batch)
    assert len(calls) == 1
    del batch
    gc.collect()
    assert not teacher._said
    teacher.output(LabeledBatch(COLORS))
    assert len(calls) == 2


def test_it_comes_back_from_a_folder(tmp_path):
    teacher = Teacher(MODEL, EDIT)
    la.save(LatentMatchingLoss(teacher, at="encoder"), tmp_path)
    again = la.load(tmp_path)
    assert again.at == "encoder"
    batch = LabeledBatch(COLORS)
    assert torch.equal(again.teacher.output(batch), teacher.output(batch))


@pytest.mark.parametrize("model", [MODEL, POPULATION])
def test_a_site_that_it_lacks_is_refused(model):
    with refuses(ValueError, r"Unknown site 'latnt'.* Did you mean 'latent'"):
        Teacher(model, EDIT, at="latnt")


@pytest.mark.parametrize("make", [DistillationLoss, LatentMatchingLoss])
def test_another_number_of_runs_is_refused(make):
    with refuses(ValueError, r"The teacher has 2 runs and 1 are to be trained"):
        make(Teacher(POPULATION)).begin(POPULATION[:1])


@pytest.mark.parametrize("shape", [(4, 1), (3,), (1, 3)])
def test_a_teacher_whose_output_would_be_broadcast_is_refused(shape):
    teacher = Teacher(nn.Module())
    teacher.output = lambda _: torch.ones(shape)
    batch = LabeledBatch(torch.zeros(4, 3))
    with refuses(ValueError, r"The teacher's outputs have shape .*, the model's \(4, 3\)"):
        DistillationLoss(teacher)(lambda inputs: (inputs, {}), batch)


def test_the_error_may_be_another():
    teacher, model = Teacher(network()), network()
    found = DistillationLoss(teacher, error=forward_kl)(of(model), LabeledBatch(COLORS))
    expected = forward_kl(model(COLORS), teacher.model(COLORS))
    torch.testing.assert_close(found, expected)


def test_they_are_losses():
    teacher = Teacher(network())
    assert isinstance(DistillationLoss(teacher), Loss)
    assert isinstance(LatentMatchingLoss(teacher), Loss)


def test_a_pruned_network_comes_to_say_what_its_muted_teacher_says():
    teacher = trained().population
    before = difference(pruned(), teacher)
    left = distilled(pruned(), Teacher(teacher, EDIT), imitation=0.0, steps=10).population
    assert bool((difference(healed(), teacher) < 0.1 * before).all())
    torch.testing.assert_close(difference(left, teacher), before)


def test_each_run_learns_from_its_own_teacher():
    teacher = trained().population
    of_others = Population.from_models([teacher[k] for k in (1, 2, 0)])
    own, others = (difference(healed(), each) for each in (teacher, of_others))
    assert bool((own < 0.5 * others).all())


def test_a_run_alone_learns_as_among_many_and_sequentially_as_with_vmap(monkeypatch):
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    population = trained().population[:2]
    both = {"imitation": 1.0, "collapse": 0.5, "steps": 6}
    together = distilled(pruned()[:2], Teacher(population, EDIT), **both)
    sequential = distilled(pruned()[:2], Teacher(population, EDIT), execution="sequential", **both)
    alone = distilled(pruned()[1:2], Teacher(population[1:2], EDIT), **both)
    of_one = distilled(pruned()[1:2], Teacher(population[1], EDIT), **both)
    for name, tensor in together.population.tensors().items():
        torch.testing.assert_close(
            tensor, sequential.population.tensors()[name], atol=1e-8, rtol=0.0
        )
        for other in (alone, of_one):
            found = other.population.tensors()[name]
            torch.testing.assert_close(tensor[1:2], found, atol=1e-8, rtol=0.0)


def test_a_teacher_is_asked_once_in_a_step_though_two_losses_share_it():
    calls = []
    teacher = Teacher(network(), lambda z: calls.append(1) or z)
    options = {"collapse": 1.0, "steps": 3, "execution": "sequential"}
    distilled(network, teacher, **options)
    assert len(calls) == 3


def test_teachers_of_any_kind_will_do(monkeypatch):
    """Running averages differ from run to run, and one of them is an integer."""
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    teachers = Population.make(Normed, [0, 1])
    student = Population.make(network, [0, 1])
    together, sequential = (
        distilled(student, Teacher(teachers, EDIT), steps=10, execution=how).history["imitation"]
        for how in ("vmap", "sequential")
    )
    torch.testing.assert_close(together, sequential)
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
    collapsed = distilled(population, teacher, collapse=1.0, **options).history["collapse"]
    left = distilled(population, teacher, **options).history["collapse"]
    assert bool((collapsed[-20:].mean(0) < 0.2 * left[-20:].mean(0)).all())


def test_a_teacher_that_answers_in_another_kind_than_it_is_asked_is_refused():
    teacher = Teacher(nn.Linear(3, 4).double())
    with refuses(ValueError, r"outputs have shape \(27, 4\), the inputs \(27, 3\).* autoencoders"):
        LatentMatchingLoss(teacher)(of(network()), LabeledBatch(COLORS))


def test_a_site_that_the_runs_lack_is_refused_at_the_beginning():
    population = trained().population
    with refuses(ValueError, r"Unknown site 'latnt'.* Did you mean 'latent'"):
        LatentMatchingLoss(Teacher(population), at="latnt").begin(population)


def test_it_says_the_same_whatever_becomes_of_the_edit():
    edit = ZeroAblation([0])
    teacher, batch = Teacher(nn.Sequential(nn.Identity()), edit, "0"), LabeledBatch(torch.eye(2))
    before = teacher.output(batch)
    edit.strength.fill_(0.0)
    assert torch.equal(teacher.output(LabeledBatch(torch.eye(2))), before)
