"""A linear problem with a known answer: the concept is the first number, in every third sample."""

from functools import cache

import torch
from torch import nn
from torch.nn.functional import mse_loss

from latent_anchors import baselines
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import Erasure
from latent_anchors.models import PrenormTransformer

DIM, N = 6, 96
LABEL = (torch.arange(N) % 3 == 0).float()


def _inputs() -> torch.Tensor:
    x = torch.randn(N, DIM, generator=torch.Generator().manual_seed(3))
    x[:, 0] = LABEL * (1.5 + 0.3 * x[:, 0])
    return x


X = _inputs()
BATCH = LabeledBatch(X, {"first": LABEL})


class Counted(nn.Sequential):
    """Two linear layers that count the samples which pass through; copies count on."""

    passed = 0

    def forward(self, x):
        Counted.passed += len(x)
        return super().forward(x)


def network(seed=0):
    torch.manual_seed(seed)
    return Counted(nn.Linear(DIM, 10), nn.Linear(10, DIM))


def error(model, batch):
    """How far each sample is from being given back."""
    return (model(batch.inputs) - batch.inputs).square().mean(-1)


def silence(model, batch):
    """How far the first number is from the answer 0, and the others from being given back."""
    wanted = batch.inputs * (torch.arange(DIM) > 0)
    return (model(batch.inputs) - wanted).square().mean(-1)


def task(steps=300, **given):
    given = {"loss": error, "batches": lambda _: BATCH, "label": "first", **given}
    return baselines.Task(steps=steps, rate=given.pop("rate", lambda _: 0.02), **given)


@cache
def _trained():
    model, optimizer = network(), None
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(400):
        optimizer.zero_grad()
        error(model, BATCH).mean().backward()
        optimizer.step()
    return model


def start(member):
    """What a member begins with; not to be written to."""
    return _trained() if member.begins_with == "trained" else network()


def errors(model):
    """Of the concept in the samples that have it, and of everything else."""
    with torch.no_grad():
        wrong = (model(X) - X).square()
    return float(wrong[LABEL == 1, 0].mean()), float(wrong[:, 1:].mean())


def edit():
    """What takes the concept out of the trained network: the first input is lost behind it."""
    column = _trained()[0].weight[:, :1].detach()
    reading = torch.linalg.pinv(_trained()[0].weight.detach())[:1]
    return Erasure(column, reading, _trained()[0].bias.detach())


def members():
    reserved = baselines.reserved_units(network(), [0, 1, 2], outputs=["0"], inputs=["1"])
    known = baselines.KnownEdits({"0": edit()})
    return {
        "mean_difference": baselines.Finding("mean_difference", at="0"),
        "logistic_probe": baselines.Finding("logistic_probe", at="0"),
        "leace": baselines.Finding("leace", at="0"),
        "gradient_routing": baselines.GradientRouting(at="0", dims=[0, 1, 2], heal=50),
        "selective_masking": baselines.SelectiveMasking(reserved),
        "fine_tuning": baselines.FineTuning(silence),
        "known_edits": known,
        "undo": baselines.Undo(known, mse_loss),
        "undo_of_fine_tuning": baselines.Undo(baselines.FineTuning(silence), mse_loss, alpha=0.3),
    }


TOKENS = 9
LINES = torch.randint(1, TOKENS, (24, 5), generator=torch.Generator().manual_seed(4))
REAL = torch.arange(5) < 3 + torch.arange(24)[:, None] % 3


def language_model():
    torch.manual_seed(0)
    return PrenormTransformer(TOKENS, 16, 2, 2, 32)


def surprise(model, batch):
    """Nats of each line's next tokens."""
    logits = model(batch.inputs)[:, :-1]
    return (
        nn.functional.cross_entropy(
            logits.flatten(0, 1), batch.inputs[:, 1:].flatten(), reduction="none"
        )
        .reshape(len(logits), -1)
        .mean(-1)
    )
