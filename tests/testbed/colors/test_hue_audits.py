"""Leakage of redness, beside what colors alone tell."""

import math
from functools import cache

import pytest
import torch
from refusals import refuses
from testbed.colors.small_networks import SEEDS, untrained
from torch import nn

from latent_anchors.audits import _perturbation, _probes
from latent_anchors.audits._perturbation import _with_noise, by_layer, norm, parameters_of
from latent_anchors.colorspace import hsv_similarity, named_colors, rgb_grid
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import color_errors, hue_leakage, hue_perturbation
from latent_anchors.testbed._colors import _hue_audits


class Codes(nn.Module):
    """Latents that are the colors, or all alike."""

    def __init__(self, gain: float):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))
        self.latent = nn.Identity()

    def forward(self, x):
        return self.latent(self.gain * x)


class Blended(Codes):
    """Latents from which red was taken: gray by as much as a color is like it."""

    def forward(self, x):
        alike = hsv_similarity(x, named_colors("red")).unsqueeze(-1)
        return self.latent(self.gain * (x + alike * (0.5 - x)))


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


def test_degrees_are_not_rounded_to_the_half_precision_of_latents(monkeypatch):
    monkeypatch.setattr(_probes, "STEPS", 2)  # the small network's answers have no say here
    monkeypatch.setattr(_hue_audits, "_of_colors", _hue_audits._of_colors.__wrapped__)
    half, full = (hue_leakage(codes, "red") for codes in (Codes(1.0).bfloat16(), Codes(1.0)))
    torch.testing.assert_close(half["leakage/linear/floor"], full["leakage/linear/floor"])


def test_a_line_finds_less_in_colors_than_a_small_network_does():
    assert found()["leakage/linear/floor"][0] < 0.95 < found()["leakage/nonlinear/floor"][0]


def test_colors_from_which_red_was_taken_tell_less_of_it_than_colors_do():
    for probe in ("linear", "nonlinear"):
        assert found()[f"leakage/{probe}/ideal"][0] < found()[f"leakage/{probe}/floor"][0] - 0.05


def test_latents_from_which_red_was_taken_leak_what_the_ideal_says():
    leaked = hue_leakage(Blended(1.0), "red")
    for measure in ("linear", "nonlinear", "decoder", "decoder/error"):
        ideal = leaked[f"leakage/{measure}/ideal"]
        torch.testing.assert_close(leaked[f"leakage/{measure}"], ideal, rtol=1e-4, atol=1e-5)


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


def test_without_noise_errors_are_those_of_the_network():
    found = hue_perturbation(untrained(), "red", sizes=(0.0,), draws=2)
    plain = color_errors(untrained(), torch.tensor([[1.0, 0.0, 0.0]]))[:, 0]
    assert torch.allclose(found["perturbation/concept/0"], plain)
    grid = color_errors(untrained(), rgb_grid(8)).mean(1)
    assert torch.allclose(found["perturbation/grid/0"], grid, rtol=1e-6)


def test_errors_are_averaged_over_16_draws_unless_said_otherwise(monkeypatch):
    draws = []
    monkeypatch.setattr(_perturbation, "_with_noise", lambda p, _, draw: draws.append(draw) or p)
    hue_perturbation(untrained(), "red", sizes=(0.1,))
    assert draws == [*range(16)]


def test_noise_has_the_relative_size_that_was_asked_for_in_every_layer():
    old = parameters_of(untrained())
    draws = [parameters_of(_with_noise(untrained(), 0.1, draw)) for draw in range(40)]
    for names in by_layer(old).values():
        moved = [norm([new[name] - old[name] for name in names]) for new in draws]
        relative = torch.stack(moved).square().mean(0).sqrt() / norm([old[name] for name in names])
        assert torch.allclose(relative, torch.full((len(SEEDS),), 0.1), rtol=0.15)


def test_weights_that_surgery_set_to_zero_get_noise_too():
    pruned = untrained()[:]
    with torch.no_grad():
        pruned.stacked.get_parameter("decoder.0.weight")[..., 0] = 0.0
    noisy = parameters_of(_with_noise(pruned, 0.1, 0))["decoder.0.weight"]
    assert (noisy[..., 0] != 0).all()


def test_a_run_gets_the_same_noise_alone_as_among_others_and_the_network_stays():
    before = {name: p.clone() for name, p in parameters_of(untrained()).items()}
    together = hue_perturbation(untrained(), "red", sizes=(0.1,), draws=3)
    alone = hue_perturbation(untrained()[1:], "red", sizes=(0.1,), draws=3)
    for name, errors in together.items():
        assert torch.allclose(errors[1:], alone[name])
    assert all(torch.equal(p, before[name]) for name, p in parameters_of(untrained()).items())


@pytest.mark.parametrize("size", [-0.1, math.nan])
def test_a_size_that_is_none_is_refused(size: float):
    with refuses(ValueError, r"size is .*; expected a number from 0.0"):
        hue_perturbation(untrained(), "red", sizes=(size,))


def test_no_draws_and_no_sizes_are_refused():
    with refuses(ValueError, r"draws is 0; expected at least 1"):
        hue_perturbation(untrained(), "red", draws=0)
    with refuses(ValueError, r"The number of sizes is 0"):
        hue_perturbation(untrained(), "red", sizes=())
