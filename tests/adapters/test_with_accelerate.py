"""Loops with accelerate: the rate is the timeline's, and gradients are the whole batch's."""

from pathlib import Path

import pytest
import torch
from adapters import two_processes
from adapters.small_models import gradients, lines, llama, objective, padded, timeline
from adapters.test_anchored_trainer import step_of_a_loop
from torch import Tensor
from torch.multiprocessing import start_processes

import latent_anchors as la
from latent_anchors.adapters import PreparedTimelineLR, micro_batches


def tokens(batch: dict[str, Tensor]) -> Tensor:
    """Over how many a language model's loss is a mean."""
    return (batch["labels"][:, 1:] != -100).sum()


def train(accumulated: int, size: int, steps: int = 3, folder: Path | None = None):
    """How the first step moves all parameters; and the rate after each step."""
    from accelerate import Accelerator

    accelerator, model = Accelerator(cpu=True, gradient_accumulation_steps=accumulated), llama()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    data = torch.utils.data.DataLoader(lines(8) * steps, size, collate_fn=padded)
    schedule = PreparedTimelineLR(optimizer, timeline())
    model, optimizer, data, schedule = accelerator.prepare(model, optimizer, data, schedule)
    moved, rates, step = [], [], 0
    for batch, weigh in micro_batches(accelerator, data, model, objective(), {"task": tokens}):
        given = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}
        with la.record(model, objective().sites) as latents:
            task = model(**given).loss
        parts = weigh(batch, latents=latents, row=timeline()(step), task=task)
        accelerator.backward(parts.total)
        if accelerator.sync_gradients:
            moved.append(-schedule.get_last_lr()[0] * gradients(model))
            step += 1
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if accelerator.sync_gradients:
            rates.append(schedule.get_last_lr()[0])
    if folder is not None:
        accelerator.save_state(folder)
    return moved[0], rates


def planned(steps: int = 3) -> list[float]:
    return [timeline()(step + 1)["lr"] for step in range(steps)]


@pytest.mark.parametrize("accumulated", [1, 4])
def test_a_step_is_that_of_a_plain_loop_at_the_timelines_rate(tmp_path: Path, accumulated: int):
    moved, rates = train(accumulated, 8 // accumulated, folder=tmp_path)
    torch.testing.assert_close(moved, step_of_a_loop(lines(8)), atol=1e-6, rtol=0)
    assert rates == planned()
    assert torch.load(tmp_path / "scheduler.bin")["last_epoch"] == 3


def test_two_processes_make_the_same_step_at_the_same_rate(tmp_path: Path):
    train(1, 8)  # everything is imported before the processes part
    start_processes(two_processes.accelerated, (tmp_path,), nprocs=2, start_method="fork")
    for rank in range(2):
        moved, rates = torch.load(tmp_path / f"{rank}.pt")
        torch.testing.assert_close(moved, step_of_a_loop(lines(8)), atol=1e-6, rtol=0)
        assert rates == planned()


def test_a_last_step_of_fewer_micro_batches_is_scaled_as_the_others():
    moved, rates = train(accumulated=4, size=4, steps=1)
    torch.testing.assert_close(moved, step_of_a_loop(lines(8)), atol=1e-6, rtol=0)
    assert len(rates) == 1
