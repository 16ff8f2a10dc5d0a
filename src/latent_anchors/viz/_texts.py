"""How wide words are, and words in lines that fit."""

import math
from functools import partial
from textwrap import fill

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

SPARE = 6
"""Characters by which a line may be longer than its share, so that no word stands alone."""


def text_width(words: str, size: float, weight: str = "normal") -> float:
    """Points, of the longest line; 0 where there is nothing to be seen."""
    font = FontProperties(weight=weight, size=size)
    measured = partial(text_to_path.get_text_width_height_descent, prop=font, ismath=False)
    return max((measured(line)[0] for line in words.splitlines() if line.strip()), default=0.0)


def within(words: str, wide: float, size: float) -> str:
    """Words in as many lines as so many points ask for, about as long as each other."""
    least, most = math.ceil(text_width(words, size) / wide), len(words.split())
    broken = words
    for lines in range(max(least, 2), most + 1) if least > 1 else ():
        broken = fill(words, len(words) // lines + SPARE, break_long_words=False)
        if text_width(broken, size) <= wide:
            break
    return broken
