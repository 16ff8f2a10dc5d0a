import json

import pytest
import torch
from refusals import refuses, unchecked
from torch import nn

from latent_anchors.evaluation import dose_response
from latent_anchors.interventions import (
    BoundedFalloff,
    Projection,
    Steering,
    Suppression,
    constant_falloff,
    intervene,
)
from latent_anchors.models import Population

X = torch.tensor([[3.0, 4.0], [-1.0, 2.0], [0.0, 1.0]])
STRENGTHS = [0.0, 0.5, 1.0]
MUTE = Suppression([1.0, 0.0], constant_falloff)


def identity():
    return nn.Sequential(nn.Identity())


def respond(model, edit, **options):
    given = {"at": "0", "inputs": X, "measure": lambda m: m(X)[..., 0].abs().mean(-1)}
    return dose_response(model, edit, STRENGTHS, **given | options)


def means(metrics):
    return [metric.mean for metric in metrics]


def test_effect_and_collateral_are_what_is_measured_under_the_edit_at_each_strength():
    found = respond(identity(), MUTE, collateral=lambda m: m(X)[..., 1].mean(-1))
    assert found.strengths == tuple(STRENGTHS)
    for k, strength in enumerate(STRENGTHS):
        assert found.effect[k].mean == pytest.approx((1 - strength) * 4 / 3)
    assert means(found.collateral) == pytest.approx([7 / 3] * 3)
    assert respond(identity(), MUTE).collateral is None


def test_the_displacement_is_in_units_of_the_latents_length():
    steered = respond(identity(), Steering([0.0, 5.0]))
    lengths = float(X.norm(dim=-1).sum())
    assert means(steered.displacement) == pytest.approx([0.0, 7.5 / lengths, 15 / lengths])
    mask = torch.tensor([1, 0, 0])
    assert means(respond(identity(), Steering([0.0, 5.0]), mask=mask).displacement)[2] == 1.0


def test_what_is_realized_falls_short_of_what_is_asked_where_the_edit_does_not_act():
    everywhere = respond(identity(), MUTE)
    narrow = respond(identity(), Suppression([1.0, 0.0], BoundedFalloff(0.5)))
    assert narrow.displacement[2].mean < everywhere.displacement[2].mean
    assert means(narrow.displacement)[0] == 0


def test_several_sites_may_have_an_edit_each_and_later_ones_see_what_earlier_ones_did():
    model = nn.Sequential(nn.Identity(), nn.Identity())
    edits = {"0": Projection([1.0, 0.0]), "1": Projection([0.0, 1.0])}
    found = dose_response(model, edits, [1.0], inputs=X, measure=lambda m: float(m(X).abs().sum()))
    first = X[:, 0].abs().sum() / X.norm(dim=-1).sum()
    assert found.effect[0].mean == 0
    assert found.displacement[0].mean == pytest.approx(float(first + 1) / 2)


def test_each_run_of_a_population_has_its_own_numbers_and_its_own_edit():
    models = [nn.Sequential(nn.Linear(2, 2)) for _ in range(2)]
    edits = [Suppression([1.0, 0.0]), Suppression([0.0, 1.0])]
    runs = Population.from_models(models)
    found = respond(runs, Population.from_models(edits))
    for run, (model, edit) in enumerate(zip(models, edits, strict=True)):
        alone = respond(model, edit)
        for ours, theirs in (
            (found.effect, alone.effect),
            (found.displacement, alone.displacement),
        ):
            assert [m.per_seed[run] for m in ours] == pytest.approx([m.mean for m in theirs])


def test_a_run_that_is_not_finite_is_a_failure_and_no_number():
    runs = Population.from_models([nn.Sequential(nn.Linear(2, 2)) for _ in range(2)])
    runs.tensors()["0.weight"].data[1] = torch.nan
    found = respond(runs, MUTE)
    assert found.failed == ((1,), (1,), (1,))
    assert {m.per_seed[1] for m in (*found.effect, *found.displacement)} == {None}
    assert [m.n for m in found.effect] == [1, 1, 1]
    late = respond(identity(), MUTE, measure=lambda m: float("nan") if m(X)[0, 0] == 0 else 1.0)
    assert late.failed == ((), (), (0,))
    assert late.displacement[2].mean is None


def test_it_is_strict_json_and_the_model_is_as_before():
    model = identity().train()
    found = respond(model, MUTE).to_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert model.training
    assert torch.equal(model(X), X)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_displacement_of_half_precision_is_as_exact_as_that_of_the_same_numbers(dtype):
    z = torch.tensor([[60000.0, 60000.0], [1.0, 2.0]]).to(dtype)
    half, full = (
        respond(identity(), MUTE, inputs=each, measure=lambda m, x=each: m(x).float().sum())
        for each in (z, z.float())
    )
    assert means(half.displacement) == pytest.approx(means(full.displacement), rel=1e-6)


def test_it_acts_on_some_positions():
    lines = torch.ones(2, 3, 2)
    found = respond(identity(), MUTE, inputs=lines, where="last", measure=lambda m: m(lines).sum())
    assert means(found.effect) == [12.0, 11.0, 10.0]
    assert found.displacement[2].mean == pytest.approx(1 / 3 / 2**0.5)


def test_what_cannot_be_measured_is_refused():
    for strengths in ([], [0.5, 0.5]):
        with refuses(ValueError, "The strengths are .* expected at least one, each greater"):
            dose_response(identity(), MUTE, strengths, measure=float, inputs=X, at="0")
    with refuses(TypeError, "The edit is .*neg.*, which has no strength"):
        respond(identity(), torch.neg)
    with refuses(ValueError, r"measure of the effect gave shape \(3,\); expected .*1 runs: \(1,\)"):
        respond(identity(), MUTE, measure=lambda m: m(X)[:, 0])
    with refuses(ValueError, r"The mask has shape \(2,\), .* \(3, 2\) at '0'; expected \(3,\)"):
        respond(identity(), MUTE, mask=torch.ones(2, dtype=torch.bool))
    with refuses(RuntimeError, "never acted within the block"):
        respond(identity(), MUTE, measure=lambda _: 0.0)


def test_edits_in_force_before_count():
    model = identity()
    with intervene(model, Steering([1.0, 0.0]), at="0"):
        assert respond(model, MUTE).effect[0].mean == pytest.approx(
            float((X[:, 0] + 1).abs().mean())
        )


def test_where_nothing_is_long_and_nothing_moves_there_is_no_displacement():
    found = respond(identity(), MUTE, inputs=torch.zeros(2, 2))
    assert means(found.displacement) == [0.0, 0.0, 0.0]
    assert found.failed == ((), (), ())


def test_a_mask_that_counts_nothing_is_refused():
    with refuses(ValueError, "The mask counts none of the 3 latents at '0'; expected at least one"):
        respond(identity(), MUTE, mask=torch.zeros(3, dtype=torch.bool))


def test_strengths_may_be_any_numbers_in_order():
    expected = respond(identity(), MUTE)
    for strengths in (iter(STRENGTHS), torch.tensor(STRENGTHS)):
        with unchecked():
            found = dose_response(
                identity(),
                MUTE,
                strengths,
                at="0",
                inputs=X,
                measure=lambda m: m(X)[..., 0].abs().mean(-1),
            )
        assert found == expected
