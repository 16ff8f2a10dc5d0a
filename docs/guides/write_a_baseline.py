"""Write a baseline
================

A baseline is another method to take a concept out of a network, to compare yours with. Behind one
contract it is run like all others: a network and a task in; a model, the way to take the concept
out, and the cost back. This page writes two of them, and measures both beside one that is there.
"""

# %%
# :doc:`/guides/compare_with_others` runs those that exist: directions found afterwards, networks
# trained to keep a concept apart, and removal by fine-tuning.
#
# The task
# --------
# A :class:`~latent_anchors.baselines.Task` is what every method is given alike. Here a small
# network gives colors back, and half of the reddish ones are labeled. A label of 0 means "not
# labeled".

from copy import deepcopy
from dataclasses import dataclass
from time import monotonic

import torch

from latent_anchors import (
    baselines,
    colorspace,
    data,
    evaluation,
    interventions,
    models,
    training,
    viz,
)

torch.set_num_threads(1)
grid = colorspace.rgb_grid(6)
redness = colorspace.hue_degree(grid, colorspace.hue_of("red"))
labels = {"red": data.BernoulliLabels(0.5 * (redness > 0.7).float())}
sampler = data.Sampler(grid, labels, batch_size=64)


def error(model, batch):
    """One number for each sample."""
    return (model(batch.inputs) - batch.inputs).square().mean(-1)


task = baselines.Task(
    loss=error,
    batches=lambda step: sampler.batch(seed=0, step=step),
    label="red",
    steps=100,
    rate=lambda step: 0.01 if step < 80 else 0.001,
)

torch.manual_seed(0)
network = models.SphericalAutoencoder(latent_dim=5)
optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
for step in range(250):
    optimizer.zero_grad()
    error(network, task.batches(step)).mean().backward()
    optimizer.step()
network.eval()

# %%
# A method that finds
# -------------------
# The contract is one attribute and one method. ``begins_with`` says whether the method is given a
# fresh network, which it trains, or a trained one. ``fit`` returns a
# :class:`~latent_anchors.baselines.Placed`: a copy of the model, an edit for each site, and the
# :class:`~latent_anchors.baselines.Cost`. The simplest idea: project out the mean of the labeled
# latents.


@dataclass(frozen=True)
class ErasedMean:
    """Project out the mean of the labeled latents at a site."""

    at: str
    begins_with = "trained"

    def fit(self, model, task):
        """Look at as many batches as the task has steps; train nothing."""
        began, model = monotonic(), deepcopy(model)
        found, passes = [], 0
        for step in range(task.steps):
            batch = task.batches(step)
            with torch.no_grad(), models.record(model, self.at) as z:
                task.loss(model, batch)  # it knows how to run the model
            found.append(z[self.at][batch.labels[task.label] > 0])
            passes += len(batch.inputs)
        labeled = torch.cat(found)
        if not len(labeled):
            raise ValueError(f"No sample has label {task.label!r}; expected some. Give more steps.")
        edit = interventions.Projection(labeled.mean(0))
        cost = baselines.Cost(monotonic() - began, steps=0, passes=passes)
        return baselines.Placed(model, {self.at: edit}, cost)


# %%
# The task's loss runs the model, so that a method needs to know neither its inputs nor its outputs.
# Any :class:`~latent_anchors.interventions.EditModule` will do as an edit, also
# :doc:`one that you wrote <write_an_edit>`.
#
# A method that trains
# --------------------
# What changes weights has no edits. It returns the model as it was, for comparison, and the ``cut``
# one. This method unlearns by the opposite of learning: the loss of labeled samples is to rise, up
# to a limit, while that of the others is to fall. Optimizer, rate, constraint and seed are the
# task's, so that no method has better ones; a rate or a constraint may be missing.


@dataclass(frozen=True)
class Ascent:
    """Raise the loss of labeled samples up to a limit, and lower that of the others."""

    limit: float
    begins_with = "trained"

    def fit(self, model, task):
        """Fine-tune a copy for the task's steps."""
        began, cut, passes = monotonic(), deepcopy(model).train(), 0
        optimizer = task.optimizer(cut.parameters())
        with torch.random.fork_rng():
            torch.manual_seed(task.seed)  # of dropout, if there is any
            for step in range(task.steps):
                batch = task.batches(step)
                passes += len(batch.inputs)
                if task.rate is not None:
                    training.apply_hyperparameters(optimizer, {"lr": task.rate(step)})
                optimizer.zero_grad()
                self._total(task.loss(cut, batch), batch.labels[task.label] > 0).backward()
                optimizer.step()
                if task.constraint is not None:
                    training.constrain(cut, task.constraint)
        cost = baselines.Cost(monotonic() - began, task.steps, passes)
        return baselines.Placed(deepcopy(model), {}, cost, cut.train(model.training))

    def _total(self, losses, labeled):
        """What labeled samples lack of the limit and the loss of the others, each as a mean."""
        lacks = (self.limit - losses[labeled]).clamp_min(0.0)
        others = losses[~labeled]
        return lacks.sum() / max(len(lacks), 1) + others.sum() / max(len(others), 1)


# %%
# The promises
# ------------
# A comparison relies on four things: the same seed gives the same result twice, the given model
# stays as it is, a task without labels is refused, and the cost is counted. Each is tried in a line
# or two:

unlabeled = data.Sampler(grid, {"red": data.BernoulliLabels(torch.zeros(len(grid)))}, batch_size=64)
nobody = baselines.Task(error, lambda step: unlabeled.batch(seed=0, step=step), "red", steps=5)


def broken(method, model, task):
    """The promises that a method breaks."""
    before = deepcopy(model.state_dict())
    first, second = (after(method.fit(model, task)) for _ in range(2))
    promises = {
        "it is a baseline": isinstance(method, baselines.Baseline),
        "the same seed, the same result": torch.equal(first, second),
        "the given model stays": all(
            torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items()
        ),
        "the cost is counted": method.fit(model, task).cost.passes > 0,
        "no labels are refused": refuses(method, model),
    }
    return [promise for promise, kept in promises.items() if not kept]


def after(placed):
    """What the model says without the concept."""
    with torch.no_grad(), placed.removed() as model:
        return model(grid)


def refuses(method, model):
    """Whether a task in which nobody is labeled is an error."""
    try:
        method.fit(model, nobody)
    except ValueError:
        return True
    return False


for method in (ErasedMean("latent"), Ascent(0.2)):
    print(method, "breaks:", broken(method, network, task))

# %%
# The second one trains for nothing where nobody is labeled, and a comparison would count it as a
# method that removes nothing. A look at the labels before the first step mends it:


@dataclass(frozen=True)
class CheckedAscent(Ascent):
    """The same, which refuses a task without labels."""

    def fit(self, model, task):
        """Look at all labels first."""
        batches = map(task.batches, range(task.steps))
        if not any((batch.labels[task.label] > 0).any() for batch in batches):
            raise ValueError(f"No sample has label {task.label!r}; expected some. Give more steps.")
        return super().fit(model, task)


assert not broken(CheckedAscent(0.2), network, task)

# %%
# Beside another one
# ------------------
# A single strength says little. Edits have one, and :meth:`Placed.at
# <latent_anchors.baselines.Placed.at>` weakens them; what trains is fitted again with other
# settings. :func:`~latent_anchors.evaluation.frontier` measures all of them by two functions of any
# model: how much of the concept is gone, and what that cost elsewhere. The network as it was is the
# first strength of each.


def wrong(model, chosen):
    """The mean error of some colors."""
    return (model(grid).clamp(0, 1) - grid).square().mean(-1)[chosen].mean()


strengths = (0.25, 0.5, 0.75, 1.0)
finders = {
    "mean difference": baselines.Finding("mean_difference", at="latent"),
    "erased mean": ErasedMean("latent"),
}
curves = {}
for name, method in finders.items():
    placed = method.fit(network, task)
    print(f"{name:15} {placed.cost.steps:4} steps, {placed.cost.passes:,} passes")
    curves[name] = [network, *(placed.at(strength).removed for strength in strengths)]

fitted = [CheckedAscent(limit).fit(network, task) for limit in (0.02, 0.05, 0.1, 0.2)]
print(f"{'ascent':15} {fitted[0].cost.steps:4} steps, {fitted[0].cost.passes:,} passes")
curves["ascent"] = [network, *(placed.removed for placed in fitted)]

frontier = evaluation.frontier(
    curves,
    forget=lambda model: wrong(model, redness > 0.9),
    retain=lambda model: wrong(model, redness < 0.3),
)
for name, removal in frontier.removal_at(0.01).items():
    print(f"{name:15} removes {removal.item():.3f} at a damage of 0.01")
figure = viz.plot_frontier(
    frontier, removal="error of reds", collateral="error of other colors", ours=["ascent"]
)

# %%
# Farther right at the same height is better. This is one seed and one task. Before you say that a
# method is better, give each the same number of trials for its settings. Then take several seeds
# (:meth:`Frontier.joined <latent_anchors.evaluation.Frontier.joined>`), and count the runs that
# fail. What looks removed may come back: :func:`latent_anchors.audits.relearning` asks how soon.
