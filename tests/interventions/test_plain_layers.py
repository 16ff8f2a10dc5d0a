from functools import partial
from types import MethodType

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import (
    SiteLayers,
    ZeroAblation,
    ablate,
    apply_surgery,
    attach,
    edit_embedding,
    intervene,
    orthogonalize,
    rescale_direction,
)
from latent_anchors.models import Population, record

X = torch.rand(4, 3, generator=torch.Generator().manual_seed(0))
AROUND = SiteLayers("0", ("2",))


class Scaled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class Called(nn.Linear):
    def __call__(self, x):
        return super().__call__(x) + 1


class Plain(nn.Linear):
    """A subclass that computes the same."""


class Wrapper(nn.Module):
    """Like a low-rank adapter: the layer, and what is added to it."""

    def __init__(self, base_layer):
        super().__init__()
        self.base_layer, self.down = base_layer, nn.Linear(base_layer.in_features, 2, bias=False)
        self.up = nn.ModuleDict({"default": nn.Linear(2, base_layer.out_features, bias=False)})

    def forward(self, x):
        return self.base_layer(x) + self.up["default"](self.down(x))


class Chosen(nn.Module):
    """Like wrappers that train a copy of a layer and store the original."""

    def __init__(self, original_module):
        super().__init__()
        self.original_module = original_module
        self.modules_to_save = nn.ModuleDict({"default": nn.Linear(3, 4)})

    def forward(self, x):
        return self.modules_to_save["default"](x)


class Packed(nn.Parameter):
    """Like quantized weights."""


def weight(make):
    def changed(layer):
        layer.weight = make(layer.weight.detach())
        return layer

    return changed


def elsewhere(layer):
    """Like sharding, after which a weight is a view of something else."""
    flat = layer.weight.detach()
    del layer._parameters["weight"]
    layer.weight = flat
    return layer


def forward(make):
    def changed(layer):
        layer.forward = make(layer)
        return layer

    return changed


def hooked(register, hook):
    def changed(layer):
        getattr(layer, register)(hook)
        return layer

    return changed


def as_scaled(layer):
    scaled = Scaled(3, 4)
    scaled.load_state_dict(layer.state_dict())
    return scaled


def double(_layer, _inputs, output):
    return 2 * output


def negate(_layer, inputs):
    return (-inputs[0],)


ODD = {
    "a subclass that scales": (as_scaled, "0", "has its own forward, as a Scaled"),
    "a call of its own": (lambda _: Called(3, 4), "0", "has its own forward, as a Called"),
    "a wrapper": (Wrapper, "0", "is a wrapper, which adds to its base_layer.* merge"),
    "what it wraps": (Wrapper, "0.base_layer", "is part of '0', which adds to its base.* merge"),
    "what it adds": (Wrapper, "0.up.default", "is part of '0', which adds to its base_layer"),
    "a stored original": (Chosen, "0.original_module", "is stored by '0', which may run anot"),
    "what stores it": (Chosen, "0", "is of type .*test_plain_layers.Chosen"),
    "another layer": (lambda _: nn.Conv1d(3, 4, 1), "0", r"is of type torch.*conv.Conv1d"),
    "a parametrization": (
        nn.utils.parametrizations.weight_norm,
        "0",
        "has weights that are computed, or stored elsewhere.* remove_parametrizations",
    ),
    "a weight stored elsewhere": (
        elsewhere,
        "0",
        "has weights that are computed, or stored elsewhere",
    ),
    "a replaced forward": (
        forward(lambda layer: partial(type(layer).forward, layer)),
        "0",
        "has a forward that was replaced.* remove_hook",
    ),
    "a replaced method": (
        forward(lambda layer: MethodType(type(layer).forward, layer)),
        "0",
        "has a forward that was replaced",
    ),
    "no values": (lambda layer: layer.to("meta"), "0", "has a weight that has no values.* meta"),
    "not created yet": (
        lambda _: nn.LazyLinear(4),
        "0",
        "has a weight that is a Uninitialized",
    ),
    "integers": (
        weight(lambda w: nn.Parameter(w.to(torch.int8), requires_grad=False)),
        "0",
        "has a weight that has dtype torch.int8.* unpack",
    ),
    "a tensor of another kind": (weight(Packed), "0", "has a weight that is a Packed instead of"),
    "another shape": (
        weight(lambda w: nn.Parameter(w.flatten())),
        "0",
        r"has a weight that has shape \(12,\) instead of \(4, 3\)",
    ),
    "a hook": (hooked("register_forward_hook", double), "0", "has another library's hook, double"),
    "a hook before": (
        hooked("register_forward_pre_hook", negate),
        "0",
        "has another library's hook, nega",
    ),
}
odd = pytest.mark.parametrize(("make", "name", "what"), ODD.values(), ids=ODD)


def model(make=lambda layer: layer):
    torch.manual_seed(0)
    return nn.Sequential(make(nn.Linear(3, 4)), nn.Identity(), nn.Linear(4, 2))


@odd
def test_a_layer_that_is_not_plain_is_refused_by_name(make, name, what):
    layers = SiteLayers(name, ("2",))
    for surgery in (
        partial(ablate, dims=[0], at=layers),
        partial(rescale_direction, along=0, scale=-1.0, at=layers),
        partial(
            orthogonalize, directions=[1.0, 0.0, 0.0], at=SiteLayers(None, (name,)), side="reading"
        ),
    ):
        with refuses(ValueError, rf"^The layer '{name}' {what}(?!.*Did you mean)"):
            surgery(model(make))


@pytest.mark.parametrize(
    "make",
    [make for make, name, _ in ODD.values() if name == "0" and make not in {Chosen, Wrapper}],
)
def test_a_layer_that_is_not_plain_is_not_found_by_tracing(make):
    none = "Of the . linear layers, none writes|The latents at '1' come from .* after '0.bias'"
    with refuses(ValueError, f"^(The layer '0' |The model |{none})"):
        ablate(model(make), [0], at="1", example=X)


def test_a_wrapper_and_what_it_wraps_are_found_as_a_sum():
    wrapped = model(Wrapper)
    cut = ablate(wrapped, [0], at="1", example=X)
    assert not cut[0].base_layer.weight[0].any()
    assert not cut[0].up["default"].weight[0].any()
    with intervene(wrapped, ZeroAblation([0]), at="1"):
        torch.testing.assert_close(cut(X), wrapped(X))


def test_the_layer_that_replaces_another_is_plain():
    wrapped = model(Chosen)
    cut = ablate(wrapped, [0], at="1", example=X)
    assert not cut[0].modules_to_save["default"].weight[0].any()
    assert torch.equal(cut[0].original_module.weight, wrapped[0].original_module.weight)
    with intervene(wrapped, ZeroAblation([0]), at="1"):
        torch.testing.assert_close(cut(X), wrapped(X))


def flat(layer):
    """All numbers of a layer in one place, side by side."""
    numbers = torch.cat([p.detach().flatten() for p in layer.parameters()])
    layer.weight, layer.bias = nn.Parameter(numbers[:12].view(4, 3)), nn.Parameter(numbers[12:])
    return layer


@pytest.mark.parametrize(
    "make",
    [lambda _: Plain(3, 4), lambda layer: layer.requires_grad_(False), flat],
    ids=["a subclass that adds nothing", "a frozen layer", "numbers side by side"],
)
def test_subclasses_frozen_layers_and_shared_storage_count_as_plain(make):
    plain = model(make)
    cut = ablate(plain, [0, 3], AROUND)
    assert not cut[0].weight[[0, 3]].any()
    with intervene(plain, ZeroAblation([0, 3]), at="1"):
        torch.testing.assert_close(cut(X), plain(X))


def test_our_own_hooks_are_allowed():
    watched = model()
    free = ablate(watched, [0], AROUND)
    with record(watched, "0"), intervene(watched, torch.neg, at="2"):
        watched(X)
        cut = ablate(watched, [0], AROUND)
    assert torch.equal(cut(X), free(X))
    watched[0].register_forward_hook(double)
    handle = attach(watched, torch.neg, at="0")
    with refuses(ValueError, "'0' has another library's hook, double"):
        ablate(watched, [0], AROUND)
    handle.remove()
    watched[0].register_forward_hook(torch.relu)
    with refuses(ValueError, "'0' has another library's hook, double"):  # the first of several
        ablate(watched, [0], AROUND)


def test_layers_of_a_population_are_checked_too():
    population = Population.make(lambda: model(as_scaled), seeds=[0, 1])
    with refuses(ValueError, "The layer '0' has its own forward, as a Scaled"):
        ablate(population, [0], AROUND)


class ScaledEmbedding(nn.Embedding):
    def forward(self, tokens):
        return 2 * super().forward(tokens)


class Bypassed(nn.Module):
    def __init__(self, base_layer):
        super().__init__()
        self.base_layer = base_layer


EMBEDDINGS = {
    "0": ("has its own forward, as a ScaledEmbedding", ScaledEmbedding(5, 2)),
    "1": ("rescales its rows when it runs.* max_norm to None", nn.Embedding(5, 2, max_norm=1.0)),
    "2": (r"is of type .*EmbeddingBag; expected a plain nn.Embedding", nn.EmbeddingBag(5, 2)),
    "3": ("has a weight that has no values", nn.Embedding(5, 2, device="meta")),
    "4.base_layer": ("is part of '4', which adds", Bypassed(nn.Embedding(5, 2))),
}


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_an_embedding_that_is_not_plain_is_refused_by_name(name):
    layers = nn.Sequential(*(layer for _, layer in EMBEDDINGS.values()))
    with refuses(ValueError, f"^The layer '{name}' {EMBEDDINGS[name][0]}"):
        edit_embedding(layers, torch.neg, name)


def test_an_unknown_name_is_refused_with_the_plain_layers():
    layers = nn.Sequential(nn.Linear(2, 2), Scaled(2, 2), nn.Linear(2, 2))
    with refuses(ValueError, "Unknown Linear layer '9'; expected one of '0', '2'"):
        ablate(layers, [0], SiteLayers("9", ("2",)))
    with refuses(ValueError, "Unknown Linear layer ''; expected one of nothing"):
        ablate(nn.Linear(2, 2), [0], SiteLayers(""), side="writing")


class DataParallelLike(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)


@pytest.mark.parametrize("prefix", ["", "module.", "module.module."])
def test_names_are_found_through_wrappers_as_sites_are(prefix):
    wrapped = DataParallelLike(DataParallelLike(model()))
    cut = ablate(wrapped, [1], SiteLayers(f"{prefix}0", (f"{prefix}2",)))
    assert type(cut) is DataParallelLike
    torch.testing.assert_close(cut(X), ablate(model(), [1], AROUND)(X))
    assert not torch.allclose(cut(X), wrapped(X))


@pytest.mark.parametrize("place", ["model", "0"])
def test_a_copy_that_would_use_the_original_weights_is_refused(place):
    compiled = model()
    part = compiled if place == "model" else compiled[0]
    bound = part.forward
    part.forward = lambda x: bound(x)
    named = "the model" if place == "model" else place
    with refuses(ValueError, f"The forward of '{named}' was replaced by a function, which a copy"):
        apply_surgery(compiled, lambda p: {"2.bias": -p["2.bias"]})
    with refuses(ValueError, f"The forward of '{named}'|'{named}' has a forward that was replaced"):
        ablate(compiled, [0], AROUND)


def test_a_model_that_cannot_be_copied_is_refused_with_the_reason():
    uncopied = model()
    uncopied.lock = torch.ones(2, requires_grad=True) * 2
    with refuses(ValueError, "The model cannot be copied .*deepcopy protocol.*as surgery gives a"):
        ablate(uncopied, [0], AROUND)


def test_surgery_on_tensors_without_values_is_refused():
    with refuses(ValueError, "The parameter '0.weight' has no values, as it is on the meta device"):
        apply_surgery(model(lambda x: x.to("meta")), lambda p: {"0.weight": -p["0.weight"]})
