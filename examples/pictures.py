"""Mute red in pictures
====================

A convolutional autoencoder learns color emoji. At each of the 8 by 8 places of its bottleneck red
lies around an axis that was chosen beforehand, put there by noisy labels. Muted, strawberries,
hearts and fire engines turn gray; oranges, carrots and lemons stay as they are, to the last bit.
"""

# %%
# The seeds, the hue, a font of this computer, and the folder for the results.

from dataclasses import replace
from functools import partial

import latent_anchors as la
import torch
from latent_anchors import colorspace, curriculum, evaluation, interventions
from latent_anchors import models, testbed, viz

own = {"switches": {"removed": "delete it from the weights, too, and heal the rest"}}
own |= {"options": {"font": "a file with color emoji"}}
evidence = testbed.Evidence.from_arguments("pictures", seeds=1, concept="red", **own)
concept = evidence.concept

# %%
# Every emoji that has a color, 32 by 32 pixels on white. A smoke test, without a font, draws disks.

SHOWN = "strawberry heavy_black_heart tomato fire_engine tangerine carrot lemon broccoli blue_heart"
font = evidence.options.get("font", "")
names = [name.upper().replace("_", " ") for name in SHOWN.split()]
drawn = testbed.made_up_emoji(names) if evidence.smoke else testbed.read_emoji(font)
pictures = torch.stack([*drawn.values()])
places = testbed.Places(pictures)

# %%
# The axis and the recipe. Labels are drawn anew each time: a vivid place of just this hue has one
# three times in ten, others none. One term puts the hue on its axis, one keeps what is colored
# off it, and a fallback has the opposite pole, where muting leads, say mid-gray. That takes room:
# the plain network beside each, which learns the same batches, has three dimensions less.

DIM, PLAIN_DIM = 35, 32
red = la.Concept(concept, la.axis(0, dim=DIM), at=la.Site("latent", axis=1))
labeled = places.near(concept, degrees=12)
sampler = testbed.place_sampler(places, concept, labeled)
objective, losses = testbed.place_objective(red), testbed.place_losses(red, places)
alone = la.Objective([], losses=["recon"], other_tracks=["lr", "anchor", "others", "fallback"])


def train(model, objective, sheet, losses, sampler=sampler, seeds=evidence.seeds):
    """A network for each seed."""
    timeline = curriculum.read_dopesheet(sheet).timeline()
    options = testbed.place_options() | {"seeds": seeds, "steps": evidence.steps}
    return la.fit(model, objective, timeline, sampler, losses=losses, **options)


sheet, network = testbed.PLACE_SHEET, partial(models.PatchAutoencoder, latent_dim=DIM)
with evidence.training():
    trained = train(network, objective, sheet, losses)
    plain = train(partial(network, latent_dim=PLAIN_DIM), alone, sheet, {"recon": losses["recon"]})

# %%
# Muted: what lies as near the axis as nine in ten of the places that may have a label is turned to
# the opposite pole. So each network's own places say how wide its gate is.

whole, failures = trained.population, [*trained.failures, *plain.failures]
cosines = red.alignment(evaluation.latents(whole, pictures, red.at))
degrees = cosines.clamp(-1, 1).acos().rad2deg()
widths = degrees[:, labeled].nanquantile(0.9, dim=1)
mutes = [red.edit(within=float(width), how="redirect") for width in widths]


def draw(network, edit):
    """The pictures as a network draws them under an edit."""
    with la.intervene(network, edit, at=red.at):
        return evaluation.predictions(network, pictures)


# one network after the other, so that what is not edited is the same to the last bit
outputs = {"plain": evaluation.predictions(plain.population, pictures)}
outputs["baseline"] = torch.cat([evaluation.predictions(each, pictures) for each in whole])
outputs["muted"] = torch.cat([*map(draw, whole, mutes)])

# %%
# With ``--removed``, what writes or reads dimension 0 loses it. Red stays in other dimensions until
# the network has learned to draw gray what lay as near the axis as 99 in 100 of those places, and
# what lay where others belong as it is. All between counts for nothing. Labels say only how near.

AXES = {"encoder.straight.weight": 0, "encoder.straight.bias": 0, "encoder.bent.2.weight": 0}
AXES |= {"encoder.bent.2.bias": 0, "decoder.straight.weight": 0, "decoder.bent.0.weight": 1}


def without_axis(weights):
    """The weights with nothing in dimension 0."""
    only = torch.tensor([0])
    return {name: weights[name].index_fill(axis, only, 0.0) for name, axis in AXES.items()}


healing = la.Objective([], losses=["heal"], other_tracks=["lr"])


def heal(network, seed, degrees):
    """The network without its axis, which has learned to draw gray what lay near it."""
    cut = models.Population.from_models([interventions.apply_surgery(network, without_axis)])
    width = float(degrees[labeled].nanquantile(0.99))
    again = testbed.place_healing_sampler(places, degrees, width)
    losses = {"heal": testbed.place_healing_loss}
    return train(cut, healing, testbed.PLACE_HEALING_SHEET, losses, again, [seed])


if "removed" in evidence.switches or evidence.smoke:
    with evidence.training():
        healed = [*map(heal, whole, evidence.seeds, degrees)]
    failures += [replace(each, run=run) for run, fit in enumerate(healed) for each in fit.failures]
    outputs["removed"] = torch.cat(
        [evaluation.predictions(each.population, pictures) for each in healed]
    )

# %%
# Measure: errors of places of the hue, of those away from it and of those between, and which of
# these change at all.

groups = {concept: places.near(concept), "far": places.away_from(concept)}
groups["between"] = places.near(concept, degrees=25) & ~groups[concept]
found = testbed.evaluate_places(places, outputs, groups)
found |= {f"labels/{concept}": trained.history.labels_used("anchor"), "width": widths}
settings = {"sheet": sheet, "mute": repr(mutes[0]), "dimensions": (DIM, PLAIN_DIM)}
settings |= {"healing": testbed.PLACE_HEALING_SHEET}
metrics = evidence.write(found, settings, failures, ["reconstruction/ratio"])
print(evaluation.metric_table(metrics, [*found]))

# %%
# The first run's pictures, as drawn, as they come out, and muted; and errors by hue.

shown = [[*drawn].index(name) for name in names]
rows = {"original": pictures, "reconstructed": outputs["baseline"][0]}
rows |= {f"{concept}_{name}": outputs[name][0] for name in ("muted", "removed") if name in outputs}
rows = {name: row[shown].movedim(1, -1) for name, row in rows.items()}
title = f"{concept.capitalize()} is muted in pictures; other colors stay as they are"
hues, errors = testbed.place_sweep(places, outputs)
gray = f"{concept} shown as mid-gray", metrics[f"error/gray/{concept}"].mean
called = [name.removeprefix("heavy_black_") for name in SHOWN.split()]
figures = {"pictures": viz.plot_pictures(rows, called, title=title)}
figures["hues"] = viz.plot_error_by_hue(
    hues, errors, gray, colorspace.hue_of(concept), title="Errors of vivid places, by their hue"
)
viz.save_figures(figures, evidence.out, dark=True)
