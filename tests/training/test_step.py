import pytest
import torch
from refusals import refuses
from torch import nn
from training.tiny import (
    ANCHOR,
    SAMPLER,
    Dropped,
    Normed,
    network,
    same,
    timeline,
    train,
)

from latent_anchors import Objective, Term
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training import reconstruction
from latent_anchors.training._fit.step import OfAllRuns, of_one_run
from latent_anchors.training._fit.trace import Outside
from latent_anchors.training._python_state.watched import Watched

OBJECTIVE = Objective([ANCHOR], losses=["recon"])
WEIGHTS = torch.tensor([0.5, 1.0]).double()


def watched(model):
    return Watched(model, OBJECTIVE, {"recon": reconstruction})


def step_of(make, model, tensors, batch, row):
    names = {name for name, _ in model.named_buffers()}
    parameters = {name: tensor for name, tensor in tensors.items() if name not in names}
    buffers = {name: tensors[name].clone() for name in names}
    gradients = make(watched(model), ["anchor", "recon"])
    return gradients(parameters, buffers, batch, row)


def batches():
    """A batch in which somebody has a label, for each of two runs."""
    blocks = [SAMPLER.block(seed, 0) for seed in (0, 1)]
    return [block.map(lambda tensor: tensor[:6].flatten(0, 1)) for block in blocks]


def stacked(parts):
    inputs, red = [part.inputs for part in parts], [part.labels["red"] for part in parts]
    return LabeledBatch(torch.stack(inputs), {"red": torch.stack(red)})


@pytest.mark.parametrize("make_model", [network, Normed])
class TestOneStep:
    def test_of_many_runs_is_the_step_of_each(self, make_model):
        population = Population.make(make_model, seeds=[0, 1])
        parts = batches()
        rows = torch.stack([WEIGHTS, 2 * WEIGHTS], dim=1)
        together = step_of(
            OfAllRuns, population.stacked, population.tensors(), stacked(parts), rows
        )
        for run in (0, 1):
            model = population[run]
            tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
            alone = step_of(of_one_run, model, tensors, parts[run], rows[:, run])
            torch.testing.assert_close(together.means[:, run], alone.means)
            torch.testing.assert_close(together.masses[:, run], alone.masses)
            for name, gradient in alone.gradients.items():
                torch.testing.assert_close(together.gradients[name][run], gradient)

    def test_of_one_run_is_what_backward_gives(self, make_model):
        model, batch = make_model(), batches()[0]
        tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        step = step_of(of_one_run, model, tensors, batch, WEIGHTS)
        z = model.latent(model.encoder(batch.inputs) if make_model is network else batch.inputs)
        label = batch.labels["red"]
        away = 1 - z[:, 0] / z.norm(dim=-1)
        anchor = (label * away).sum() / label.sum()
        recon = (model.decoder(z) - batch.inputs).square().mean()
        (0.5 * anchor + recon).backward()
        torch.testing.assert_close(step.means, torch.stack([anchor, recon]).detach())
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(step.gradients[name], parameter.grad)


@pytest.mark.parametrize("make_model", [network, Normed])
def test_the_traced_step_is_the_plain_one_bit_for_bit(make_model, monkeypatch):
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    traced = train(make_model)
    monkeypatch.setattr(
        "latent_anchors.training._fit.step.traced_step",
        lambda pure, *_: (pure, Outside([], numbers=False)),
    )
    plain = train(make_model)
    assert same(traced.population, plain.population)
    assert torch.equal(traced.history["anchor"], plain.history["anchor"])


def test_tracing_does_not_count_in_running_averages(monkeypatch):
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    tensors = train(Normed, steps=4).population.tensors()
    assert tensors["latent.1.num_batches_tracked"].tolist() == [4, 4, 4]


def test_a_batch_of_another_shape_is_traced_anew(monkeypatch):
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    gradients = OfAllRuns(watched(network()), ["anchor", "recon"])
    tensors = Population.make(network, seeds=[0, 1]).tensors()
    rows = WEIGHTS[:, None].expand(2, 2)
    whole = stacked(batches())
    for n in (48, 48, 7, 7, 48):
        step = gradients(tensors, {}, whole.map(lambda tensor, n=n: tensor[:, :n]), rows)
        assert step.masses[1].tolist() == [n, n]


def test_the_layer_that_stands_in_the_way_is_named_with_the_way_out():
    with refuses(RuntimeError, r"because of layer 'latent.1' \(Dropout\).*execution='sequential'"):
        train(Dropped)


def test_a_model_whose_own_forward_stands_in_the_way_is_named():
    class Choosy(nn.Module):
        def __init__(self):
            super().__init__()
            self.latent = nn.Linear(3, 3)
            self.double()

        def forward(self, x):
            z = self.latent(x)
            return z if float(z.sum()) > 0 else -z

    with refuses(RuntimeError, r"because of layer '' \(Choosy\).*execution='sequential'"):
        train(Choosy, terms=[], time=_without_anchor())


def _without_anchor():
    time = timeline()
    return type(time)({name: time[name] for name in ("lr", "recon")}, steps=20)


def test_a_term_that_stands_in_the_way_is_named_with_the_way_out():
    def choosy(z):
        return z.square().sum(-1) * (1 if float(z.sum()) > 0 else 2)

    term = Term("anchor", choosy)
    with refuses(RuntimeError, "a term or loss: .*term 'anchor'.*execution='sequential'"):
        train(terms=[term])
    assert train(terms=[term], execution="sequential", steps=2).failures == ()
