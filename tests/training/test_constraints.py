import pytest
import torch
from refusals import refuses
from torch import nn
from training.test_run_group import Poisoned, to_target
from training.tiny import Normed, close, network, same, timeline, train, weights

from latent_anchors.models import Population, UnitNorm
from latent_anchors.training import Every, Failure, constrain

ROWS = UnitNorm({"encoder.0.weight": -1, "decoder.0.weight": -2})
executions = pytest.mark.parametrize("execution", ["vmap", "sequential"])


def off(population):
    """How far from 1 lengths are at most."""
    tensors = population.tensors()
    lengths = [tensors[name].detach().norm(dim=axis).flatten() for name, axis in ROWS.axes.items()]
    return float((torch.cat(lengths) - 1).abs().max())


def held_before():
    population = Population.make(network, seeds=(3, 1, 4))
    constrain(population, ROWS)
    return population


def counted(parameters):
    """A constraint that tells how often it was applied: not what the family promises."""
    return {"decoder.2.bias": parameters["decoder.2.bias"] + 1.0}


@executions
def test_a_constraint_holds_after_every_step(execution):
    found = []
    look = Every(1, lambda progress: found.append(off(progress.population)))
    train(constraint=ROWS, execution=execution, callbacks=[look])
    assert len(found) == 20
    assert max(found) < 1e-12


@executions
def test_without_it_weights_drift_off(execution):
    population = held_before()
    assert off(population) < 1e-12
    assert off(train(population, execution=execution).population) > 0.01


@executions
def test_it_holds_before_the_first_step_too(execution):
    still = train(constraint=ROWS, time=timeline(lr=0.0), steps=1, execution=execution)
    assert close(still.population, held_before(), within=1e-12)


@executions
def test_it_is_applied_once_before_and_once_after_each_step(execution):
    options = {"execution": execution, "time": timeline(30, lr=0.0)}
    often, never = train(constraint=counted, **options), train(**options)
    there, start = (each.population.tensors()["decoder.2.bias"] for each in (often, never))
    torch.testing.assert_close(there, start + 31)


@pytest.mark.parametrize("make_model", [network, Normed])
def test_vmap_and_sequential_come_to_the_same(make_model):
    name = "encoder.0.weight" if make_model is network else "latent.0.weight"
    options = {"constraint": UnitNorm({name: -1}), "time": timeline(60), "seeds": [3, 1]}
    together, sequential = (
        train(make_model, execution=how, **options) for how in ("vmap", "sequential")
    )
    assert close(together.population, sequential.population)


def test_a_run_alone_is_the_run_among_many():
    among, alone = train(constraint=ROWS), train(constraint=ROWS, seeds=[1])
    difference = weights(among.population, 1) - weights(alone.population, 0)
    assert float(difference.abs().max()) < 1e-9


@executions
def test_a_training_that_was_stopped_goes_on_bit_for_bit(execution):
    options = {"constraint": counted, "execution": execution, "time": timeline(30)}
    half = train(steps=13, **options)
    assert same(train(half, **options).population, train(**options).population)


@executions
def test_a_frozen_run_stays_as_it_was_and_the_others_are_held(execution):
    options = {"losses": {"recon": to_target}, "constraint": counted, "execution": execution}
    failed = train(batches=Poisoned(1, 7), steps=12, **options)
    until_then = train(batches=Poisoned(None, 0), steps=7, **options)
    sound = train(batches=Poisoned(None, 0), steps=12, **options)
    assert failed.failures == (Failure(1, 7, "recon"),)
    assert torch.equal(weights(failed.population, 1), weights(until_then.population, 1))
    for run in (0, 2):
        assert torch.equal(weights(failed.population, run), weights(sound.population, run))


@executions
def test_frozen_parameters_stay_and_can_be_read(execution):
    population = Population.make(network, seeds=(3, 1, 4))
    population.stacked.encoder[0].weight.requires_grad_(False)
    before = population.tensors()["encoder.0.weight"].clone()

    def copies(parameters):
        weight = parameters["encoder.0.weight"]
        return {"encoder.0.weight": 0 * weight, "encoder.0.bias": weight.sum(-1)}

    trained = train(population, constraint=copies, execution=execution)
    after = trained.population.tensors()
    assert torch.equal(after["encoder.0.weight"], before)
    torch.testing.assert_close(after["encoder.0.bias"], before.sum(-1))


@pytest.mark.parametrize("runs", [1, 3])
def test_a_loop_of_ones_own_holds_a_model_or_a_population(runs):
    model = network() if runs == 1 else Population.make(network, seeds=range(runs))
    inner = model if runs == 1 else model.stacked
    constrain(model, ROWS)
    for name, axis in ROWS.axes.items():
        lengths = inner.get_parameter(name).norm(dim=axis)
        torch.testing.assert_close(lengths, torch.ones_like(lengths))


@pytest.mark.compiled
@pytest.mark.filterwarnings("ignore:`torch")  # of torch's own compiler
def test_a_compiled_training_is_held_too():
    options = {"constraint": ROWS, "time": timeline(60)}
    compiled, plain = train(backend="compiled", **options), train(**options)
    assert off(compiled.population) < 1e-12
    for name, tensor in plain.population.tensors().items():
        torch.testing.assert_close(compiled.population.tensors()[name], tensor)


@executions
def test_unknown_names_and_other_shapes_are_refused_before_the_first_step(execution):
    options = {"execution": execution, "steps": 1}
    with refuses(ValueError, "Unknown parameter returned by the constraint 'encoder.0.weights'"):
        train(constraint=lambda p: {"encoder.0.weights": p["encoder.0.weight"]}, **options)
    with refuses(ValueError, r"made 'encoder.0.bias' \(1,\); expected \(4,\), as it was"):
        train(constraint=lambda p: {"encoder.0.bias": p["encoder.0.bias"][:1]}, **options)


def halves_what_is_long(parameters):
    bias = parameters["encoder.0.bias"]
    return {"encoder.0.bias": bias / 2 if bias.norm() > 1 else bias}


def test_one_that_cannot_be_mapped_is_refused_together_and_holds_sequentially():
    with refuses(RuntimeError, "The constraint cannot be mapped over runs: .*sequential"):
        train(constraint=halves_what_is_long)
    assert train(constraint=halves_what_is_long, execution="sequential").failures == ()


def test_nothing_is_written_where_one_name_is_refused():
    model = nn.Linear(2, 1)
    before = model.weight.detach().clone()
    with refuses(ValueError, "Unknown parameter"):
        constrain(model, lambda p: {"weight": 0 * p["weight"], "wait": p["weight"]})
    assert torch.equal(model.weight, before)


class AtMost:
    """A constraint with a limit, read as a tensor or as a number."""

    def __init__(self, number):
        self.limit, self.number = torch.tensor(0.5, dtype=torch.float64), number

    def __call__(self, parameters):
        limit = self.limit.item() if self.number else self.limit
        return {"encoder.0.weight": parameters["encoder.0.weight"].clamp(max=limit)}


@executions
@pytest.mark.parametrize("number", [True, False])
@pytest.mark.parametrize("replaced", [True, False])
def test_a_limit_that_a_callback_changes_holds_from_then_on(execution, number, replaced):
    constraint = AtMost(number)

    def change(_):
        if replaced:
            constraint.limit = torch.tensor(0.1, dtype=torch.float64)
        else:
            constraint.limit.fill_(0.1)

    options = {"constraint": constraint, "execution": execution}
    before = train(**options).population.tensors()["encoder.0.weight"]
    assert before.max() > 0.2
    after = train(callbacks=[Every(10, change)], **options).population
    assert after.tensors()["encoder.0.weight"].max() <= 0.1
