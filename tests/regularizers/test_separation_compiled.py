import pytest
import torch

from latent_anchors.regularizers import euclidean_separation, separation

pytestmark = [
    pytest.mark.compiled,
    # of torch's own compiler
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]


@pytest.mark.parametrize(("couple", "chunk"), [(separation, None), (euclidean_separation, 4)])
def test_compiled_it_gives_the_same_values_and_forces(couple, chunk, generator):
    z = torch.randn(9, 3, generator=generator, requires_grad=True)
    compiled = torch.compile(
        lambda z: couple(z, 3.0, chunk=chunk), backend="aot_eager", fullgraph=True
    )
    given, expected = compiled(z), couple(z, 3.0)
    torch.testing.assert_close(given, expected)
    forces = [torch.autograd.grad(values.square().sum(), z) for values in (given, expected)]
    torch.testing.assert_close(*forces)
