import gc
import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from latent_anchors.training._fit.trace import trace

X = torch.linspace(-1.0, 1.0, 12).reshape(3, 4)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: [x.unbind(0)[1] + x.max(1).values.sum()],
        lambda x: [torch.cat([x, x.new_tensor([[1.0, 2.0, 3.0, 4.0]])]).sum(dim=0, keepdim=True)],
        lambda x: [torch.func.grad(lambda z: (z @ z.mT).relu().sum())(x), x],
        lambda x: [torch.vmap(lambda z: z.norm() * z)(x)],
        lambda x: [torch.zeros(3).index_add_(0, torch.tensor([0, 2]), x[:2, 0])],
        lambda x: list(torch.linalg.qr(x)),
        # whose backward leaves out the gradients of a weight and a bias that are not there
        lambda x: [torch.func.grad(lambda z: torch.layer_norm(z, (4,)).exp().sum())(x)],
    ],
)
def test_a_trace_does_with_others_what_was_done(function):
    traced = trace(function, [X])
    for inputs in (X, X.flip(0) + 3):
        for ours, theirs in zip(traced(inputs), function(inputs), strict=True):
            assert torch.equal(ours, theirs)


def test_a_literal_that_is_written_begins_anew_each_time():
    def function(x):
        total = torch.tensor([1.0, 2.0])
        return [total.add_(x[0, :2])]

    traced = trace(function, [X])
    first, second = traced(X)[0].clone(), traced(X)[0]
    assert torch.equal(first, second)
    assert torch.equal(first, torch.tensor([1.0, 2.0]) + X[0, :2])


def test_a_tensor_from_outside_is_looked_up_at_each_step():
    outside = torch.ones(4)
    traced = trace(lambda x: [x * outside], [X])
    outside.mul_(2)
    assert torch.equal(traced(X)[0], 2 * X)


def test_what_python_computed_stays_as_it_was():
    factor = torch.tensor(3.0)
    traced = trace(lambda x: [x * float(factor)], [X])
    factor.mul_(2)
    assert torch.equal(traced(X)[0], 3 * X)


def test_no_value_lives_longer_than_it_would_have():
    alive = []

    class Watching(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            gc.collect()
            alive.append(sum(each() is not None for each in made))
            made.append(weakref.ref(outcome := func(*args, **(kwargs or {}))))
            return outcome

    def function(x):
        for _ in range(20):
            x = x.exp()
        return [x]

    made = []
    with Watching():
        trace(function, [X])
    assert len(alive) == 20
    assert max(alive) <= 2
