from copy import copy, deepcopy

import pytest
import torch
from refusals import refuses
from torch import nn
from torch.utils.checkpoint import checkpoint

from latent_anchors._hooks import _checkpointing
from latent_anchors.interventions import Onwards, Steering, Suppression, attach, intervene
from latent_anchors.models import Site, record

pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # nested
X = torch.linspace(-1, 1, 12).reshape(3, 4)
INTO = Site("latent", side="input")
EDITS = {
    "negation": torch.neg,
    "doubling": lambda z: 2 * z,
    "Suppression": Suppression([1.0, 0.0, 0.0, 0.0]),
    "Steering": Steering([1.0, 2.0, 0.0, 0.0]),
}


class Net(nn.Module):
    """Two parts, each of which may be run again for its gradients, alone and within the whole."""

    def __init__(self, reentrant, whole=False):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.latent, self.last = nn.Linear(4, 4), nn.Identity(), nn.Linear(4, 4)
        self.reentrant, self.whole = reentrant, whole

    def forward(self, x):
        x = x.clone().requires_grad_()  # reentrant checkpointing asks for it
        return self.again(self.parts, x) if self.whole else self.parts(x)

    def parts(self, x):
        for _ in range(2):
            x = self.again(self.part, x)
        return x

    def part(self, x):
        return self.last(self.latent(self.first(x)).exp())

    def again(self, function, x):
        if self.reentrant is None:
            return function(x)
        return checkpoint(function, x, use_reentrant=self.reentrant)


def gradients(net, output):
    net.zero_grad()
    output.sum().backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


def after(net, edit, at="latent"):
    with intervene(net, edit, at):
        output = net(X)
    return gradients(net, output)


def inside(net, edit, at="latent"):
    with intervene(net, edit, at):
        return gradients(net, net(X))


def after_removing(net, edit, at="latent"):
    handle = attach(net, edit, at)
    output = net(X)
    handle.remove()
    return gradients(net, output)


def under_another(net, edit, at="latent"):
    with intervene(net, edit, at):
        output = net(X)
    with intervene(net, torch.zeros_like, at):
        net(X)
        return gradients(net, output)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("reentrant", [True, False], ids=["reentrant", "other"])
@pytest.mark.parametrize("whole", [True, False], ids=["nested", "flat"])
@pytest.mark.parametrize("way", [after, inside, after_removing, under_another])
def test_gradients_under_an_edit_are_right_wherever_backward_is_called(way, whole, reentrant, edit):
    expected = inside(Net(None), edit)
    torch.testing.assert_close(way(Net(reentrant, whole), edit), expected)


@pytest.mark.parametrize("reentrant", [True, False], ids=["reentrant", "other"])
@pytest.mark.parametrize("whole", [True, False], ids=["nested", "flat"])
@pytest.mark.parametrize("way", [after, inside, after_removing, under_another])
def test_gradients_under_an_edit_of_an_input_are_right_as_well(way, whole, reentrant):
    double = EDITS["doubling"]
    expected = inside(Net(None), double)
    torch.testing.assert_close(way(Net(reentrant, whole), double, INTO), expected)


@pytest.mark.parametrize("reentrant", [True, False], ids=["reentrant", "other"])
def test_passes_with_and_without_the_edit_keep_their_own_gradients(reentrant):
    def both(net):
        plain = net(X)
        with intervene(net, torch.neg):
            return gradients(net, plain + 3 * net(X))

    torch.testing.assert_close(both(Net(reentrant)), both(Net(None)))


@pytest.mark.parametrize("reentrant", [True, False], ids=["reentrant", "other"])
@pytest.mark.parametrize("at", ["latent", INTO], ids=["output", "input"])
def test_no_hook_outlives_the_graph(at, reentrant):
    net = Net(reentrant)
    after(net, torch.neg, at)
    assert not left_in(net.latent)
    with intervene(net, torch.neg, at):
        output = net(X)
    assert left_in(net.latent)
    del output
    assert not left_in(net.latent)


def left_in(layer):
    tables = ("_forward_hooks", "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs")
    return [key for table in tables for key in getattr(layer, table)]


def test_a_copy_made_before_backward_is_not_edited():
    net, double = Net(False), EDITS["doubling"]
    with intervene(net, double):
        output = net(X)
    for same in (copy(net.latent), deepcopy(net.latent)):
        assert torch.equal(same(X), X)
    torch.testing.assert_close(gradients(net, output), after(Net(None), double))


def test_an_edit_changed_before_backward_is_refused():
    net, edit = Net(False), Suppression([1.0, 0.0, 0.0, 0.0])
    with intervene(net, edit):
        output = net(X)
    edit.strength.fill_(0.5)
    with refuses(RuntimeError, "was changed between the forward pass and backward"):
        output.sum().backward()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("at", ["latent", INTO], ids=["output", "input"])
def test_recording_within_a_reentrant_part_is_refused_in_any_mode(at, training):
    net = Net(True).train(training)
    said = "no gradient: .*under reentrant.*use_reentrant=False.*no_grad"
    with refuses(RuntimeError, said), record(net, at):
        net(X)
    with torch.no_grad(), record(net, at, every=True) as latents:  # nobody asks for gradients
        net(X)
    assert latents[at].shape == (2, 3, 4)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("at", ["latent", INTO], ids=["output", "input"])
def test_a_penalty_on_what_was_recorded_within_the_other_kind_is_exact(at, training):
    def gradient(net):
        with record(net.train(training), at, every=True) as latents:
            output = net(X)
        return gradients(net, output + latents[at].square())

    torch.testing.assert_close(gradient(Net(False)), gradient(Net(None)))


def test_running_again_within_the_block_is_not_recorded_as_another_pass():
    net = Net(False)
    with record(net, "latent", every=True) as latents:
        net(X).sum().backward()
    assert len(latents["latent"]) == 2


@pytest.mark.parametrize("reentrant", [True, False], ids=["reentrant", "other"])
def test_stretches_are_found_where_torch_does_not_tell_its_hooks(reentrant, monkeypatch):
    monkeypatch.setattr(_checkpointing, "_top", None)  # as in torch 2.6
    torch.testing.assert_close(after(Net(reentrant, True), torch.neg), after(Net(None), torch.neg))


@pytest.mark.parametrize("reentrant", [True, False], ids=["reentrant", "other"])
@pytest.mark.parametrize("at", ["latent", INTO], ids=["output", "input"])
def test_a_hook_that_was_attached_after_the_edit_comes_after_it_in_the_recomputation_too(
    at, reentrant
):
    def both(net):
        with intervene(net, EDITS["Suppression"], at):
            if at == "latent":
                net.latent.register_forward_hook(lambda _, __, z: z + 1.0)
            else:
                net.latent.register_forward_pre_hook(lambda _, args: (args[0] + 1.0,))
            output = net(X)
        return gradients(net, output)

    torch.testing.assert_close(both(Net(reentrant)), both(Net(None)))


class Twice(nn.Module):
    """A layer that is used twice in a part that is run again."""

    def __init__(self, reentrant):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.reentrant = nn.Linear(4, 4), reentrant

    def forward(self, x):
        x = x.clone().requires_grad_()
        if self.reentrant is None:
            return self.part(x)
        return checkpoint(self.part, x, use_reentrant=self.reentrant)

    def part(self, x):
        return self.layer(self.layer(x).tanh().flip(1))


@pytest.mark.parametrize("reentrant", [True, False], ids=["reentrant", "other"])
def test_a_gate_is_open_at_the_positions_of_each_call_in_the_recomputation_too(reentrant):
    line = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(1))
    gate = Onwards([1.0, 0.0, 0.0, 0.0], within=70)

    def found(net):
        with intervene(net, EDITS["doubling"], Site("layer", every=True), where=gate):
            output = net(line).square()
        return gradients(net, output)

    torch.testing.assert_close(found(Twice(reentrant)), found(Twice(None)))
