import torch
from training.taught import EDIT, difference, healed, lessons, pruned
from training.tiny import Normed, network, trained

from latent_anchors.models import Population
from latent_anchors.training import DistillationLoss, LatentMatchingLoss, Loss, Teacher, _gradients


def test_they_are_losses():
    teacher = Teacher(network())
    assert isinstance(DistillationLoss(teacher), Loss)
    assert isinstance(LatentMatchingLoss(teacher), Loss)


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


def test_a_run_alone_learns_as_among_many_and_sequentially_as_with_vmap(monkeypatch):
    monkeypatch.setattr(_gradients, "UNTRACED", 2)
    population = trained().population[:2]
    both = {"imitation": 1.0, "collapse": 0.5, "steps": 6}
    together = lessons(pruned()[:2], Teacher(population, EDIT), **both)
    sequential = lessons(pruned()[:2], Teacher(population, EDIT), execution="sequential", **both)
    alone = lessons(pruned()[1:2], Teacher(population[1:2], EDIT), **both)
    of_one = lessons(pruned()[1:2], Teacher(population[1], EDIT), **both)
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
    lessons(network, teacher, **options)
    assert len(calls) == 3


def test_teachers_of_any_kind_will_do(monkeypatch):
    """Running averages differ from run to run, and one of them is an integer."""
    monkeypatch.setattr(_gradients, "UNTRACED", 2)
    teachers = Population.make(Normed, [0, 1])
    student = Population.make(network, [0, 1])
    together, sequential = (
        lessons(student, Teacher(teachers, EDIT), steps=10, execution=how).history["imitation"]
        for how in ("vmap", "sequential")
    )
    torch.testing.assert_close(together, sequential)
    assert bool((together[-1] < 0.9 * together[0]).all())
