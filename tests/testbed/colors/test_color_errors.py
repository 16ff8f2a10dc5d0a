import pytest
import torch
from refusals import refuses
from testbed.colors.stubs import Broken
from torch import nn

from latent_anchors import intervene
from latent_anchors.colorspace import (
    COLOR_NAMES,
    GRAYS,
    HUES,
    hsv_to_rgb,
    named_colors,
    rgb_grid,
)
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import color_errors, error_groups, reconstructions

RED, GRAY = named_colors("red"), named_colors("gray")


def wrong_at_hue(degrees):
    return Broken(hsv_to_rgb(torch.tensor([[degrees / 360, 1.0, 1.0]])))


class TestColorErrors:
    def test_are_means_over_the_three_channels(self):
        half = nn.Linear(3, 3)
        with torch.no_grad():
            half.weight.copy_(torch.eye(3) / 2)
            half.bias.zero_()
        colors = torch.tensor([[1.0, 0.0, 0.0], [0.6, 0.6, 0.6]])
        torch.testing.assert_close(color_errors(half, colors), torch.tensor([[0.25 / 3, 0.09]]))

    def test_are_of_what_is_said_within_0_and_1(self):
        class Loud(nn.Module):
            def forward(self, x):
                return 10 * x - 4

        colors = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.5, 0.5, 0.5]])
        assert color_errors(Loud(), colors).tolist() == [[0.0, 0.0, 0.25]]
        assert reconstructions(Loud(), colors)[0, :, 0].tolist() == [1.0, 0.0, 1.0]

    def test_are_those_of_evaluation_mode_and_every_layer_returns_to_its_own(self):
        frozen = nn.Sequential(nn.Dropout(0.5)).eval()
        model = nn.Sequential(nn.Dropout(0.5), frozen, nn.Identity())
        modes = [layer.training for layer in model.modules()]
        assert bool((color_errors(model, rgb_grid(3)) == 0).all())
        assert (
            [layer.training for layer in model.modules()]
            == modes
            == [True, True, False, False, True]
        )

    def test_leave_the_mode_as_it_was_when_the_model_fails(self):
        model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 2))
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
            color_errors(model, RED)
        assert model.training

    def test_carry_no_gradient(self):
        assert not color_errors(SphericalAutoencoder(hidden=4), RED).requires_grad

    def test_see_the_edits_in_force(self):
        model = Broken(torch.empty(0, 3))
        assert color_errors(model, RED).tolist() == [[0.0]]
        with intervene(model, lambda z: 0 * z):
            torch.testing.assert_close(color_errors(model, RED), torch.tensor([[1 / 3]]))

    def test_come_in_the_type_of_the_model(self):
        errors = color_errors(SphericalAutoencoder(hidden=4).double(), RED)
        assert errors.dtype == torch.float64

    def test_of_a_population_are_those_of_each_run(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(3)]
        population = Population.from_models(models)
        each = torch.cat([color_errors(model, rgb_grid(3)) for model in models])
        torch.testing.assert_close(color_errors(population, rgb_grid(3)), each)
        assert population.training


class TestGroups:
    def test_are_named_colors_and_four_more(self):
        groups = error_groups(nn.Identity(), "red")
        assert list(groups) == [*COLOR_NAMES, "grays", "grid", "between", "far"]
        assert {tuple(errors.tolist()) for errors in groups.values()} == {(0.0,)}

    def test_of_a_model_that_fails_at_red_alone_are_known(self):
        groups = error_groups(Broken(RED), "red")
        wrong = {name: errors.item() for name, errors in groups.items() if errors > 0}
        assert wrong == pytest.approx({"red": 1.0, "grid": 1 / 512})
        assert error_groups(Broken(RED), "cyan")["far"].tolist() == [1.0]

    def test_of_a_population_differ_by_run(self):
        population = Population.from_models([Broken(RED, 0.5), Broken(RED, 0.0), Broken(RED)])
        groups = error_groups(population, "red")
        assert groups["red"].tolist() == [0.25, 0.0, 1.0]
        assert groups["grid"].tolist() == pytest.approx([0.25 / 512, 0.0, 1 / 512])
        one = error_groups(Population.from_models([Broken(RED, 0.5)]), "red")
        assert (
            one["red"].tolist() == error_groups(Broken(RED, 0.5), "red")["red"].tolist() == [0.25]
        )

    def test_of_grays_is_the_worst_of_the_five_and_grays_are_never_far(self):
        groups = error_groups(Broken(named_colors("white", "dark_gray")), "cyan")
        assert (groups["white"].item(), groups["dark_gray"].item()) == (1.0, 0.25)
        assert groups["grays"].item() == 1.0
        assert groups["far"].item() == 0.0
        assert {name for name in GRAYS if groups[name] > 0} == {"white", "dark_gray"}

    @pytest.mark.parametrize("concept", HUES)
    def test_of_what_is_far_begin_with_the_neighbors(self, concept):
        """Neighbors at 30 degrees are far, whatever the rounding; those at 29 are not."""
        at = 360 * HUES[concept]
        for near in (-29, -1, 0, 1, 29):
            assert error_groups(wrong_at_hue((at + near) % 360), concept)["far"].item() == 0
        for away in (-30, 30, 31, 180):
            assert error_groups(wrong_at_hue((at + away) % 360), concept)["far"].item() > 0.3

    def test_of_what_is_far_take_in_pale_and_dark_colors_of_the_grid(self):
        pale_cyan = torch.tensor([[6 / 7, 1.0, 1.0]])
        assert error_groups(Broken(pale_cyan), "red")["far"].item() > 0.3
        dark_red = torch.tensor([[1 / 7, 0.0, 0.0]])
        assert error_groups(Broken(dark_red), "red")["far"].item() == 0.0
        assert error_groups(Broken(dark_red), "green")["far"].item() > 0.3

    def test_of_what_is_between_are_343_colors_that_the_grid_never_shows(self):
        class Snapping(nn.Module):
            """Knows the grid alone."""

            def forward(self, x):
                return (x * 7).round() / 7

        groups = error_groups(Snapping(), "red")
        assert groups["grid"].item() == pytest.approx(0.0, abs=1e-12)
        assert groups["between"].item() == pytest.approx(1 / 14**2)
        middle = torch.tensor([[0.5, 0.5, 0.5]])
        assert error_groups(Broken(middle - 1 / 7), "red")["between"].item() == pytest.approx(
            (2 / 7) ** 2 / 343
        )

    def test_of_a_hue_that_does_not_exist_are_refused(self):
        with refuses(ValueError, "Unknown hue 'gray'; expected one of 'red'"):
            error_groups(nn.Identity(), "gray")
