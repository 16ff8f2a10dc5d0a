import pytest
import torch
from adapters.lit import Lit, anchoring, loader, trainer, weights

# torch's compiler and Lightning warn of their own insides
pytestmark = [pytest.mark.compiled, pytest.mark.filterwarnings("ignore::Warning")]


@pytest.fixture(autouse=True)
def forgotten():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def counting(graphs):
    """A backend that notes what it compiles."""

    def compiled(graph, _):
        graphs.append(graph)
        return graph.forward

    return compiled


def test_a_module_that_is_compiled_for_fit_trains_as_one_that_is_not():
    graphs, module, plain = [], Lit(), Lit()
    trainer(anchoring()).fit(torch.compile(module, backend=counting(graphs)), loader(24))
    trainer(anchoring()).fit(plain, loader(24))
    torch.testing.assert_close(weights(module), weights(plain), rtol=0, atol=1e-12)
    assert 0 < len(graphs) < 8


def test_a_part_that_was_compiled_before_is_refused_with_the_way_that_works():
    module = Lit()
    module.net = torch.compile(module.net, backend="eager")
    with pytest.raises(RuntimeError, match="The model is compiled already") as caught:
        trainer(anchoring()).fit(module, loader(24))
    assert "trainer.fit(torch.compile(module), ...)" in caught.value.__notes__[0]
