from functools import partial

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import Suppression, attach, constant_falloff, intervene
from latent_anchors.models import Site, record

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),  # of torch's own compiler
]
X = torch.ones(2, 3)


@pytest.fixture(autouse=True)
def forget():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(3, 4), nn.Identity())


class Keeping(nn.Module):
    """Compiles its own forward pass, as transformers' decoding does."""

    def __init__(self):
        super().__init__()
        self.layer, self._compiled_call = nn.Linear(3, 4), None

    def forward(self, x):
        return self.layer(x)

    def generate(self, x):
        if self._compiled_call is None:
            self._compiled_call = torch.compile(self.__call__, backend="eager")
        return self._compiled_call(x)


@pytest.mark.parametrize("at", ["1", Site("1", side="input")], ids=["output", "input"])
def test_functions_compiled_before_are_edited_and_recorded_within_a_block(at, model):
    compiled = torch.compile(lambda x: model(x) + 1, backend="eager")
    before = compiled(X)
    with intervene(model, torch.zeros_like, at), record(model, at) as latents:
        model(X)  # that one pass is eager does not vouch for the other
        assert not latents[at].any()
        assert torch.equal(compiled(X), torch.ones(2, 4))
        assert not latents[at].any()
    assert torch.equal(compiled(X), before)


def test_a_model_that_compiles_itself_is_edited_within_a_block():
    model = Keeping()
    before = model.generate(X)
    with intervene(model, torch.zeros_like, "layer"):
        assert not model.generate(X).any()
    assert torch.equal(model.generate(X), before)


def test_compiled_code_is_compiled_code_again_after_the_block(model):
    traced = []
    compiled = torch.compile(model, backend=lambda graph, _: traced.append(1) or graph.forward)
    compiled(X)
    with intervene(model, torch.neg, "1"), intervene(model, torch.neg, "1"):
        compiled(X)
    compiled(X)
    assert len(traced) == 1
    assert torch.compiler.set_stance is not None


@pytest.mark.parametrize("at", ["1", Site("1", side="input")], ids=["output", "input"])
def test_what_is_compiled_within_a_block_does_not_keep_its_edit(at, model):
    plain = model(X)
    with intervene(model, torch.neg, at):
        compiled = torch.compile(model, backend="eager")
        assert torch.equal(compiled(X), -plain)
    assert torch.equal(compiled(X), plain)


@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")
@torch.no_grad()
@pytest.mark.parametrize("block", [record, partial(intervene, edit=torch.neg)])
def test_a_block_within_a_compiled_function_is_refused_with_what_works_instead(block, model):
    def step(x):
        with block(model, at="1"):
            return model(x)

    plain = step(X)
    with refuses(RuntimeError, "within a function that torch compiles; expected the block around"):
        torch.compile(step, backend="eager")(X)
    aside = torch.compiler.disable(step)
    outer = torch.compile(lambda x: aside(x) + 1, backend="eager")
    assert torch.equal(outer(X), plain + 1)
    assert torch.equal(outer(X), plain + 1)


def compiled_around(model):
    return torch.compile(lambda x: model(x), backend="eager")


def compiled_method(model):
    return Around(model)


class Around(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    @torch.compile(backend="eager")
    def forward(self, x):
        return self.inner(x)


@pytest.mark.parametrize("make", [compiled_around, compiled_method])
def test_attaching_for_good_is_refused_where_compiled_code_would_not_heed_it(make, model):
    compiled = make(model)
    attach(model, torch.neg, "1").remove()  # nothing is compiled yet
    compiled(X)
    with refuses(RuntimeError, "compiled already.*torch.compiler.reset"):
        attach(model, torch.neg, "1")
    attach(nn.Sequential(nn.Identity()), torch.neg, "0")  # another model is free
    torch.compiler.reset()
    attach(model, torch.zeros_like, "1")
    assert not compiled(X).any()


def test_attaching_for_good_to_a_model_that_compiled_itself_is_refused():
    model = Keeping()
    model.generate(X)
    with refuses(RuntimeError, "compiled already"):
        attach(model, torch.neg, "layer")


@pytest.mark.parametrize("at", ["1", Site("1", side="input")], ids=["output", "input"])
def test_recording_around_a_training_that_compiles_within_is_right_at_every_step(at, model):
    with record(model, at) as latents:
        compiled = torch.compile(model, backend="eager")
        for step in range(4):
            output = compiled(step * X)
            assert torch.equal(latents[at], output)


@pytest.mark.parametrize("at", ["1", Site("1", side="input")], ids=["output", "input"])
def test_an_attached_edit_acts_in_code_compiled_later_until_it_is_removed(at, model):
    plain, mute = model(X), Suppression([1.0, 0.0, 0.0, 0.0], constant_falloff)
    handle = attach(model, mute, at)
    compiled = torch.compile(model, backend="eager")
    torch.testing.assert_close(compiled(X), mute(plain))
    handle.remove()
    torch.testing.assert_close(compiled(X), plain)
