import pytest
import torch
from baselines import problem
from baselines.problem import BATCH, X
from refusals import refuses
from torch import nn
from torch.nn.functional import mse_loss

from latent_anchors.baselines import FineTuning, KnownEdits, Undo
from latent_anchors.baselines._undo import damage
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import part_along

KNOWN = KnownEdits({"0": problem.edit()})


def fitted(before=KNOWN, steps=150, **given):
    return Undo(before, mse_loss, **given).fit(problem.start(before), problem.task(steps))


def test_the_student_says_what_its_teacher_says_by_its_weights_alone():
    placed = fitted(steps=150)
    with KNOWN.fit(problem.start(KNOWN), problem.task(1)).removed() as teacher, torch.no_grad():
        wanted = teacher(X)
    with torch.no_grad():
        assert (placed.cut(X) - wanted).square().mean() < 1e-4
        assert (placed.model(X) - wanted).square().mean() > 0.05
    assert not placed.edits


def test_its_weights_have_lost_what_the_edit_only_hid():
    def column(model):
        """How much of the first input reaches the hidden layer, of what the others send."""
        sizes = model[0].weight.detach().norm(dim=0)
        return float(sizes[0] / sizes[1:].mean())

    hidden = column(problem.start(KNOWN))
    gone = column(fitted(alpha=0.8).cut)
    assert hidden > 0.5
    assert gone < 0.6 * hidden
    assert column(fitted(alpha=0.2).cut) > gone


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_damage_shrinks_everything_and_perturbs_matrices_within_xaviers_bound(alpha):
    whole, damaged = problem.network(), problem.network()
    damage(damaged, alpha, beta=0.5, seed=0)
    for before, after in zip(whole.parameters(), damaged.parameters(), strict=True):
        noise = (after - (1 - alpha) * before).detach()
        bound = alpha * 0.5 * (6 / sum(before.shape)) ** 0.5 if before.ndim > 1 else 0.0
        assert noise.abs().max() <= bound + 1e-7
        assert noise.abs().max() >= 0.8 * bound
        if bound:
            assert abs(float(noise.mean())) < 0.2 * bound


def test_frozen_parameters_stay_for_they_could_not_recover():
    network = problem.network()
    network[0].requires_grad_(False)
    before = [each.detach().clone() for each in network.parameters()]
    damage(network, 0.5, beta=0.5, seed=0)
    kept = [torch.equal(*pair) for pair in zip(before, network.parameters(), strict=True)]
    assert kept == [True, True, False, False]


def test_the_bound_of_a_convolution_counts_its_places():
    layer = nn.Conv2d(4, 8, 3)
    before = layer.weight.detach().clone()
    damage(layer, 1.0, beta=1.0, seed=0)
    bound = (6 / (9 * (4 + 8))) ** 0.5
    assert 0.95 * bound < layer.weight.abs().max() <= bound
    assert not torch.equal(before, layer.weight)


def test_the_noise_is_a_function_of_the_seed():
    def noisy(seed):
        network = problem.network()
        damage(network, 0.5, beta=1.0, seed=seed)
        return network[0].weight

    assert torch.equal(noisy(0), noisy(0))
    assert not torch.equal(noisy(0), noisy(1))


def first_unit(name, x):
    """What the first hidden unit reads."""
    lost = torch.zeros_like(x)
    if name == "0.weight":
        lost[0] = x[0]
    return lost


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_without_a_part_all_weights_are_damaged_as_if_it_were_everything(alpha):
    plain, whole = problem.network(), problem.network()
    damage(plain, alpha, beta=0.5, seed=0)
    damage(whole, alpha, beta=0.5, seed=0, part=lambda _, x: x)
    for one, other in zip(plain.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_what_lies_outside_the_part_keeps_its_bits():
    before, after = problem.network(), problem.network()
    damage(after, 0.7, beta=0.5, seed=0, part=first_unit)
    lost, plain = after[0].weight[0].detach().clone(), problem.network()
    damage(plain, 0.7, beta=0.5, seed=0)
    torch.testing.assert_close(lost, plain[0].weight[0])
    with torch.no_grad():
        after[0].weight[0] = before[0].weight[0]
    for one, other in zip(before.parameters(), after.parameters(), strict=True):
        assert torch.equal(one, other)
    assert (lost - before[0].weight[0]).abs().min() > 0


def test_of_the_part_nothing_is_left_at_alpha_one_but_noise():
    v = torch.eye(problem.DIM)[0]
    part = part_along(problem.network(), torch.eye(10)[0], at="0", side="both")
    for beta, left in ((0.0, False), (0.1, True)):
        network = problem.network()
        damage(network, 1.0, beta, seed=0, part=part)
        assert bool((network[1].weight[:, 0] != 0).all()) is left
        assert bool((network[0].weight[0] @ v != 0).all()) is left
        assert torch.equal(network[1].weight[:, 1:], problem.network()[1].weight[:, 1:])


def test_where_the_concept_was_placed_the_weights_lose_it_and_along_random_directions_not():
    start = problem.start(KNOWN)

    def left(direction):
        """How much of what the first input wrote is left before any training."""
        part = part_along(start, direction, at="0")
        still = problem.task(1, rate=lambda _: 0.0)
        student = Undo(KNOWN, mse_loss, 1.0, 0.0, part=part).fit(start, still).cut
        sizes = [each[0].weight.detach()[:, 0].norm() for each in (student, start)]
        return float(sizes[0] / sizes[1])

    assert left(start[0].weight.detach()[:, 0]) < 1e-6
    assert left(torch.randn(10)) > 0.5


def test_a_part_of_another_shape_is_refused():
    with refuses(ValueError, r"part of '0.weight' has shape \(6,\) and the parameter \(10, 6\)"):
        damage(problem.network(), 1.0, beta=0.0, seed=0, part=lambda _, x: x[0])


def test_it_begins_where_the_method_before_ended_and_costs_both():
    tuned = FineTuning(problem.silence)
    placed = Undo(tuned, mse_loss, alpha=0.0).fit(
        problem.start(tuned), problem.task(5, rate=lambda _: 0.0)
    )
    before = tuned.fit(problem.start(tuned), problem.task(5, rate=lambda _: 0.0))
    assert torch.equal(placed.cut[0].weight, before.cut[0].weight)
    assert placed.cost.steps == 10
    assert placed.cost.passes == 3 * 5 * len(X)
    assert placed.cost.seconds >= 0


def test_a_step_follows_the_mean_of_the_distances_of_the_samples():
    def each(student, teacher):
        return (student - teacher).square().mean(-1)

    given = {"rate": lambda _: 0.1, "optimizer": torch.optim.SGD}
    fits = [
        Undo(KNOWN, distance).fit(problem.start(KNOWN), problem.task(2, **given)).cut
        for distance in (each, mse_loss)
    ]
    torch.testing.assert_close(fits[0][0].weight, fits[1][0].weight)


def test_what_is_compared_may_be_chosen():
    def tail(model, batch):
        return model(batch.inputs)[:, 1:]

    student = fitted(output=tail, alpha=1.0, beta=1.0).cut
    concept, rest = problem.errors(student)
    assert rest < 0.01
    assert concept > 0.5


def test_a_constraint_holds_of_the_damaged_weights_too():
    bounded = problem.task(
        1,
        rate=lambda _: 0.0,
        constraint=lambda named: {"0.weight": named["0.weight"].clamp(-0.01, 0.01)},
    )
    placed = Undo(KNOWN, mse_loss, alpha=0.0).fit(problem.start(KNOWN), bounded)
    assert placed.cut[0].weight.abs().max() <= 0.01


def test_what_the_mask_excludes_is_not_compared():
    def student(filler, mask="real"):
        x = X.reshape(24, 4, -1).clone()
        real = torch.arange(4).expand(24, 4) < 3
        x[~real] = filler
        label = BATCH.labels["first"].reshape(24, 4)
        batch = LabeledBatch(x, {"first": label}, {"real": real})
        given = {"batches": lambda _: batch, "mask": mask}
        return Undo(KNOWN, mse_loss).fit(problem.start(KNOWN), problem.task(5, **given)).cut

    masked = student(0.0)[0].weight
    assert torch.equal(masked, student(9.0)[0].weight)
    assert not torch.equal(masked, student(9.0, mask=None)[0].weight)


def test_outputs_without_the_axes_of_the_mask_are_refused():
    batch = LabeledBatch(X, BATCH.labels, {"real": torch.ones(len(X), 7, dtype=torch.bool)})
    task = problem.task(1, batches=lambda _: batch, mask="real")
    with refuses(ValueError, r"outputs to be compared have shape \(96, 6\) and the task's mask"):
        Undo(KNOWN, mse_loss).fit(problem.start(KNOWN), task)


def test_settings_out_of_range_are_refused():
    with refuses(ValueError, "alpha is 1.5; expected a number from 0.0 to 1.0"):
        Undo(KNOWN, mse_loss, alpha=1.5)
    with refuses(ValueError, "beta is -0.1; expected a number from 0.0 to 1.0"):
        Undo(KNOWN, mse_loss, beta=-0.1)
    assert BATCH.labels["first"].sum() == 32
