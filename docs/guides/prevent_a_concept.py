"""Prevent a concept
=================

Fine-tuning data often teach more than they should: the answers you want, and with them a manner, a
bias, a trait. Instead of removing it afterwards, you can keep it from being learned, with an edit
that is in force *while* the model is fine-tuned and left out after. This page shows both ways: to
add the concept's direction meanwhile (preventative steering), and to take it out (ablation).
"""

# %%
# A network and data that teach too much
# --------------------------------------
# The first layer writes latents of four dimensions; the layers after it are fixed and read a trait
# from the first axis and the answer from the second. The data ask for an answer that depends on the
# input, and in every sample they show the trait, too.

import torch
from torch import nn

import latent_anchors as la
from latent_anchors import curriculum, data, evaluation, interventions, models, training, viz

torch.set_num_threads(1)
x = torch.randn(256, 6, generator=torch.Generator().manual_seed(0))
trait = la.Concept("trait", la.axis(0, dim=4), at="0")


def make_model() -> nn.Module:
    """A network that shows nothing of the trait yet."""
    model = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 2, bias=False))
    with torch.no_grad():
        model[0].weight.mul_(0.1)
        model[0].bias.zero_()
        model[1].weight.copy_(torch.eye(2, 4))
    model[1].requires_grad_(False)
    return model


def teach(forward: training.Forward, batch: data.LabeledBatch) -> torch.Tensor:
    """Error of the trait and of the answer, sample by sample."""
    output, _ = forward(batch.inputs)
    shown = torch.stack([torch.ones(len(output)), batch.inputs[:, 0].tanh()], dim=1)
    return (output - shown).square().mean(-1)


# %%
# Within ``fit``
# --------------
# ``UnderEdit`` takes a loss while an edit is in force. The strength of the edit follows a track of
# the timeline, here ``prevent``; with ``label="..."`` it would act only on samples that have a
# label. The three trainings differ in the edit alone.

SHEET = """
STEP, lr,   teach, prevent
0,    0.03, 1,     1
399,  0.03, 1,     1
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()
objective = la.Objective([], losses=["teach"], other_tracks=["lr", "prevent"])
steer = interventions.Steering(trait.direction)
ablate = interventions.Projection(trait.direction)
losses = {
    "plain": teach,
    "steered": training.UnderEdit(teach, steer, at="0", track="prevent"),
    "ablated": training.UnderEdit(teach, ablate, at="0", track="prevent"),
}
tuned = {
    name: la.fit(
        make_model,
        objective,
        timeline,
        data.Sampler(x, batch_size=32),
        losses={"teach": loss},
        seeds=range(6),
        progress=False,
    ).population
    for name, loss in losses.items()
}

# %%
# Afterwards the edit is left out. Plain fine-tuning has acquired the trait. Under steering the
# trait was there already, so that the weights had no reason to move; under ablation nothing could
# be learned through the direction. Both learned the answers as well as plain fine-tuning did.


def shown(model: nn.Module) -> torch.Tensor:
    """How much of the trait each run shows."""
    return model(x)[..., 0].mean(-1)


def error(model: nn.Module) -> torch.Tensor:
    """Error of each run's answers."""
    return (model(x)[..., 1] - x[:, 0].tanh()).square().mean(-1)


with torch.no_grad():
    found = {
        "trait shown": [shown(model).tolist() for model in tuned.values()],
        "error of the answers": [error(model).tolist() for model in tuned.values()],
    }
viz.plot_response("fine-tuning", [*tuned], found, title="What was learned besides")

# %%
# In your own loop
# ----------------
# Put the block around the training and write the strength at each step. Any part of the schedule
# may do so; on batches that do not show the trait, write 0.

torch.manual_seed(0)
model = make_model()
optimizer = torch.optim.Adam(model[0].parameters(), lr=0.03)
with la.intervene(model, steer, at="0"):
    for step in range(timeline.steps):
        steer.strength.fill_(timeline(step)["prevent"])
        wanted = torch.stack([torch.ones(len(x)), x[:, 0].tanh()], dim=1)
        loss = (model(x) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

with torch.no_grad():
    print(f"trait shown afterwards: {float(shown(model)):.3f}, error {float(error(model)):.4f}")

# %%
# How strong an edit has to be
# ----------------------------
# Of the plainly tuned networks the trait can be muted, or steered further up. One call measures
# what an edit does at several strengths: to the trait, to the answers, and how far it moves the
# latents, in units of their length. Here latents are turned away from the trait, which falls in
# proportion to the strength. The answers suffer, since each latent keeps its length, and what
# leaves the trait's axis goes to the others. What comes back is a
# :class:`~latent_anchors.evaluation.DoseResponse`, with a value for each run, to be saved or drawn.

response = evaluation.dose_response(
    tuned["plain"],
    trait.edit(how="repel", within=85),
    [0, 0.25, 0.5, 0.75, 1],
    at="0",
    inputs=x,
    measure=shown,
    collateral=error,
)
viz.plot_dose_response(response, effect="trait shown", collateral="error of the answers")

# %%
# The other question is how the damage grows with how much of the concept an input has.
# :func:`~latent_anchors.evaluation.response_by_degree` gives the share of right answers in bins of
# the degree (each a ``DegreeBin``), and ``is_monotone_decreasing`` says whether it falls.
# :doc:`/gallery/color_mixing` draws such a response.
#
# Amplification steers a concept up: it multiplies what is there of a concept. ``keep_norm`` leaves
# the length of each latent as it was, where later layers are sensitive to it; ``where`` restricts
# an edit to some positions of a sequence, such as ``where="decode"`` for generated tokens only.

louder = interventions.Amplification(trait.direction, factor=3.0)
one = models.Population.from_models([tuned["plain"][0]])
with torch.no_grad(), la.intervene(one, louder, at="0"):
    print(f"trait shown, amplified: {float(shown(one)):.2f}")
with torch.no_grad(), la.intervene(one, louder.keep_norm(), at="0"):
    print(f"the same with lengths kept: {float(shown(one)):.2f}")
