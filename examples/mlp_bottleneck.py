"""MLP bottleneck: a circle finds the color wheel
==============================================

A small autoencoder has to pass vivid colors through a circle: two latent dimensions, normalized to
length 1. It is trained on the reconstruction error alone, and yet hues come to lie in order. A
quarter of the wheel is held out, from teal to blue; there, a gap stays open. The wheel is turned
differently with every seed: where red will lie is unknown beforehand.
"""

# %%
# The seeds, and the folder for the results.

from functools import partial

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, evaluation, models, testbed, training, viz

evidence = testbed.Evidence.from_arguments("mlp_bottleneck", seeds=12)

# %%
# The data: a hue for every degree, at full saturation and value, but for those from 150 to 240
# degrees. The experiment that this follows showed each hue at the values 0.9 and 1; a circle has no
# room for value, so that an error would remain which has nothing to do with hue.

BAND = (150 / 360, 240 / 360)
everything = colorspace.hsv_grid(360, [1.0], [1.0])
shown = colorspace.hsv_grid(360, [1.0], [1.0], without=BAND)
held_out = colorspace.hue_between(everything.hsv[:, 0], *BAND)
sampler = data.Sampler(shown.rgb, batch_size=64)
print(f"{len(shown.rgb)} hues are shown, {int(held_out.sum())} are held out")

# %%
# The schedule: one learning rate, and one loss. There it was 0.001 for 500 steps, at whose end
# networks were far from done; 0.003 and three times as many steps are enough. With many more, what
# comes out of the gap gets worse. Layers bend by GELU, as they do in all that follows, not ReLU.

SHEET = """\
STEP, lr,    recon
0,    0.003, 1
1500, 0.003, 1
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()
objective = la.Objective([], losses=["recon"], other_tracks=["lr"])

# %%
# Train all seeds at once.

with evidence.training():
    trained = la.fit(
        partial(models.PlainAutoencoder, latent_dim=2, normalize=True),
        objective,
        timeline,
        sampler,
        losses={"recon": training.reconstruction},
        seeds=evidence.seeds,
        steps=evidence.steps,
    )

# %%
# Measure. The order is that of all hues that were shown, and then that of the twelve named ones,
# four of which were not. Every hue leaves a gap up to the next one on the wheel: is the widest that
# of the band, which takes 92 degrees of hue, and how wide is it? That the wheel is round says
# nothing here: its radius is 1 by construction.

population = trained.population
gaps = testbed.hue_gaps(population, shown.rgb)
last_before = int((shown.hsv[:, 0] < BAND[0]).sum()) - 1
others = gaps.clone()
others[:, last_before] = 0
errors = testbed.color_errors(population, everything.rgb)

found = evaluation.Evaluation(
    {
        "disordered/shown": testbed.disordered(population, colors=shown.rgb),
        "disordered/named": testbed.disordered(population),
        "hue_order/shown": testbed.hue_order(population, colors=shown.rgb).abs(),
        "hue_order/named": testbed.hue_order(population).abs(),
        "gap/at_band": gaps.argmax(1) == last_before,
        "gap/band": gaps[:, last_before],
        "gap/widest_other": others.amax(1),
        "error/shown": errors[:, ~held_out].mean(1),
        "error/held_out": errors[:, held_out].mean(1),
        "noncircularity": testbed.noncircularity(population),
    }
)
settings = {"sheet": SHEET, "batch_size": 64, "held_out": BAND}
metrics = evidence.write(found, settings, trained.failures)
print(evaluation.metric_table(metrics, [*found]))

# %%
# The wheels of the first seeds. Small points are hues that were never shown: the encoder puts them
# into the gap, and in order, but the decoder has never been trained there.

z = evaluation.latents(population, everything.rgb)
first = [f"seed {seed}" for seed in evidence.seeds[:4]]
empty = [f"{gap:.0f}° are empty" for gap in gaps[:, last_before].tolist()]
wheels = viz.plot_wheels(
    {f"{name}: {empty[k]}": z[k] for k, name in enumerate(first)},
    everything.rgb,
    ~held_out,
    title="Every seed finds the wheel, at its own angle, with a gap where hues were held out",
)

# %%
# Outputs in the gap, seed by seed, with the true colors inset; and the error of every hue,
# over all runs.

some = colorspace.hsv_grid([degree / 360 for degree in range(130, 261, 10)], [1.0], [1.0])
outputs = testbed.reconstructions(population, some.rgb)[: len(first)]
swatches = viz.plot_reconstructions(
    some.rgb.expand_as(outputs),
    outputs,
    rows=first,
    columns=[f"{360 * hue:.0f}°" for hue in some.hsv[:, 0].tolist()],
    title="Outputs for hues from 150° to 240°, on which no network was trained",
)
by_hue = viz.plot_error_by_hue(
    everything.hsv[:, 0],
    {"without teal to blue": errors},
    title="The error lies where hues were held out, from teal to blue",
)
viz.save_figures({"wheels": wheels, "swatches": swatches, "errors": by_hue}, evidence.out)
