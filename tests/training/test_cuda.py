import gc
import warnings

import pytest
import torch
from training.tiny import ANCHOR, Normed, network, timeline, train

from latent_anchors import Objective
from latent_anchors.training._fit.fx_passes import tidy
from latent_anchors.training._fit.trace import run_by, trace

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def close(there, here):
    for name, tensor in here.population.tensors().items():
        torch.testing.assert_close(there.population.tensors()[name].cpu(), tensor.cpu())
    torch.testing.assert_close(there.history["anchor"].cpu(), here.history["anchor"].cpu())


@pytest.mark.parametrize("execution", ["vmap", "sequential"])
def test_a_training_on_a_gpu_ends_where_the_other_does(execution):
    there = train(network, device="cuda", execution=execution)
    assert next(iter(there.population.tensors().values())).is_cuda
    close(there, train(network))


def test_batches_and_labels_are_the_same_on_a_gpu():
    here, there = train(network), train(network, device="cuda")
    assert torch.equal(
        there.history.labels_used("anchor").cpu(), here.history.labels_used("anchor")
    )


@pytest.mark.parametrize("make_model", [network, Normed])
def test_a_captured_step_is_the_plain_one(make_model):
    captured = train(make_model, device="cuda", backend="cuda_graph")
    close(captured, train(make_model, device="cuda"))


def test_a_captured_step_keeps_the_constants_that_it_reads():
    x = torch.ones(1000, device="cuda")
    step = trace(lambda given: [given + torch.full(given.shape, 2.0, device="cuda")], [x])
    tidy(step)
    run = run_by("cuda_graph", step, [], [x])
    del step
    gc.collect()
    in_free_memory = [torch.full_like(x, torch.nan) for _ in range(1000)]
    assert run(x)[0].tolist() == [3.0] * len(in_free_memory)


def test_a_captured_step_counts_once_in_running_averages():
    tensors = train(Normed, device="cuda", backend="cuda_graph").population.tensors()
    assert tensors["latent.1.num_batches_tracked"].tolist() == [20, 20, 20]


def test_in_a_loop_labels_are_looked_at_once_and_nothing_waits_afterwards():
    z, red = torch.randn(8, 4, device="cuda"), torch.full((8,), -100.0, device="cuda")
    objective = Objective([ANCHOR]).to("cuda")
    with pytest.raises(ValueError, match="Label 'red' of term 'anchor' runs from -100"):
        objective({"latent": z}, {"red": red}, {"anchor": 1.0})
    torch.cuda.set_sync_debug_mode("error")
    try:
        totals = [
            objective({"latent": z}, {"red": label}, {"anchor": 1.0}).total
            for label in (red + 101, red)
        ]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.stack(totals).isnan().tolist() == [False, True]


def test_labels_on_another_device_are_refused():
    with pytest.raises(ValueError, match="is on cpu, and what it goes with on cuda:0"):
        ANCHOR.reduce({"latent": torch.randn(8, 4, device="cuda")}, {"red": torch.ones(8)})


@pytest.mark.parametrize("backend", ["eager", "cuda_graph"])
def test_no_step_waits_for_the_gpu(backend):
    def waits(steps):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                train(time=timeline(40), device="cuda", backend=backend, steps=steps)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        return sum("synchroniz" in str(warning.message) for warning in caught)

    waits(20)  # what is made but once
    assert waits(40) == waits(20)
