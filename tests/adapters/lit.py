"""A small LightningModule, in a module of its own that each process can import."""

import lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

import latent_anchors as la
from latent_anchors import adapters, curriculum
from latent_anchors import regularizers as reg

UP, ASIDE = [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]
SHEET = "STEP,lr,task,red,rated,norm\n0,0.1,1,0.1,0.5,0.3\n9,0.5,1,2,0.5,0.3\n"
COLORS = torch.rand(72, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
RED = (COLORS[:, 0] > 0.7).double()
QUIET = {
    "accelerator": "cpu",
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
    "log_every_n_steps": 1,
}


class Lit(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        widths = nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 4), nn.Identity(), nn.Linear(4, 3)
        self.net = nn.Sequential(*widths).double()

    def training_step(self, batch):
        colors, _ = batch
        return (self.net(colors) - colors).square().mean()

    def validation_step(self, batch):
        self.log("seen", self.net(batch[0]).sum())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=9.0, momentum=0.9)


class Shared(Lit):
    """Whose processes share the samples in their order, which Lightning's own sampler shuffles."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def train_dataloader(self):
        data = TensorDataset(COLORS, RED)
        at = {"num_replicas": self.trainer.world_size, "rank": self.trainer.global_rank}
        return DataLoader(data, self.size, sampler=DistributedSampler(data, **at, shuffle=False))


def timeline() -> curriculum.Timeline:
    return curriculum.read_dopesheet(SHEET).timeline()


def objective(**changes) -> la.Objective:
    """By mass, by a declared rate, and without a label."""
    terms = [
        la.Term("red", reg.Anchor(UP), at="net.3", label="red"),
        la.Term("rated", reg.Anchor(ASIDE), at="net.3", label="red", reduction="rate", rate=0.3),
        la.Term("norm", reg.unit_norm, at="net.2"),
    ]
    return la.Objective(terms, **{"losses": ["task"], "other_tracks": ["lr"], **changes})


def anchoring(plan=None, actions=None, factors=(), **changes) -> adapters.AnchoringCallback:
    given = {"columns": {"red": 1}, "actions": actions, "factors": factors}
    return adapters.AnchoringCallback(objective(**changes), plan or timeline(), **given)


def loader(size: int, colors: Tensor = COLORS, red: Tensor = RED) -> DataLoader:
    return DataLoader(TensorDataset(colors, red), batch_size=size)


def trainer(callback, steps: int = 8, callbacks=(), **options) -> lightning.Trainer:
    given = {**QUIET, "max_steps": steps, **options}
    return lightning.Trainer(callbacks=[callback, *callbacks], **given)


def weights(module: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(module.parameters()).detach()


def trained(size: int, accumulated: int = 1, steps: int = 8, **options) -> Tensor:
    module = Shared(size)
    options |= {"accumulate_grad_batches": accumulated, "use_distributed_sampler": False}
    trainer(anchoring(), steps, **options).fit(module)
    return weights(module)
