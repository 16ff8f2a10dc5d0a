import gc

import pytest
import torch
from refusals import refuses
from torch import nn
from training.tiny import COLORS, Dropped, Normed, network

import latent_anchors as la
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import Suppression, ZeroAblation, attach, intervene
from latent_anchors.models import Population
from latent_anchors.training import DistillationLoss, LatentMatchingLoss, Teacher

EDIT = ZeroAblation([0])
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
