"""Write a penalty
===============

A penalty says where latents should lie: latents in, one number per sample out, 0 where all is
well. Any function of that shape will do, and a checker tells whether yours keeps the promises that
the rest of the library relies on.
"""

# %%
# Look first whether it exists: towards a direction or a point (``anchor``, ``euclidean_anchor``),
# away from a direction (``anti_anchor``, as a module ``AntiAnchor``), within or out of a plane
# (``subspace``, ``anti_subspace``), apart from each other (``separation``,
# ``euclidean_separation``), at length 1 (``unit_norm``). For several concepts at once,
# :func:`~latent_anchors.regularizers.orthonormal_directions` gives a direction each.
#
# A function
# ----------
# An anchor pulls a concept onto one line, so that its own differences have no room. A *sector* is
# kinder: within some angle of a direction a latent may lie anywhere; outside, it costs what it
# lacks in cosine. Written as it comes to mind:

import math

import torch

from latent_anchors import regularizers as reg

UP = torch.tensor([1.0, 0.0, 0.0])
EDGE = math.cos(math.radians(40))


def hasty_sector(z):
    """How much less than the edge of the sector a latent is aligned with its axis."""
    alignment = (z @ UP) / z.norm(dim=-1)
    return EDGE - alignment


# %%
# The promises
# ------------
# :func:`~latent_anchors.regularizers.check` tries them all, and says what is broken and what to do.

try:
    reg.check(hasty_sector, dim=3)
except ValueError as error:
    print(error)

# %%
# Most of these would have shown as a training that goes wrong without a word: a reward below 0, a
# gradient that is not a number once a latent hits the origin, digits lost under mixed precision.
# Mended:


def sector(z):
    """How much less than the edge of the sector a latent is aligned with its axis."""
    if z.dtype in (torch.float16, torch.bfloat16):
        z = z.float()
    alignment = torch.cosine_similarity(z, UP.to(z), dim=-1)
    return (EDGE - alignment).clamp_min(0.0)


reg.check(sector, dim=3)
print("every promise is kept")

# %%
# Beside the anchor: flat inside of 40 degrees, the same slope in cosine outside.

import matplotlib.pyplot as plt

angles = torch.linspace(0, 180, 181)
z = torch.stack([angles.deg2rad().cos(), angles.deg2rad().sin(), 0 * angles], dim=-1)
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.plot(angles, reg.anchor(z, UP), color="#0072b2")
axes.plot(angles, sector(z), color="#d55e00")
axes.text(70, 0.85, "anchor", color="#0072b2", ha="right")
axes.text(85, 0.5, "sector", color="#d55e00")
axes.set(xlabel="degrees from the direction", ylabel="penalty", xticks=range(0, 181, 40))
axes.spines[["top", "right"]].set_visible(False)
figure.suptitle("A sector leaves room, an anchor does not")

# %%
# In an objective
# ---------------
# A term says where the penalty acts and on whom. It does not care what the penalty is. A function
# that holds a tensor, as ours holds ``UP``, had better be a module, so that the tensor moves to the
# accelerator with the model.

import latent_anchors as la


class Sector(torch.nn.Module):
    """The function above, carrying its direction."""

    def __init__(self, direction, degrees):
        super().__init__()
        self.register_buffer("direction", torch.as_tensor(direction))
        self.edge = math.cos(math.radians(degrees))

    def forward(self, z):
        """How much alignment is missing."""
        if z.dtype in (torch.float16, torch.bfloat16):
            z = z.float()
        alignment = torch.cosine_similarity(z, self.direction.to(z), dim=-1)
        return (self.edge - alignment).clamp_min(0.0)


reg.check(Sector([1.0, 0.0, 0.0], degrees=40), dim=3)
term = la.Term("sector", Sector([1.0, 0.0, 0.0], degrees=40), label="red")
objective = la.Objective([term], tracks=["sector"])
latents = {"latent": torch.tensor([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0]])}
parts = objective(latents, {"red": torch.tensor([1.0, 1.0])}, {"sector": 0.5})
print(parts.total)

# %%
# What a term makes of a batch is a ``Reduction``: a sum, and what it is divided by. Many terms at
# the same sites are reduced together by :func:`~latent_anchors.regularizers.reduce_terms`: eight or
# more anchors, anti-anchors or anti-subspaces that differ in their direction take one product of
# matrices. A penalty of your own is computed by itself.

# %%
# Comparing samples with each other
# ---------------------------------
# A *set penalty* sees a set, ``(..., n, dim)``, and says one number for each of its members. It
# promises more: a member alone costs nothing, shuffling shuffles, and twice as many members do
# not cost twice as much, so that a batch size can change without the weights. It takes a ``mask``,
# which says who counts: padding is nobody's neighbor, whatever it holds.


def crowding(z, mask=None):
    """How much nearer than about 25 degrees the others are, on average."""
    mask = torch.ones(z.shape[:-1], dtype=torch.bool) if mask is None else mask
    z = z.masked_fill(~mask.unsqueeze(-1), 1.0)  # else NaN would come through: 0 * NaN is NaN
    with torch.autocast(z.device.type, enabled=False):
        z = z.float() if z.dtype in (torch.float16, torch.bfloat16) else z
        z = torch.nn.functional.normalize(z, dim=-1)
        nearness = (z @ z.mT - 0.9).clamp_min(0.0)
    pairs = mask.unsqueeze(-1) & mask.unsqueeze(-2) & ~torch.eye(z.shape[-2], dtype=torch.bool)
    return (nearness * pairs).sum(-1) / pairs.sum(-1).clamp_min(1)


reg.check(crowding, dim=3, set_penalty=True)
print(crowding(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])))

# %%
# From positions to lines
# -----------------------
# A label often says that a text has the concept, not at which position. A *pooling* (the type
# ``Pooling``; a penalty is a ``Penalty``) makes one value per line of the values at its positions,
# and takes the mask. ``mean_pool`` pulls all of them, ``max_pool`` the one farthest off,
# ``min_pool`` the nearest one, ``soft_minimum`` the nearest ones, the more the nearer.

values = torch.tensor([[0.9, 0.1, 0.4], [0.2, 0.8, 9.9]])
counts = torch.tensor([[True, True, True], [True, True, False]])
poolings = {
    "mean": reg.mean_pool,
    "maximum": reg.max_pool,
    "minimum": reg.min_pool,
    "soft minimum": reg.SoftMinimum(0.1),
}
for name, pool in poolings.items():
    print(f"{name:13}", [round(value, 2) for value in pool(values, counts).tolist()])

# %%
# What acts on the output instead of the latents is a *loss*: a function of a forward pass and a
# batch (the protocols ``Loss`` and ``Forward``), such as
# :func:`~latent_anchors.training.reconstruction` or, for tokens,
# :class:`~latent_anchors.training.NextToken`. It may make several passes, with and without edits,
# as do :class:`~latent_anchors.training.EditedOutputLoss` and
# :class:`~latent_anchors.training.LatentMatchingLoss`. The objective returns an
# ``ObjectiveOutput``: the total, and an ``ObjectivePart`` for each term and loss by its name.
#
# :func:`~latent_anchors.training.fit` takes losses by name and returns a ``FitResult``: the
# population, its ``History`` and each ``Failure``. A callback receives the ``Progress`` so far.
