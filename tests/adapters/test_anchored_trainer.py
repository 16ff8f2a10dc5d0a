"""Hugging Face's Trainer, with an objective and a timeline."""

from pathlib import Path

import pytest
import torch
from adapters import two_processes
from adapters.small_models import UP, gradients, lines, llama, objective, padded, timeline
from torch import Tensor, nn
from torch.multiprocessing import start_processes

import latent_anchors as la
from latent_anchors import adapters, curriculum
from latent_anchors import regularizers as reg


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


def test_two_processes_with_two_micro_batches_make_the_same_step(tmp_path: Path):
    trainer(tmp_path)  # everything is imported before the processes part
    start_processes(two_processes.trainer_step, (tmp_path,), nprocs=2, start_method="fork")
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        torch.testing.assert_close(found, step_of_a_loop(lines(8)), atol=1e-6, rtol=0)


def classes(n: int) -> list[dict]:
    return [
        {"x": torch.randn(4), "labels": torch.tensor(k % 3), "red": torch.tensor(k % 5 / 4)}
        for k in range(n)
    ]


class Classifier(nn.Module):
    """Takes no number of items, so that Trainer takes the mean of its losses."""

    main_input_name = "x"

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.latent, self.head = nn.Linear(4, 3), nn.Linear(3, 3)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        logits = self.head(self.latent(x))
        given = {} if labels is None else {"loss": nn.functional.cross_entropy(logits, labels)}
        return {**given, "logits": logits}


def constant(*names: str) -> curriculum.Timeline:
    return curriculum.Timeline({n: curriculum.Track([curriculum.Keyframe(0, 0.5)]) for n in names})


def test_uneven_micro_batches_of_a_model_with_means_are_the_whole_batch(tmp_path: Path):
    samples = classes(7)
    red = la.Term("red", reg.Anchor(UP[:3]), label="red")
    settled = la.Objective([red], losses=["task"], other_tracks=["lr"])
    plan, model, whole = constant("task", "red", "lr"), Classifier(), Classifier()
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    options = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4}
    options |= {"objective": settled, "timeline": plan, "train_dataset": samples}
    trainer(tmp_path, model, data_collator=None, **options).train()
    batch = torch.utils.data.default_collate(samples)
    with la.record(whole) as latents:
        task = whole(batch["x"], batch["labels"])["loss"]
    settled(latents, batch, plan(0), task=task).total.backward()
    moved = nn.utils.parameters_to_vector(model.parameters()).detach() - before
    torch.testing.assert_close(moved, -0.5 * gradients(whole), atol=1e-6, rtol=0)
