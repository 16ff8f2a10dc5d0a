import pytest
import torch
from baselines import problem
from baselines.problem import BATCH, DIM, LABEL, X
from refusals import refuses

from latent_anchors.baselines import GradientRouting
from latent_anchors.data import LabeledBatch

PLAIN = {"l1": 0.0, "decorrelation": 0.0}


def step(**given):
    """What one step of plain descent adds to the first layer's weights, at rate 1."""
    batch = given.pop("batch", BATCH)
    plain = {"rate": lambda _: 1.0, "optimizer": torch.optim.SGD, "batches": lambda _: batch}
    task = problem.task(1, **plain, loss=given.pop("loss", problem.error))
    network = problem.network()
    placed = GradientRouting("0", **{"dims": [0, 1], **PLAIN, **given}).fit(network, task)
    return (network[0].weight - placed.model[0].weight).detach()


def slope(chosen, batch=BATCH):
    """The plain gradient of some samples' part in the mean loss."""
    network = problem.network()
    (problem.error(network, batch) * chosen).mean().backward()
    return network[0].weight.grad


def test_labeled_samples_teach_the_chosen_dimensions_and_the_others_the_rest():
    expected = slope(1 - LABEL)
    expected[:2] = slope(LABEL)[:2]
    torch.testing.assert_close(step(), expected)
    assert not torch.allclose(step(), slope(torch.ones_like(LABEL)), atol=1e-4)


@pytest.mark.parametrize(
    ("elsewhere", "inside"), [(1.0, 1.0), (-0.75, 0.0), (0.0, 1.0), (0.5, 0.25)]
)
def test_the_multipliers_scale_the_gradients_on_the_other_side(elsewhere, inside):
    expected = slope(1 - LABEL) + elsewhere * slope(LABEL)
    expected[:2] = slope(LABEL)[:2] + inside * slope(1 - LABEL)[:2]
    found = step(labeled_elsewhere=elsewhere, unlabeled_inside=inside)
    torch.testing.assert_close(found, expected)


def test_a_label_between_0_and_1_is_that_much_labeled():
    half = LabeledBatch(X, {"first": 0.5 * LABEL})
    expected = slope(1 - 0.5 * LABEL)
    expected[:2] = slope(0.5 * LABEL)[:2]
    torch.testing.assert_close(step(batch=half), expected)


def test_labels_of_positions_route_each_position():
    lines = LabeledBatch(X.reshape(12, 8, DIM), {"first": LABEL.reshape(12, 8)})
    for dims in ([0, 1], [0, 9]):
        torch.testing.assert_close(step(batch=lines, dims=dims), step(dims=dims))


@pytest.mark.parametrize(
    ("weight", "penalty"),
    [
        ("l1", lambda z: z[:, :2].abs().mean() + z[:, 2:].abs().mean()),
        ("decorrelation", lambda z: torch.corrcoef(z.mT)[:2, 2:].abs().mean()),
    ],
)
def test_the_penalties_are_those_of_the_formula_wherever_gradients_are_routed(weight, penalty):
    network = problem.network()
    (3.0 * penalty(network[0](X))).backward()
    found = step(**{weight: 3.0}, loss=lambda model, batch: 0 * model(batch.inputs).sum())
    torch.testing.assert_close(found, network[0].weight.grad, rtol=1e-3, atol=1e-5)
    assert found.abs().max() > 0.01


def test_the_penalties_pull_the_dimensions_together_and_apart():
    def after(**given):
        task = problem.task(200, loss=lambda model, batch: 0 * model(batch.inputs).sum())
        settings = {**PLAIN, **given}
        model = GradientRouting("0", dims=[0, 1], **settings).fit(problem.network(), task).model
        with torch.no_grad():
            z = model[0](X)
        correlations = torch.corrcoef(z.mT)[:2, 2:].abs().mean()
        return float(z.abs().mean()), float(correlations)

    plain, small, apart = after(), after(l1=1.0), after(decorrelation=1.0)
    assert small[0] < 0.2 * plain[0]
    assert apart[1] < 0.2 * plain[1]


def test_what_the_mask_excludes_has_no_part_in_the_penalties():
    lines, label = X.reshape(12, 8, DIM).clone(), LABEL.reshape(12, 8)
    counted = torch.ones(12, 8)
    counted[:, 6:] = 0

    def trained(elsewhere):
        inputs = lines.clone()
        inputs[:, 6:] = elsewhere
        batch = LabeledBatch(inputs, {"first": label}, {"real": counted.bool()})
        task = problem.task(
            2,
            batches=lambda _: batch,
            mask="real",
            loss=lambda model, batch: 0 * model(batch.inputs).sum(),
        )
        return GradientRouting("0", dims=[0, 1]).fit(problem.network(), task).model[0].weight

    assert torch.equal(trained(0.0), trained(100.0))
    assert not torch.equal(trained(0.0), problem.network()[0].weight)


def test_healing_happens_in_a_copy_and_on_unlabeled_samples_only():
    seen = []

    def watched(model, batch):
        seen.append(batch.labels["first"].sum())
        return problem.error(model, batch)

    member = GradientRouting("0", dims=[0, 1], heal=4)
    placed = member.fit(problem.network(), problem.task(3, loss=watched))
    assert [float(each) for each in seen] == [32.0] * 3 + [0.0] * 4
    assert not torch.equal(placed.cut[0].weight, placed.model[0].weight)
    # what the chosen dimensions hold is not trained while they are at zero
    assert torch.equal(placed.cut[0].weight[:2], placed.model[0].weight[:2])
    assert GradientRouting("0", dims=[0]).fit(problem.network(), problem.task(1)).cut is None


def test_a_batch_of_labeled_samples_alone_heals_nothing():
    only = LabeledBatch(X[::3], {"first": LABEL[::3]})

    def batches(step):
        return BATCH if step == 0 else only

    member = GradientRouting("0", dims=[0, 1], heal=2)
    assert member.fit(problem.network(), problem.task(3, batches=batches)).cost.passes == (
        96 + 32 + 32 + 64
    )


@pytest.mark.parametrize("dims", [[10], [*range(10)]])
def test_dimensions_that_a_site_lacks_and_all_of_them_are_refused(dims):
    with refuses(
        ValueError, "The chosen dimensions are .* of 10; expected some of them, and others"
    ):
        GradientRouting("0", dims=dims).fit(problem.network(), problem.task(1))


def test_settings_out_of_range_are_refused():
    with refuses(ValueError, "dims is nothing; expected distinct dimensions"):
        GradientRouting("0", dims=[])
    with refuses(ValueError, "l1 is -1.0; expected a number from 0.0"):
        GradientRouting("0", dims=[0], l1=-1.0)
    with refuses(ValueError, "labeled_elsewhere is nan; expected a finite number"):
        GradientRouting("0", dims=[0], labeled_elsewhere=float("nan"))
    with refuses(ValueError, "heal is -1; expected at least 0"):
        GradientRouting("0", dims=[0], heal=-1)
