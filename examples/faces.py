"""Mute faces in pictures
======================

A hue belongs to a color; a face is a thing. Here the encoder sees the neighbors of each place, and
faces lie around an axis that was chosen beforehand. Muted, the faces of people and animals turn
gray, in pictures that the network never saw, too. Most other things stay as they are.
"""

# %%
# The seeds, a font of this computer, and the folder for the results.

from functools import partial

import latent_anchors as la
import torch
from latent_anchors import colorspace, curriculum, evaluation, models, testbed, viz

own = {"font": "a file with color emoji"}
evidence = testbed.Evidence.from_arguments("faces", seeds=1, options=own)

# %%
# Emoji of which Unicode says that they are faces, and all others. One in five is held out. A smoke
# test, without a font, draws disks, and calls some of them faces.

made_up = [f"FACE {k}" for k in range(16)]
font = evidence.options.get("font", "")
drawn = testbed.made_up_emoji(made_up) if evidence.smoke else testbed.read_emoji(font)
pictures = torch.stack([*drawn.values()])
is_face = torch.tensor(["FACE" in name and "CLOCK" not in name for name in drawn])
held_out = torch.arange(len(pictures)) % 5 == 3

# %%
# The recipe of ``pictures.py``, with a narrower cone, a lower rate and more steps, and all places
# kept off the axis, since white is no face. Labels are drawn anew each time: a colored place of a
# face has one three times in ten, others none.

places, seen = testbed.Places(pictures), testbed.Places(pictures[~held_out])
face = la.Concept("face", la.axis(0, dim=35), at=la.Site("latent", axis=1))
chosen = seen.colored & is_face[~held_out, None, None]
timeline = curriculum.read_dopesheet(testbed.FACE_SHEET).timeline()
with evidence.training():
    trained = la.fit(
        partial(models.PatchAutoencoder, latent_dim=35, context=3),
        testbed.place_objective(face, inside=55, outside=73, mask=None),
        timeline,
        testbed.place_sampler(seen, "face", chosen),
        losses=testbed.place_losses(face, seen),
        seeds=evidence.seeds,
        steps=evidence.steps,
        **testbed.place_options(),
    )

# %%
# Muted: what lies within 60 degrees of the axis is turned to the opposite pole. Other widths show
# what a wider gate gains among faces, and what it takes along.

WIDTHS, WIDTH = (50, 55, 60, 65, 70), 60
network, muted = trained.population, {}
baseline = evaluation.predictions(network, pictures)
for width in WIDTHS:
    with la.intervene(network, face.edit(within=width, how="redirect"), at=face.at):
        muted[width] = evaluation.predictions(network, pictures)

# %%
# Measure, place by place: faces of pictures that were held out, what else has color there, what is
# yellow as most faces are, and what is pale. Then the same of pictures that were seen.

hue = colorspace.rgb_to_hsv(places.colors)[..., 0]
yellow = colorspace.hue_distance(hue, 50 / 360) < 12 / 360
of_face, unseen = is_face[:, None, None], held_out[:, None, None]
groups = {"face": places.colored & of_face & unseen}
groups |= {"other": places.colored & ~of_face & unseen, "pale": ~places.colored & ~of_face & unseen}
groups |= {"yellow": groups["other"] & yellow, "face_seen": places.colored & of_face & ~unseen}
groups |= {"other_seen": places.colored & ~of_face & ~unseen}
by_width = {
    width: testbed.evaluate_places(places, {"baseline": baseline, "muted": each}, groups)
    for width, each in muted.items()
}
found = dict(by_width[WIDTH])
for width, each in by_width.items():
    found |= {f"touched/{width}/{name}": each[f"touched/muted/{name}"] for name in groups}
cosines = evaluation.latents(network, pictures, face.at)[..., 0]
found["auc"] = evaluation.auc(*(cosines[:, groups[name]] for name in ("face", "other")))
found["labels"] = trained.history.labels_used("anchor")
settings = {"sheet": testbed.FACE_SHEET, "within": WIDTH, "faces": int(is_face.sum())}
metrics = evidence.write(found, settings, trained.failures)
print(evaluation.metric_table(metrics, [name for name in found if "touched/" not in name]))

# %%
# Pictures that the first network never saw, chosen by their position alone: every fourth face and
# every third thing with much yellow; and how many places change, by the width of the gate.

much = (groups["yellow"].sum((1, 2)) > 8).nonzero()[:, 0]
shown = [*(is_face & held_out).nonzero()[::4, 0][:6].tolist(), *much[::3][:6].tolist()]
rows = {"original": pictures, "reconstructed": baseline[0], "faces_muted": muted[WIDTH][0]}
rows = {name: row[shown].movedim(1, -1) for name, row in rows.items()}
title = "Faces are muted in pictures that the network never saw; most other things stay"
words = {"face": "faces", "yellow": "yellow things", "other": "all other colored things"}
changed = {
    words[name]: torch.stack([found[f"touched/{width}/{name}"] for width in WIDTHS])
    for name in words
}
label = "degrees within which places are muted; share of places that change, never seen before"
figures = {"pictures": viz.plot_pictures(rows, title=title)}
figures["widths"] = viz.plot_response(label, [*map(str, WIDTHS)], changed, alike=True)
viz.save_figures(figures, evidence.out, dark=True)
