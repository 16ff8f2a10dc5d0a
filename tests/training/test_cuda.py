import pytest
import torch
from training.tiny import network, train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def test_a_training_on_a_gpu_ends_where_the_other_does():
    here, there = train(network), train(network, device="cuda")
    assert next(iter(there.population.tensors().values())).is_cuda
    for name, tensor in here.population.tensors().items():
        torch.testing.assert_close(there.population.tensors()[name].cpu(), tensor)
    torch.testing.assert_close(there.history["anchor"].cpu(), here.history["anchor"])


def test_batches_and_labels_are_the_same_on_a_gpu():
    here, there = train(network), train(network, device="cuda")
    assert torch.equal(
        there.history.labels_used("anchor").cpu(), here.history.labels_used("anchor")
    )
