"""Relearning of a classifier and of a language model, and the record of it."""

import json
from copy import deepcopy
from math import inf, nan

import pytest
import torch
from audits import tiny
from refusals import refuses
from torch.nn.functional import cross_entropy, dropout

from latent_anchors.audits import Relearning, relearning
from latent_anchors.audits._attackers import best_of
from latent_anchors.audits._finetune import Checks
from latent_anchors.audits._step_ratios import ratios_of
from latent_anchors.data import Sampler
from latent_anchors.evaluation import Evaluation, predictions
from latent_anchors.interventions import intervene
from latent_anchors.training import next_token

FOUND = {
    "relearning/ratio": torch.tensor([0.5, 0.7, 9.0]),
    "relearning/censored": torch.zeros(3, dtype=torch.bool),
    "relearning/censored/few": torch.zeros(3, dtype=torch.bool),
    "relearning/control": torch.tensor([1.0, torch.inf, 2.0]),
}
STEPS = torch.tensor([80.0, 100.0])
CURVES = {"edited": torch.tensor([[0.3, 0.2, 0.9], [0.0, torch.nan, 0.1]])}
RECORD = Relearning((5, 6, 7), 900.0, Evaluation(FOUND), CURVES, {"edited": ("a", "b", "c")})


@pytest.mark.parametrize("name", ["relearning/censored", "relearning/censored/few"])
def test_shares_have_wilsons_interval_that_is_wide_where_nothing_happened(name: str):
    low, high = RECORD.metrics()[name].ci95
    assert low == pytest.approx(0.0, abs=1e-9)
    assert 0.5 < high < 0.6


def test_one_outlier_moves_the_mean_and_not_the_median():
    assert RECORD.medians()["relearning/ratio"] == pytest.approx(0.7)
    assert RECORD.metrics()["relearning/ratio"].mean == pytest.approx(3.4)


def test_a_ratio_to_nothing_does_not_exist():
    assert RECORD.metrics()["relearning/control"].per_seed == (1.0, None, 2.0)


@pytest.mark.parametrize("ratios", [[nan, 1.0, 2.0], [1.0, nan, 2.0], [2.0, 1.0, nan]])
def test_a_run_without_a_ratio_counts_in_no_median(ratios: list[float]):
    # it has not failed: neither network arrived, and its steps are numbers
    found = {"relearning/ratio": torch.tensor(ratios), "relearning/steps/edited": torch.ones(3)}
    audit = Relearning((0, 1, 2), 900.0, Evaluation(found), {}, {})
    assert audit.medians()["relearning/ratio"] == 1.5


def test_curves_are_medians_over_runs_of_what_there_is():
    assert torch.allclose(RECORD.median_curves()["edited"], torch.tensor([0.3, 0.05]))


def test_the_record_is_strict_json():
    told = json.loads(json.dumps(RECORD.to_json(), allow_nan=False))
    assert told["seeds"] == [5, 6, 7]
    assert told["metrics"]["relearning/ratio"]["n"] == 3
    assert told["best"] == {"edited": ["a", "b", "c"]}
    assert told["curves"]["edited"] == pytest.approx([0.3, 0.05])


def test_a_concept_that_was_hidden_comes_back_sooner_than_to_one_that_never_had_it():
    hidden, oracle = tiny.classifiers()
    audit = relearning(
        hidden,
        {"oracle": oracle, "same": hidden},
        measure=tiny.accuracy,
        reached=lambda share: share > 0.9,
        train_step=tiny.classify,
        optimizers={"SGD": torch.optim.SGD, "AdamW": torch.optim.AdamW},
        rates=[0.3, 0.1],
        every=2,
    )
    assert audit.found["relearning/ratio_same"].tolist() == [1.0]
    assert audit.found["relearning/steps/edited"] > 0
    assert audit.best["oracle"][0].split()[0] in {"SGD", "AdamW"}
    assert audit.curves["edited"][0] == 0.0
    assert not audit.found["relearning/censored"]


@pytest.mark.parametrize("runs", [1, 2])
def test_a_language_model_is_audited_by_losses_on_a_population(runs: int):
    damaged, new = (tiny.population(*[model] * runs) for model in tiny.language_models())
    audit = relearning(
        damaged,
        {"fresh": new},
        measure=lambda model: nats(model),
        reached=lambda nats: nats < 1.0,
        losses={"tokens": next_token},
        sampler=Sampler(tiny.LINES, batch_size=24),
        rates=[0.01],
    )
    assert bool((audit.found["relearning/ratio"] < 1).all())
    assert audit.seeds == tuple(range(runs))


def nats(model):
    logits = predictions(model, tiny.LINES)[..., :-1, :]
    targets = tiny.LINES[:, 1:].expand(len(logits), -1, -1)
    return (
        cross_entropy(logits.flatten(0, 2), targets.flatten(), reduction="none")
        .view(len(logits), -1)
        .mean(1)
    )


def test_a_language_model_is_audited_by_a_training_step():
    damaged, new = tiny.language_models()
    audit = relearning(
        damaged,
        {"fresh": new},
        measure=tiny.surprise,
        reached=lambda nats: nats < 1.0,
        train_step=tiny.predict,
        rates=[0.01],
    )
    assert audit.found["relearning/ratio"] < 1


def attack(edited, references=None, **options):
    given = {"reached": lambda m: tiny.accuracy(m) > 0.9, "train_step": tiny.classify}
    return relearning(edited, references or {"fresh": tiny.classifiers()[1]}, **given | options)


def test_an_attack_that_never_gets_there_counts_as_the_limit_and_is_censored():
    hidden, oracle = tiny.classifiers()
    stuck = deepcopy(hidden)
    with torch.no_grad():
        stuck[2].bias[0] = -1e6
    audit = attack(stuck, {"oracle": oracle}, rates=[0.01], limit=200)
    steps = audit.found["relearning/steps/oracle"]
    assert audit.found["relearning/censored"].tolist() == [True]
    assert audit.found["relearning/censored/oracle"].tolist() == [False]
    assert audit.found["relearning/steps/edited"].tolist() == [200]
    torch.testing.assert_close(audit.found["relearning/ratio"], 200 / steps)


def test_a_failed_run_has_no_value_anywhere():
    hidden, oracle = tiny.classifiers()
    broken = deepcopy(hidden)
    with torch.no_grad():
        broken[0].weight.fill_(torch.nan)
    found = attack(
        tiny.population(broken, hidden), {"oracle": tiny.population(oracle, oracle)}, rates=[0.1]
    ).found
    assert found.failed() == (0,)
    assert {metric.per_seed[0] for metric in found.metrics().values()} == {None}
    assert all(metric.per_seed[1] is not None for metric in found.metrics().values())


def test_networks_stay_as_they_are():
    hidden, _ = tiny.classifiers()
    before = {name: tensor.clone() for name, tensor in hidden.state_dict().items()}
    attack(hidden, rates=[0.1])
    assert all(torch.equal(tensor, before[name]) for name, tensor in hidden.state_dict().items())


def test_how_to_train_is_given_once():
    hidden, _ = tiny.classifiers()
    with refuses(ValueError, "Expected train_step=, or losses= with sampler="):
        attack(hidden, train_step=None)
    with refuses(ValueError, "Expected train_step=, or losses= with sampler="):
        attack(hidden, losses={"tokens": next_token})


def test_an_infinite_buffer_is_no_failure_and_one_that_is_no_number_is():
    hidden, oracle = (deepcopy(each) for each in tiny.classifiers())
    plain = attack(hidden, {"oracle": oracle}, rates=[0.1])
    hidden.register_buffer("mask", torch.full((2, 2), -torch.inf))
    masked = attack(hidden, {"oracle": oracle}, rates=[0.1])
    assert masked.found["relearning/ratio"] == plain.found["relearning/ratio"]
    hidden.mask[0] = torch.nan
    broken = attack(hidden, {"oracle": oracle}, rates=[0.1])
    assert broken.found["relearning/ratio"].isnan().all()
    assert broken.curves["edited"].isnan().all()
    assert not broken.curves["oracle"].isnan().any()


NAMES = "edited", "control"


@pytest.mark.parametrize("references", [*({name: tiny.classifiers()[1]} for name in NAMES), []])
def test_there_is_a_reference_and_it_has_its_own_name(references):
    with refuses(ValueError, "The references are named"):
        relearning(tiny.classifiers()[0], dict(references), reached=bool, train_step=tiny.classify)


def test_reached_is_a_bool_for_each_run():
    with refuses(ValueError, "reached returned 2 values of type torch.bool for 1 runs"):
        attack(tiny.classifiers()[0], reached=lambda _: torch.tensor([True, False]))


def test_references_have_the_same_seeds():
    hidden, oracle = tiny.classifiers()
    with refuses(ValueError, "The 'other' networks have seeds 0, 1 and the edited ones 0"):
        attack(hidden, {"other": tiny.population(oracle, oracle)})


def test_an_edit_in_force_is_refused():
    hidden, oracle = tiny.classifiers()
    with refuses(ValueError, "an edit is in force"), intervene(hidden, torch.neg, at="0"):
        attack(
            hidden,
            {"oracle": oracle},
            measure=lambda m: m(tiny.POINTS).mean(),
            reached=lambda mean: mean > 1e9,
        )


@pytest.mark.parametrize("where", [0, 1])
def test_an_edit_in_force_in_a_population_is_refused_too(where: int):
    pair = [tiny.population(each) for each in tiny.classifiers()]
    with refuses(ValueError, "an edit is in force"), intervene(pair[where], torch.neg, at="0"):
        attack(pair[0], {"oracle": pair[1]}, rates=[0.1])


def test_a_reference_that_never_gets_there_is_refused():
    hidden, oracle = tiny.classifiers()
    with refuses(RuntimeError, "Within 5 steps 1 of 1 oracle networks have not reached the goal"):
        attack(hidden, {"oracle": oracle}, rates=[1e-6], limit=5)


def test_by_default_three_rates_are_tried_within_a_thousand_steps():
    rates = []

    def noted(parameters, lr):
        rates.append(lr)
        return torch.optim.SGD(parameters, lr=30 * lr)

    hidden, oracle = tiny.classifiers()
    audit = attack(hidden, {"oracle": oracle}, optimizers={"SGD": noted})
    assert audit.limit == 1000
    assert {*rates} == {0.01, 0.003, 0.001}


def test_an_attack_ends_when_the_goal_is_reached_twice_in_a_row():
    steps = []

    def train_step(model, step):
        steps.append(step)
        return tiny.classify(model, step)

    def reached(_):
        return len(steps) == 3 or len(steps) >= 9

    hidden, oracle = tiny.classifiers()
    attack(hidden, {"oracle": oracle}, reached=reached, train_step=train_step, rates=[0.1], every=3)
    # checks at 0, 3 (reached), 6, 9 (reached), 12 (reached again)
    assert steps[:13] == [*range(12), 0]


def test_a_run_arrives_at_the_first_of_two_checks_in_a_row_that_reach_the_goal():
    reached = torch.tensor(
        [[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 1, 0], [1, 0, 0, 1]], dtype=torch.bool
    )
    steps = Checks(reached.double(), reached).first(10)
    assert steps.tolist() == [30.0, 0.0, 20.0, torch.inf]


def test_a_small_edit_in_force_is_refused_too():
    hidden, oracle = tiny.classifiers()
    nudged = intervene(hidden, lambda z: z + 1e-3, at="2")
    with refuses(ValueError, "an edit is in force"), nudged:
        attack(
            hidden,
            {"oracle": oracle},
            measure=lambda m: m(tiny.POINTS)[:, 1].mean(),
            reached=lambda mean: mean > 1e9,
        )


def test_a_budget_has_the_best_of_all_attackers_and_the_first_to_arrive_has_its_steps():
    hidden, oracle = tiny.classifiers()
    given = {"measure": tiny.accuracy, "reached": lambda share: share > 0.9, "every": 2}
    slow, fast = (
        attack(hidden, {"oracle": oracle}, rates=rates, **given) for rates in ([0.02], [0.1])
    )
    both = attack(hidden, {"oracle": oracle}, rates=[0.02, 0.1], better="higher", **given)
    n = len(both.curves["edited"])
    each = [lasting(audit.curves["edited"], n) for audit in (slow, fast)]
    torch.testing.assert_close(both.curves["edited"], torch.maximum(*each))
    assert both.found["relearning/steps/edited"] == fast.found["relearning/steps/edited"]
    assert [*both.after()] == [
        f"relearning/after/{budget}/{name}"
        for budget in (10, 50, 100, 500)
        for name in ("oracle", "edited")
    ]
    after = both.after([0, 4, 999])
    assert after["relearning/after/4/edited"] == both.curves["edited"][4]
    assert after["relearning/after/999/edited"] == both.curves["edited"][-1]


def lasting(curve, n):
    return torch.cat([curve, curve[-1:].expand(max(0, n - len(curve)), -1)])[:n]


def test_a_rate_that_diverges_hides_no_curve():
    values = [torch.tensor([[0.5], [torch.nan], [torch.nan]]), torch.tensor([[0.4], [0.6], [nan]])]
    assert best_of(values, -1).flatten().tolist()[:2] == pytest.approx([0.4, 0.6])
    assert best_of(values, 1).flatten().tolist()[:2] == pytest.approx([0.5, 0.6])
    assert best_of(values, 1)[2].isnan()


def test_what_was_infinite_stays_so():
    assert best_of([torch.tensor([[torch.inf]]), torch.tensor([[torch.nan]])], -1).isposinf()


def test_budgets_go_as_far_as_the_limit():
    short = Relearning((0,), 60.0, RECORD.found, {"edited": torch.zeros(3, 1)}, {})
    assert [*short.after()] == ["relearning/after/10/edited", "relearning/after/50/edited"]


def test_every_reference_has_its_ratio_and_its_own_lateness():
    found = ratios_of(
        {"fresh": torch.tensor([40.0, inf]), "oracle": torch.tensor([inf, 0.0]), "edited": STEPS},
        limit=100.0,
        least=10.0,
    )
    assert found["relearning/ratio"].tolist() == [2, 1]
    assert "relearning/ratio_fresh" not in found  # the same under another name
    assert found["relearning/ratio_oracle"].tolist() == pytest.approx([0.8, 10])
    assert found["relearning/censored/fresh"].tolist() == [False, True]
    assert found["relearning/censored/oracle"].tolist() == [True, False]
    assert found["relearning/steps/oracle"].tolist() == [100, 0]


def test_nothing_is_known_beyond_the_limit():
    with refuses(ValueError, "budget"):
        RECORD.after([901])


def test_where_nobody_has_to_arrive_and_nobody_does_there_is_no_ratio():
    hidden, oracle = tiny.classifiers()
    audit = attack(
        hidden,
        {"oracle": oracle},
        measure=tiny.accuracy,
        reached=lambda share: share > 0.9,
        rates=[1e-6],
        limit=5,
        every=5,
        better="higher",
        first_must_arrive=False,
    )
    assert audit.found["relearning/ratio"].isnan().all()
    assert audit.found["relearning/steps/oracle"].tolist() == [5]
    late = ("relearning/censored", "relearning/censored/oracle")
    # nobody is back: that is a result of the run, not a failure
    assert [audit.metrics()[name].per_seed for name in late] == [(1.0,), (1.0,)]
    assert audit.metrics()["relearning/ratio"].n == 0
    assert audit.metrics()["relearning/at_least_one"].per_seed == (0.0,)


@pytest.mark.parametrize("rates", [(1e9, 0.01), (0.01, 1e9)])
@pytest.mark.parametrize("better", [None, "higher"])
def test_where_the_edited_network_never_arrives_its_curve_is_of_no_rate_that_diverged(
    rates: tuple[float, float], better: str | None
):
    hidden, oracle = tiny.classifiers()
    stuck = deepcopy(hidden)
    with torch.no_grad():
        stuck[2].bias[0] = -1e6

    def confidence(model):
        return -cross_entropy(model(tiny.POINTS), tiny.CLASSES)

    audit = attack(
        stuck,
        {"oracle": oracle},
        measure=confidence,
        reached=lambda value: value > -0.5,
        optimizers={"SGD": torch.optim.SGD},
        rates=[*rates, 0.3],
        limit=200,
        better=better,
    )
    assert audit.found["relearning/censored"].tolist() == [True]
    assert audit.best["edited"] != ("SGD at 1e+09",)
    assert audit.curves["edited"].isfinite().all()


def test_what_a_training_step_draws_is_a_function_of_the_seed():
    def dropped(model, _):
        return cross_entropy(dropout(model(tiny.POINTS), 0.5), tiny.CLASSES)

    audits = [attack(tiny.classifiers()[0], train_step=dropped, rates=[0.1]) for _ in range(2)]
    assert torch.equal(*(audit.curves["edited"] for audit in audits))


def test_where_nobody_has_to_arrive_it_is_said_which_way_is_better():
    with refuses(ValueError, "Nobody has to arrive, and better=None"):
        attack(tiny.classifiers()[0], first_must_arrive=False)


def test_there_are_two_directions():
    with refuses(ValueError, "Unknown direction 'up'"):
        attack(tiny.classifiers()[0], better="up")


def test_a_control_divides_each_ratio_seed_by_seed():
    ratios = {"ratio": [1.0, 4.0], "ratio_oracle": [2.0, 2.0], "censored": [False, True]}
    found = {f"relearning/{name}": torch.tensor(each) for name, each in ratios.items()}
    audit = Relearning((0, 1), 9.0, Evaluation(found), {}, {})
    with_control = audit.with_control(audit)
    assert with_control.found["relearning/control"].tolist() == [1, 4]
    assert with_control.found["relearning/censored/control"].tolist() == [False, True]
    geometric = with_control.ratios()
    assert geometric["relearning/control"].mean == pytest.approx(2)
    assert geometric["relearning/ratio_oracle / control"].per_seed == (2.0, 0.5)
    assert "relearning/censored" not in geometric
    assert "relearning/ratio_oracle / control" not in audit.ratios()


def test_a_failed_run_has_no_ratio_and_counts_in_no_mean():
    assert RECORD.ratios()["relearning/ratio"].mean == pytest.approx(3.15 ** (1 / 3))
    assert RECORD.ratios()["relearning/control"].per_seed == (1.0, None, 2.0)


def test_a_control_is_of_the_same_seeds():
    other = Relearning((0,), 900.0, RECORD.found, {}, {})
    with refuses(ValueError, "The control has seeds 0 and the audit 5, 6, 7"):
        RECORD.with_control(other)


def test_a_network_beside_its_copy_has_ratio_1_also_where_both_are_there_at_once():
    zero = torch.zeros(1)
    assert ratios_of({"copy": zero, "edited": zero}, 100.0, 10.0)["relearning/ratio"] == 1
    assert ratios_of({"copy": zero + 60, "edited": zero}, 100.0, 10.0)["relearning/ratio"] == 0


def test_a_limit_between_two_checks_ends_at_the_last_one_by_steps_and_by_losses():
    model, other = (deepcopy(each) for each in tiny.language_models())
    how = {"losses": {"tokens": next_token}, "sampler": Sampler(tiny.LINES, batch_size=24)}
    for given in (how, {"train_step": tiny.predict}):
        audit = relearning(
            model,
            {"other": other},
            measure=nats if given is how else tiny.surprise,
            reached=lambda nats: nats < -1.0,
            rates=[0.01],
            limit=15,
            every=10,
            better="lower",
            first_must_arrive=False,
            **given,
        )
        assert len(audit.curves["edited"]) == 2 * 10
