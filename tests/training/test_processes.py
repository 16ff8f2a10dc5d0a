import torch
from torch import distributed

from latent_anchors.training import mean_over_processes

# that two processes with it are one: test_objective, test_two_ranks_are_one_process


def test_one_process_is_its_own_mean_with_a_group_and_without(tmp_path):
    masses = torch.tensor([2.0, 64.0])
    assert torch.equal(mean_over_processes(masses), masses)
    distributed.init_process_group("gloo", f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        mean = mean_over_processes(masses)
    finally:
        distributed.destroy_process_group()
    assert torch.equal(mean, masses)
    assert mean is not masses
