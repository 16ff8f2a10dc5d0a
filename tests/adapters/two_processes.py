"""What each of two processes does, in a module of its own that each can import."""

import os
from pathlib import Path

import torch
from torch import distributed


def begin(rank: int, folder: Path) -> None:
    """As torchrun begins a process; what a process before it knew of accelerate is forgotten."""
    from accelerate.state import AcceleratorState, GradientState

    torch.set_num_threads(1)
    place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ.update(place, MASTER_ADDR="127.0.0.1", MASTER_PORT="29500")
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    store = distributed.FileStore(str(folder / "meeting"), 2)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)


def trainer_step(rank: int, folder: Path) -> None:
    from adapters.test_anchored_trainer import lines, step_of_trainer

    begin(rank, folder)
    options = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    moved = step_of_trainer(folder, train_dataset=lines(8), **options)
    torch.save(moved, folder / f"{rank}.pt")
    distributed.destroy_process_group()


def accelerated(rank: int, folder: Path) -> None:
    from adapters.test_with_accelerate import train

    begin(rank, folder)
    # accelerate deals batches out in turn: each process has two of two lines in a step
    torch.save(train(accumulated=2, size=2), folder / f"{rank}.pt")
    distributed.destroy_process_group()
