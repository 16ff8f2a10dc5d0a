import pytest
import torch
from refusals import refuses
from torch import nn

import latent_anchors as la
from latent_anchors.curriculum import read_dopesheet
from latent_anchors.data import LabeledBatch, Sampler
from latent_anchors.interventions import ZeroAblation, intervene
from latent_anchors.training import RetainLoss, reconstruction

X = torch.rand(8, 4, generator=torch.Generator().manual_seed(1))
RED = torch.tensor([1.0, 0.0, 0.25, 0.0, 1.0, 0.0, 0.0, 1.0])
RETAIN = RetainLoss(reconstruction, ZeroAblation([0]), at="0", label="red")


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 4))


def forward_of(net):
    def forward(inputs, edits=None, record=()):
        del record
        if not edits:
            return net(inputs), {}
        with intervene(net, edits):
            return net(inputs), {}

    return forward


def test_its_mean_is_that_of_the_samples_without_the_label_under_the_edit():
    net = model()
    found = RETAIN(forward_of(net), LabeledBatch(X, {"red": RED}))
    with intervene(net, ZeroAblation([0]), at="0"):
        errors = (net(X) - X).square().mean(-1)
    torch.testing.assert_close(found.mean(), ((1 - RED) * errors).sum() / (1 - RED).sum())
    assert (found[RED == 1] == 0).all()


def test_where_all_samples_have_the_label_it_pulls_nothing():
    net = model()
    RETAIN(forward_of(net), LabeledBatch(X, {"red": torch.ones(8)})).mean().backward()
    assert all(not weight.grad.any() for weight in net.parameters())


def test_fit_teaches_the_others_to_do_without_the_direction():
    lacking = torch.cat([X, X.flip(0)])
    sampler = Sampler(lacking, {"red": la.data.BernoulliLabels(torch.zeros(16))}, batch_size=8)
    sheet = "STEP,lr,recon,retain\n0,0.02,1,{weight}\n200,0.02,1,{weight}\n"
    errors = []
    for weight in (0, 1):
        net = la.fit(
            lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 4)),
            la.Objective([], losses=["recon", "retain"], other_tracks=["lr"]),
            read_dopesheet(sheet.format(weight=weight)).timeline(),
            sampler,
            losses={"recon": reconstruction, "retain": RETAIN},
            seeds=[0],
            progress=False,
        ).population[0]
        with torch.no_grad(), intervene(net, ZeroAblation([0]), at="0"):
            errors.append(float((net(X) - X).square().mean()))
    assert errors[1] < 0.7 * errors[0]


@pytest.mark.parametrize(
    ("labels", "error", "says"),
    [
        ({"blue": RED}, KeyError, "RetainLoss needs label 'red'; the batch has 'blue'"),
        ({"red": RED[:4]}, ValueError, r"The label 'red' of RetainLoss has shape \(4,\)"),
        ({"red": RED - 100}, ValueError, "The label 'red' of RetainLoss runs from -100 to -99"),
    ],
)
def test_a_batch_without_its_label_is_refused(labels, error, says):
    with refuses(error, says):
        RETAIN(forward_of(model()), LabeledBatch(X, labels))
