import gc
import weakref
from contextlib import contextmanager
from functools import partial

import pytest
import torch
from jaxtyping import config
from refusals import refuses
from torch.utils._python_dispatch import TorchDispatchMode
from training.tiny import Normed, train

from latent_anchors.training._fit.trace import _captured, check_backend, run_by, trace

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.compiled
@pytest.mark.filterwarnings("ignore:`torch")  # of torch's own compiler
def test_a_compiled_training_ends_where_the_other_does(monkeypatch):
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    compiled, plain = train(Normed, backend="compiled"), train(Normed)
    for name, tensor in plain.population.tensors().items():
        torch.testing.assert_close(compiled.population.tensors()[name], tensor)


def test_without_a_compiler_the_training_goes_on_and_says_so(monkeypatch):
    def no_compiler(*_, **__):
        def fail(*_):
            raise RuntimeError("No C++ compiler found.\nC++?\nAnd so on.")

        return fail

    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.warns(
        RuntimeWarning,
        match=r"without compiling, .* failed: No C\+\+ compiler found. C\+\+\? Install a C\+\+ "
        "compiler, or leave backend='compiled' out.$",
    ):
        trained = train(Normed, backend="compiled")
    assert trained.population.tensors()["latent.1.num_batches_tracked"].tolist() == [20, 20, 20]


def test_a_backend_that_does_not_fit_is_refused():
    with refuses(ValueError, "backend 'jit'; expected one of 'eager', 'compiled', 'cuda_graph'"):
        train(backend="jit")
    with refuses(
        ValueError,
        "^backend='compiled' was given with execution='sequential'; expected .* the model.$",
    ):
        train(backend="compiled", execution="sequential")
    with refuses(
        ValueError, "^backend='cuda_graph' was given and the models are on cpu; expected.*'cuda'.$"
    ):
        train(backend="cuda_graph")


def test_a_backend_that_fits_is_accepted():
    check_backend("eager", "sequential", CPU)
    check_backend("compiled", "vmap", GPU)
    check_backend("cuda_graph", "vmap", GPU)


def averaging_step():
    """A step that writes into what it holds; what it holds and is passed; and when it runs."""

    def step(running, x):
        running.add_(x)
        return [running * x]

    traced, events = trace(step, [torch.zeros(2), torch.ones(2)]), []
    traced.register_forward_pre_hook(lambda *_: events.append("run"))
    return traced, [torch.zeros(2)], [torch.ones(2)], events


def test_a_compiled_step_is_compiled_whole_and_tried_on_copies(monkeypatch):
    def compiled(step, **options):
        events.append(options)
        return step

    step, held, passed, events = averaging_step()
    monkeypatch.setattr(torch, "compile", compiled)
    made = run_by("compiled", step, held, passed)
    assert events == [{"fullgraph": True, "dynamic": False}, "run"]
    assert made(*held, 3 * passed[0])[0].tolist() == [9.0, 9.0]


class Gpu:
    """One that is not there: what is captured is done, and done again at each replay."""

    def __init__(self, monkeypatch, events):
        self.events = events
        monkeypatch.setattr(torch.cuda, "Stream", lambda: Stream("side", events))
        monkeypatch.setattr(torch.cuda, "current_stream", lambda: Stream("main", events))
        for name in ("stream", "graph"):
            monkeypatch.setattr(torch.cuda, name, partial(self.block, name))
        monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: self)

    @contextmanager
    def block(self, name, _):
        self.events.append(f"{name} begins")
        yield
        self.events.append(f"{name} ends")

    def replay(self):
        self.events.append("replayed")


class Stream:
    def __init__(self, name, events):
        self.name, self.events = name, events

    def wait_stream(self, other):
        self.events.append(f"{self.name} waits for {other.name}")


@pytest.fixture
def unchecked():
    """The stand-in is of no type of torch's."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
def test_a_step_is_warmed_up_on_copies_and_then_captured(monkeypatch):
    step, held, passed, events = averaging_step()
    Gpu(monkeypatch, events)
    run_by("cuda_graph", step, held, passed)
    warmed = ["side waits for main", "stream begins", "run", "run", "run", "stream ends"]
    assert events == [*warmed, "main waits for side", "graph begins", "run", "graph ends"]
    assert held[0].tolist() == [1.0, 1.0]


@pytest.mark.usefixtures("unchecked")
def test_a_replay_reads_what_it_is_given_and_answers_where_it_did(monkeypatch):
    step, held, passed, events = averaging_step()
    Gpu(monkeypatch, events)
    run = run_by("cuda_graph", step, held, passed)
    (answer,) = run(*held, torch.tensor([2.0, 3.0]))
    assert events[-1] == "replayed"
    assert run.places[0].tolist() == [2.0, 3.0]
    assert run(*held, torch.zeros(2))[0] is answer
    assert passed[0].tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="argument 2 is longer"):
        run(*held, *passed, *passed)


def test_a_step_that_cannot_be_captured_says_what_to_do(monkeypatch):
    def fail(_):
        raise RuntimeError("Cannot copy between CPU and CUDA tensors.")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", fail)
    with refuses(
        RuntimeError, "captured as a CUDA graph: Cannot copy.*leave backend='cuda_graph' out.$"
    ):
        _captured(torch.fx.GraphModule({}, torch.fx.Graph()), [], [])


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
