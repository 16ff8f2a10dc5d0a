"""Training on two ranks, in a module of its own that each process can import."""

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from latent_anchors import Objective, Term, record
from latent_anchors.models import SphericalAutoencoder
from latent_anchors.regularizers import Anchor
from latent_anchors.training import mean_over_processes

ROW = {"anchor": 0.7, "recon": 1.0}
LABELS = torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]).double()
"""All of them in the first half, which is what the first rank sees."""


def train(part, reduce_mass=None, wrap=lambda model: model):
    """Three steps on a part of eight colors; parameters in one vector."""
    torch.manual_seed(0)
    colors = torch.rand(8, 3, dtype=torch.float64)[part]
    model = wrap(SphericalAutoencoder(hidden=4).double())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    term = Term("anchor", Anchor([1.0, 0.0, 0.0, 0.0]), label="red")
    objective = Objective([term], losses=["recon"], reduce_mass=reduce_mass)
    for _ in range(3):
        with record(model, objective.sites) as latents:
            output = model(colors)
        recon = (output - colors).square().mean(-1)
        parts = objective(latents, {"red": LABELS[part]}, ROW, recon=recon)
        optimizer.zero_grad()
        parts.total.backward()
        optimizer.step()
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach()


def train_on_rank(rank, folder):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    part = slice(4 * rank, 4 * rank + 4)
    found = [train(part, reduce, DistributedDataParallel) for reduce in (mean_over_processes, None)]
    torch.save(found, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()
