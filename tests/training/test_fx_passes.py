import pytest
import torch
from torch import Tag
from torch.utils._python_dispatch import TorchDispatchMode

from latent_anchors.training._fit.fx_passes import tidy
from latent_anchors.training._fit.trace import trace

aten = torch.ops.aten

X = torch.linspace(-1.0, 1.0, 12).reshape(3, 4)


def tidied(function, *inputs):
    """The trace of a function, and how many operations are left."""
    single = isinstance(function(*[each.clone() for each in inputs]), torch.Tensor)
    traced = trace(lambda *x: [function(*x)] if single else function(*x), inputs)
    tidy(traced)
    left = sum(node.op == "call_function" for node in traced.graph.nodes)
    return (lambda *x: traced(*x)[0]) if single else traced, left


@pytest.mark.parametrize(
    ("function", "operations"),
    [
        (lambda x: (x * 1).view(3, 4).expand(3, 4).permute(0, 1) + 2, 1),
        (lambda x: x.mT.mT.t().t().detach() ** 1 + 2, 1),
        (lambda x: aten.mul.Scalar(x, 1) + 2, 1),
        (lambda x: torch.ones_like(x) * x + 2, 1),
        (lambda x: torch.zeros_like(x).cos() * x + 2, 1),
        (lambda x: x + torch.arange(1, 5) + torch.arange(0, 8, 2), 2),
        (lambda x: x + torch.zeros(4) + torch.full((4,), 2.0) + torch.full((4,), 2), 3),
        (lambda x: x + torch.arange(3).cos().unbind(0)[1], 3),
        (lambda x: torch.ones_like(x) * 2, 0),
        (lambda x: aten._unsafe_view(x, [3, 4]) + 2, 1),
        (lambda x: x.expand(2, 3, 4) @ x.mT + x.expand(2, 3, 4) @ x.mT, 5),
        (lambda x: x * torch.ones_like(x).square() + 2, 1),
        (lambda x: x @ torch.eye(4)[[0, 1]].mT, 1),
        (lambda x: torch.where(x > 0, x, 1.0) + torch.where(x > 0, x, 1.0), 3),
        (lambda x: (x.exp() + x.exp()) * x.new_tensor([2.0, 3.0, 4.0, 5.0]), 3),
        (lambda x: (x.log(), x.exp())[1], 1),
        (
            lambda x: x.where(torch.ones(3, 4, dtype=torch.bool).tril(), 0) * torch.arange(4).cos(),
            2,
        ),
    ],
)
def test_what_changes_nothing_is_not_done(function, operations):
    traced, left = tidied(function, X)
    assert left == operations
    assert torch.equal(traced(X), function(X))
    assert torch.equal(traced(X + 3), function(X + 3))


TELLS_REDUCTIONS = pytest.mark.skipif(not hasattr(Tag, "reduction"), reason="old torch")


@pytest.mark.parametrize(
    "function",
    [
        torch.exp,
        torch.nn.functional.silu,
        pytest.param(lambda x: x.logsumexp(0), marks=TELLS_REDUCTIONS),
        lambda x: torch.stack([x, x]),
        torch.tril,
        lambda x: aten._unsafe_view(x, [12]),
    ],
)
def test_what_only_reads_is_done_once(function):
    traced, left = tidied(lambda x: function(x) + function(x), X)
    assert left == 2
    assert torch.equal(traced(X + 3), 2 * function(X + 3))


def test_what_runs_is_what_was_tidied():
    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            done.append(func)
            return func(*args, **(kwargs or {}))

    done = []
    traced, _ = tidied(lambda x: x.exp() * 1 + x.exp(), X)
    with Counting():
        traced(X)
    assert done == [aten.exp.default, aten.add.Tensor]


def test_what_is_left_is_called_by_pythons_own_binding_where_there_is_one():
    gelu = torch.nn.functional.gelu
    traced = trace(lambda x: [torch.func.grad(lambda z: gelu(z.exp()).sum())(x)], [X])
    tidy(traced)
    called = [node.target for node in traced.graph.nodes if node.op == "call_function"]
    assert torch.exp in called
    bound = [each for each in called if not isinstance(each, torch._ops.OpOverload)]
    assert {*called} - {*bound} == {aten.gelu_backward.default}


@pytest.mark.parametrize(
    ("function", "operations"),
    [
        (lambda x: x * 2 + x * 3, 3),
        (lambda x: x.view(4, 3) @ x.mT.contiguous().view(4, 3).mT, 5),
        (lambda x: x.double() * 1.0, 1),
        (lambda x: x.new_ones(2, 3, 4) * x, 2),
        (lambda x: torch.ones_like(x, dtype=torch.float64) * x, 1),
        (lambda x: (torch.ones(4, 3) * x.mT).view(12) + 2, 3),
        (lambda x: x.mT.transpose(0, -1) + 2, 3),
    ],
)
def test_what_changes_something_is_done(function, operations):
    traced, left = tidied(function, X)
    assert left == operations
    assert torch.equal(traced(X + 3), function(X + 3))


def test_what_is_written_in_place_is_seen_when_it_was():
    def function(x):
        before, same = x.exp(), x.exp()
        copy, another = same * 1, x * 1
        same.view(-1).add_(1.0)
        another.add_(1.0)
        return before + x.exp(), same * 1, copy, same.view(3, 4) * 2, another + x

    traced, _ = tidied(function, X)
    for ours, theirs in zip(traced(X), function(X), strict=True):
        assert torch.equal(ours, theirs)


def test_a_part_that_is_written_in_place_is_its_whole():
    def function(x):
        whole = x.exp()
        before, (first, *_) = whole * 1, whole.unbind(0)
        first.add_(1.0)
        return before, whole * 1, x.exp()

    traced, _ = tidied(function, X)
    for ours, theirs in zip(traced(X), function(X), strict=True):
        assert torch.equal(ours, theirs)


def test_an_argument_that_is_written_in_place_is_written_each_time():
    def function(x, running):
        old = running * 1
        running.mul_(0.5).add_(x)
        return old, running * 1

    traced, _ = tidied(function, X, X.clone())
    running, expected = torch.ones(3, 4), torch.ones(3, 4)
    for _ in range(2):
        ours, theirs = traced(X, running), function(X, expected)
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def test_what_is_written_without_a_word_in_the_schema_is_seen_when_it_was():
    def function(x, mean, variance):
        before = mean * 1
        normed = torch.native_batch_norm(x, None, None, mean, variance, True, 0.5, 0.0)[0]
        return normed, before, mean * 1

    traced, _ = tidied(function, X, torch.zeros(4), torch.ones(4))
    ours = traced(X, torch.zeros(4), torch.ones(4))
    assert ours[1].tolist() == [0.0] * 4
    torch.testing.assert_close(ours[2], X.mean(0) / 2)


def test_a_constant_that_is_written_begins_anew_each_time():
    traced, _ = tidied(lambda x: torch.zeros(4).add_(x[0]), X)
    assert torch.equal(traced(X), X[0])
    assert torch.equal(traced(X), X[0])


def test_chance_is_drawn_as_often_as_it_was():
    def function(x):
        return torch.rand_like(x) - torch.rand_like(x)

    traced, _ = tidied(function, X)
    torch.manual_seed(0)
    ours = [traced(X), traced(X)]
    torch.manual_seed(0)
    assert torch.equal(ours[0], function(X))
    assert torch.equal(ours[1], function(X))


def test_a_tensor_from_outside_may_change_between_steps():
    outside = torch.ones(4)
    traced, _ = tidied(lambda x: x + outside.square().sum(), X)
    outside.mul_(2)
    assert torch.equal(traced(X), X + 16)
