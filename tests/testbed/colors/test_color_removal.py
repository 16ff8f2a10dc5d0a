import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors import testbed
from latent_anchors.colorspace import hue_degree, named_colors, rgb_to_hsv


class Grayed(nn.Module):
    """Says mid-gray of some colors, and gives the others back."""

    def __init__(self, chosen):
        super().__init__()
        self.chosen = chosen

    def forward(self, x):
        return torch.where(self.chosen(x).unsqueeze(-1), 0.5, x)


def test_removal_is_1_where_reds_are_gray_and_collateral_counts_what_is_far_and_gray():
    grayed = {
        "reds": Grayed(lambda x: hue_degree(x, 0.0) > 0.1),
        "cyans": Grayed(lambda x: hue_degree(x, 0.5) > 0.5),
        "pure red": Grayed(lambda x: (x == named_colors("red")[0]).all(-1)),
    }
    removal = {name: float(testbed.color_removal(model, "red")) for name, model in grayed.items()}
    assert removal["reds"] == pytest.approx(1, abs=1e-3)
    assert removal["cyans"] < 1e-9
    assert 0.3 < removal["pure red"] < 0.6
    assert float(testbed.color_collateral(grayed["pure red"], "red")) == 0
    assert float(testbed.color_collateral(grayed["cyans"], "red")) > 0.01
    blacks = Grayed(lambda x: rgb_to_hsv(x)[..., 1] == 0)
    assert float(testbed.color_collateral(blacks, "red")) > 0


def test_what_errs_more_than_gray_is_not_more_than_gone_unless_it_is_to_count():
    turned = Turned()
    assert float(testbed.color_removal(turned, "red")) > 2
    assert float(testbed.color_removal(turned, "red", most=1)) <= 1
    half = Grayed(lambda x: x[..., 0] > 0.9)
    kept = (testbed.color_removal(half, "red", most=most) for most in (1, 1.5))
    assert all(float(each) == float(testbed.color_removal(half, "red")) for each in kept)
    with refuses(ValueError, "most is 0; expected a number above 0"):
        testbed.color_removal(turned, "red", most=0)


class Turned(nn.Module):
    """Says the opposite of every color."""

    def forward(self, x):
        return 1 - x
