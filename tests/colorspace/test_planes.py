import pytest
import torch
from refusals import refuses

from latent_anchors import colorspace
from latent_anchors.colorspace._planes import ratio, root, turns

TAKES_COLORS = [getattr(colorspace, name) for name in colorspace.__all__ if "_to_" in name] + [
    colorspace.vibrancy,
    colorspace.grayness,
    lambda colors: colorspace.hue_degree(colors, 0.5),
]


@pytest.mark.parametrize("function", TAKES_COLORS)
def test_channels_that_are_not_last_are_refused(function):
    with refuses(ValueError, r"shape \(3, 8\); expected three channels last.*movedim"):
        function(torch.zeros(3, 8))


@pytest.mark.parametrize("function", TAKES_COLORS)
def test_whole_numbers_are_refused(function):
    with refuses(TypeError, r"torch.uint8; expected floats from 0 to 1.*Divide"):
        function(torch.zeros(8, 3, dtype=torch.uint8))


def test_a_ratio_to_almost_nothing_is_nothing():
    b = torch.tensor([0.0, 1e-9, -4.0], requires_grad=True)
    quotient = ratio(torch.tensor([1.0, 1.0, 1.0]), b)
    quotient.sum().backward()
    assert quotient.tolist() == [0, 0, -0.25]
    assert b.grad.tolist() == [0, 0, -1 / 16]


def test_a_root_of_what_is_not_positive_is_nothing():
    x = torch.tensor([-1.0, 0.0, 4.0], requires_grad=True)
    root(x).sum().backward()
    assert root(x).tolist() == [0, 0, 2]
    assert x.grad.tolist() == [0, 0, 0.25]


def test_turns_never_reach_a_whole_one():
    x = torch.tensor([-1e-9, 1.0, 2.75, -0.25])
    assert turns(x).tolist() == [0, 0, 0.75, 0.75]
