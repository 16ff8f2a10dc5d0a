"""Hugging Face's Trainer with torch_compile: sites are recorded during the whole training."""

from pathlib import Path

import pytest
import torch
from adapters.small_models import lines, llama
from adapters.test_anchored_trainer import trainer, watch

pytestmark = pytest.mark.compiled


def test_a_compiled_training_is_that_of_the_model_itself(tmp_path: Path):
    models = [llama(), llama()]
    for model, compiled in zip(models, (False, True), strict=True):
        # graphs as on every machine, without a compiler of C++
        backend = {"torch_compile": True, "torch_compile_backend": "eager"} if compiled else {}
        evaluating = {"eval_dataset": lines(16), "eval_strategy": "steps", "eval_steps": 1}
        options = {"max_steps": 3, "watches": [watch()], **evaluating, **backend}
        made = trainer(tmp_path, model, **options)
        made.train()
        assert (type(made.model_wrapped).__name__ == "OptimizedModule") == compiled
    for plain, found in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(found, plain, atol=1e-6, rtol=0)
    with torch.no_grad():
        models[1](torch.ones(1, 4).long())
