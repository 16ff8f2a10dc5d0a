"""A drawing that fails or is interrupted, wherever that may be, leaves no figure open."""

import random
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from viz.members import MEMBERS, figure_of, tensors

from latent_anchors import viz

SOURCE = str(Path(viz.__file__).parent)


class Interrupted(BaseException):
    """Neither an Exception nor anyone else's."""


class At:
    """Interrupts at the n-th line of this room; without n it counts them."""

    def __init__(self, n: int | None = None) -> None:
        self.n, self.lines = n, 0

    def __enter__(self) -> "At":
        self.before = sys.gettrace()
        sys.settrace(self.called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def called(self, frame, *_):
        return self.line if frame.f_code.co_filename.startswith(SOURCE) else None

    def line(self, _, event, *__):
        if event == "line":
            self.lines += 1
            if self.lines == self.n:
                raise Interrupted
        return self.line


def interrupted(draw, n: int) -> None:
    with pytest.raises(Interrupted), At(n):
        draw()


def check_nothing_is_left(draw, others: list[int], *lines: int) -> None:
    for n in lines:
        style = dict(mpl.rcParams)
        interrupted(draw, n)
        assert plt.get_fignums() == others, n
        assert dict(mpl.rcParams) == style, n


def lines_of(draw) -> int:
    with At() as counted:
        made = draw()
    figure_of(made)
    plt.close("all")
    return counted.lines


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.filterwarnings("ignore:Animation was deleted")
def test_wherever_a_drawing_is_interrupted_no_figure_is_left_open(name: str):
    def draw() -> object:
        return MEMBERS[name].draw(tensors())

    count = lines_of(draw)
    other = plt.figure().number
    shares = 0.3 + 0.6 * random.Random(name).random(), 1.0
    check_nothing_is_left(draw, [other], *(round(share * count) for share in shares))


@pytest.mark.filterwarnings("ignore:Animation was deleted")
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_an_interrupted_dark_variant_leaves_the_light_one_open_alone(share: float, tmp_path: Path):
    figure = viz.plot_seeds("error", {"one": [0.1]})
    again = lambda: viz.save_figures({"seeds": figure}, tmp_path, dark=True)  # noqa: E731
    with At() as counted:
        again()
    check_nothing_is_left(again, [figure.number], round(share * counted.lines))


def test_a_drawing_that_is_refused_half_way_leaves_no_figure_open():
    with pytest.raises(ValueError, match="logarithmic"):
        viz.plot_relearning([1, 2], {"one": [0.0, 1.0]})
    assert plt.get_fignums() == []
