"""The promises of the family, on every member."""

import inspect

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors import interventions
from latent_anchors.interventions import (
    Projection,
    SiteLayers,
    ZeroAblation,
    ablate,
    apply_surgery,
    edit_embedding,
    intervene,
    orthogonalize,
    prune,
    rescale_direction,
)
from latent_anchors.models import Population, SphericalAutoencoder, record

X = torch.rand(7, 3, generator=torch.Generator().manual_seed(0))
AROUND = SiteLayers("encoder.2", ("decoder.0",))  # spares the trace where it is not the question
OBLIQUE = [1.0, 2.0, -2.0, 0.0]
SURGERIES = {
    "ablate": lambda m: ablate(m, [0, 2], AROUND),
    "read": lambda m: ablate(m, [1], AROUND, side="reading"),
    "prune": lambda m: prune(m, [0, 2], AROUND, X),
    "rescale_direction": lambda m: rescale_direction(m, 0, -1.0, 0.3, AROUND),
    "oblique": lambda m: rescale_direction(m, OBLIQUE, 0.0, 0.5, AROUND),
    "orthogonalize": lambda m: orthogonalize(m, OBLIQUE, AROUND),
    "apply_surgery": lambda m: apply_surgery(
        m, lambda p: {"encoder.2.bias": p["encoder.2.bias"].cumsum(-1)}
    ),
}


@pytest.fixture(params=SURGERIES)
def surgery(request):
    return SURGERIES[request.param]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SphericalAutoencoder()


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in other)


def test_the_original_is_unchanged_and_the_new_model_differs(surgery, model):
    before = weights(model)
    new = surgery(model)
    assert type(new) is SphericalAutoencoder
    assert not torch.equal(new(X), model(X))
    with torch.no_grad():
        for parameter in new.parameters():
            parameter.fill_(7.0)
    assert same(weights(model), before)


def test_surgery_on_a_population_acts_on_each_run(surgery):
    population = Population.make(SphericalAutoencoder, seeds=[3, 1, 4])
    before = weights(population)
    new = surgery(population)
    assert new.seeds == (3, 1, 4)
    assert same(weights(population), before)
    for run, alone in zip(new, map(surgery, population), strict=True):
        torch.testing.assert_close(run.state_dict(), alone.state_dict())
    torch.testing.assert_close(new(X), torch.stack([run(X) for run in new]))


def test_the_result_can_be_trained(surgery, model):
    new = surgery(model)
    new(X).sum().backward()
    assert all(parameter.is_leaf and parameter.grad.any() for parameter in new.decoder.parameters())


def test_training_mode_and_dtype_are_kept(surgery, model):
    new = surgery(model.eval())
    assert not new.training
    prepared = model.bfloat16()
    halves = (
        prune(prepared, [0, 2], AROUND, X.bfloat16())
        if surgery is SURGERIES["prune"]
        else surgery(prepared)
    )
    assert {tensor.dtype for tensor in halves.state_dict().values()} == {torch.bfloat16}


def test_autocast_does_not_reduce_precision(surgery, model):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = surgery(model)
    assert same(weights(under), weights(surgery(model)))


def test_edits_and_recordings_in_force_stay_with_the_original(surgery, model):
    plain = surgery(model)(X)
    with intervene(model, torch.neg), record(model) as latents:
        said = model(X)
        seen = latents["latent"]
        assert torch.equal(surgery(model)(X), plain)
        assert latents["latent"] is seen
        assert torch.equal(model(X), said)


def test_edits_in_force_stay_with_the_original_population():
    population = Population.make(SphericalAutoencoder, seeds=[0, 1])
    plain = ablate(population, [0])(X)
    with intervene(population, torch.neg):
        population(X)
        assert torch.equal(ablate(population, [0])(X), plain)


def test_a_frozen_layer_stays_frozen(surgery, model):
    model.encoder.requires_grad_(False)
    assert [p.requires_grad for p in surgery(model).parameters()] == [False] * 4 + [True] * 4


def test_a_surgery_that_writes_in_place_does_not_change_the_original(model):
    def careless(parameters):
        return {"encoder.0.bias": parameters["encoder.0.bias"].zero_()}

    new = apply_surgery(model, careless)
    assert not new.encoder[0].bias.any()
    assert model.encoder[0].bias.any()


def test_one_tensor_may_become_two_parameters():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    new = apply_surgery(model, lambda p: {"0.weight": p["1.weight"], "1.weight": p["0.weight"]})
    assert torch.equal(new[0].weight, model[1].weight)
    assert torch.equal(new[1].weight, model[0].weight)
    copied = apply_surgery(model, lambda p: {"0.weight": p["1.weight"]})
    copied[0].weight.data.zero_()
    assert copied[1].weight.any()


def test_buffers_can_be_changed_too():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval()
    new = apply_surgery(model, lambda p: {"1.running_mean": p["1.running_mean"] + 1.0})
    assert new[1].running_mean.tolist() == [1.0, 1.0]


def test_a_name_that_the_model_does_not_have_is_refused(model):
    with refuses(ValueError, "Unknown parameter 'encoder.9'; expected one of 'encoder.0.weight'"):
        apply_surgery(model, lambda p: {"encoder.9": p["encoder.0.bias"]})


def test_another_dtype_is_refused(model):
    with refuses(TypeError, r"returned 'encoder.0.bias' as torch.float64; expected torch.float32"):
        apply_surgery(model, lambda p: {"encoder.0.bias": p["encoder.0.bias"].double()})


DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
TOKENS = torch.tensor([[0, 3, 1], [2, 4, 0]])
V = torch.tensor(OBLIQUE, dtype=torch.float64) / 3


class Reader(nn.Module):
    """Tokens in; a path of some strength may lead past the site or past what reads it."""

    def __init__(self, past=None, strength=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.latent, self.out = nn.Embedding(5, 3), nn.Identity(), nn.Linear(4, 3)
        self.into, self.skip = nn.Linear(3, 4), nn.Linear(4, 3)
        self.past, self.strength = past, strength
        if past == "tied":
            self.tied = nn.Linear(3, 5)
            self.tied.weight = self.embedding.weight

    def forward(self, tokens):
        h = self.into(self.embedding(tokens))
        z = self.latent(h)
        leak = {"site": h, "reader": z.flip(-1)}.get(self.past)
        return self.out(z) if leak is None else self.out(z) + self.strength * self.skip(leak)


def moved(v, scale, offset):
    """The edit that remapping equals."""

    def edit(h):
        along = (h.double() @ v).unsqueeze(-1)
        return (h.double() + ((scale - 1) * along + offset) * v).to(h.dtype)

    return edit


AXIS = torch.eye(4, dtype=torch.float64)[1]
V = torch.tensor(OBLIQUE, dtype=torch.float64) / 3
BOTH = ZeroAblation([0, 2])
BLIND = Projection(torch.tensor([OBLIQUE], dtype=torch.float64))
MUTE = Projection([[1.0, 2.0, -2.0]])
# a surgery at a site or layers; the edit that it equals, and where; a path that it must not miss
EQUAL = {
    "ablate": (lambda m, at: ablate(m, [0, 2], at, TOKENS), BOTH, "latent", "site"),
    "ablate, writing": (
        lambda m, at: ablate(m, [0, 2], at, TOKENS, "writing"),
        *(BOTH, "latent", "site"),
    ),
    "ablate, reading": (
        lambda m, at: ablate(m, [0, 2], at, TOKENS, "reading"),
        *(BOTH, "latent", "reader"),
    ),
    "prune": (lambda m, at: prune(m, [0, 2], at, TOKENS), BOTH, "latent", "reader"),
    "rescale_direction": (
        lambda m, at: rescale_direction(m, 1, -1.0, 0.3, at, TOKENS),
        *(moved(AXIS, -1.0, 0.3), "latent", "site"),
    ),
    "rescale_direction, oblique": (
        lambda m, at: rescale_direction(m, OBLIQUE, 0.0, 0.5, at, TOKENS),
        *(moved(V, 0.0, 0.5), "latent", "site"),
    ),
    "orthogonalize": (lambda m, at: orthogonalize(m, OBLIQUE, at, TOKENS), BLIND, "latent", "site"),
    "orthogonalize, reading": (
        lambda m, at: orthogonalize(m, OBLIQUE, at, TOKENS, "reading"),
        *(BLIND, "latent", "reader"),
    ),
    "edit_embedding": (lambda m, _: edit_embedding(m, MUTE), MUTE, "embedding", "tied"),
}
equal = pytest.mark.parametrize(("surgery", "edit", "site", "past"), EQUAL.values(), ids=EQUAL)
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def test_every_surgery_is_compared_with_its_edit():
    functions = inspect.getmembers(interventions, inspect.isfunction)
    surgeries = {name for name, f in functions if "Model" in str(f.__annotations__.get("return"))}
    assert surgeries == {name.split(",")[0] for name in EQUAL} | {"apply_surgery"}


@dtypes
@equal
def test_in_every_precision_surgery_equals_its_edit(surgery, edit, site, past, dtype):
    del past
    model = Reader().to(dtype)
    cut = surgery(model, "latent")
    with intervene(model, edit, site):
        edited = model(TOKENS)
    rough = 8 * torch.finfo(dtype).eps
    torch.testing.assert_close(cut(TOKENS), edited, rtol=rough, atol=rough)
    assert not torch.allclose(model(TOKENS), edited, rtol=rough, atol=rough)


@dtypes
@equal
def test_in_every_precision_another_path_is_refused(surgery, edit, site, past, dtype):
    del edit, site
    with refuses(ValueError, "not only through|are tied to 'tied.weight'"):
        surgery(Reader(past, strength=1e-3).to(dtype), "latent")


@equal
def test_half_precision_is_computed_in_float32_and_rounded_once(surgery, edit, site, past):
    del edit, site, past
    around = SiteLayers("into", ("out",))
    for dtype in DTYPES[2:]:
        half = surgery(Reader().to(dtype), around).state_dict()
        full = surgery(Reader().to(dtype).float(), around).state_dict()
        assert same(half, {name: tensor.to(dtype) for name, tensor in full.items()})


@pytest.mark.parametrize("make", [lambda: linear(), lambda: Population.make(linear, [0, 1])])
def test_what_is_made_in_inference_mode_can_be_trained(make):
    model = make()
    with torch.inference_mode():
        flipped = apply_surgery(model, lambda p: {"weight": -p["weight"]})
        wider = apply_surgery(model, lambda p: {"weight": p["weight"].repeat(1, 2)})
    for new, width in ((flipped, 2), (wider, 4)):
        new(torch.ones(3, width)).sum().backward()
        assert all(p.grad is not None for p in new.parameters())


def linear():
    return nn.Linear(2, 1, bias=False)
