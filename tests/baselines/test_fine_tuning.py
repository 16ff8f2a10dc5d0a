import torch
from baselines import problem
from baselines.problem import BATCH, LABEL, X
from refusals import refuses
from torch import nn

from latent_anchors.baselines import FineTuning
from latent_anchors.data import LabeledBatch

MEMBER = FineTuning(problem.silence)


def fitted(member=MEMBER, **given):
    return member.fit(problem.start(member), problem.task(**given))


def test_labeled_samples_get_the_fallback_and_the_others_stay():
    placed = fitted(steps=150)
    with torch.no_grad():
        after = problem.silence(placed.cut, BATCH)
        before = problem.silence(placed.model, BATCH)
    assert before[LABEL == 1].mean() > 0.3
    assert after.max() < 0.01


def test_a_step_weighs_the_fallback_beside_the_mean_of_the_others():
    network = problem.network()
    task = problem.task(1, rate=lambda _: 1.0, optimizer=torch.optim.SGD)
    placed = FineTuning(problem.silence, weight=3.0).fit(network, task)
    twin = problem.network()
    loss = problem.error(twin, BATCH)[LABEL == 0].mean()
    (loss + 3.0 * problem.silence(twin, BATCH)[LABEL == 1].mean()).backward()
    torch.testing.assert_close(network[0].weight - placed.cut[0].weight, twin[0].weight.grad)


def test_batches_of_one_kind_count_for_what_they_have():
    only = LabeledBatch(X[::3], {"first": LABEL[::3]})
    rest = LabeledBatch(X[LABEL == 0], {"first": LABEL[LABEL == 0]})
    placed = fitted(steps=4, batches=lambda step: (only, rest)[step % 2])
    assert placed.cost.passes == 2 * 32 + 2 * 64


def test_a_label_where_the_mask_is_0_is_none():
    mask = torch.tensor([[False, True], [False, True]])
    batches = [
        LabeledBatch(X[:2], {"first": torch.eye(2)}, {"mask": each}) for each in (mask, ~mask)
    ]

    def labeled(model, batch):
        rows.append(batch.inputs)
        return problem.silence(model, batch)

    for batch, expected in zip(batches, (X[1:2], X[:1]), strict=True):
        rows = []
        task = problem.task(1, batches=lambda _, each=batch: each, mask="mask")
        FineTuning(labeled).fit(problem.network(), task)
        assert torch.equal(torch.cat(rows), expected)
    nowhere = LabeledBatch(X[:2], {"first": torch.eye(2)}, {"mask": torch.eye(2) == 0})
    with refuses(ValueError, "no sample has label 'first'"):
        fitted(steps=1, batches=lambda _: nowhere, mask="mask")


def test_a_frozen_layer_stays_in_evaluation_mode():
    network = nn.Sequential(nn.BatchNorm1d(problem.DIM), nn.Linear(problem.DIM, problem.DIM))
    network[0].eval()
    cut = MEMBER.fit(network, problem.task(1)).cut
    assert [each.training for each in cut.modules()] == [True, False, True]


def test_a_weight_of_0_is_refused():
    with refuses(ValueError, "weight is 0.0; expected a number from 1e-09"):
        FineTuning(problem.silence, weight=0.0)


def test_a_line_of_which_no_position_counts_is_not_labeled():
    label = (torch.arange(24) == 0).float()
    counted = problem.REAL & (torch.arange(24) > 0)[:, None]
    batch = LabeledBatch(problem.LINES, {"first": label}, {"real": counted})
    task = problem.task(1, loss=problem.surprise, batches=lambda _: batch, mask="real")
    with refuses(ValueError, "no sample has label 'first'"):
        FineTuning(problem.surprise).fit(problem.language_model(), task)
