import pytest
import torch
from refusals import refuses

import latent_anchors as la
from latent_anchors import curriculum, data, evaluation, models, training

COLORS = torch.rand(32, 3, generator=torch.Generator().manual_seed(0))
THREE = COLORS[:3]
SAMPLER = data.Sampler(COLORS, batch_size=8)
SHEET = """\
STEP, ACTION,  lr,   recon, hold
0,    ,        0.05, 1,     0
10,   capture, ,     ,      {weight}
39,   ,        0.05, 1,     {weight}
"""


def fit(captured, weight: float, seeds=range(3), sheet=SHEET, **options) -> training.FitResult:
    return la.fit(
        lambda: models.PlainAutoencoder(latent_dim=2, hidden=4),
        la.Objective([], losses=["recon", "hold"], other_tracks=["lr"]),
        curriculum.read_dopesheet(sheet.format(weight=weight)).timeline(),
        SAMPLER,
        losses={"recon": training.reconstruction, "hold": captured},
        seeds=seeds,
        progress=False,
        **{"actions": {"capture": captured.capture}, **options},
    )


def drift(captured: training.LatentHoldLoss, trained: training.FitResult) -> torch.Tensor:
    now = evaluation.latents(trained.population, THREE)
    return (now - captured.latents).norm(dim=-1).amax(-1)


def test_what_was_captured_is_held_and_drifts_without():
    held, free = training.LatentHoldLoss(THREE), training.LatentHoldLoss(THREE)
    holding, drifting = fit(held, weight=50.0), fit(free, weight=0.0)
    assert bool((drift(held, holding) < 0.5 * drift(free, drifting)).all())


def test_each_run_is_held_where_it_lay_itself_just_before_the_step_of_the_action():
    seen = {}

    def look(progress):
        seen[progress.step] = evaluation.latents(progress.population, THREE)

    captured = training.LatentHoldLoss(THREE)
    fit(captured, weight=1.0, callbacks=[training.Every(10, look)])
    torch.testing.assert_close(captured.latents, seen[10], rtol=0.0, atol=0.0)
    assert len({tuple(run.flatten().tolist()) for run in captured.latents}) == 3


def test_a_run_alone_is_held_as_among_many():
    alone, among = training.LatentHoldLoss(THREE), training.LatentHoldLoss(THREE)
    one, many = fit(alone, 1.0, seeds=[2]), fit(among, 1.0)
    torch.testing.assert_close(alone.latents[0], among.latents[2], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(one.history["hold"][:, 0], many.history["hold"][:, 2])


def test_vmap_and_sequential_hold_alike():
    together, apart = training.LatentHoldLoss(THREE), training.LatentHoldLoss(THREE)
    first, second = fit(together, 1.0), fit(apart, 1.0, execution="sequential")
    torch.testing.assert_close(first.history["hold"], second.history["hold"], rtol=1e-3, atol=1e-5)


def test_what_was_captured_stays_captured_in_a_further_training():
    captured = training.LatentHoldLoss(THREE)
    trained = fit(captured, 1.0)
    before = captured.latents.clone()
    captured.begin(trained.population)
    assert torch.equal(captured.latents, before)
    with refuses(ValueError, r"'captured' holds .*\(3, 3, 2\); expected \(2, 3, 2\)"):
        captured.begin(trained.population[:2])


def test_what_was_given_is_held_from_the_beginning_and_no_capture_changes_it():
    given = torch.full((3, 3, 2), torch.nan)
    given[1] = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    held, others = training.LatentHoldLoss(THREE, latents=given), training.LatentHoldLoss(THREE)
    sheet = SHEET.replace("0.05, 1,     0\n", "0.05, 1,     {weight}\n")
    trained, without = fit(held, 20.0, sheet=sheet), fit(others, 20.0, sheet=sheet)
    assert torch.equal(held.latents[1], given[1])
    assert not held.latents[[0, 2]].isnan().any()
    assert bool((trained.history["hold"][:10, 1] > 0).all())
    assert bool((trained.history["hold"][:10, [0, 2]] == 0).all())
    torch.testing.assert_close(held.latents[0], others.latents[0])
    far = evaluation.latents(without.population, THREE)[1] - given[1]
    near = evaluation.latents(trained.population, THREE)[1] - given[1]
    assert float(near.norm()) < 0.5 * float(far.norm())


def test_latents_of_half_precision_are_compared_in_full():
    origin, far = torch.zeros(1, 2).half(), torch.tensor([[300.0, 0.0]]).half()
    batch = data.LabeledBatch(origin, {}, {"captured": origin})
    held = training.LatentHoldLoss(origin)
    assert held(lambda *_, **__: (far, {"latent": far}), batch).tolist() == [45000.0]


def test_until_something_was_captured_it_is_exactly_zero():
    captured = training.LatentHoldLoss(THREE)
    history = fit(captured, 1.0).history
    assert bool((history["hold"][:10] == 0).all())
    assert bool((history["hold"][12:] > 0).all())


def test_it_is_refused_where_nothing_was_captured():
    captured = training.LatentHoldLoss(THREE, name="mine")
    with refuses(KeyError, r"'mine' was not captured; the batch has extras nothing"):
        captured(print, data.LabeledBatch(COLORS))


@pytest.mark.parametrize("handlers", [{}, {"captur": print}])
def test_actions_and_handlers_must_match(handlers):
    with refuses(ValueError, r"The timeline has actions 'capture'; handlers were given for"):
        fit(training.LatentHoldLoss(THREE), 1.0, actions=handlers)
