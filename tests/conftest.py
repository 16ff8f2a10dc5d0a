"""One thread, reproducible hypotheses, figures without a screen, and the refusals counted last."""

import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("suite", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("suite")

LAST = "test_refusals.py"


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The count of refusals comes last, and only when everything before it runs."""
    items.sort(key=lambda item: item.path.name == LAST)
    here = Path(__file__).parent
    apart = {here / "benchmarks", here / "evidence"}
    every_file = {path for path in here.rglob("test_*.py") if path.parent not in apart}
    every_file -= {path for path in every_file if "compiled" in path.name}
    missing = every_file - {item.path for item in items}
    if missing or config.option.keyword:
        items[:] = [item for item in items if item.path.name != LAST]
