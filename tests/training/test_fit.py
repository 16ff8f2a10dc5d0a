import pytest
import torch
from refusals import refuses
from torch import nn
from torch.utils.checkpoint import checkpoint
from training.tiny import (
    ANCHOR,
    COLORS,
    SAMPLER,
    Dropped,
    Normed,
    close,
    network,
    same,
    timeline,
    train,
    trained,
    weights,
)

from latent_anchors import Term
from latent_anchors._streams import seeded
from latent_anchors.data import Sampler, SoftLabels
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.regularizers import Anchor
from latent_anchors.training import Every, Objective, fit, reconstruction

EXECUTIONS = ("vmap", "sequential")
SINGLE = Sampler(COLORS.float(), {"red": SoftLabels(COLORS[:, 0].float())}, batch_size=8)
CURVES = timeline(60, lr=(0.001, 0.05), anchor=(0.1, 0.4), recon=(1.0, 0.7))


def seen(_forward, batch):
    """What goes in: exact sums, since the channels are halves."""
    return batch.inputs.sum(-1)


class TestARunAloneIsTheRunAmongMany:
    def test_in_its_first_weights(self):
        with seeded(1, "weights"):
            made = nn.utils.parameters_to_vector(network().parameters())
        still = train(time=timeline(lr=0.0), steps=1)
        assert torch.equal(weights(still.population, 1), made)

    def test_in_its_batches_and_labels(self):
        options = {"losses": {"recon": seen}, "time": timeline(120)}
        among, alone = train(**options).history, train(seeds=[1], **options).history
        assert torch.equal(among["recon"][:, 1], alone["recon"][:, 0])
        assert torch.equal(among.masses["anchor"][:, 1], alone.masses["anchor"][:, 0])
        assert not torch.equal(among["recon"][:, 0], among["recon"][:, 1])

    @pytest.mark.parametrize("execution", EXECUTIONS)
    def test_in_one_step_up_to_rounding(self, execution):
        options = {"batches": SINGLE, "steps": 1, "execution": execution}
        options["make_model"] = lambda: SphericalAutoencoder(hidden=4)
        among, alone = train(**options), train(seeds=[4], **options)
        assert weights(among.population, 2).allclose(weights(alone.population, 0), atol=1e-6)

    @pytest.mark.parametrize("make_model", [network, Normed])
    def test_in_a_whole_training(self, make_model):
        among, alone = train(make_model, CURVES), train(make_model, CURVES, seeds=[1])
        difference = weights(among.population, 1) - weights(alone.population, 0)
        assert float(difference.abs().max()) < 1e-6
        assert among.history["recon"][:, [1]].allclose(alone.history["recon"], atol=1e-6)


@pytest.mark.parametrize("make_model", [network, Normed])
def test_vmap_and_sequential_come_to_the_same(make_model):
    options = {"make_model": make_model, "time": CURVES, "seeds": [3, 1], "steps": 20}
    together, sequential = (train(**options, execution=how) for how in EXECUTIONS)
    assert close(together.population, sequential.population)
    for name in ("anchor", "recon"):
        assert together.history[name].allclose(sequential.history[name], atol=1e-9)
        assert torch.equal(together.history.masses[name], sequential.history.masses[name])


def plain_loop(seed, time, steps):
    """The training written out from the formulas, one run in plain PyTorch."""
    with seeded(seed, "weights"):
        model = network()
    optimizer = torch.optim.Adam(model.parameters())
    for step, batch in enumerate(SAMPLER.batches(seed, range(steps))):
        row, x, label = time(step), batch.inputs, batch.labels["red"]
        z = model.encoder(x)
        z = z / z.norm(dim=-1, keepdim=True)
        total = row["recon"] * ((model.decoder(z) - x) ** 2).mean()
        if label.sum() > 0:
            total = total + row["anchor"] * (label * (1 - z[:, 0])).sum() / label.sum()
        optimizer.param_groups[0]["lr"] = row["lr"]
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    return nn.utils.parameters_to_vector(model.parameters()).detach()


def test_a_fit_is_the_loop_that_a_user_would_write():
    population = train(time=CURVES, seeds=[5, 6]).population
    for run, seed in enumerate([5, 6]):
        difference = weights(population, run) - plain_loop(seed, CURVES, 60)
        assert float(difference.abs().max()) < 1e-9


def test_training_goes_on_beyond_the_timeline_if_it_is_asked_to():
    history = train(time=timeline(5, lr=(0.001, 0.01)), steps=8).history
    assert len(history["recon"]) == 8
    assert history.rows["lr"][-4:].unique().tolist() == [0.01]


def test_a_population_goes_on_training_and_the_given_one_is_left_as_it_was():
    first = trained().population
    before = {name: tensor.clone() for name, tensor in first.tensors().items()}
    onward = train(first).population
    assert all(torch.equal(first.tensors()[name], before[name]) for name in before)
    assert not same(onward, first)
    assert (onward.seeds, len(onward)) == (first.seeds, 3)
    assert close(onward[1:2], train(first[1:2]).population)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_frozen_parameters_stay(execution):
    def frozen_encoder():
        model = network()
        model.encoder.requires_grad_(False)
        return model

    start = Population.make(frozen_encoder, seeds=(3, 1, 4)).tensors()
    found = train(frozen_encoder, execution=execution, steps=5).population.tensors()
    for name, tensor in found.items():
        assert torch.equal(tensor, start[name]) == name.startswith("encoder")
        assert tensor.requires_grad != name.startswith("encoder")


def test_timelines_of_their_own_are_fits_of_their_own():
    times = [timeline(lr=(0.01, 0.03)), timeline(lr=0.002, anchor=2.0)]
    among = train(time=times, seeds=[3, 1])
    for run, seed in enumerate([3, 1]):
        alone = train(time=times[run], seeds=[seed])
        difference = weights(among.population, run) - weights(alone.population, 0)
        assert float(difference.abs().max()) < 1e-9
        assert torch.equal(among.history.rows["lr"][:, [run]], alone.history.rows["lr"])


def test_momentum_with_a_learning_rate_for_each_run_is_momentum_sequentially():
    times = [timeline(lr=(0.1, 0.01)), timeline(lr=0.2, anchor=2.0)]

    def momentum(parameters):
        return torch.optim.SGD(parameters, momentum=0.9)

    options = {"time": times, "optimizer": momentum, "seeds": [3, 1], "steps": 10}
    runs = [train(**options, execution=how).population for how in EXECUTIONS]
    assert close(*runs)


def test_only_a_name_read_elsewhere_sets_the_optimizer():
    """A term that bears the name of one of Adam's settings is a term all the same."""
    renamed = Term("weight_decay", ANCHOR.penalty, label="red")
    time = timeline(weight_decay=0.5)
    time = type(time)({name: time[name] for name in ("lr", "weight_decay", "recon")}, steps=20)
    assert same(train(time=time, terms=[renamed]).population, trained().population)


def test_noise_is_a_runs_own_sequentially_and_reproducible():
    class Same:
        def block(self, *_):
            return SAMPLER.block(0, 0).map(lambda tensor: tensor[:1].expand_as(tensor))

    options = {"make_model": Dropped, "execution": "sequential", "steps": 8, "batches": Same()}
    among, again = (train(**options, seeds=[3, 1]) for _ in range(2))
    alone = train(**options, seeds=[1])
    assert same(among.population, again.population)
    assert torch.equal(weights(among.population, 1), weights(alone.population, 0))
    still = train(Dropped, timeline(lr=0.0), Same(), execution="sequential", seeds=[1], steps=8)
    assert len(still.history["recon"].unique()) == 8


@pytest.mark.parametrize(("make_model", "execution"), [(network, "vmap"), (Dropped, "sequential")])
def test_the_global_generator_is_put_back(make_model, execution):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    train(make_model, execution=execution, steps=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_training_is_silent_unless_a_bar_is_asked_for(capfd):
    few = {"steps": 3, "seeds": [1], "execution": "sequential"}
    train(**few)
    assert capfd.readouterr() == ("", "")
    train(**few, progress=True)
    assert "3/3" in capfd.readouterr().err


def test_a_runs_model_is_an_ordinary_one_in_training_mode():
    model = train().population[0]
    assert type(model) is SphericalAutoencoder
    assert model.training
    assert all(parameter.is_leaf for parameter in model.parameters())


@pytest.mark.parametrize("execution", EXECUTIONS)
class TestMistakesAreRefusedBeforeTheFirstStep:
    def refuse(self, error, words, execution, **changes):
        started = []
        with refuses(error, words):
            train(**changes, execution=execution, callbacks=[Every(1, started.append)])
        assert not started

    def test_a_label_that_the_batches_lack(self, execution):
        blue = Term("anchor", Anchor([1.0, 0.0, 0.0, 0.0]), label="blue")
        self.refuse(KeyError, "needs label 'blue'; the batch has 'red'", execution, terms=[blue])

    def test_a_site_that_the_model_lacks(self, execution):
        lost = Term("anchor", Anchor([1.0, 0.0, 0.0, 0.0]), at="latnt")
        self.refuse(ValueError, "'latnt'.*Did you mean 'latent'", execution, terms=[lost])

    def test_a_mask_that_the_batches_lack(self, execution):
        masked = Term("anchor", Anchor([1.0, 0.0, 0.0, 0.0]), mask="there")
        self.refuse(KeyError, "needs mask 'there'", execution, terms=[masked])

    def test_latents_of_another_width(self, execution):
        narrow = Term("anchor", Anchor([1.0, 0.0]))
        self.refuse(ValueError, "made for 2 latent dimensions", execution, terms=[narrow])

    def test_a_constant_below_0(self, execution):
        del execution
        with refuses(ValueError, "The weight of 'recon' is -1.0; expected a finite number of at"):
            Objective([], losses=["recon"], constants={"recon": -1.0})


def test_functions_and_names_of_losses_must_agree():
    objective = Objective([], losses=["recon"], other_tracks=["lr"])
    for losses in ({}, {"recon": seen, "other": seen}):
        with refuses(ValueError, "Functions were given for the losses .*objective names 'recon'"):
            fit(network, objective, timeline(), SAMPLER, losses=losses)


def test_an_unknown_way_to_execute_is_refused():
    with refuses(ValueError, "Unknown execution 'sequentially'.*Did you mean 'sequential'"):
        train(execution="sequentially")


def test_batches_of_any_function_of_seed_and_block_will_do():
    class Halves:
        def block(self, seed, index):
            return SAMPLER.block(seed, index).map(lambda tensor: tensor[:, :4])

    halves = train(batches=Halves(), losses={"recon": seen}, steps=3, seeds=[1]).history["recon"]
    rows = SAMPLER.block(1, 0).inputs[:3, :4]
    assert torch.equal(halves[:, 0], rows.sum(-1).mean(-1))


def test_a_loss_is_any_function_of_a_forward_pass_that_may_be_made_again():
    def under_an_edit(forward, batch):
        output, _ = forward(batch.inputs, {"latent": torch.neg})
        return (output - 0.5).square().mean(-1)

    losses = {"recon": reconstruction, "fallback": under_an_edit}
    options = {"losses": losses, "time": timeline(fallback=0.5), "seeds": [3, 1, 4]}
    together, sequential = (train(**options, execution=how) for how in EXECUTIONS)
    assert close(together.population, sequential.population)
    assert not close(together.population, trained().population, 1e-4)


@pytest.mark.parametrize("execution", ["vmap", "sequential"])
def test_nothing_but_the_trained_parameters_receives_a_gradient(execution):
    inputs = COLORS.clone().requires_grad_()
    other = nn.Linear(3, 3).double()

    def asking(forward, batch):
        return reconstruction(forward, batch) + 0 * other.weight.sum()

    batches = Sampler(
        inputs * 1.0, {"red": SoftLabels(torch.ones(len(COLORS)).double())}, batch_size=4
    )
    options = {"execution": execution, "steps": 3, "seeds": [3]}
    found = train(batches=batches, losses={"recon": asking}, **options)
    plain = Sampler(COLORS, {"red": SoftLabels(torch.ones(len(COLORS)).double())}, batch_size=4)
    assert close(found.population, train(batches=plain, **options).population)
    assert inputs.grad is None
    assert other.weight.grad is None


class Reentrant(nn.Module):
    def __init__(self):
        super().__init__()
        self.latent, self.decoder = nn.Linear(3, 4).double(), nn.Linear(4, 3).double()

    def forward(self, x):
        return self.decoder(checkpoint(self.latent, x, use_reentrant=True))


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # torch only warns
def test_a_checkpoint_that_loses_gradients_is_refused():
    with refuses(RuntimeError, "A checkpoint in the model loses gradients.*use_reentrant=False"):
        train(Reentrant, execution="sequential", steps=2, seeds=[3])
