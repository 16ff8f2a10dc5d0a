from functools import partial

import numpy as np
import pytest
import torch
from refusals import refuses, unchecked
from torch import nn

from latent_anchors.interventions import (
    BoundedFalloff,
    Suppression,
    attach,
    constant_falloff,
    intervene,
)
from latent_anchors.models import (
    Population,
    Site,
    SphericalAutoencoder,
    functional_forward,
    record,
    stacked_outputs,
)

MUTE = Suppression([1.0, 0.0, 0.0, 0.0], constant_falloff)  # acts on all latents


@pytest.fixture
def population():
    return Population.make(SphericalAutoencoder, seeds=[3, 1, 4])


@pytest.fixture
def colors(generator):
    return torch.rand(8, 3, generator=generator)


def same_weights(a, b):
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def test_every_run_is_the_model_it_was_made_from_bit_for_bit():
    models = [SphericalAutoencoder() for _ in range(3)]
    population = Population.from_models(models)
    assert population.seeds == (0, 1, 2)
    assert all(same_weights(one, model) for one, model in zip(population, models, strict=True))


def test_a_run_is_made_under_its_own_seed_whatever_the_other_runs(population):
    alone = Population.make(SphericalAutoencoder, seeds=[4])
    assert same_weights(alone[0], population[2])
    assert not same_weights(population[0], population[1])


def test_making_a_population_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    Population.make(SphericalAutoencoder, seeds=range(2))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_population_gives_the_outputs_of_its_runs(population, colors):
    alone = torch.stack([model(colors) for model in population])
    torch.testing.assert_close(population(colors), alone)


def test_a_run_keeps_its_mode(population, colors):
    population.eval()
    assert not population[0].training
    assert 0 <= population(10 * colors).min() <= population(10 * colors).max() <= 1


def test_a_run_taken_out_is_a_copy(population):
    before = population[0]
    with torch.no_grad():
        population[0].encoder[0].weight.zero_()
    assert same_weights(population[0], before)


def test_a_slice_is_a_population_of_those_runs(population, colors):
    part = population[1:]
    assert part.seeds == (1, 4)
    torch.testing.assert_close(part(colors), population(colors)[1:])
    assert same_weights(part[-1], population[2])


@pytest.mark.parametrize("none", [slice(9, None), slice(2, 1)])
def test_a_slice_without_runs_is_refused(none, population):
    with refuses(IndexError, "takes none; expected at least one"):
        population[none]


def test_gradients_reach_each_run_as_if_it_were_alone(population, colors):
    with record(population) as latents:
        population(colors)
    assert latents["latent"].shape == (3, 8, 4)
    latents["latent"][..., 0].sum().backward()
    for k, model in enumerate(population):
        with record(model) as alone:
            model(colors)
        torch.testing.assert_close(latents["latent"][k], alone["latent"])
        alone["latent"][..., 0].sum().backward()
        together = population.stacked.encoder[0].weight.grad[k]
        torch.testing.assert_close(together, model.encoder[0].weight.grad)


def test_buffers_are_stacked_too(colors):
    def with_statistics():
        return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval()

    population = Population.make(with_statistics, seeds=[0, 1])
    population.stacked[1].running_mean.copy_(torch.tensor([[0.0, 0.0], [5.0, 5.0]]))
    alone = torch.stack([model(colors) for model in population])
    torch.testing.assert_close(population(colors), alone)


def test_one_edit_acts_on_every_run(population, colors):
    with intervene(population, MUTE), record(population) as latents:
        edited = population(colors)
    assert not latents["latent"][..., 0].any()
    for k, model in enumerate(population):
        with intervene(model, MUTE):
            torch.testing.assert_close(edited[k], model(colors))


def test_a_population_of_edits_holds_one_for_each_run(population, colors):
    edits = [MUTE.at(0.0), MUTE.at(0.5), Suppression([0.0, 1.0, 0.0, 0.0], constant_falloff)]
    with intervene(population, Population.from_models(edits)):
        edited = population(colors)
    torch.testing.assert_close(edited[0], population[0](colors))
    for model, edit, output in zip(population, edits, edited, strict=True):
        with intervene(model, edit):
            torch.testing.assert_close(output, model(colors))


def test_the_strength_of_a_run_can_be_changed_while_in_force(population, colors):
    edits = Population.from_models([MUTE.at(0.0)] * 3)
    with intervene(population, edits):
        before = population(colors)
        edits.stacked.strength[1] = 1.0
        after = population(colors)
    changed = (before != after).flatten(1).any(-1)
    assert changed.tolist() == [False, True, False]


def test_removing_one_edit_leaves_the_other(population, colors):
    first, second = attach(population, MUTE), attach(population, torch.neg)
    first.remove()
    with record(population) as latents:
        population(colors)
    second.remove()
    with record(population) as untouched:
        population(colors)
    torch.testing.assert_close(latents["latent"], -untouched["latent"])


def test_a_site_may_be_given_with_its_axis(population, colors):
    site = Site("latent", axis=0)
    with record(population, site) as latents:
        population(colors)
    assert latents[site].shape == (3, 4, 8)


def test_a_block_in_which_the_site_never_ran_is_refused(colors):
    class Beside(nn.Module):
        def __init__(self):
            super().__init__()
            self.latent, self.used = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            return self.used(x)

    population = Population.make(Beside, seeds=[0, 1])
    with (
        refuses(RuntimeError, "Nothing was recorded at 'latent' within the block"),
        record(population),
    ):
        population(colors)
    with refuses(RuntimeError, "never acted within the block"), intervene(population, torch.neg):
        population(colors)


def test_losing_gradients_in_training_is_refused(population, colors):
    with (
        refuses(RuntimeError, "have no gradient although the model is in training"),
        record(population),
        torch.no_grad(),
    ):
        population(colors)


def test_a_run_equals_functional_forward(population, colors):
    one = {name: tensor[1] for name, tensor in population.tensors().items()}
    output, _ = functional_forward(population.stacked, one, colors)
    assert torch.equal(output, population[1](colors))


def test_a_model_counts_as_a_population_of_one(population, colors):
    assert torch.equal(stacked_outputs(population[0], colors)[0], population[0](colors))
    assert torch.equal(stacked_outputs(population, colors), population(colors))


def test_a_population_can_be_saved_and_read_back(population):
    other = Population.make(SphericalAutoencoder, seeds=[7, 8, 9])
    other.load_state_dict(population.state_dict())
    assert same_weights(other[1], population[1])
    assert "runs=3" in repr(population)


def test_an_unknown_site_is_refused(population):
    with (
        refuses(ValueError, "Unknown site 'latnt'.*Did you mean 'latent'"),
        record(population, "latnt"),
    ):
        pass


def test_an_empty_list_of_models_is_refused():
    with refuses(ValueError, "No models were given"):
        Population.from_models([])


def test_models_that_differ_are_refused():
    models = [SphericalAutoencoder(), SphericalAutoencoder(latent_dim=5)]
    with refuses(ValueError, "Model 1 has parameters.*expected one architecture"):
        Population.from_models(models)


class Acting(nn.Module):
    """A layer whose settings are whatever they are."""

    def __init__(self, act=None, **settings):
        super().__init__()
        self.act = act
        self.layer = nn.Linear(1, 1)
        vars(self).update(settings)

    def read(self):
        return self.act


def by(scale):
    return lambda x: scale * x


def test_settings_that_say_the_same_are_no_difference():
    def made(**others):
        given = {"scales": [1.0, torch.nan], "made": partial(by, scale=1.0), "mask": torch.ones(2)}
        return Acting(by(3.0), bound=Acting(a=1).read, thing=object(), **given, **others)

    recurrent = [nn.GRU(1, 1) for _ in range(2)]
    assert len(Population.from_models(recurrent)) == 2
    assert len(Population.from_models([made(_memory=1), made(_memory=[2])])) == 2


@pytest.mark.parametrize(
    ("one", "other", "setting"),
    [
        (nn.Dropout(0.5), nn.Dropout(0.25), "p=0.25, model 0 has 0.5"),
        (
            Suppression([1.0, 0.0], BoundedFalloff(0.0, 1.0)),
            Suppression([1.0, 0.0], BoundedFalloff(0.0, 2.0)),
            r"falloff=BoundedFalloff\(.*power=2.0\), model 0 has BoundedFalloff\(.*power=1.0",
        ),
        (nn.Sequential(nn.Sigmoid()), nn.Sequential(nn.Tanh()), r"type\('0'\)=.*Tanh.*Sigmoid"),
        (nn.Sequential(nn.ReLU()), nn.Sequential(nn.Tanh()), r"type\('0'\)=.*Tanh.*ReLU"),
        (Acting(torch.tanh), Acting(torch.sigmoid), "act=.*sigmoid.*, model 0 has .*tanh"),
        (Acting(_private=torch.tanh), Acting(_private=torch.relu), "_private=.*relu.*tanh"),
        (Acting(by(1.0)), Acting(by(2.0)), "act=.*by.*model 0 has .*by"),
        (Acting(by(1.0).__call__), Acting(abs), "act=.*abs"),
        (Acting(partial(by, 1.0)), Acting(partial(by, 2.0)), r"act=.*partial\(.*2.0"),
        (Acting(scales=[1.0]), Acting(scales=[2.0]), r"scales=\[2.0\], model 0 has \[1.0\]"),
        (Acting(sizes={"a": 1}), Acting(sizes={"b": 1}), "sizes={'b': 1}, model 0 has {'a': 1}"),
        (Acting(scale=2.0), Acting(scale=None), "scale=None, model 0 has 2.0"),
        (Acting(scale=2.0), Acting(), "scale=None, model 0 has 2.0"),
        (Acting(mask=torch.ones(1)), Acting(mask=torch.zeros(1)), "mask=tensor.*0.*tensor.*1"),
    ],
)
def test_models_that_differ_in_their_settings_are_refused(one, other, setting):
    assert len(Population.from_models([one, one])) == 2
    with refuses(ValueError, f"Model 1 has {setting}.*expected models that differ only in"):
        Population.from_models([one, other])


def test_parameters_that_are_not_stacked_are_refused():
    with refuses(ValueError, r"Parameter 'weight' has shape \(2, 3\); expected one row for each"):
        Population(nn.Linear(3, 2), seeds=range(5))


@pytest.mark.parametrize("seeds", [np.arange(2), torch.arange(2)])
def test_seeds_of_any_whole_type_are_plain_numbers_afterwards(seeds):
    with unchecked():
        found = Population.make(lambda: nn.Linear(2, 1), seeds).seeds
    assert found == (0, 1)
    assert {*map(type, found)} == {int}


def test_models_that_differ_in_mode_hooks_or_private_fractions_are_refused():
    one, other = (nn.Sequential(nn.Linear(1, 1), nn.Dropout()) for _ in range(2))
    other[1].eval()
    with refuses(ValueError, "Model 1 has 1.training=False, model 0 has True"):
        Population.from_models([one, other])
    other.train()[0].register_forward_hook(lambda *_: None)
    with refuses(ValueError, "Model 1 has hooks of '0'="):
        Population.from_models([one, other])
    with refuses(ValueError, "Model 1 has _t=2.0, model 0 has 1.0"):
        Population.from_models([Acting(_t=1.0), Acting(_t=2.0)])


def test_a_population_is_in_the_mode_of_its_runs(population):
    assert not population.eval()[0:2].training
    models = [nn.Linear(1, 1).eval() for _ in range(2)]
    assert not Population.from_models(models).training


@pytest.mark.parametrize("index", [[0, 2], True, torch.tensor([True, False, True]), 1.0, "1"])
def test_what_is_no_position_and_no_slice_is_refused(index, population):
    with refuses(TypeError, "expected the position of a run, or a slice"):
        population[index]
    for same in (np.int64(1), torch.tensor(1)):
        assert same_weights(population[same], population[1])


class Private(nn.Module):
    """Its settings are private, and so is what it remembers."""

    def __init__(self, kind="relu", times=1):
        super().__init__()
        self.layer, self._kind, self._times = nn.Linear(2, 2), kind, times
        self._passes = id(self)

    def forward(self, x):
        return getattr(torch, self._kind)(self.layer(x)) * self._times


@pytest.mark.parametrize("given", [{"kind": "tanh"}, {"times": 2}])
def test_models_with_other_private_settings_are_refused(given):
    with refuses(ValueError, f"Model 1 has _{next(iter(given))}="):
        Population.from_models([Private(), Private(**given)])
    assert len(Population.from_models([Private(), Private()])) == 2


def normed():
    return nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3)))


def test_parametrized_layers_are_alike_if_the_same_acts_on_them(colors):
    population = Population.make(normed, seeds=[0, 1])
    population.eval()
    torch.testing.assert_close(population(colors)[1], population[1](colors))
    other = nn.Sequential(nn.utils.parametrizations.orthogonal(nn.Linear(3, 3)))
    with refuses(ValueError, "Model 1 has"):
        Population.from_models([normed(), other])
