"""Figures that a page may show, kept where pytest-benchmark writes its JSON."""

import ctypes
import sys
from typing import Any

import pytest
import torch

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of mallopt


@pytest.fixture
def told(benchmark: Any) -> dict[str, object]:
    """By name; what is timed itself is nothing, since comparisons time their sides themselves."""
    benchmark.pedantic(lambda: None, rounds=1)
    return benchmark.extra_info


@pytest.fixture(scope="module")
def alike():
    """One thread; and freed memory is kept, since when the system takes it back is chance."""
    torch.set_num_threads(1)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
