"""Drawings that do not come to their end leave nothing behind."""

from collections.abc import Callable
from typing import TypeVar

import matplotlib.pyplot as plt

Drawn = TypeVar("Drawn")


def closed_unless_finished(draw: Callable[[], Drawn]) -> Drawn:
    """What it gives; of what fails or is interrupted, pyplot keeps no figure."""
    others = plt.get_fignums()
    try:
        return draw()
    except BaseException:
        for number in {*plt.get_fignums()} - {*others}:
            plt.close(number)
        raise
