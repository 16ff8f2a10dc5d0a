"""Hugging Face's Trainer, with an objective and a timeline."""

from pathlib import Path

import pytest
import torch
from adapters.small_models import gradients, lines, llama, objective, padded, timeline
from torch import Tensor, nn

import latent_anchors as la
from latent_anchors import adapters


def trainer(folder: Path, model: nn.Module | None = None, **options) -> adapters.AnchoredTrainer:
    from transformers import TrainingArguments

    given = {
        "max_steps": 1,
        "per_device_train_batch_size": 8,
        "max_grad_norm": 0,
        "report_to": [],
        "use_cpu": True,
        "disable_tqdm": True,
        "save_strategy": "no",
        "optim": "sgd",
        "logging_steps": 1,
    }
    names = TrainingArguments.__dataclass_fields__
    given |= {name: options.pop(name) for name in list(options) if name in names}
    return adapters.AnchoredTrainer(
        model=llama() if model is None else model,
        args=TrainingArguments(str(folder), **given),
        data_collator=options.pop("data_collator", padded),
        train_dataset=options.pop("train_dataset", lines()),
        objective=options.pop("objective", None) or objective(),
        timeline=options.pop("timeline", None) or timeline(),
        **options,
    )


def step_of_trainer(folder: Path, **options) -> Tensor:
    """How one step moves all parameters, with SGD at a rate of 0.5."""
    model = llama()
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    trainer(folder, model, **options).train()
    return nn.utils.parameters_to_vector(model.parameters()).detach() - before


def step_of_a_loop(rows: list[dict]) -> Tensor:
    """The same, on the whole batch, in plain PyTorch."""
    model, batch = llama(), padded(rows)
    given = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}
    with la.record(model, objective().sites) as latents:
        task = model(**given).loss
    total = objective()(latents, batch, timeline()(0), batch, task=task).total
    total.backward()
    return -0.5 * gradients(model)


@pytest.mark.parametrize("accumulated", [1, 4])
def test_a_step_is_that_of_a_plain_loop_on_the_whole_batch(tmp_path: Path, accumulated: int):
    options = {
        "per_device_train_batch_size": 8 // accumulated,
        "gradient_accumulation_steps": accumulated,
        "train_dataset": lines(8),
    }
    found = step_of_trainer(tmp_path, **options)
    torch.testing.assert_close(found, step_of_a_loop(lines(8)), atol=1e-6, rtol=0)
