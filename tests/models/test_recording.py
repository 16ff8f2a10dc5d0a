from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from refusals import refuses
from torch import Tensor, nn
from wrapping import Around

from latent_anchors.interventions import Suppression, constant_falloff, intervene
from latent_anchors.models import Population, Site, SphericalAutoencoder, functional_forward, record


class Giving(nn.Module):
    """A model whose layer gives its latents in some wrapping."""

    def __init__(self, wrap, unwrap):
        super().__init__()
        self.latent = Wrapping(wrap)
        self.unwrap = unwrap

    def forward(self, x):
        return self.unwrap(self.latent(x))


class Wrapping(nn.Module):
    def __init__(self, wrap):
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.wrap = wrap

    def forward(self, x):
        return self.wrap(self.linear(x))


@dataclass
class Output:
    other: str
    hidden: Tensor


WRAPPINGS = {
    "tuple": (lambda z: ("other", z), lambda out: out[1], 1),
    "list": (lambda z: ["other", z], lambda out: out[1], 1),
    "dict": (lambda z: {"hidden": z}, lambda out: out["hidden"], "hidden"),
    "dataclass": (lambda z: Output("other", z), lambda out: out.hidden, "hidden"),
}
every_wrapping = pytest.mark.parametrize(
    ("wrap", "unwrap", "item"), WRAPPINGS.values(), ids=WRAPPINGS
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SphericalAutoencoder()


@pytest.fixture
def colors(generator):
    return torch.rand(8, 3, generator=generator)


def hooks(model):
    return sum(len(layer._forward_hooks) for layer in model.modules())


def test_gradients_flow_from_what_is_recorded_into_what_made_it(model, colors):
    with record(model) as latents:
        model(colors)
    latents["latent"][:, 0].sum().backward()
    assert model.encoder[0].weight.grad.any()
    assert model.decoder[0].weight.grad is None


def test_several_sites_are_read_at_once(model, colors):
    with record(model, ["encoder", "latent", Site("decoder")]) as latents:
        output = model(colors)
    assert list(latents) == ["encoder", "latent", Site("decoder")]
    assert torch.equal(latents["latent"], model.latent(latents["encoder"]))
    assert torch.equal(latents[Site("decoder")], output)


def test_recording_changes_nothing(model, colors):
    with record(model):
        recorded = model(colors)
    assert torch.equal(recorded, model(colors))


def test_a_later_pass_replaces_one_that_was_read(model, colors):
    with record(model) as latents:
        model(colors)
        assert len(latents["latent"]) == 8
        model(colors[:2])
        assert len(latents["latent"]) == len(latents["latent"]) == 2


def test_several_passes_that_were_not_read_are_refused(model, colors):
    with record(model) as latents:
        model(colors)
        model(colors[:2])
    with refuses(RuntimeError, "'latent' ran 2 times since it was last read.*every=True"):
        latents["latent"]


class Shared(nn.Module):
    """One layer that runs several times."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        for _ in range(3):
            x = self.layer(x)
        return x


EVERY = Site("layer", every=True)


def test_every_pass_of_a_shared_layer_is_recorded_on_request(generator):
    model, x = Shared(), torch.rand(5, 4, generator=generator)
    passes = [model.layer(x)]
    for _ in range(2):
        passes.append(model.layer(passes[-1]))
    expected = torch.stack(passes)
    with record(model, "layer", every=True) as latents:
        model(x)
    assert torch.equal(latents["layer"], expected)
    assert torch.equal(functional_forward(model, {}, x, record=[EVERY])[1][EVERY], expected)
    population = Population.from_models([model, model])
    with record(population, EVERY) as latents:
        population(x)
        once = latents["layer"]
        population(x)
        population(x)
        twice = latents["layer"]
    torch.testing.assert_close(once, torch.stack([expected, expected]))
    torch.testing.assert_close(twice, torch.cat([once, once], 1))


@pytest.mark.parametrize("door", ["record", "run", "population"])
def test_the_last_pass_of_a_shared_layer_is_never_returned_silently(door, generator):
    model, x = Shared(), torch.rand(5, 4, generator=generator)
    with refuses(RuntimeError, "Site 'layer' ran 3 times"):
        if door == "run":
            functional_forward(model, {}, x, record=["layer"])
        else:
            model = Population.from_models([model]) if door == "population" else model
            with record(model, "layer") as latents:
                model(x)
            latents["layer"]


def test_passes_of_several_shapes_are_read_one_by_one(model, colors):
    with record(model, every=True) as latents:
        model(colors)
        model(colors[:2])
    assert [len(z) for z in latents.passes("latent")] == [8, 2]
    with refuses(RuntimeError, r"2 passes of site 'latent' have shapes .*latents.passes"):
        latents["latent"]


def test_an_axis_is_counted_as_in_the_latest_pass(model, colors):
    with record(model, every=True) as latents:
        model(colors)
        model(colors[None])
        assert len(latents.passes(Site("latent", axis=2, every=True))) == 2
        assert Site("latent", axis=1, every=True) not in latents


class Maybe(nn.Module):
    """A layer that does not always run."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x, use):
        return self.b(self.a(x) if use else x)


def test_a_site_that_did_not_run_returns_no_stale_latents():
    model = Maybe()
    with record(model, ["a", "b"]) as latents:
        model(torch.ones(2, 4), use=True)
        assert {*latents} == {"a", "b"}
        assert latents["a"].shape == (2, 4)
        model(torch.ones(5, 4), use=False)
        assert latents["b"].shape == (5, 4)
        assert [*latents] == ["b"]
        assert "a" not in latents
        with refuses(KeyError, "Nothing was recorded at site 'a' yet; recorded so far: 'b'"):
            latents["a"]


def test_what_a_site_gave_in_an_earlier_pass_is_not_what_it_gave_in_the_latest():
    model = Maybe()
    with record(model, ["a", "b"]) as latents:
        model(torch.ones(2, 4), use=True)
        model(torch.ones(5, 4), use=False)
        assert "a" not in latents
        assert [*latents] == ["b"]
        assert len(latents) == 1
        with refuses(KeyError, "'a' ran in an earlier pass of the model, and not in the latest"):
            latents["a"]
        model(torch.ones(3, 4), use=True)
        assert latents["a"].shape == (3, 4)
    with record(model, "a", every=True) as latents:
        model(torch.ones(2, 4), use=True)
        model(torch.ones(5, 4), use=False)
    assert latents["a"].shape == (1, 2, 4)


def test_passes_that_nobody_read_make_room_once_the_model_ran_without_the_site():
    model = Maybe()
    with record(model, ["a", "b"]) as latents:
        for use in (True, True, False):
            model(torch.ones(2, 4), use=use)
        for at in latents:
            latents.passes(at)
        model(torch.ones(3, 4), use=True)
        assert latents["a"].shape == (3, 4)


def test_what_a_part_gave_that_was_called_by_itself_is_no_earlier_passes():
    model = Maybe()
    with record(model, ["a", "b"]) as latents:
        model.a(torch.ones(5, 4))
        for _ in range(3):
            model(torch.ones(2, 4), use=False)
        assert latents["a"].shape == (5, 4)


def test_what_is_read_within_a_pass_is_still_there_after_it(model, colors):
    read = []
    with record(model, ["encoder", "latent"]) as latents:
        with intervene(model, lambda z: read.append(latents["encoder"]) or z + 0, "latent"):
            model(colors)
        assert torch.equal(latents["encoder"], read[0])


@pytest.mark.parametrize("asked", ["latent", Site("latent"), Site("latent", axis=1)])
@pytest.mark.parametrize("given", ["latent", Site("latent"), Site("latent", axis=1)])
def test_a_site_is_found_under_any_spelling(given, asked, model, colors):
    with record(model, given) as latents:
        model(colors)
    assert torch.equal(latents[asked], latents[given])
    assert given in latents
    assert "decoder" not in latents


@every_wrapping
def test_latents_are_found_in_any_wrapping(wrap, unwrap, item, colors):
    model = Giving(wrap, unwrap)
    with record(model, Site("latent", item=item)) as latents:
        output = model(colors)
    assert torch.equal(latents[Site("latent", item=item)], output)


@every_wrapping
def test_latents_are_replaced_in_any_wrapping(wrap, unwrap, item, colors):
    model = Giving(wrap, unwrap)
    with intervene(model, torch.neg, Site("latent", item=item)):
        edited = model(colors)
    assert torch.equal(edited, -model(colors))


def test_channels_on_a_middle_axis_are_moved_to_the_end(generator):
    images = torch.rand(2, 3, 5, 6, generator=generator)
    model, site = nn.Sequential(nn.Conv2d(3, 7, 1)), Site("0", axis=1)
    with record(model, site) as latents:
        output = model(images)
    assert torch.equal(latents[site], output.permute(0, 2, 3, 1))


def test_recorded_latents_are_the_edited_ones(model, colors):
    mute = Suppression([1.0, 0.0, 0.0, 0.0], constant_falloff)
    with record(model) as latents, intervene(model, mute):
        model(colors)
    with record(model) as untouched:
        model(colors)
    assert untouched["latent"][:, 0].all()
    assert not latents["latent"][:, 0].any()


def test_a_wrapped_model_keeps_the_names_of_its_sites(model, colors):
    wrapped = Around(model)
    with record(wrapped) as latents:
        wrapped(colors)
    assert latents["latent"].shape == (8, 4)
    twice = Around(Around(model))
    with record(twice) as latents:
        twice(colors)
    assert latents["latent"].shape == (8, 4)


def test_an_unknown_site_is_refused_with_those_that_exist(model):
    with (
        refuses(ValueError, "Unknown site 'latnt'; .*'encoder'.*'decoder'.*mean 'latent'"),
        record(model, ["encoder", "latnt"]),
    ):
        pass
    assert hooks(model) == 0


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torch's own compiler
@pytest.mark.parametrize("compiled", ["wrapped", "in place", "inside"])
def test_compiled_models_are_refused_with_what_to_do(compiled, model):
    if compiled == "wrapped":
        model = torch.compile(model)
    elif compiled == "in place":
        model.compile()
    else:
        model = Around(torch.compile(model))
    with refuses(RuntimeError, "compiled already.*Attach first"), record(model):
        pass


def test_a_block_in_which_the_site_never_ran_is_refused(model, colors):
    copy = SphericalAutoencoder()
    with refuses(RuntimeError, "Nothing was recorded at 'latent' within the block"), record(model):
        copy(colors)
    assert hooks(model) == 0


def test_reading_before_a_pass_is_refused(model, colors):
    with record(model) as latents:
        with refuses(
            KeyError, "Nothing was recorded at site 'latent' yet; recorded so far: nothing"
        ):
            latents["latent"]
        model(colors)


def test_the_hook_is_removed_when_the_block_fails(model):
    with pytest.raises(ZeroDivisionError), record(model):
        _ = hooks(model) / 0
    assert hooks(model) == 0


@pytest.mark.parametrize("frozen", ["nothing", "encoder"])
def test_losing_gradients_in_training_is_refused(frozen, model, colors):
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(frozen))
    with (
        refuses(RuntimeError, "'latent' have no gradient although the model is in training"),
        record(model),
        torch.no_grad(),
    ):
        model(colors)


class Towers(nn.Module):
    """Runs one part without gradients, and trains the other."""

    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        with torch.no_grad():
            features = self.tower(x)
        return self.head(features)


@pytest.mark.parametrize("site", ["tower", "tower.0", "tower.1", Site("tower", side="input")])
def test_a_frozen_part_that_runs_without_gradients_is_recorded_while_the_rest_trains(site):
    model, x = Towers(), torch.rand(3, 4)
    with refuses(RuntimeError, "have no gradient although"), record(model, site):
        model(x)
    model.tower.requires_grad_(False)
    with record(model, [site, "head"]) as latents:
        model(x)
    assert not latents[site].requires_grad
    assert latents["head"].requires_grad
    with refuses(RuntimeError, "as in generate.*model.eval"), record(model, site):
        torch.no_grad()(model)(x)


@pytest.mark.parametrize("excuse", ["evaluating", "frozen", "within no_grad"])
def test_gradients_are_not_required_outside_training(excuse, model, colors):
    model.train(excuse != "evaluating").requires_grad_(excuse != "frozen")
    wanted = torch.set_grad_enabled(excuse != "within no_grad")
    with wanted, record(model) as latents, torch.no_grad():
        model(colors)
    assert not latents["latent"].requires_grad


def test_reentrant_checkpointing_is_refused_and_the_other_kind_is_not(model, colors):
    checkpoint = torch.utils.checkpoint.checkpoint
    with record(model) as latents:
        checkpoint(model, colors, use_reentrant=False)
    assert latents["latent"].requires_grad
    with refuses(RuntimeError, "use_reentrant=False"), record(model):
        checkpoint(model, colors.clone().requires_grad_(), use_reentrant=True)


def test_layers_themselves_are_sites(model, colors):
    with record(model, [model.encoder, model.latent]) as latents:
        output = model(colors)
        assert torch.equal(latents[model.latent], latents["latent"])
        assert list(latents) == ["encoder", "latent"]
        assert model.latent in latents
        assert model.decoder not in latents
    population = Population.from_models([model, model])
    with record(population, population.stacked.decoder) as latents:
        population(colors)
    torch.testing.assert_close(latents["decoder"][0], output)
    with refuses(ValueError, "is a Linear that is no layer of the model.*not from a copy"):
        record(model, nn.Linear(3, 4))
    with refuses(ValueError, "no layer of the model.*The second holds the first: mind the order"):
        record(model.latent, model)


def test_patterns_are_sites_of_the_names_they_match(model, colors):
    model = Around(model)
    inputs = Site("encoder.*", side="input")
    with record(model, ["encoder.*", inputs]) as latents:
        model(colors)
    names = [name for name in latents if isinstance(name, str)]
    assert names == [f"encoder.{k}" for k in range(len(model.module.encoder))]
    assert torch.equal(latents[Site("encoder.0", side="input")], colors)
    for before, after in pairwise(names):
        assert torch.equal(latents[before], latents[Site(after, side="input")])


def test_another_spelling_of_a_site_means_the_same_axis_in_a_population():
    pair = [nn.Sequential(nn.Linear(3, 3), nn.Identity()) for _ in range(2)]
    models, x = Population.from_models(pair), torch.randn(3, 3, 3)
    with record(models, Site("1", axis=2)) as z:
        models(x)
    assert torch.equal(z[Site("1", axis=-1)], z[Site("1", axis=2)])
    with refuses(KeyError, "Nothing was recorded"):
        z[Site("1", axis=-2)]
