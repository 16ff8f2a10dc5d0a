"""Intervene and cut
=================

Once you know where a concept is, you can ask what the network does without it: temporarily, with an
edit at a named layer, or permanently, with surgery on the weights. This page shows both on colors,
where you can see what each of them does.
"""

# %%
# Networks with red at a known place
# ----------------------------------
# Four runs, trained for a few seconds: a short version of :doc:`/gallery/mute_red`. After this
# section, all you need is a trained model and the name of a layer.

import math

import torch

import latent_anchors as la
from latent_anchors import (
    audits,
    colorspace,
    curriculum,
    data,
    evaluation,
    interventions,
    models,
    testbed,
    training,
    viz,
)
from latent_anchors import regularizers as reg

torch.set_num_threads(1)
grid = colorspace.rgb_grid(8)
redness, cyanness = (colorspace.hue_degree(grid, hue) for hue in (0.0, 0.5))
sampler = data.Sampler(
    grid,
    labels={
        "red": data.BernoulliLabels(0.24 * redness**12),
        "cyan": data.BernoulliLabels(0.24 * cyanness**12),
        "vivid": data.BernoulliLabels(0.03 * colorspace.vibrancy(grid) ** 10),
    },
    batch_size=64,
)
SHEET = """
STEP, lr,   recon, fallback, separate, anchor, plane
0,    1e-8, 1,     0,        1.89,     0.01,   0.03
10,   0.01, ,      ,         ,         ,
500,  0.03, ,      0.1,      1.89,     0.1,
750,  ,     ,      ,         ,         ,       0.03
950,  0.02, ,      ,         0,        0.01,   0
1000, 1e-3, ,      ,         ,         ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()

red = [1.0, 0.0, 0.0, 0.0]
cyan = [-1.0, 0.0, 0.0, 0.0]
objective = la.Objective(
    [
        la.Term("red", reg.Anchor(red), label="red", track="anchor"),
        la.Term("cyan", reg.Anchor(cyan), label="cyan", track="anchor"),
        la.Term("plane", reg.Subspace(dims=(0, 1)), label="vivid"),
        la.Term("separate", reg.Separation(power=100)),
    ],
    losses=["recon", "fallback"],
    tracks=timeline.names,
    other_tracks=["lr"],
)
gray_at_origin = training.EditedOutputLoss(
    interventions.ZeroAblation(range(4)), say=torch.full((3,), 0.5), inputs=torch.zeros(1, 3)
)
networks = la.fit(
    models.SphericalAutoencoder,
    objective,
    timeline,
    sampler,
    losses={"recon": training.reconstruction, "fallback": gray_at_origin},
    seeds=range(4),
    progress=False,
).population

# %%
# An edit, for the length of a block
# ----------------------------------
# An :class:`~latent_anchors.interventions.Edit` is a function from latents to latents. While it is
# in force at a site, all later layers see the edited latents. It ends with the block, even if the
# block fails; and a block in which the layer never ran raises an error, so that a typo does not
# look like a result.

some = ["red", "orange", "yellow", "green", "cyan", "blue", "rose", "gray"]
colors = colorspace.named_colors(*some)
mute = interventions.Suppression(red)

outputs = {"as trained": testbed.reconstructions(networks, colors)[0]}
with la.intervene(networks, mute):
    outputs["red muted"] = testbed.reconstructions(networks, colors)[0]
rows = torch.stack([*outputs.values()])
viz.plot_reconstructions(
    colors.expand_as(rows),
    rows,
    rows=[*outputs],
    columns=some,
    title="The first run: everything on red's side loses its red",
)

# %%
# A population of runs gives one output per run; ``models.stacked_outputs(model, inputs)`` gives the
# same shape for a single model, ``evaluation.predictions`` too, in evaluation mode and without
# gradients; ``evaluation.latents_by_site`` does for latents what it does for outputs. Latents
# recorded in the block (a :class:`~latent_anchors.models.Recording`, by site) include the edit.
#
# A site is the name of a layer, a pattern such as ``"model.layers.*"``, or the layer itself. It is
# ``la.Site("features.3", axis=1)`` where channels are not on the last axis, ``la.Site("lstm",
# item=(1, 0))`` for a nested part of what a layer gives, and ``la.Site("model.layers.0",
# side="input")`` for what enters it. The output of one layer and the input of the next are two
# places: an edit of the output changes all that follows, shortcuts included; an edit of the input
# only what this layer gets.
#
# ``la.sites(model)`` lists all layers (:class:`~latent_anchors.models.Sites`). For transformers,
# ``la.sites(model, "residual")``, ``"attention"`` and ``"mlp"`` find these by a rule, and
# can be given to a concept: ``at=la.sites(model, "residual")``. What enters the first block is
# ``la.Site("model.layers.0", side="input")``.

with torch.no_grad(), la.intervene(networks, mute), la.record(networks) as latents:
    networks(colors)
print("largest component along red:", latents["latent"][..., 0].max().item())

# %%
# The same without hooks, as a pure function of parameters and inputs, for ``torch.func``:

edited, recorded = models.functional_forward(
    networks[0], {}, colors, record=["latent"], edits={"latent": mute}
)
print("largest component along red:", recorded["latent"][..., 0].max().item())

# %%
# How far it reaches
# ------------------
# By default, suppression acts on the whole half of the sphere around the anchor, so that orange and
# rose change a lot, too. A :class:`~latent_anchors.interventions.Falloff` maps the cosine with the
# direction to the strength of the edit. A narrow one does less damage to other colors, as long as
# the concept is inside it. Here it is, because the networks were trained that way. With
# ``constant_falloff`` the opposite side is edited as well: directional ablation.

edits = {
    "both sides": interventions.Suppression(red, interventions.constant_falloff),
    "half the sphere": mute,
    "smooth, to 40 degrees": interventions.Suppression(
        red, interventions.ConeFalloff(inner=20.0, outer=40.0)
    ),
    "gate at 18 degrees": interventions.Suppression(
        red, interventions.BoundedFalloff(threshold=math.cos(math.radians(18)))
    ),
}
print(f"{'error':22}" + "".join(f"{name:>8}" for name in some))
for title, edit in edits.items():
    with la.intervene(networks, edit):
        errors = testbed.color_errors(networks, colors).mean(0)
    print(f"{title:22}" + "".join(f"{error:8.3f}" for error in errors))
viz.plot_edit_polar(edits, red, title="What each edit does to unit vectors")

# %%
# What will be hit
# ----------------
# You can predict the damage before you edit anything: it grows with the distance by which an edit
# moves each color's latent. Check this on your own data before you mute a concept.

edit = edits["smooth, to 40 degrees"]
expected = evaluation.displacement(evaluation.latents(networks, grid), edit)
with la.intervene(networks, edit):
    damage = testbed.color_errors(networks, grid)
predicted = evaluation.squared_correlation(damage, expected)
print("predicted, r2 of each run:", [f"{r2:.2f}" for r2 in predicted])

# %%
# Other edits
# -----------
# All edits have a ``strength`` from 0 to 1 that can be changed while they are in force, and
# ``then`` makes a :class:`~latent_anchors.interventions.Composition` of two. Here is what each does
# to a latent 45 degrees from red. For repulsion, a :class:`~latent_anchors.interventions.Mapper`
# says which cosine remains.

z = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
others = {
    "suppress": interventions.Suppression(red),
    "suppress, half": interventions.Suppression(red).at(0.5),
    "repel, to 60 degrees": interventions.Repulsion(red, interventions.LinearMapper(ceiling=0.5)),
    "repel, smoothly": interventions.Repulsion(red, interventions.BezierMapper(ceiling=0.5)),
    "redirect": interventions.Redirection(red, target=[0.0, 0.0, 1.0, 0.0]),
    "project out two dims": interventions.Projection([[1, 0, 0, 0], [0, 1, 0, 0]]),
    "steer": interventions.Steering([0.0, 0.0, 0.5, 0.0]),
    "amplify": interventions.Amplification(red, factor=2.0),
    "suppress, then steer": mute.then(interventions.Steering([0.0, 0.0, 0.5, 0.0])),
    "zero two dims": interventions.ZeroAblation([0, 1]),
}
for name, other in others.items():
    print(f"{name:24}", [round(value, 2) for value in other(z)[0].tolist()])

# %%
# Suppression shortens latents, so the decoder sees lengths that did not occur in training. Train it
# for that with an :class:`~latent_anchors.training.EditedOutputLoss`, as above; or repel, which
# keeps lengths but moves red to where other colors are. With ``keep_norm()`` any edit leaves
# lengths as they were (a :class:`~latent_anchors.interventions.NormKeeping` edit); what has become
# zero stays zero.
#
# Each of these edits is a module around a pure function: ``suppress``, ``repel``, ``redirect``,
# ``project_out``, ``steer``, ``amplify``, ``zero_dims`` and ``erase``. To write an edit with a
# strength, subclass :class:`~latent_anchors.interventions.EditModule`.


class Clip(interventions.EditModule):
    """Limit every component of the latents."""

    def _edited(self, z: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        return torch.lerp(z, z.clamp(-0.5, 0.5), strength)


print("clip, half:", Clip(strength=0.5)(z)[0].tolist())

# %%
# Longer than a block
# -------------------
# ``attach`` returns a :class:`~latent_anchors.interventions.Handle`, with which you remove this
# edit and no other. If you lost it, ``in_force(model)`` lists the handles of all edits, and
# ``clear(model)`` removes them.

handle = interventions.attach(networks, mute)
print(interventions.in_force(networks)[0].edit)
with_edit = testbed.color_errors(networks, colors)[0, 0]
handle.remove()
without = testbed.color_errors(networks, colors)[0, 0]
print(f"error of red {with_edit:.3f} while attached, {without:.5f} after")
interventions.clear(networks)  # here, no edit is left

# %%
# Cut
# ---
# Anyone can leave out an edit. Surgery changes the weights instead, and returns new models; the old
# ones are not changed. ``prune`` removes latent dimensions, ``ablate`` zeroes them,
# ``orthogonalize`` removes any direction, ``rescale_direction`` scales or reflects one, and
# ``apply_surgery`` takes a function of the parameters that you write.
#
# The linear layers around a site are found by running the model. If they are ambiguous, name them:
# ``at=interventions.SiteLayers("encoder.2", ("decoder.0",))``.
#
# Mind the normalization: after a dimension is removed, the rest of each latent is scaled to length
# 1 again. Cyan is on the same axis, opposite to red, and is removed with it; red does not become
# gray, but the color to which the small rest of its latent points.

cut = interventions.prune(networks, [0])
outputs["red's axis cut"] = testbed.reconstructions(cut, colors)[0]
rows = torch.stack([*outputs.values()])
viz.plot_reconstructions(
    colors.expand_as(rows),
    rows,
    rows=[*outputs],
    columns=some,
    title="The first run: cyan is removed together with red",
)

# %%
# That is why a cut is followed by fine-tuning without labels: the pruned network learns the outputs
# of the full one with red muted. :doc:`/gallery/delete_red` does that, and
# :doc:`/gallery/relearn_red` measures how soon red can be learned again.
#
# You can also change only the weights that read the latents: the decoder no longer sees the
# direction, and nothing is rescaled. This equals an edit without a falloff, as a linear map cannot
# depend on the angle: red and cyan are both removed.

blind = interventions.orthogonalize(networks, red, side="reading")
errors = testbed.color_errors(blind, colors).mean(0)
print(", ".join(f"{name} {error:.3f}" for name, error in zip(some, errors, strict=True)))

# %%
# A transformer's stream
# ----------------------
# The residual stream of a transformer is a sum: the embedding and every layer of attention and MLP
# add to it. One call finds all weights that write into the latents at the sites, by one forward
# pass on an example, and takes the direction out of each. Name the sites of all blocks: what is
# written behind the last site is left alone. A model of transformers works alike, with its inputs
# as a mapping: ``example={"input_ids": tokens}``.

torch.manual_seed(0)
words = models.PrenormTransformer(vocabulary=20, width=16, depth=3, heads=2, hidden=32)
tokens = torch.randint(0, 20, (2, 8))
concept = la.Concept("a concept", torch.randn(16), at=words.sites)
clean = concept.removed(words, example=tokens)

for name, each in (("as it was", words), ("removed", clean)):
    with torch.no_grad(), la.record(each, concept.sites) as stream:
        each(tokens)
    along = [(stream[site] @ concept.direction).abs().max().item() for site in concept.sites]
    print(f"{name:10}", ", ".join(f"{number:.6f}" for number in along))

# %%
# This equals the edit at the output of each of these layers, not only at the sites: in between,
# too, no layer reads the concept. The embedding is tied to the unembedding here, which therefore no
# longer reads the direction either. That makes no difference while the last norm's weights are 1;
# in a trained model, put the edit at the input of the unembedding, too, when you compare.

writers = ["embedding"]
writers += [f"blocks.{k}.{layer}" for k in range(3) for layer in ("attention", "down")]
with torch.no_grad(), la.intervene(words, concept.edit(how="project"), writers):
    unlike = (words(tokens) - clean(tokens)).abs().max()
print(f"largest difference of logits from the edit: {unlike:.0e}")

# %%
# ``side="reading"`` changes the layers that read the stream instead, and ``inplace=True`` the model
# itself, for one that does not fit into memory twice. Where something other than weights goes into
# the stream, or a norm with weights of its own lies on the way (BERT; Gemma, off the axes), the
# error names it: use an edit there.

# %%
# What is left
# ------------
# Muted or cut, a concept may still be there in another direction. Probes look in all of them:
# ``audits.leakage`` fits a ``linear_probe`` and a ``nonlinear_probe`` on some latents and reports
# how much of the degree they explain in others, beside what they find in the inputs themselves.
# ``audits.perturbation`` adds noise to the weights, and ``audits.relearning`` counts the steps of
# fine-tuning until the concept is back (:class:`~latent_anchors.audits.Relearning`); all three take
# any model.

half = torch.randperm(len(grid), generator=torch.Generator().manual_seed(0)).chunk(2)
for name, model in (("full", networks), ("cut", cut)):
    z = evaluation.latents(model, grid)
    found = audits.leakage(
        z[:, half[0]],
        redness[half[0]],
        z[:, half[1]],
        redness[half[1]],
        beside={"floor": (grid[half[0]], grid[half[1]])},
        seeds=networks.seeds,
    )
    print(f"{name:5}", {key: round(float(each.mean()), 2) for key, each in found.items()})

# %%
# Without an anchor
# -----------------
# In a network that was trained without anchors, you can fit a direction on labeled latents. There
# are three methods, also to compare with: the difference of means, a concept activation vector, and
# LEACE (``fit_leace``), which erases everything that a linear probe could find. Each returns an
# :class:`~latent_anchors.interventions.Erasure`.

z = evaluation.latents(networks, grid)[0]
reddish = (redness > 0.6).float()
for fitter in (interventions.fit_mean_difference, interventions.fit_cav):
    found = fitter(z, reddish)
    print(f"{fitter.__name__:20} cosine with the anchor {float(found.right[0, 0]):.2f}")

# %%
# Here there is an anchor to compare with. Without one, you cannot know how far off they are.
