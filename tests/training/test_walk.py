"""How many files of the library a training step enters, and how often it moves between them."""

import sys
from itertools import pairwise

import pytest
import torch
from refusals import SOURCE
from torch import nn
from torch.utils._pytree import SUPPORTED_NODES

import latent_anchors as la
from latent_anchors import curriculum, data
from latent_anchors import regularizers as reg
from latent_anchors.models import Population
from latent_anchors.training import Every, fit, reconstruction
from latent_anchors.training._fit.batch_blocks import step_batches
from latent_anchors.training._fit.step import OfAllRuns
from latent_anchors.training._python_state.watched import Watched

SHEET = "STEP,lr,anchor,separate,recon\n0,0.01,1,1,1\n99,0.001,0.5,1,1\n"
TIMELINE = curriculum.read_dopesheet(SHEET).timeline()
INPUTS = torch.rand(64, 3, generator=torch.Generator().manual_seed(0))
LABELS = {"red": data.BernoulliLabels(INPUTS[:, 0])}
SAMPLER = data.Sampler(INPUTS, LABELS, batch_size=16)
TERMS = [
    la.Term("anchor", reg.Anchor([1.0, 0.0, 0.0, 0.0]), label="red", at="0"),
    la.Term("separate", reg.Separation(), at="0"),
]
OBJECTIVE = la.Objective(TERMS, losses=["recon"], other_tracks=["lr"])


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 3))


class Walk:
    """The files of the library in the order in which their functions are called."""

    def __init__(self):
        self.files = []

    def on(self):
        sys.setprofile(self._note)

    def off(self):
        sys.setprofile(None)

    def _note(self, frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(str(SOURCE)):
            self.files.append(frame.f_code.co_filename)

    @property
    def moves(self):
        return sum(one != other for one, other in pairwise(self.files))


def trained(execution, steps, **options):
    losses = {"recon": reconstruction}
    options = {"seeds": (0, 1), "execution": execution, "progress": False, **options}
    fit(network, OBJECTIVE, TIMELINE, SAMPLER, losses=losses, steps=steps, **options)


def one_step_of_fit(execution):
    """From one optimizer step to the next, in the middle of a training."""
    walk, taken, runs = Walk(), [], 1 if execution == "vmap" else 2

    class Noting(torch.optim.Adam):
        def step(self, closure=None):
            super().step(closure)
            taken.append(None)
            if len(taken) == 40:
                walk.on()
            elif len(taken) == 40 + runs:
                walk.off()

    trained(execution, 60, optimizer=Noting)
    return walk


def one_boundary_of_fit(execution):
    """From one callback to the next, where each step is a block of its own, untraced."""
    walk = Walk()

    def note(progress):
        {3: walk.on, 4: walk.off}.get(progress.step, bool)()

    trained(execution, 5, callbacks=[Every(1, note)])
    return walk


def one_step_of_a_loop():
    walk, model = Walk(), network()
    for step in (0, 1):
        if step:
            walk.on()
        batch, row = SAMPLER.batch(0, step), TIMELINE(step)
        with la.record(model, "0") as z:
            output = model(batch.inputs)
        recon = (output - batch.inputs).square().mean(-1)
        OBJECTIVE(z, batch.labels, row, recon=recon).total.backward()
    walk.off()
    return walk


@pytest.mark.parametrize(
    ("walk", "files", "moves"),
    [
        (lambda: one_step_of_fit("vmap"), 7, 8),
        (lambda: one_step_of_fit("sequential"), 27, 240),
        (lambda: one_boundary_of_fit("vmap"), 39, 170),
        (lambda: one_boundary_of_fit("sequential"), 41, 310),
        (one_step_of_a_loop, 27, 180),
    ],
    ids=["vmap", "sequential", "vmap, with a boundary", "sequential, with a boundary", "loop"],
)
def test_a_step_enters_few_files(walk, files, moves):
    taken = walk()
    assert 0 < len(set(taken.files)) <= files
    assert taken.moves <= moves


def test_between_sampler_and_loss_a_label_changes_its_container_three_times(monkeypatch):
    made, node = [], SUPPORTED_NODES[data.LabeledBatch]

    def unflattened(children, context):
        # torch also makes trees of numbers, in which no label travels
        made.append(isinstance(children[0], torch.Tensor))
        return node.unflatten_fn(children, context)

    def loss(forward, batch):
        seen.append(sum(made))
        return reconstruction(forward, batch)

    drawn, seen = [SAMPLER.block(seed, 0) for seed in (0, 1)], []
    population = Population.make(network, (0, 1))
    watched = Watched(population.stacked, OBJECTIVE, {"recon": loss})
    noting = node._replace(unflatten_fn=unflattened)
    monkeypatch.setitem(SUPPORTED_NODES, data.LabeledBatch, noting)
    monkeypatch.setattr(data.LabeledBatch, "__post_init__", lambda _: made.append(True))
    batches = step_batches(drawn, {}, slice(1), torch.device("cpu"), stacked=True)
    OfAllRuns(watched, TIMELINE.names)(population.tensors(), {}, batches[0], torch.ones(4, 2))
    assert seen == [3]
