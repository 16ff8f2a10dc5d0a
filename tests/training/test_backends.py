import pytest
import torch
from refusals import refuses
from training.tiny import Normed, train

from latent_anchors.training import _gradients
from latent_anchors.training._backends import _captured


@pytest.mark.compiled
@pytest.mark.filterwarnings("ignore:`torch")  # of torch's own compiler
def test_a_compiled_training_ends_where_the_other_does(monkeypatch):
    monkeypatch.setattr(_gradients, "UNTRACED", 2)
    compiled, plain = train(Normed, backend="compiled"), train(Normed)
    for name, tensor in plain.population.tensors().items():
        torch.testing.assert_close(compiled.population.tensors()[name], tensor)


def test_without_a_compiler_the_training_goes_on_and_says_so(monkeypatch):
    def no_compiler(*_, **__):
        def fail(*_):
            raise RuntimeError("No C++ compiler found.\nC++?\nAnd so on.")

        return fail

    monkeypatch.setattr(_gradients, "UNTRACED", 2)
    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.warns(
        RuntimeWarning, match="without compiling, .* No C\\+\\+ compiler found. C\\+\\+\\? I"
    ):
        trained = train(Normed, backend="compiled")
    assert trained.population.tensors()["latent.1.num_batches_tracked"].tolist() == [20, 20, 20]


def test_a_backend_that_does_not_fit_is_refused():
    with refuses(ValueError, "backend 'jit'; expected one of 'eager', 'compiled', 'cuda_graph'"):
        train(backend="jit")
    with refuses(ValueError, "'compiled' was given with execution='in_turn'; expected it with"):
        train(backend="compiled", execution="in_turn")
    with refuses(ValueError, "'cuda_graph' was given and the models are on cpu; expected a GPU"):
        train(backend="cuda_graph")


def test_a_step_that_cannot_be_captured_says_what_to_do(monkeypatch):
    def fail(_):
        raise RuntimeError("Cannot copy between CPU and CUDA tensors.")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", fail)
    with refuses(RuntimeError, "captured as a CUDA graph: Cannot copy.*leave backend='cuda_graph'"):
        _captured(torch.fx.GraphModule({}, torch.fx.Graph()), [], [])
