"""Random numbers from one seed, so that a test and an example in a docstring go the same each time."""

import pytest
import torch


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
