"""Write an adapter
================

Your framework owns the loop: it draws batches, steps the optimizer, and calls what you override. An
adapter puts an objective and a timeline into that loop. This page writes one in thirty lines, for a
framework that is made up here, and shows how to know that it is right.
"""

# %%
# There are three already: for Hugging Face's Trainer and for accelerate
# (:doc:`/guides/with_transformers`), and for Lightning (:doc:`/guides/with_lightning`). In a loop
# that you can change you need none: see :doc:`quickstart`.
#
# The framework
# -------------
# Like most, it has a step that users override, hooks around the steps of the optimizer, and
# gradients that are accumulated over several *micro-batches*, of which it takes the mean.

from copy import copy
from itertools import cycle, islice

import torch
from torch import nn

import latent_anchors as la
from latent_anchors import curriculum, training

torch.set_num_threads(1)


class Trainer:
    """Somebody else's loop."""

    def __init__(self, model, loader, micro_batches=1):
        self.model, self.loader, self.micro_batches = model, loader, micro_batches
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def training_step(self, batch):
        """The loss of a batch, one number."""
        return (self.model(batch["color"]) - batch["color"]).square().mean()

    def before_step(self, batches):
        """For those who extend it."""

    def after_step(self):
        """For those who extend it."""

    def train(self, steps):
        """Step the optimizer."""
        batches = cycle(self.loader)
        for self.step in range(steps):
            taken = [*islice(batches, self.micro_batches)]
            self.before_step(taken)
            for batch in taken:
                (self.training_step(batch) / self.micro_batches).backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.after_step()


# %%
# Its users have data and a model. Few samples are labeled, and some micro-batches have none:


def network():
    """The same one each time."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(3, 32), nn.GELU(), nn.Linear(32, 4))
    return nn.Sequential(encoder, nn.Sequential(nn.GELU(), nn.Linear(4, 3)))


torch.manual_seed(1)
colors = torch.rand(512, 3)
is_red = (colors[:, 0] > 0.5 + colors[:, 1:].amax(-1) / 2).float()
noted = is_red * (torch.rand(512) < 0.5)


def loader(size):
    """All samples, in batches of a size."""
    parts = zip(colors.split(size), noted.split(size))
    return [{"color": color, "red": label} for color, label in parts]


# %%
# What they want to train is an objective: terms, and the name of the framework's own loss. The
# timeline has a track for each, and one for the learning rate.

red = la.Concept("red", la.axis(0, dim=4), at="0")
objective = la.Objective([red.term(), red.keep_out()], losses=["task"], other_tracks=["lr"])
timeline = curriculum.read_dopesheet("""
STEP, lr,  task, red, keep_out_red
0,    0.1, 1,    0,   0
40,   0.5, ,     0.5, 0.3
300,  0.1, ,     0.1, 0.1
""").timeline()

# %%
# As it comes to mind
# -------------------
# Four things are to be done. The *row* of weights is that of the step of the **optimizer**, and so
# is the rate: :func:`~latent_anchors.training.apply_hyperparameters` writes it. Latents are
# recorded while the framework's own step runs, at ``objective.sites``. Labels are taken out of the
# batch. And the loss becomes the objective's total.


class HastyAdapter(Trainer):
    """An objective and a timeline in the framework's loop."""

    def __init__(self, *given, objective, timeline, **named):
        super().__init__(*given, **named)
        objective.check_tracks(timeline.names)  # a name without a weight is refused at once
        self.objective, self.timeline = objective, timeline

    def before_step(self, batches):
        """The weights and settings of the step."""
        super().before_step(batches)
        self.row = self.timeline(self.step)
        training.apply_hyperparameters(self.optimizer, self.row, self.objective.other_tracks)

    def training_step(self, batch):
        """The framework's own, which becomes one loss among the objective's."""
        with la.record(self.model, self.objective.sites) as latents:
            task = super().training_step(batch)
        self.parts = self.objective(latents, batch, self.row, masks=batch, task=task)
        return self.parts.total


# %%
# ``labels`` and ``masks`` are mappings of which terms take what they name, so that the whole batch
# may be given.
#
# What goes wrong
# ---------------
# Parts are to make the whole: 64 samples at once, or in four micro-batches, are the same step. If
# weights differ by more than rounding after some steps, they are not.


def difference(adapter):
    """The greatest difference between weights that learned from batches and from their parts."""
    trained = []
    for micro_batches in (1, 4):
        trainer = adapter(
            network(),
            loader(64 // micro_batches),
            micro_batches,
            objective=objective,
            timeline=timeline,
        )
        trainer.train(100)
        trained.append(nn.utils.parameters_to_vector(trainer.model.parameters()))
    return (trained[0] - trained[1]).abs().max().item()


print(f"hasty: {difference(HastyAdapter):.1e}")

# %%
# A term is a mean over the labeled samples of what it is given. In a micro-batch with one label,
# that one has as much say as ten elsewhere; without any the term is 0, and the mean of the
# micro-batches is too small.
#
# Mended
# ------
# What each part is divided by can be known before the model runs:
# :meth:`Term.divisor <latent_anchors.regularizers.Term.divisor>` reads it off labels and masks. So
# the adapter looks at all micro-batches of the step first. An objective's ``reduce_mass`` then
# replaces the divisors of the micro-batch by those of the whole, as the framework takes the mean:
# by the mean of theirs.


class Adapter(HastyAdapter):
    """The same, in which micro-batches and processes make a whole batch."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.objective = copy(self.objective)  # the one that was given stays as it is
        self.objective.reduce_mass = self.shares

    def before_step(self, batches):
        """Count who is labeled, in all micro-batches of all processes."""
        super().before_step(batches)
        own = torch.stack([self.measures(batch) for batch in batches]).mean(0)
        self.mean = training.mean_over_processes(own)

    def training_step(self, batch):
        """Remember what this one is divided by."""
        self.now = self.measures(batch)
        return super().training_step(batch)

    def measures(self, batch):
        """What each term and loss is divided by: labels, or samples where it has none."""
        samples = torch.tensor(float(len(batch["color"])))
        divisors = [term.divisor(batch, batch) for term in self.objective.terms]
        divisors += [None for _ in self.objective.losses]
        return torch.stack([samples if each is None else each for each in divisors])

    def shares(self, divisors):
        """Those of the micro-batch, in proportion; where nobody counts the sum is 0 anyway."""
        return torch.where(self.now > 0, divisors * self.mean / self.now, 1.0)


print(f"mended: {difference(Adapter):.1e}")

# %%
# A mean over something else than samples, such as a model's own loss over tokens, is counted by
# that: put the number of tokens where ``measures`` has ``None``. Where several processes share a
# batch, :func:`~latent_anchors.training.mean_over_processes` averages over them, as do their
# gradients; in a single process it does nothing.
#
# Did it land?
# ------------
# Log ``parts.means()``: the total, each part, and its share in the total.


class Logged(Adapter):
    """The same, and what a framework's logger would be given."""

    def after_step(self):
        """Every hundred steps."""
        if self.step % 100 == 99:
            means = self.parts.means()
            print(self.step + 1, {name: round(float(means[name]), 3) for name in ("task", "red")})


trainer = Logged(network(), loader(64), objective=objective, timeline=timeline)
trainer.train(300)
print(red.score(trainer.model, colors, is_red > 0))

# %%
# What else frameworks do
# -----------------------
# - **They drop columns** that the model does not take, and pad others. Keep those of
#   ``term.label`` and ``term.mask``. A padding of -100 is no label, unless a term says
#   ``ignore_index=-100``.
# - **They evaluate** with the same step. Leave it alone there, so that the logged loss is the
#   model's own.
# - **They wrap the model.** Record in the model that runs: sites are found through
#   ``DistributedDataParallel`` and PEFT; copies in ``nn.DataParallel`` are refused.
# - **They compile it.** Hooks that come later would not run, so record around the whole training;
#   :doc:`/guides/in_a_compiled_model` has a loop.
# - **They own the schedule.** :class:`~latent_anchors.training.TimelineLR` is a torch scheduler
#   that follows the timeline. Let one of the two set the rate.
# - **They count steps.** The timeline goes by those of the optimizer, whatever is counted else.
# - **They stop and go on.** A timeline is a function of the step and needs no saving. A
#   :class:`~latent_anchors.curriculum.Playhead` does: call ``observe(step, means)`` after each
#   step, ask it for the ``row(step)``, and keep its ``state_dict()`` in the checkpoint. Try that a
#   training which went on has the weights of one that was never stopped.
