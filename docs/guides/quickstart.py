"""Quick start
===========

Install the package, put a concept where you want it with a few lines in a loop of your own, see
whether it landed, mute it, and remove it. Then the same with a schedule and several seeds. It takes
ten minutes, most of them reading.

.. code-block:: console

   $ pip install latent-anchors

Python 3.11 or later, PyTorch 2.6 or later. Until the first release, install from a checkout: the
:doc:`/contributing` page has the commands. Extras come with the frameworks of other people's loops,
as in ``pip install 'latent-anchors[transformers]'``: see :doc:`/guides/with_transformers` and
:doc:`/guides/with_lightning`.
"""

# %%
# A model of your own
# -------------------
# Made up for this page: a network grades wines by eleven measurements. Four of them are faint signs
# of a good wine, four are clear signs of a red one. In the training data four good wines in five
# are red, so that the network learns to grade by color. Of one red wine in twenty somebody noted
# that it is red; a 0 means "nobody said", never "not red".

from collections import OrderedDict

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
torch.set_num_threads(1)  # tensors as small as these gain nothing from a second one


def draw_wines(n, red_if_good):
    """Measurements of wines, which of them are good, and which are red."""
    good = torch.rand(n) < 0.5
    red = torch.rand(n) < torch.where(good, red_if_good, 1 - red_if_good)
    measured = torch.randn(n, 11)
    measured[:, :4] += 1.1 * (good.float() - 0.5).unsqueeze(1)
    measured[:, 4:8] += 2.2 * (red.float() - 0.5).unsqueeze(1)
    return measured, good.long(), red


wines, grades, red_wines = draw_wines(20000, red_if_good=0.8)
x_test, y_test, has_red = draw_wines(2000, red_if_good=0.5)
noted = (red_wines & (torch.rand(20000) < 0.05)).float()

encoder = nn.Sequential(nn.Linear(11, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Linear(32, 8))
head = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
model = nn.Sequential(OrderedDict(encoder=encoder, head=head))
task = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
loader = DataLoader(TensorDataset(wines, grades, noted), batch_size=64, shuffle=True)

# %%
# Anchor a concept in your own loop
# ---------------------------------
# A concept is a name, a direction and a layer. The direction is yours to choose: here it is the
# first of the eight dimensions of what leaves the layer ``encoder.3``. Two lines join your loop.
# One records what leaves the layer, the other adds the penalty.

import latent_anchors as la

red = la.Concept("red", direction=la.axis(0, dim=8), at="encoder.3")

for x, y, is_red in loader:  # your loop
    with la.record(model, red.at) as z:
        loss = task(model(x), y)
    loss = loss + 0.3 * red.penalty(z, is_red)  # exactly 0 where nobody is labeled
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %%
# Did it land?
# ------------
# Three numbers, on wines that the network has never seen. The :func:`AUC
# <latent_anchors.evaluation.auc>`: of two wines, one red and one not, how often does the red one
# lie nearer to the direction? The :func:`margin <latent_anchors.evaluation.margin>`: how far apart,
# in cosine, nearly all red wines and nearly all others lie; negative where they overlap. The
# alignment: the mean cosine of the red ones.

print(red.score(model, x_test, has_red))

# %%
# Mute it, and remove it
# ----------------------
# Muted, whatever lies within 18 degrees of the direction loses its part along it, for the length of
# the block. Removed, the weights neither write nor read that direction any more; the result is a
# new model.
#
# In the test data red wines are no better than others. The trained network still grades by color:
# it is right about the wines whose grade goes with their color, and wrong about many others. With
# red muted, color hardly matters any more.

model.eval()


def accuracy(model):
    """Of wines whose grade goes with their color in training, and of those where it does not."""
    with torch.no_grad():
        right = (model(x_test).argmax(-1) == y_test).float()
    usual = has_red == y_test.bool()
    return f"{right[usual].mean():.2f} and {right[~usual].mean():.2f}"


print("as trained ", accuracy(model))
with red.muted(model, within=18):  # degrees; an intervention
    print("red muted  ", accuracy(model))
clean = red.removed(model, example=x)  # by weights, a new model
print("red removed", accuracy(clean))

# %%
# Removed means that nothing is written along this direction; it does not mean that nothing else
# tells of it. An audit trains probes on all eight dimensions, which is a sterner question than how
# the network decides. An R² of 1 is a perfect reading, 0 is none: part of red can still be read.

for name, network in {"as trained": model, "red removed": clean}.items():
    found = red.audit(network, wines[:2000], red_wines[:2000], x_test, has_red)
    print(f"{name:11}  R² of a linear probe {found['leakage/linear'].item():.2f}")

# %%
# With a schedule and many seeds
# ------------------------------
# One training proves little, and a fixed weight is rarely the best. Now on colors, where you can
# see what happens: a small network learns the 512 colors of a grid. Some are called "red" now and
# then: the redder, the more often, at most with a chance of 8 %, so that about one sample in 1,100
# carries the label. "Vivid" is drawn in the same way.
#
# The table is a dope sheet: a row for each step at which something changes, a column for each
# weight. Between two numbers the value travels smoothly; an empty cell is no key.
# :doc:`write_a_curriculum` has the whole grammar.

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, models, training
from latent_anchors import regularizers as reg

colors = colorspace.rgb_grid(8)
redness = colorspace.hue_degree(colors, colorspace.hue_of("red"))
labels = {
    "red": data.BernoulliLabels(0.08 * redness**8),
    "vivid": data.BernoulliLabels(0.01 * colorspace.vibrancy(colors) ** 10),
}
sampler = data.Sampler(colors, labels, batch_size=64)

timeline = curriculum.read_dopesheet("""
STEP, lr,   recon, separate, red,  hue
0,    1e-8, 1,     0.63,     0.01, 0.01
10,   0.01, ,      ,         ,
750,  0.1,  ,      0.63,     0.1,  0.1
1425, 0.1,  ,      0,        0,    0
1500, 0.05, ,      ,         ,
""").timeline()

# %%
# :meth:`Concept.term <latent_anchors.concepts.Concept.term>` gives the penalty of your loop as a
# term, with the name of its column. Two more terms: latents keep apart from each other, and what is
# vivid lies in the plane of the first two dimensions, so that hues form a wheel.
# :func:`~latent_anchors.fit` runs the loop, for eight seeds at once; each run equals the same seed
# trained alone, but for rounding.

red = la.Concept("red", direction=la.axis(0, dim=4), at="latent")
objective = la.Objective(
    [
        red.term(),
        la.Term("separate", reg.Separation(power=100)),
        la.Term("hue", reg.Subspace(dims=(0, 1)), label="vivid"),
    ],
    losses=["recon"],
    tracks=timeline.names,
    other_tracks=["lr"],
)
fits = la.fit(
    models.SphericalAutoencoder,
    objective,
    timeline,
    sampler,
    losses={"recon": training.reconstruction},
    seeds=range(8),
)
print(red.score(fits.population, colors, redness > 0.5))  # with 95 % intervals over the seeds

# %%
# In all eight networks red lies within 19 degrees of its axis. With all that lies within 20 muted,
# red turns gray, which is an error of .25, and the other colors stay.

some = ["red", "orange", "green", "blue", "gray"]
swatches = colorspace.named_colors(*some)


def error(model):
    """Of each color, the mean over the seeds."""
    return (model(swatches) - swatches).square().mean((0, 2))


before = error(fits.population)
with red.muted(fits.population, within=20):
    muted = error(fits.population)
for name, b, m in zip(some, before, muted):
    print(f"{name:8} error {b:.4f}, with red muted {m:.4f}")

# %%
# What it looks like
# ------------------
# Every color of the grid, where its latent lies on the sphere, seen from three sides. Red is up.

from latent_anchors import evaluation, viz

z = evaluation.latents(fits.population[0], colors)[0]
viz.plot_latents(z, colors, title="Red is where we said, before anything was trained")

# %%
# Next
# ----
# - :doc:`anchor_a_concept`: a placed concept beside one that is found afterwards.
# - :doc:`intervene_and_cut`: edits that are narrow, and surgery on the weights.
# - :doc:`/gallery/mute_red`: mute red and spare orange, over many seeds.
# - :doc:`/troubleshooting`: when it does not work.
