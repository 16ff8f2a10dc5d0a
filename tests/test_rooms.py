"""Each room's main door, once: what an installation must be able to do, whatever lies beside it."""

from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from PIL import Image
from refusals import SOURCE

import latent_anchors as la
from latent_anchors import (
    audits,
    baselines,
    colorspace,
    curriculum,
    data,
    evaluation,
    interventions,
    models,
    testbed,
    training,
    transitions,
)
from latent_anchors import regularizers as reg

COLORS = colorspace.rgb_grid(3)
LABELS = {"red": data.BernoulliLabels(0.5 * colorspace.hue_degree(COLORS, 0.0))}
SHEET = "STEP,PHASE,lr:log,recon,red\n0,hues,0.01,1,0.5\n7,,0.1,1,0.5\n"
UP = [1.0, 0.0, 0.0, 0.0]


def network() -> models.SphericalAutoencoder:
    return models.SphericalAutoencoder(hidden=4)


def objective() -> la.Objective:
    red = la.Term("red", reg.Anchor(UP), label="red")
    return la.Objective([red], losses=["recon"], other_tracks=["lr"])


def trained(**options: object) -> training.FitResult:
    losses = {"recon": training.reconstruction}
    options = {"losses": losses, "seeds": range(2), "progress": False, **options}
    timeline = curriculum.read_dopesheet(SHEET).timeline()
    return la.fit(network, objective(), timeline, data.Sampler(COLORS, LABELS, 8), **options)


def test_every_room_has_its_door_tried_here():
    rooms = {path.parent.name for path in SOURCE.glob("[!_]*/__init__.py")}
    assert {name.split("_")[1] for name in globals() if name.startswith("test_")} >= rooms


def test_transitions_travel_from_0_to_1():
    progress = [0.0, 0.5, 1.0]
    assert [transitions.minimum_jerk(t) for t in progress] == pytest.approx(progress)


def test_curriculum_reads_a_sheet_and_tabulates_it():
    sheet = curriculum.read_dopesheet(SHEET)
    timeline = sheet.timeline()
    rates = timeline.table([0, 7])[:, timeline.names.index("lr")]
    assert rates.tolist() == pytest.approx([0.01, 0.1])
    assert curriculum.read_dopesheet(sheet.to_csv()) == sheet


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_colorspace_goes_there_and_back_with_a_gradient(dtype):
    colors = COLORS.to(dtype, copy=True).requires_grad_()
    there = colorspace.rgb_to_lab(colors)
    torch.testing.assert_close(colorspace.lab_to_rgb(there), colors, atol=1e-4, rtol=0)
    (gradient,) = torch.autograd.grad(there.sum(), colors)
    assert gradient.isfinite().all()
    mapped = torch.vmap(colorspace.rgb_to_hsv)(COLORS.reshape(3, 9, 3))
    assert torch.equal(mapped.reshape(27, 3), colorspace.rgb_to_hsv(COLORS))


def test_regularizers_keep_their_promises():
    reg.check(reg.Anchor(UP), dim=4)
    z = torch.randn(2, 5, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(reg.separation(z).sum(), z)
    assert gradient.abs().sum() > 0


def test_models_record_a_site_of_one_and_of_many():
    single, many = network(), models.Population.make(network, range(2))
    for model, shape in ((single, (27, 4)), (many, (2, 27, 4))):
        with la.record(model) as latents:
            model(COLORS)
        assert latents["latent"].shape == shape
    torch.testing.assert_close(many[1](COLORS), many(COLORS)[1])


def test_interventions_edit_for_the_length_of_a_block():
    model = network()
    before = model(COLORS)
    with la.intervene(model, interventions.ZeroAblation([0])), la.record(model) as latents:
        inside = model(COLORS)
    handle = interventions.attach(model, interventions.ZeroAblation([0]))
    attached = model(COLORS)
    handle.remove()
    assert torch.equal(inside, attached)
    assert not torch.equal(inside, before)
    assert torch.equal(model(COLORS), before)
    assert latents["latent"].isfinite().all()


@pytest.mark.parametrize("surgery", [interventions.ablate, interventions.prune])
def test_interventions_cut_into_weights(surgery):
    for model in (network(), models.Population.make(network, range(2))):
        cut = surgery(model, [0], example=COLORS)
        with la.intervene(model, interventions.ZeroAblation([0]), at="encoder"):
            torch.testing.assert_close(cut(COLORS), model(COLORS))


def test_interventions_fit_an_eraser():
    z, degree = torch.randn(200, 4), torch.rand(200)
    z = z + degree[:, None] * torch.tensor(UP)
    erased = interventions.fit_leace(z, degree)(z)
    centered = degree - degree.mean()
    assert (centered @ erased).abs().max() < 1e-3 * (centered @ z).abs().max()


def test_data_is_drawn_from_a_seed_and_a_step():
    sampler = data.Sampler(COLORS, LABELS, batch_size=8)
    batch, again = (sampler.batch(seed=1, step=5) for _ in range(2))
    assert torch.equal(batch.inputs, again.inputs)
    assert batch.labels["red"].shape == (8,)


@pytest.mark.parametrize("execution", ["vmap", "sequential"])
def test_training_fits_every_seed(execution):
    fitted = trained(execution=execution)
    assert fitted.failures == ()
    assert fitted.history["recon"].isfinite().all()


def test_evaluation_sums_up_runs():
    z = evaluation.latents(models.Population.make(network, range(2)), COLORS)
    close, far = evaluation.alignment(z, [1.0, 0.0, 0.0, 0.0]).tensor_split(2, 1)
    values = evaluation.Evaluation({"margin": evaluation.margin(close, far)})
    assert values.metrics()["margin"].n == 2


def test_testbed_measures_every_color():
    values = testbed.evaluate_colors(models.Population.make(network, range(2)), "red")
    assert {metric.n for metric in values.metrics().values()} == {2}


def test_audits_probe_latents():
    z, new = torch.randn(2, 100, 4), torch.randn(2, 50, 4)
    said = audits.linear_probe(z, z[0, :, :1], new)
    assert (said[0, :, 0] - new[0, :, 0]).abs().max() < 1e-3


def test_baselines_find_a_direction():
    z, labels = torch.randn(200, 4), torch.arange(200) % 2
    found = baselines.mean_difference(z + 3 * labels[:, None] * torch.tensor(UP), labels)
    assert found.direction[0] > 0.9


def test_concepts_are_placed_scored_muted_and_removed():
    red, model = la.Concept("red", UP, at="encoder"), network()
    with la.record(model, red.at) as z:
        model(COLORS)
    assert red.penalty(z, torch.ones(27)) > 0
    assert 0 <= red.score(model, COLORS, COLORS[:, 0] > 0.5).auc.mean <= 1
    with red.muted(model, how="project"):
        muted = model(COLORS)
    torch.testing.assert_close(red.removed(model, COLORS)(COLORS), muted)


def test_adapters_fit_into_another_loop(tmp_path: Path):
    transformers = pytest.importorskip("transformers")
    quiet = {"report_to": [], "disable_tqdm": True, "save_strategy": "no", "use_cpu": True}
    args = transformers.TrainingArguments(str(tmp_path), num_train_epochs=1, **quiet)
    model = transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=9, hidden_size=4, num_hidden_layers=1, num_attention_heads=1
        )
    )
    batch = {"input_ids": torch.ones(3).long(), "labels": torch.tensor(1), "red": torch.tensor(1.0)}
    red = la.Term("red", reg.Anchor(UP), at="bert.pooler.dense", label="red")
    made = la.Objective([red], losses=["task"], constants={"task": 1.0, "red": 1.0})
    done = la.adapters.AnchoredTrainer(
        model=model,
        args=args,
        train_dataset=[batch] * 8,
        objective=made,
        timeline=curriculum.Timeline({}),
    ).train()
    assert done.training_loss > 0


def test_viz_draws_and_moves(tmp_path: Path):
    timeline = curriculum.read_dopesheet(SHEET).timeline()
    z = torch.nn.functional.normalize(torch.randn(2, 27, 4), dim=-1)
    motion = la.viz.animate_latents(z, COLORS, steps=[0, 1], seconds=0.2)
    la.viz.save_figures({"plan": la.viz.plot_timeline(timeline), "sphere": motion}, tmp_path)
    plt.close("all")
    for name in ("plan.png", "sphere.gif"):
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 100


def test_what_was_fitted_comes_back_from_a_folder(tmp_path: Path):
    fitted = trained()
    for name, thing in {"runs": fitted.population, "objective": objective()}.items():
        la.save(thing, tmp_path / name)
    again = la.load(tmp_path / "runs")
    assert torch.equal(again(COLORS), fitted.population(COLORS))
    assert la.load(tmp_path / "objective").sites == objective().sites
