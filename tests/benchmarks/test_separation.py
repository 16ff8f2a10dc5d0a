"""Separation beside whole matrices left to autograd, and how memory and time grow with the set."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from side_by_side import medians
from torch import Tensor
from torch.func import grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from latent_anchors.regularizers import euclidean_separation, separation

Couple = Callable[[Tensor], Tensor]
DIM = 4


def by_angle(z: Tensor) -> Tensor:
    u = F.normalize(z, dim=-1)
    others = 1 - torch.eye(z.shape[-2])
    return (((u @ u.mT + 1) / 2) ** 100 * others).sum(-1) / (z.shape[-2] - 1)


def by_distance(z: Tensor) -> Tensor:
    square = (z.unsqueeze(-2) - z.unsqueeze(-3)).square().sum(-1)
    others = 1 - torch.eye(z.shape[-2])
    return (others / (square + 1e-3)).sum(-1) / (z.shape[-2] - 1)


WHOLE = {separation: by_angle, euclidean_separation: by_distance}
each = pytest.mark.parametrize("couple", WHOLE)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def forward_and_backward(couple: Couple, n: int) -> Callable[[], object]:
    z = torch.randn(n, DIM, requires_grad=True)
    return lambda: torch.autograd.grad(couple(z).mean(), z)


def traced_step(couple: Couple, runs: int, n: int) -> Callable[[], object]:
    """Gradients of all runs at once, without Python in between, as a training takes them."""
    z = torch.randn(runs, n, DIM)
    with torch.no_grad():
        step = make_fx(vmap(grad(lambda z: couple(z).mean())))(z)
        step.graph.eliminate_dead_code()
        step.recompile()

    def call() -> None:
        with torch.no_grad():
            step(z)

    return call


class Peak(TorchDispatchMode):
    """The most bytes that tensors made meanwhile have held at once."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[StorageWeakRef, int] = {}
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                self.held[StorageWeakRef(storage)] = storage.nbytes()
        self.held = {kept: size for kept, size in self.held.items() if not kept.expired()}
        self.bytes = max(self.bytes, sum(self.held.values()))
        return made


def peak_bytes(couple: Couple, n: int) -> int:
    call = forward_and_backward(couple, n)
    with Peak() as peak:
        call()
    return peak.bytes


@each
def test_memory_grows_with_the_set_and_no_faster(couple: Couple, told: dict[str, object]):
    sizes = [2048, 4096, 8192, 16384]
    peaks = [peak_bytes(couple, n) for n in sizes]
    left_to_autograd = peak_bytes(WHOLE[couple], 2048)
    shown = ", ".join(f"{n}: {peak / 2**20:.1f}" for n, peak in zip(sizes, peaks, strict=True))
    print(f"\n{couple.__name__}: MiB at {shown}; whole at 2048: {left_to_autograd / 2**20:.0f}")
    told.update(
        couple=couple.__name__, mebibytes={n: p / 2**20 for n, p in zip(sizes, peaks, strict=True)}
    )
    assert all(more <= 2.05 * less for less, more in pairwise(peaks))
    assert peaks[0] < left_to_autograd / 10


@each
def test_time_per_pair_does_not_grow(couple: Couple, told: dict[str, object]):
    sizes, times = [1024, 4096, 16384], [16, 4, 1]
    calls = [forward_and_backward(couple, n) for n in sizes]

    def repeated(call: Callable[[], object], often: int) -> Callable[[], object]:
        return lambda: [call() for _ in range(often)]

    # the more pairs, the fewer calls
    taken = medians(*map(repeated, calls, times), rounds=3)
    pairs = [
        1e9 * seconds / often / n**2 for seconds, often, n in zip(taken, times, sizes, strict=True)
    ]
    shown = ", ".join(f"{n}: {pair:.1f}" for n, pair in zip(sizes, pairs, strict=True))
    print(f"\n{couple.__name__}: nanoseconds a pair at {shown}")
    told.update(couple=couple.__name__, nanoseconds=dict(zip(sizes, pairs, strict=True)))
    assert max(pairs) <= 1.3 * pairs[0]


@each
def test_sixty_runs_of_64_take_less_than_whole_matrices_left_to_autograd(couple: Couple):
    ours, whole = medians(
        traced_step(couple, 60, 64), traced_step(WHOLE[couple], 60, 64), rounds=50
    )
    print(f"\n{couple.__name__}, 60 x 64: {ours / whole:.2f} of {1e3 * whole:.1f} ms")
    assert ours < whole


@each
@pytest.mark.parametrize(("n", "bound"), [(64, 2.0), (2048, 0.5)])
def test_one_set_beside_a_whole_matrix_left_to_autograd(couple: Couple, n: int, bound: float):
    # of a single small set most of the time goes to calls, not to pairs
    ours, whole = medians(
        forward_and_backward(couple, n), forward_and_backward(WHOLE[couple], n), rounds=9
    )
    print(f"\n{couple.__name__}, {n}: {ours / whole:.2f} of {1e3 * whole:.2f} ms")
    assert ours <= bound * whole
