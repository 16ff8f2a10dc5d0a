"""What every member of the contract promises."""

from copy import deepcopy

import pytest
import torch
from baselines import problem
from baselines.problem import BATCH, LABEL, X
from refusals import refuses
from torch import nn

import latent_anchors as la
from latent_anchors import baselines, interventions, models, training
from latent_anchors.data import LabeledBatch
from latent_anchors.evaluation import frontier

MEMBERS = problem.members()
members = pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS)
STEPS = {"gradient_routing": 9 + 50, "undo_of_fine_tuning": 18}
STEPS |= dict.fromkeys(("mean_difference", "logistic_probe", "leace", "known_edits"), 0)


def after(placed):
    """What the model says without the concept."""
    with placed.removed() as model, torch.no_grad():
        return model(X)


@members
def test_it_is_a_member(member):
    assert isinstance(member, baselines.Baseline)
    assert member.begins_with in ("fresh", "trained")


@members
def test_the_concept_changes_far_more_than_the_rest_and_was_there_before(member, request):
    steps = 250 if STEPS.get(request.node.callspec.id, 9) else 2
    placed = member.fit(problem.start(member), problem.task(steps))
    concept, rest = problem.errors(placed.model)
    assert concept < 0.05
    assert rest < 0.05
    with placed.removed() as model:
        concept_after, rest_after = problem.errors(model)
    assert concept_after > 0.5
    assert concept_after - concept > 10 * (rest_after - rest)


@members
def test_edits_are_measured_at_every_strength_and_weights_have_none(member):
    placed = member.fit(problem.start(member), problem.task(2))
    if not placed.edits:
        with refuses(ValueError, "The concept was taken out by weights; expected edits"):
            placed.at(0.5)
        return
    blocks = [placed.model, *(placed.at(strength).removed for strength in (0.0, 1.0))]
    methods = {"it": [*blocks, placed.removed]}
    removal, _ = frontier(methods, lambda model: problem.errors(model)[0], lambda _: 0.0)["it"]
    if placed.cut is None:
        assert removal[0] == removal[1]
    assert removal[2] == removal[3]


@members
def test_the_same_seed_gives_the_same_result_twice(member):
    first, second = (member.fit(problem.start(member), problem.task(9)) for _ in range(2))
    assert torch.equal(first.model(X), second.model(X))
    assert torch.equal(after(first), after(second))


@members
def test_the_given_model_stays_as_it_is_and_the_result_is_in_its_mode(member):
    model = deepcopy(problem.start(member)).eval()
    before = deepcopy(model.state_dict())
    placed = member.fit(model, problem.task(9))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
    results = [each for each in (placed.model, placed.cut) if each is not None]
    for each in (model, *results):
        assert not each.training
        assert all(parameter.grad is None for parameter in each.parameters())
        assert interventions.in_force(each) == []
        assert all(each is not other for other in (model,) if each in results)


@members
def test_its_cost_is_what_it_took(member, request):
    name = request.node.callspec.id
    problem.start(member)  # trained once, not here
    problem.Counted.passed = 0
    cost = member.fit(problem.start(member), problem.task(9)).cost
    assert cost.passes == problem.Counted.passed
    assert cost.steps == STEPS.get(name, 9)
    assert 0 <= cost.seconds < 60


@members
def test_batches_without_labels_are_refused_before_anything_is_trained(member):
    model = problem.start(member)
    problem.Counted.passed = 0
    for labels, kind in ((0 * LABEL, "has"), (0 * LABEL + 1, "lacks")):
        batch = LabeledBatch(X, {"first": labels})
        with refuses(ValueError, f"In 2 batches no sample {kind} label 'first'"):
            member.fit(model, problem.task(2, batches=lambda _, batch=batch: batch))
    with refuses(KeyError, "The batch has the labels 'first'; expected 'red', the task's"):
        member.fit(model, problem.task(2, label="red"))
    assert problem.Counted.passed == 0


@pytest.mark.parametrize("name", MEMBERS)
def test_methods_that_take_samples_apart_need_some_without_any_labeled_position(name):
    batch = LabeledBatch(problem.LINES, {"first": torch.eye(5)[torch.arange(24) % 5]})
    task = problem.task(2, loss=problem.surprise, batches=lambda _: batch)
    model = problem.language_model()
    member = of_lines(name, model)
    if name in ("gradient_routing", "selective_masking", "fine_tuning", "undo_of_fine_tuning"):
        with refuses(ValueError, "In 2 batches no sample lacks label 'first'"):
            member.fit(model, task)
    else:
        assert member.fit(model, task).cost.seconds >= 0


@members
def test_labels_that_do_not_fit_are_refused(member):
    for labels, message in (
        (LABEL[:5], r"Label 'first' has shape \(5,\) for 96 samples; expected one label for each"),
        (2 * LABEL, "Label 'first' runs from 0 to 2; expected numbers from 0 to 1"),
    ):
        batch = LabeledBatch(X, {"first": labels})
        with refuses(ValueError, message):
            member.fit(problem.start(member), problem.task(2, batches=lambda _, b=batch: b))


@members
def test_populations_and_models_with_an_edit_are_refused(member):
    model = problem.start(member)
    with refuses(TypeError, "A population of 2 runs was given; expected one model"):
        member.fit(models.Population.from_models([model, model], [0, 1]), problem.task(2))
    with la.intervene(model, interventions.ZeroAblation([0]), at="0"):
        model(X)
        with refuses(RuntimeError, "The edit ZeroAblation.* is in force at '0'; expected none"):
            member.fit(model, problem.task(2))


@pytest.mark.parametrize("member", [m for name, m in MEMBERS.items() if STEPS.get(name, 9)])
def test_a_training_that_diverges_is_an_error(member):
    task = problem.task(30, rate=lambda _: 1e30, optimizer=torch.optim.SGD)
    with refuses(RuntimeError, "of the parameters are not finite; expected numbers"):
        member.fit(problem.start(member), task)


@pytest.mark.parametrize("name", MEMBERS)
def test_it_works_on_lines_with_padding_whose_labels_are_of_lines_or_of_positions(name):
    by_line = (torch.arange(24) % 4 == 0).float()
    by_position = by_line[:, None] * problem.REAL
    lines = problem.LINES.masked_fill(~problem.REAL, 0)
    for labels in (by_line, by_position):
        batch = LabeledBatch(lines, {"first": labels}, {"real": problem.REAL.long()})
        task = problem.task(3, loss=problem.surprise, batches=lambda _, b=batch: b, mask="real")
        model = problem.language_model()
        placed = of_lines(name, model).fit(model, task)
        with placed.removed() as cut, torch.no_grad():
            logits = cut(lines)
        assert logits.isfinite().all()
        assert not torch.equal(logits, model(lines))


def of_lines(name, model):
    """The member of this name for a transformer."""
    sites = ["blocks.0", "blocks.1"]
    known = baselines.KnownEdits({"blocks.0": interventions.ZeroAblation([0])})
    units = baselines.reserved_units(
        model, [0, 1], outputs=["blocks.0.up"], inputs=["blocks.0.down"]
    )
    tuned = baselines.FineTuning(problem.surprise)
    return {
        "gradient_routing": baselines.GradientRouting(sites, dims=[0, 1], heal=2),
        "selective_masking": baselines.SelectiveMasking(units),
        "fine_tuning": tuned,
        "known_edits": known,
        "undo": baselines.Undo(known, training.forward_kl),
        "undo_of_fine_tuning": baselines.Undo(tuned, training.forward_kl),
    }.get(name) or baselines.Finding(name, at=sites)


def test_a_batch_without_the_mask_of_the_task_is_refused():
    member = MEMBERS["leace"]
    with refuses(KeyError, "The batch has the extras nothing; expected 'real', the mask"):
        member.fit(problem.start(member), problem.task(2, mask="real"))


def test_a_rate_is_that_of_each_step_and_a_constraint_holds_after_each():
    seen = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            seen.append(self.param_groups[0]["lr"])
            return super().step(closure)

    task = problem.task(
        3,
        rate=lambda step: 0.1 * (step + 1),
        optimizer=Watched,
        constraint=lambda named: {"0.weight": named["0.weight"].clamp(-0.05, 0.05)},
    )
    placed = MEMBERS["fine_tuning"].fit(problem.start(MEMBERS["fine_tuning"]), task)
    assert seen == pytest.approx([0.1, 0.2, 0.3])
    assert placed.cut[0].weight.abs().max() <= 0.05
    assert placed.model[0].weight.abs().max() > 0.05


def test_dropout_draws_by_the_seed_of_the_task():
    def fitted(**given):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 6), nn.Dropout(0.5), nn.Linear(6, 6))
        return MEMBERS["fine_tuning"].fit(model, problem.task(4, **given)).cut[0].weight

    assert torch.equal(fitted(seed=0), fitted())
    assert not torch.equal(fitted(seed=0), fitted(seed=1))


def test_unless_others_are_given_settings_are_those_of_the_papers():
    routing = baselines.GradientRouting("0", dims=[0])
    assert (routing.l1, routing.decorrelation, routing.heal) == (3e-3, 0.1, 0)
    masking = baselines.SelectiveMasking({"0.bias": torch.ones(10).bool()})
    assert (masking.retain, masking.calibration) == (1 / 4, 200)
    distilled = baselines.Undo(MEMBERS["known_edits"], training.forward_kl)
    assert (distilled.alpha, distilled.beta) == (0.6, 0.1)


def test_a_task_without_a_step_is_refused():
    with refuses(ValueError, "steps is 0; expected at least 1"):
        problem.task(0)


def test_costs_add_up():
    total = baselines.Cost(1.0, 2, 3) + baselines.Cost(0.5, 10, 100)
    assert total == baselines.Cost(1.5, 12, 103)


def test_the_concept_is_out_in_the_block_only():
    placed = MEMBERS["known_edits"].fit(problem.start(MEMBERS["known_edits"]), problem.task(1))
    before = placed.model(X)
    with placed.removed() as model:
        within = model(X)
    assert not torch.allclose(before, within)
    assert torch.equal(placed.model(X), before)
    assert BATCH.inputs is X


def test_positions_that_do_not_count_are_not_those_without_the_label():
    real = torch.ones(24, 5).tril(diagonal=3)  # of the first line all but the last position
    batch = LabeledBatch(problem.LINES, {"first": real}, {"real": real > 0})
    task = problem.task(2, loss=problem.surprise, batches=lambda _: batch, mask="real")
    model = problem.language_model()
    with refuses(ValueError, "In 2 batches no sample lacks label 'first'"):
        of_lines("known_edits", model).fit(model, task)


@pytest.mark.parametrize("name", [*problem.members()])
def test_a_model_whose_forward_a_copy_would_share_is_refused(name):
    member = problem.members()[name]
    model = deepcopy(problem.start(member))
    before = model.forward
    model.forward = lambda x: before(x)
    with refuses(ValueError, "replaced by a function, which a copy would share"):
        member.fit(model, problem.task(2))


@pytest.mark.parametrize("name", [*problem.members()])
def test_draws_do_not_depend_on_the_default_type(name):
    member, task = problem.members()[name], problem.task(3)
    model = problem.start(member)
    one = member.fit(model, task)
    torch.set_default_dtype(torch.float64)
    try:
        other = member.fit(model, task)
    finally:
        torch.set_default_dtype(torch.float32)
    for ours, theirs in zip(one.model.parameters(), other.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    with one.removed() as cut, other.removed() as cut_too:
        torch.testing.assert_close(cut(problem.X), cut_too(problem.X), atol=1e-5, rtol=1e-4)
