"""Write an edit
=============

An edit changes latents while a block runs: latents in, latents of the same shape out. Any function
of that shape will do. This page says what the rest of the library relies on, and how to try it.
"""

# %%
# Look first whether it exists: :class:`~latent_anchors.interventions.Suppression` and
# :class:`~latent_anchors.interventions.Projection` shorten latents along a direction or within a
# subspace, :class:`~latent_anchors.interventions.Repulsion` and
# :class:`~latent_anchors.interventions.Redirection` turn them,
# :class:`~latent_anchors.interventions.Steering` and
# :class:`~latent_anchors.interventions.Amplification` move them up, and
# :class:`~latent_anchors.interventions.ZeroAblation` clears dimensions. ``keep_norm()`` gives each
# latent its length back.
#
# A network to edit
# -----------------
# It learns to give colors back. Red is placed along the first of five dimensions, in a loop of
# twenty lines; yours is trained already.

from collections import OrderedDict

import torch
from torch import nn

import latent_anchors as la
from latent_anchors import colorspace, interventions

torch.manual_seed(0)
torch.set_num_threads(1)
colors = colorspace.rgb_grid(6)
redness = colorspace.hue_degree(colors, colorspace.hue_of("red"))
red = la.Concept("red", la.axis(0, dim=5), at="encoder")

encoder = nn.Sequential(nn.Linear(3, 32), nn.GELU(), nn.Linear(32, 5))
decoder = nn.Sequential(nn.Linear(5, 32), nn.GELU(), nn.Linear(32, 3))
model = nn.Sequential(OrderedDict(encoder=encoder, decoder=decoder))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(300):
    with la.record(model, red.at) as z:
        loss = (model(colors) - colors).square().mean()
    loss = loss + 0.05 * red.penalty(z, (redness > 0.7).float(), others=1.0)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
model.eval().requires_grad_(False)


def errors():
    """Of reddish colors, and of the others."""
    wrong = (model(colors).clamp(0, 1) - colors).square().mean(-1)
    return f"red {wrong[redness > 0.7].mean():.4f}, others {wrong[redness < 0.3].mean():.4f}"


print("unedited:", errors())

# %%
# A falloff is often enough
# -------------------------
# Most edits ask a *falloff* how strongly to act: cosine with the direction in, a number from 0 to 1
# out, which does not fall as the cosine rises. 0 means "untouched". A function or a frozen
# dataclass will do; registered, it is saved with its edit. This one leaves each latent at most a
# share of its length along the direction.

from dataclasses import dataclass


@la.register("guide.AtMost")
@dataclass(frozen=True)
class AtMost:
    """The fraction to take away, so that no more than a share of the length is left."""

    share: float

    def __call__(self, alignment):
        """0 up to the share, then rising."""
        above = alignment > self.share
        return torch.where(above, 1 - self.share / torch.where(above, alignment, 1.0), 0.0)


# %%
# The inner ``where`` keeps a division by 0 out of the branch that is not taken: its gradient would
# be NaN there, too. The promises of a falloff are tried in a few lines:

cosines = torch.linspace(-1, 1, 201, requires_grad=True)
fractions = AtMost(0.3)(cosines)
assert fractions.min() >= 0
assert fractions.max() <= 1
assert (fractions.diff() >= 0).all()
assert torch.autograd.grad(fractions.sum(), cosines)[0].isfinite().all()

with la.intervene(model, interventions.Suppression(red.direction, AtMost(0.3)), at=red.at):
    print("at most 0.3 of the length:", errors())

# %%
# An edit
# -------
# A falloff knows the angle of a latent, not its length. To *cap* how far latents reach along a
# direction takes an edit. As it comes to mind:

CEILING = 0.3


def hasty_cap(z):
    """Nothing reaches farther along red than the ceiling."""
    z -= (z @ red.direction - CEILING).clamp_min(0.0).unsqueeze(-1) * red.direction
    return z


try:
    with la.intervene(model, hasty_cap, at=red.at):
        model(colors)
except RuntimeError as error:
    print(error)

# %%
# The block saw that, as it sees another shape or type, and a layer that never ran. With ``z = z -
# ...`` the function works, at full strength. :class:`~latent_anchors.interventions.EditModule`
# gives it a strength: define ``_edited(z, strength)``, and ``at(0.5)``, ``then(other)`` and
# ``keep_norm()`` are there.


class HastyCap(interventions.EditModule):
    """The latents, with their part along the direction taken out, capped and put back."""

    def __init__(self, direction, ceiling, strength=1.0):
        super().__init__(strength)
        self.direction, self.ceiling = direction, ceiling

    def _edited(self, z, strength):
        along = (z @ self.direction).unsqueeze(-1)
        capped = z - along * self.direction + along.clamp_max(self.ceiling) * self.direction
        return z + strength * (capped - z)


# %%
# The promises
# ------------
# What no block can see, you can try in a few lines. ``far`` are latents that the edit is to leave
# alone, bit for bit: a rounding error there would make every comparison a little wrong.


def broken(edit, near, far):
    """The promises that an edit breaks: ``near`` are latents that it is to change."""
    z = torch.cat([near, far, torch.zeros(1, near.shape[-1])])
    leaf = z.clone().requires_grad_()
    promises = {
        "its strength is one number": lambda: edit.strength.shape == (),
        "strength 0 changes nothing": lambda: torch.equal(edit.at(0.0)(z), z),
        "what is far stays, bit for bit": lambda: torch.equal(edit(far), far),
        "what is near changes": lambda: not torch.allclose(edit(near), near),
        "samples are edited one by one": lambda: torch.allclose(
            edit(z), torch.stack([edit(row) for row in z]), atol=1e-6
        ),
        "many runs may share it": lambda: torch.allclose(torch.vmap(edit)(z), edit(z), atol=1e-6),
        "half precision is computed in single": lambda: torch.equal(
            edit(z.bfloat16()), edit(z.bfloat16().float()).bfloat16()
        ),
        "gradients are finite": lambda: (
            torch.autograd.grad(edit(leaf).square().sum(), leaf)[0].isfinite().all()
        ),
        "tensors are buffers, which move and are saved": lambda: (
            not any(isinstance(value, torch.Tensor) for value in vars(edit).values())
        ),
    }
    return [promise for promise, kept in promises.items() if not holds(kept)]


def holds(kept):
    """An error breaks a promise, too."""
    try:
        return kept()
    except (RuntimeError, TypeError):
        return False


# %%
# Try it with a direction off every axis and not of length 1: along an axis rounding errors hide.

direction = torch.tensor([1.0, 2.0, -2.0, 0.0, 0.0])  # of length 3
samples = torch.randn(64, 5)
reach = samples @ direction / 3
near, far = samples[reach > CEILING + 0.1], samples[reach < CEILING]
print(*broken(HastyCap(direction, CEILING), near, far), sep="\n")

# %%
# Mended: where there is nothing to take away, 0 is subtracted, and no digit changes. The direction
# is a buffer, so that it moves with the model. ``(z * v).sum(-1)`` stays in single precision under
# autocast, where ``z @ v`` would not.


@la.register("guide.Cap")
class Cap(interventions.EditModule):
    """No latent reaches farther than the ceiling along the direction."""

    def __init__(self, direction, ceiling, strength=1.0):
        super().__init__(strength)
        self.register_buffer("direction", nn.functional.normalize(direction, dim=0))
        self.ceiling = ceiling

    def _edited(self, z, strength):
        full = z.float() if z.dtype in (torch.float16, torch.bfloat16) else z
        v = self.direction.to(full)
        excess = ((full * v).sum(-1) - self.ceiling).clamp_min(0.0)
        return (full - (strength * excess).unsqueeze(-1) * v).to(z.dtype)


assert not broken(Cap(direction, CEILING), near, far)
cap = Cap(red.direction, CEILING)

# %%
# In force
# --------
# A concept holds the site and the direction. ``where`` restricts any edit to some samples, or to
# some positions of a line; yours need not know of it. The strength may be written into while the
# edit is in force.

with la.intervene(model, cap, at=red.at):
    print("capped:", errors())
with la.intervene(model, cap, at=red.at, where=redness > 0.95):
    print("capped, the reddest only:", errors())
with red.muted(model):
    print("muted:", errors())

strengths = torch.linspace(0, 1, 11)
lengths = []
for strength in strengths:
    with la.intervene(model, cap.at(float(strength)), at=red.at), la.record(model, red.at) as z:
        model(colors)
    lengths.append((z[red.at] @ red.direction)[redness > 0.99].mean())

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.plot(strengths, lengths, color="#d55e00")
axes.axhline(CEILING, color="gray", linewidth=1)
axes.text(0.02, CEILING, "ceiling", va="bottom", color="gray")
axes.set(xlabel="strength", ylabel="along red", ylim=(0, None))
axes.spines[["top", "right"]].set_visible(False)
figure.suptitle("Half the strength takes away half of what is above the ceiling")

# %%
# Joined and kept
# ---------------
# ``then`` makes one edit of two, and the strength of both is scaled together. A registered edit is
# saved without pickle, if it keeps the arguments of its constructor as attributes.

from tempfile import TemporaryDirectory

both = cap.then(interventions.ZeroAblation([4])).at(0.5)
print(both)
with TemporaryDirectory() as folder:
    la.save(both, folder)
    again = la.load(folder)
assert torch.equal(again(near), both(near))

# %%
# Wherever the library takes an edit it takes yours:
# :class:`~latent_anchors.training.EditedOutputLoss` to train what is said under it,
# :func:`~latent_anchors.evaluation.dose_response` and
# :func:`~latent_anchors.evaluation.frontier` to measure it at every strength, and
# :doc:`a rival method <write_a_baseline>` to give it back.
