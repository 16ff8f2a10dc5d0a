"""Figures that a page may show, kept where pytest-benchmark writes its JSON."""

from typing import Any

import pytest


@pytest.fixture
def told(benchmark: Any) -> dict[str, object]:
    """By name; what is timed itself is nothing, since comparisons time their sides themselves."""
    benchmark.pedantic(lambda: None, rounds=1)
    return benchmark.extra_info
