import pytest
import torch
from baselines import problem
from baselines.problem import BATCH, LABEL, X
from refusals import refuses, unchecked

from latent_anchors.baselines import SelectiveMasking, reserved_units
from latent_anchors.data import LabeledBatch
from latent_anchors.models import UnitNorm

UNITS = [0, 1, 2]


def reserved(network=None):
    return reserved_units(network or problem.network(), UNITS, outputs=["0"], inputs=["1"])


def without(network):
    """The same with the reserved weights at zero."""
    with torch.no_grad():
        for name, mask in reserved(network).items():
            network.get_parameter(name)[mask] = 0.0
    return network


def slopes(network, chosen):
    (problem.error(network, BATCH) * chosen).mean().backward()
    return {name: each.grad for name, each in network.named_parameters()}


@pytest.mark.parametrize("retain", [0.0, 1.0])
def test_a_step_is_the_gradient_of_the_formula(retain):
    network = problem.network()
    task = problem.task(1, rate=lambda _: 1.0, optimizer=torch.optim.SGD)
    placed = SelectiveMasking(reserved(), retain).fit(network, task)
    labeled = slopes(problem.network(), LABEL)
    others = slopes(without(problem.network()) if retain else problem.network(), 1 - LABEL)
    masks = reserved()
    for name, before in network.named_parameters():
        mask = masks.get(name, torch.zeros_like(before, dtype=torch.bool))
        expected = labeled[name] * mask + others[name] * (~mask if retain else 1)
        found = before - placed.model.get_parameter(name)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)
        assert (found - labeled[name] - others[name]).abs().max() > 1e-3


def test_labeled_samples_alone_leave_all_other_weights_as_they_are():
    only = LabeledBatch(X[::3], {"first": LABEL[::3]})

    def batches(step):
        return only if step else BATCH

    first, second = (
        SelectiveMasking(reserved(), 0.0).fit(
            problem.network(), problem.task(n, batches=batches, optimizer=torch.optim.SGD)
        )
        for n in (1, 5)
    )
    for name, mask in reserved().items():
        before, after = first.model.get_parameter(name), second.model.get_parameter(name)
        assert torch.equal(before[~mask], after[~mask])
        assert not torch.equal(before[mask], after[mask])


def test_with_retain_passes_the_network_works_better_without_the_reserved_weights():
    def rest(retain):
        placed = SelectiveMasking(reserved(), retain).fit(problem.network(), problem.task(150))
        return problem.errors(placed.cut)[1]

    assert rest(0.5) < 0.1 * rest(0.0)


def test_the_chance_of_a_retain_pass_draws_by_the_seed_of_the_task():
    def fitted(seed):
        task = problem.task(6, seed=seed)
        return SelectiveMasking(reserved(), 0.5).fit(problem.network(), task).model[0].weight

    assert torch.equal(fitted(0), fitted(0))
    assert not torch.equal(fitted(0), fitted(1))


def test_the_cut_network_lacks_the_reserved_weights_and_nothing_else():
    placed = SelectiveMasking(reserved()).fit(problem.network(), problem.task(20))
    for name, after in placed.cut.named_parameters():
        before = placed.model.get_parameter(name)
        mask = reserved().get(name, torch.zeros_like(before, dtype=torch.bool))
        assert not after[mask].any()
        assert torch.equal(after[~mask], before[~mask])
        assert not mask.any() or before[mask].any()


def test_calibration_fits_the_biases_of_the_cut_network_to_samples_of_both_kinds():
    shifted = LabeledBatch(X + 1.0, {"first": LABEL})
    task = problem.task(20, batches=lambda _: shifted)

    def fitted(**given):
        return SelectiveMasking(reserved(), **given).fit(problem.network(), task)

    plain, calibrated = fitted(), fitted(calibrated=["1.bias"], calibration=300)
    for name, after in calibrated.cut.named_parameters():
        assert torch.equal(after, plain.cut.get_parameter(name)) == (name != "1.bias")
    assert torch.equal(calibrated.model[1].bias, plain.model[1].bias)
    assert calibrated.cost.steps == 320
    assert calibrated.cost.passes == 320 * len(X)

    def loss(placed):
        with torch.no_grad():
            errors = problem.error(placed.cut, shifted)
        return float(errors[LABEL == 1].mean() + 100 * errors[LABEL == 0].mean())

    assert loss(calibrated) < 0.9 * loss(plain)


def test_a_parameter_of_which_nothing_is_reserved_may_stand_beside_one_of_which_some_is():
    masks = {"0.bias": torch.zeros(10).bool(), "1.bias": torch.arange(6) < 2}
    cut = SelectiveMasking(masks).fit(problem.network(), problem.task(3)).cut
    assert cut[1].bias[:2].tolist() == [0.0, 0.0]
    assert bool(cut[0].bias.all())


def test_masks_that_do_not_fit_are_refused():
    network, task = problem.network(), problem.task(1)
    with refuses(ValueError, "Of '0.weight' no number is reserved; expected some"):
        SelectiveMasking({"0.weight": torch.zeros(10, 6).bool()})
    with refuses(ValueError, "Unknown parameter to be reserved '2.weight'"):
        SelectiveMasking({"2.weight": torch.ones(1).bool()}).fit(network, task)
    with refuses(
        ValueError, r"mask of '0.bias' has shape \(3,\) and type torch.bool; expected \(10"
    ):
        SelectiveMasking({"0.bias": torch.ones(3).bool()}).fit(network, task)
    with refuses(ValueError, "type torch.float32; expected .* torch.bool"):
        SelectiveMasking({"0.bias": torch.ones(10)}).fit(network, task)
    with refuses(ValueError, "Unknown parameter to be calibrated '9.bias'"):
        SelectiveMasking(reserved(), calibrated=["9.bias"]).fit(network, task)
    with refuses(ValueError, "retain is 1.5; expected a number from 0.0 to 1.0"):
        SelectiveMasking(reserved(), 1.5)
    with refuses(ValueError, "calibration is 0; expected at least 1"):
        SelectiveMasking(reserved(), calibration=0)


def test_a_constraint_changes_no_weight_that_calibration_does_not_fit():
    constraint = UnitNorm({"1.weight": -1})
    task = problem.task(3, constraint=constraint)
    plain, calibrated = (
        SelectiveMasking(reserved(), calibrated=biases, calibration=3).fit(problem.network(), task)
        for biases in ((), ("1.bias",))
    )
    assert torch.equal(plain.cut[1].weight, calibrated.cut[1].weight)
    assert not torch.equal(plain.cut[1].bias, calibrated.cut[1].bias)


def normed():
    torch.manual_seed(0)
    layers = torch.nn.Linear(6, 10), torch.nn.BatchNorm1d(10), torch.nn.Linear(10, 6)
    return torch.nn.Sequential(*layers)


def calibrated(names, calibration=20):
    masks = reserved_units(normed(), UNITS, outputs=["0"], inputs=["2"])
    rival = SelectiveMasking(masks, calibrated=names, calibration=calibration)
    return rival.fit(normed(), problem.task(5)).cut


def test_calibration_fits_biases_and_no_averages():
    one, other = calibrated(["2.bias"]), calibrated(())
    assert not torch.equal(one[2].bias, other[2].bias)
    assert torch.equal(one[1].running_mean, other[1].running_mean)


def test_a_bias_named_twice_is_fitted_once_and_names_do_not_run_out():
    once = calibrated(["2.bias"])
    for names in (["2.bias", "2.bias"], (name for name in ["2.bias"])):
        with unchecked():
            assert torch.equal(calibrated(names)[2].bias, once[2].bias)


def test_calibration_asks_for_no_batch_that_the_task_does_not_have():
    data = [BATCH] * 5
    masks = reserved_units(normed(), UNITS, outputs=["0"], inputs=["2"])
    rival = SelectiveMasking(masks, calibrated=["2.bias"], calibration=12)
    task = problem.task(5, batches=lambda step: data[step])
    assert rival.fit(normed(), task).cost.steps == 17
