"""Leakage of redness, beside what colors alone tell."""

from functools import cache

import torch
from refusals import refuses
from torch import nn

from latent_anchors.colorspace import named_colors
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import hue_leakage


class Codes(nn.Module):
    """Latents that are the colors, or all alike."""

    def __init__(self, gain: float):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))
        self.latent = nn.Identity()

    def forward(self, x):
        return self.latent(self.gain * x)


@cache
def found():
    """One run whose latents are the colors, and one whose latents hold nothing."""
    return hue_leakage(Population.from_models([Codes(1.0), Codes(0.0)]), "red")


def test_latents_that_are_the_colors_leak_what_the_floor_says():
    for probe in ("linear", "nonlinear"):
        leaked, floor = (found()[f"leakage/{probe}{beside}"][0] for beside in ("", "/floor"))
        assert torch.isclose(leaked, floor, atol=0.01)


def test_latents_that_hold_nothing_leak_nothing():
    for measure in ("linear", "nonlinear", "decoder"):
        assert found()[f"leakage/{measure}"][1] < 0.05


def test_a_line_finds_less_in_colors_than_a_small_network_does():
    assert found()["leakage/linear/floor"][0] < 0.95 < found()["leakage/nonlinear/floor"][0]


def test_colors_from_which_red_was_taken_tell_less_of_it_than_colors_do():
    for probe in ("linear", "nonlinear"):
        assert found()[f"leakage/{probe}/ideal"][0] < found()[f"leakage/{probe}/floor"][0] - 0.05


def test_a_fresh_decoder_says_red_where_latents_hold_it_and_not_where_it_was_taken():
    assert found()["leakage/decoder/error"][0] < 0.01
    assert found()["leakage/decoder/error/ideal"][0] > 0.1
    red = named_colors("red")
    assert torch.isclose(
        found()["leakage/decoder/error"][1], (red - 0.5).square().mean(), atol=0.01
    )


def test_an_unknown_hue_is_refused():
    with refuses(ValueError, r"Unknown hue 'gray'"):
        hue_leakage(SphericalAutoencoder(), "gray")
